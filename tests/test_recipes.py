"""The recipes of docs/recipes.md, followed to the letter in an empty folder."""

import importlib
import json
import re
import runpy
import shlex
import sys
from pathlib import Path

import gymnasium as gym
import pytest
from gymnasium.envs.registration import registry
from gymnasium.utils.env_checker import check_env

from av_envs.benchmarks.suites.suite import SUITES
from av_envs.separation import observation, rewards
from av_envs.separation.device import observation as device_observation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "recipes.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RECIPES = {
    title: BLOCK.findall(text)
    for title, text in re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
}


@pytest.fixture
def follow(tmp_path, monkeypatch):
    """A function that does what a recipe says, in a folder that it returns."""
    known = [(table, dict(table)) for table in (registry, SUITES, *open_tables())]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def done(title: str) -> Path:
        for language, name, text in RECIPES[title]:
            if name:
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            if name.startswith("play_"):
                runpy.run_path(name, run_name="__main__")
            elif language == "sh":
                for line in text.splitlines():
                    run_command(line)
            elif not name:
                exec(compile(text, title, "exec"), {"__name__": "recipe"})
        return tmp_path

    yield done
    for table, before in known:
        table.clear()
        table.update(before)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def open_tables() -> tuple[dict, ...]:
    """What recipes add a line to."""
    return rewards.REWARDS, observation.OBSERVATIONS, device_observation.OBSERVATIONS


def run_command(line: str) -> None:
    python, flag, module, *arguments = shlex.split(line)
    assert (python, flag) == ("python", "-m")
    assert importlib.import_module(module).main(arguments) == 0


def rows_of(folder: Path) -> list[dict]:
    return json.loads((folder / "results" / "leaderboard.json").read_text(encoding="utf-8"))["rows"]


def test_every_recipe_is_in_the_table():
    table = PAGE.read_text(encoding="utf-8").partition("## ")[0]
    for title in RECIPES:
        assert f"(#{title.lower().replace(' ', '-')})" in table


def test_a_baseline(follow):
    rows = rows_of(follow("A baseline"))
    assert [row["agent"] for row in rows] == ["Bouncing"]


def test_an_estimator(follow, capsys):
    follow("An estimator")
    assert "dB better than the mixture" in capsys.readouterr().out


def test_a_predictor(follow, capsys):
    follow("A predictor")
    assert "prediction error" in capsys.readouterr().out


def test_a_reward(follow, capsys):
    follow("A reward")
    assert "lead [" in capsys.readouterr().out


def test_a_variant_or_a_wrapper(follow, capsys):
    follow("A variant or a wrapper")
    paid, whole = map(float, re.findall(r"(-?\d+\.\d+)", capsys.readouterr().out))
    assert paid == pytest.approx(whole - 0.1, abs=2e-3)


def test_an_observation_is_the_same_single_in_a_batch_and_on_a_device(follow, capsys):
    follow("An observation")
    said = re.findall(r"(-?\d+\.\d+)", capsys.readouterr().out)
    single, (batch, other), (device, last) = said[0], said[1:3], said[3:5]
    assert single == batch != other
    assert [float(device), float(last)] == pytest.approx([float(batch), float(other)], abs=1e-3)


def test_an_acoustic_engine(follow, capsys):
    follow("An acoustic engine")
    assert "target to rest" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:.*Box observation space")
def test_a_task(follow):
    rows = rows_of(follow("A task"))
    assert {row["agent"]: row["reason"] for row in rows} == {"Random": "", "RotateInPlace": ""}
    check_env(gym.make("loudest:Loudest-v0", houses=1).unwrapped, skip_render_check=True)
