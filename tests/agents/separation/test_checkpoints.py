"""Files of networks: what is kept comes back, and what is wrong with a file is one line."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from av_envs.agents.separation.agent import (
    AgentNetworks,
    agent_config,
    digest,
    load_agent,
    load_locator,
    load_separator,
    locator_for,
    locator_of,
    save_agent,
)
from av_envs.agents.separation.checkpoints import (
    VERSION,
    Header,
    check_classes,
    network_header,
    save_network,
)
from av_envs.agents.separation.networks.unet import WIDTHS
from av_envs.agents.separation.separator import Separator, separator_config
from av_envs.agents.weight_files import load_weights
from tests.agents.separation.small_networks import (
    CLASSES,
    saved_locator,
    saved_separator,
    small_agent,
    small_locator,
    small_separator,
)

UNETS = {"extractor": "unet", "converter": "unet", "widths": WIDTHS["small"]}


def rewritten(path, folder, weights=None, **changed):
    """The file with other weights or other fields in its header."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["header"])
    made = folder / "other.safetensors"
    text = json.dumps({**header, **changed})
    save_file(load_file(path) if weights is None else weights, made, {"header": text})
    return made


def refusal(load, *given) -> str:
    with pytest.raises(ValueError, match=r"\.safetensors: ") as refused:
        load(*given)
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 600
    return said


@pytest.mark.parametrize("options", [{}, UNETS], ids=["tcn", "unet"])
def test_what_is_kept_comes_back_in_half_precision(tmp_path, options):
    separator = small_separator(**options)
    torch.manual_seed(0)
    separator.train()(torch.rand(4, 2, 512, 32), torch.arange(4))  # moves what batch norms know
    kept, header = load_separator(saved_separator(tmp_path / "a.safetensors", separator))
    assert header.classes == CLASSES
    assert header.version == VERSION
    assert kept.config == separator.config
    assert not kept.training
    for name, value in separator.state_dict().items():
        back = kept.state_dict()[name]
        assert back.dtype == value.dtype  # whole numbers stay whole
        assert torch.equal(back, value.half().to(value.dtype))


@pytest.mark.slow
def test_the_paper_comes_back(tmp_path):
    separator = Separator(separator_config("paper", len(CLASSES)))
    path = saved_separator(tmp_path / "paper.safetensors", separator)
    assert path.stat().st_size < 2.1 * sum(w.numel() for w in separator.parameters())
    assert load_separator(path)[0].config == separator.config


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    separator = small_separator()
    path = saved_separator(tmp_path / "a.safetensors", separator)
    before = path.read_bytes()
    next(separator.parameters()).data[0] = float("nan")
    with pytest.raises(FloatingPointError, match=r"a\.safetensors: .* not finite: extractor"):
        saved_separator(path, separator)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_too_large_for_half_precision_is_not_kept(tmp_path):
    separator = small_separator()
    next(separator.parameters()).data[0] = 1e6
    with pytest.raises(FloatingPointError, match="not finite"):
        saved_separator(tmp_path / "a.safetensors", separator)


@pytest.mark.parametrize("length", [0, 4, 100, -10])
def test_a_cut_file_is_refused(separator_file, tmp_path, length):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(separator_file.read_bytes()[:length])
    refusal(load_separator, path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"agent": "active"}, "holds 'active', 'separator' is wanted"),
        ({"version": VERSION + 1}, f"version {VERSION + 1}, here they have {VERSION}"),
        ({"config": [1]}, "config and made must be JSON objects"),
        ({"classes": 3}, "cannot be read as weights"),
        ({"surprise": 3}, "cannot be read as weights"),
        ({"config": {}}, "its networks cannot be built"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_wrong_header_is_refused(separator_file, tmp_path, changed, says):
    assert says in refusal(load_separator, rewritten(separator_file, tmp_path, **changed))


def test_a_foreign_file_is_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    said = refusal(load_separator, tmp_path / "foreign.safetensors")
    assert "holds no network of av_envs.agents" in said


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        load_separator(tmp_path / "none.safetensors")


def test_weights_of_other_networks_are_refused(separator_file, separator, tmp_path):
    config = asdict(replace(separator.config, n_classes=3))
    said = refusal(load_separator, rewritten(separator_file, tmp_path, config=config))
    assert "does not fit its network" in said


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=["nan", "inf"])
def test_weights_that_are_no_numbers_are_refused(separator_file, tmp_path, value):
    weights = load_file(separator_file)
    weights["converter.read.bias"][0] = value
    said = refusal(load_separator, rewritten(separator_file, tmp_path, weights))
    assert "not finite numbers: converter.read.bias" in said


