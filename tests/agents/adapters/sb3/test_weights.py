"""Files of weights that are damaged or of something else: each error names the file."""

import json
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import av_envs.agents
from av_envs.agents.adapters.sb3 import SB3Agent
from av_envs.agents.adapters.sb3.weights import load_policy, observations_of

SHIPPED = Path(av_envs.agents.__file__).parent / "weights" / "sep_listens.safetensors"


@pytest.fixture(scope="module")
def spaces_of_task():
    env = gym.make("AVDynamicSep-v0", houses=1)
    return env.observation_space, {}, env.action_space


@pytest.fixture
def written(tmp_path):
    """Writes the shipped policy with other weights or another header."""

    def write(tensors=None, **changes):
        with safe_open(SHIPPED, "pt") as file:
            config = json.loads(file.metadata()["config"]) | changes
        path = tmp_path / "policy.safetensors"
        save_file(load_file(SHIPPED) | (tensors or {}), path, {"config": json.dumps(config)})
        return path

    return write


def test_the_policy_as_it_ships_is_loaded(written, spaces_of_task):
    policy = load_policy(written(), *spaces_of_task)
    assert all(value.isfinite().all() for value in policy.state_dict().values())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"algorithm": "os"}, "its algorithm 'os' is none of PPO, RecurrentPPO"),
        ({"algorithm": []}, r"its algorithm \[\] is none of"),
        ({"network": []}, "network must be a dict"),
        ({"network": {"wings": 2}}, "does not fit its policy: .*wings"),
        ({"network": {"net_arch": ["a"]}}, "does not fit its policy"),
        ({"observations": "pose"}, "observations a list of names"),
        ({"observations": ["pose", "smell"]}, r"needs the observations \['smell'\]"),
        ({"observations": ["pose"]}, "does not fit its policy"),
    ],
)
def test_headers_that_fit_no_policy_are_named(written, spaces_of_task, changes, reason):
    with pytest.raises(ValueError, match=rf"policy\.safetensors:? .*{reason}") as caught:
        load_policy(written(**changes), *spaces_of_task)
    assert len(str(caught.value)) < 600


def test_weights_that_are_missing_or_not_finite_are_named(written, spaces_of_task):
    name, value = next(iter(load_file(SHIPPED).items()))
    with pytest.raises(ValueError, match=r"policy\.safetensors: does not fit its policy"):
        load_policy(written({name: torch.zeros(1)}), *spaces_of_task)
    with pytest.raises(ValueError, match=rf"policy\.safetensors: .*not finite numbers: {name}"):
        load_policy(written({name: torch.full_like(value, torch.nan)}), *spaces_of_task)


@pytest.mark.parametrize(
    "content",
    [b"", b"x" * 100, b"\xff" * 8 + b"{}", b"\x02" + bytes(7) + b"{}", SHIPPED.read_bytes()[:5000]],
    ids=["empty", "text", "endless header", "no header", "cut short"],
)
def test_files_that_are_no_weights_are_named(tmp_path, content):
    path = tmp_path / "policy.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"policy\.safetensors: (cannot be read|holds no policy)"):
        observations_of(path)


def test_files_that_are_too_large_are_refused_by_their_size(written, monkeypatch):
    monkeypatch.setattr("av_envs.agents.weight_files.LARGEST_FILE", 1000)
    with pytest.raises(ValueError, match=r"policy\.safetensors: has \d+ bytes; of weights 1000"):
        observations_of(written())


def test_a_policy_without_pickled_code_goes_to_the_device_it_is_given(spaces_of_task):
    observations, _, actions = spaces_of_task
    agent = SB3Agent(observations, actions, seed=0, checkpoint=SHIPPED, device="meta")
    assert {value.device.type for value in agent.model.parameters()} == {"meta"}
