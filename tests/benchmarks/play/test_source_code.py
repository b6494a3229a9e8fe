"""The hash of an agent follows every file of its own that it is made of, and nothing else."""

import sys

import pytest

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.source_code import find_module, source_files, source_hash

FILES = {
    "player/__init__.py": "from player.agent import Agent\nfrom player.other import Other\n",
    "player/agent.py": "import numpy\nfrom . import memory\nfrom player.nets import build\n"
    "PREDICTOR = 'foresight:Predictor'\nclass Agent: ...\n",
    "player/other.py": "class Other: ...\n",
    "player/memory.py": "def remember():\n    from player.nets import layers\n",
    "player/nets/__init__.py": "from player.nets.policy import build\n",
    "player/nets/policy.py": "SIZE = 3\ndef build(): ...\n",
    "player/nets/layers.py": "import player_tools\nWIDTH = 8\n",
    "player_tools.py": "raise RuntimeError('reading must not run this')\n",
    "foresight.py": "class Predictor: ...\n",
    "unrelated.py": "",
}
USED = set(FILES) - {"player/other.py", "unrelated.py"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def edit(folder, name):
    (folder / name).write_text(FILES[name] + "# edited\n")


@pytest.mark.parametrize("path", ["player:Agent", "player.agent:Agent"])
@pytest.mark.parametrize("name", sorted(USED))
def test_whatever_an_agent_imports_belongs_to_its_hash(folder, path, name):
    before = source_hash(path)
    edit(folder, name)
    assert source_hash(path) != before
    assert "player" not in sys.modules


@pytest.mark.parametrize("name", sorted(set(FILES) - USED))
def test_other_files_do_not_belong_to_it(folder, name):
    before = source_hash("player:Agent")
    edit(folder, name)
    assert source_hash("player:Agent") == before


def test_a_predictor_named_by_an_argument_belongs_to_it(folder):
    kwargs = {"options": [{"predictor": "unrelated:P"}]}
    before = source_hash("player:Agent", kwargs)
    edit(folder, "unrelated.py")
    assert source_hash("player:Agent", kwargs) != before


def test_the_baselines_are_followed_into_what_they_share():
    files = source_files("baselines.rir_measure:Curiosity")
    stems = {name.rpartition(".")[2] for name in files}
    assert {"curiosity", "goal_team", "mapping", "survey", "routes", "moves", "entry"} <= stems
    assert not {"frontier", "numpy", "actions"} & stems
    assert all(name.startswith("av_envs.baselines") for name in files)


def test_an_agent_that_builds_on_a_baseline_depends_on_it(folder):
    (folder / "mine.py").write_text("from av_envs.baselines.separation import DoA as A\n")
    assert "av_envs.baselines.separation.doa" in source_files("mine:A")


def test_installed_packages_have_nothing_in_common(tmp_path, monkeypatch):
    home = tmp_path / "site-packages"
    home.mkdir()
    (home / "one.py").write_text("import two\n")
    (home / "two.py").write_text("")
    monkeypatch.syspath_prepend(home)
    assert set(source_files("one:A")) == {"one"}


def test_what_is_not_there_or_not_python_is_named(folder):
    with pytest.raises(UserError, match=r"no module named 'nowhere\.agents'"):
        source_hash("nowhere.agents:A")
    (folder / "unrelated.py").write_text("def (:\n")
    with pytest.raises(UserError, match=r"unrelated\.py is not Python"):
        source_hash("unrelated:A")
    assert find_module("player.nets.missing") is None