def test_other_classes_are_named():
    header = Header("separator", {}, ("dog", "rain"), {})
    check_classes("a", header, ["dog", "rain"])
    with pytest.raises(ValueError, match="a: was trained on 2 classes, the corpus has 3"):
        check_classes("a", header, ["dog", "rain", "sea"])
    with pytest.raises(ValueError, match="a: its class 1 is 'rain', that of the corpus is 'sea'"):
        check_classes("a", header, ["dog", "sea"])


def test_an_agent_comes_back(separator_file, tmp_path):
    separator = load_separator(separator_file)[0]
    networks = small_agent("active", separator, look_back=3)
    path = tmp_path / "active.safetensors"
    save_agent(networks, path, CLASSES, {"steps": 3})
    kept, header = load_agent(path, "active", separator)
    assert kept.config == networks.config
    assert kept.config.look_back == 3
    assert header.made == {"steps": 3}
    for name, value in networks.state_dict().items():
        assert torch.equal(kept.state_dict()[name], value.half().float())


def test_an_agent_is_bound_to_its_kind_and_separator(agent_files, separator_file):
    separator = load_separator(separator_file)[0]
    said = refusal(load_agent, agent_files["active"], "novelty", separator)
    assert "holds 'active', 'novelty' is wanted" in said
    said = refusal(load_agent, agent_files["active"], "active", small_separator(seed=5))
    assert "was trained with the separator" in said


def test_an_agent_with_a_strange_config_is_refused(agent_files, separator_file, tmp_path):
    separator = load_separator(separator_file)[0]
    path = rewritten(agent_files["novelty"], tmp_path, config={"kind": "novelty", "memory": None})
    assert "its networks cannot be built" in refusal(load_agent, path, "novelty", separator)


@pytest.mark.parametrize(
    ("kind", "size", "says"), [("fast", "small", "agent"), ("active", "big", "size")]
)
def test_what_an_agent_is_made_of_is_checked(separator, kind, size, says):
    with pytest.raises(ValueError, match=f"{says} '.*' does not exist; choose from"):
        agent_config(kind, size, separator)


def test_networks_of_each_kind(separator):
    kinds = ("active", "single_step", "memoryless", "move2hear", "novelty")
    made = {
        kind: AgentNetworks(agent_config(kind, "small", separator, features=("pose",)))
        for kind in kinds
    }
    assert {kind for kind in kinds if made[kind].memory is None} == {"memoryless", "novelty"}
    assert [made[kind].config.look_back for kind in kinds[:2]] == [14, 0]


def test_a_header_can_be_read_alone(separator_file):
    assert network_header(separator_file, "separator").agent == "separator"


def test_weights_go_into_a_network_that_was_built_from_the_header(tmp_path):
    network = torch.nn.Linear(2, 1)
    save_network(network, tmp_path / "a.safetensors", Header("line", {}, (), {}))
    other = torch.nn.Linear(2, 1)
    load_weights(other, tmp_path / "a.safetensors", "networks")
    assert torch.equal(other.weight, network.weight.half().float())


def test_a_file_that_is_too_large_is_refused_by_its_size(separator_file, monkeypatch):
    monkeypatch.setattr("av_envs.agents.weight_files.LARGEST_FILE", 1000)
    with pytest.raises(ValueError, match=r"\.safetensors: has \d+ bytes; of weights 1000"):
        load_separator(separator_file)


def test_another_locator_is_refused(separator_file, tmp_path):
    separator = load_separator(separator_file)[0]
    config = small_agent("memoryless", separator).config
    assert config.locator is not None
    other = saved_locator(tmp_path / "other.safetensors", small_locator())
    said = refusal(locator_of, config, other)
    assert f"other.safetensors: is the locator {digest(small_locator().half().float())}" in said
    assert said.endswith(f"the agent was trained with {config.locator}")
    assert locator_of(replace(config, locator=None), other) is None


def test_a_locator_knows_the_classes_of_the_corpus(tmp_path):
    path = saved_locator(tmp_path / "small.safetensors", small_locator())
    assert locator_for(("mono", "pose"), path, ()) is None
    assert locator_for(("place", "pose"), path, CLASSES) is not None
    said = refusal(locator_for, ("place", "pose"), path, CLASSES[1:])
    assert f"was trained on {len(CLASSES)} classes, the corpus has {len(CLASSES) - 1}" in said


def test_a_damaged_locator_is_named(tmp_path):
    path = saved_locator(tmp_path / "small.safetensors", small_locator())
    said = refusal(load_locator, rewritten(path, tmp_path, config={"n_classes": 3}))
    assert "its networks cannot be built" in said
