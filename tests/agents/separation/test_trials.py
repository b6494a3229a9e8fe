"""What an agent wins in validation houses over standing still."""

import numpy as np
import pytest
import torch

from av_envs.agents.separation.agent import load_locator
from av_envs.agents.separation.trials import Played, Trials
from av_envs.separation.actions import Action
from tests.agents.separation.small_networks import small_agent

OPTIONS = {"start": "near", "estimator": "agent", "steps": 5}


def trials(separator, kind: str = "memoryless", stays: bool = False) -> Trials:
    networks = small_agent(kind, separator)
    if stays:
        networks.policy.actor.bias.data[Action.STAY] = 1e4
    return Trials(
        networks,
        separator,
        episodes=2,
        houses=1,
        env_options=OPTIONS,
        locator=load_locator()[0],
    )


def test_who_always_stays_wins_nothing(separator):
    found = trials(separator, stays=True).scores()
    assert found["gain"] == found["gain_error"] == found["beside"] == 0.0
    assert found["visited"] == 1.0
    assert np.isfinite(found["si_sdr"])


def test_the_same_episodes_and_moves_every_time(separator, monkeypatch):
    made = trials(separator)
    first = made.scores()
    torch.manual_seed(5)  # of no account
    monkeypatch.setattr("av_envs.agents.separation.trials.AT_ONCE", 3)
    assert made.scores() == first


def test_the_memory_makes_the_estimates(separator):
    moved = trials(separator, "active", stays=True).scores()
    assert moved["gain"] != 0.0


@pytest.mark.parametrize(
    ("ratios", "gain", "error"),
    [
        ([[3.0, 5.0, np.nan], [1.0, 1.0, np.nan]], 3.0, 1.0),
        ([[3.0, np.nan, np.nan], [1.0, np.nan, np.nan]], 2.0, 0.0),
    ],
    ids=["some", "one"],
)
def test_episodes_without_a_sound_do_not_count(separator, monkeypatch, ratios, gain, error):
    made = trials(separator)
    moving, standing = map(np.array, ratios)
    metres, visited = np.array([1.0, 2.0, 1.0]), np.array([4, 6, 5])

    def play(*, moves: bool) -> Played:
        return Played(moving if moves else standing, metres, visited)

    monkeypatch.setattr(made, "_play", play)
    found = made.scores()
    assert (found["gain"], found["gain_error"]) == (gain, pytest.approx(error))
    assert found["si_sdr"] == np.nanmean(moving)
    assert found["beside"] == pytest.approx(2 / 3)
    assert found["visited"] == 5
