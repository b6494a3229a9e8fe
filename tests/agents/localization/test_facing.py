"""Quarters of a map, and what is counted as right."""

import gymnasium as gym
import numpy as np
import pytest

from av_envs.agents.localization import facing
from av_envs.agents.localization.facing import Heard, by_house, in_quarter, quarters, shares
from av_envs.agents.separation.learned_doa import NEEDS, LearnedDoA
from av_envs.agents.separation.networks.belief import AROUND, SHOWN


def belief_at(*cells: tuple[int, int]) -> np.ndarray:
    chances = np.zeros((SHOWN, SHOWN))
    for ahead, left in cells:
        chances[AROUND + ahead, AROUND + left] = 1 / len(cells)
    return chances


@pytest.mark.parametrize(
    ("cell", "quarter"), [((4, 0), 0), ((1, 3), 1), ((-5, 4), 2), ((2, -3), 3)]
)
def test_the_quarter_of_a_cell(cell, quarter):
    np.testing.assert_array_equal(quarters(belief_at(cell)), np.eye(4)[quarter])


def test_a_cell_between_two_quarters_counts_half_in_each():
    np.testing.assert_allclose(quarters(belief_at((3, 3))), [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(quarters(belief_at((-2, -2), (0, 0))), [0, 0, 0.25, 0.25])


@pytest.mark.parametrize("turns", range(4))
def test_quarters_reach_45_degrees_to_either_side(turns):
    degrees = 90 * turns + np.array([-46, -45, 0, 45, 46])
    right = in_quarter(np.radians((degrees + 180) % 360 - 180), turns)
    np.testing.assert_array_equal(right, [False, True, True, True, False])


def test_means_are_over_houses():
    """Not over seconds, of which the first house has three times as many."""
    mean, low, high = by_house(np.array([1, 1, 1, 0]), np.array([0, 0, 0, 1]))
    assert (mean, low, high) == (0.5, 0.0, 1.0)
    assert np.isnan(by_house(np.array([]), np.array([]))).all()


def test_seconds_before_do_not_count():
    house, second = np.zeros(4, int), np.arange(4)
    sight = np.array([True, True, True, False])
    straight, arrival = np.array([0, 0, 1, 0], bool), np.array([0, 0, 1, 1], bool)
    found = shares(Heard(house, second, sight, straight, arrival), after=2)
    assert found["all"][0] == 0.5
    assert found["in sight"][0] == 1
    assert found["not in sight"][0] == 0
    assert found["all, of arrival"][0] == 1


@pytest.fixture(scope="module")
def env():
    return gym.make("AVDynamicSep-v0", houses=1, split="val", steps=4, observations=NEEDS)


@pytest.mark.parametrize("turned", [False, True])
def test_who_is_told_is_always_right(env, monkeypatch, turned):
    """And who takes front for back never is."""

    def hear(agent, observation):
        azimuth = facing.directions_to_target(env.unwrapped.state)[1][0] + np.pi * turned
        cell = np.round(4 * np.array([np.cos(azimuth), np.sin(azimuth)])).astype(int)
        agent.belief = belief_at(tuple(cell))

    monkeypatch.setattr(LearnedDoA, "hear", hear)
    agent = LearnedDoA(env.observation_space, env.action_space, seed=0)
    heard = facing.listen(env, {"told": agent}, per_house=2)["told"]
    assert heard.second.tolist() == [*range(4)] * 2
    assert heard.straight.mean() == (0 if turned else 1)


def test_the_command(capsys, tmp_path):
    path = tmp_path / "found.json"
    words = ["--houses", "1", "--episodes", "1", "--seconds", "3", "--after", "2"]
    assert facing.main([*words, "--json", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| heard by | all | in sight | not in sight | all, of arrival |"
    assert [line.split(" | ")[0] for line in lines if "[" in line] == ["| locator", "| gcc"] * 2
    assert path.exists()


def test_seconds_that_do_not_count_are_fewer_than_all(capsys):
    with pytest.raises(SystemExit):
        facing.main(["--seconds", "4", "--after", "4"])
    assert "--after must be below --seconds 4" in capsys.readouterr().err
