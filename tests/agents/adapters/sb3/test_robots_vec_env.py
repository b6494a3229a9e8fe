"""Robots as environments of Stable-Baselines3: by this project, and by SuperSuit."""

import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from small_worlds import (
    BRIEF,
    STEPS,
    TINY,
    batch,
    robots_of_supersuit,
    team,
    without_render_mode,
)
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from av_envs.agents.adapters.sb3 import AVFeaturesExtractor, RobotsVecEnv

FEATURES = {"features_extractor_class": AVFeaturesExtractor, "features_extractor_kwargs": TINY}
every_kind = pytest.mark.parametrize("kind", ["sync", "native"])


def robots(kind: str = "sync", n_teams: int = 2, **options) -> RobotsVecEnv:
    return RobotsVecEnv(batch("AVRIRMeasure-v0", kind, "SameStep", n_teams, **options))


@every_kind
def test_robots_see_and_earn_what_they_do_in_their_teams(kind):
    venv, teams = robots(kind), [team(), team()]
    venv.seed(3)
    seen = venv.reset()
    expected = [one.reset(seed=3 + i)[0] for i, one in enumerate(teams)]
    rng = np.random.default_rng(0)
    for t in range(STEPS):
        rows = [row for of_team in expected for row in of_team.values()]
        for key, values in seen.items():
            np.testing.assert_array_equal(values, np.stack([row[key] for row in rows]))
        moves = rng.integers(1, 4, 4)
        seen, rewards, dones, infos = venv.step(moves)
        alone = [
            one.step(dict(zip(one.agents, pair, strict=True)))
            for one, pair in zip(teams, moves.reshape(2, 2), strict=True)
        ]
        expected = [step[0] for step in alone]
        earned = [reward for step in alone for reward in step[1].values()]
        np.testing.assert_array_equal(rewards, np.float32(earned))
        assert dones.tolist() == [t == STEPS - 1] * 4
    rows = [row for of_team in expected for row in of_team.values()]
    for info, row in zip(infos, rows, strict=True):
        assert info["TimeLimit.truncated"]
        assert info["t"] == STEPS
        for key, value in row.items():
            np.testing.assert_array_equal(info["terminal_observation"][key], value)
    assert [info["t"] for info in venv.reset_infos] == [0] * 4


@every_kind
def test_masks_and_attributes_are_those_of_robots(kind):
    venv = robots(kind)
    observations = venv.reset()
    masks = np.stack(venv.env_method("action_masks"))
    np.testing.assert_array_equal(masks, observations["action_mask"])
    assert [config.steps for config in venv.get_attr("config")] == [STEPS] * 4
    assert venv.has_attr("action_masks")
    assert not venv.has_attr("no_such_thing")
    assert venv.env_is_wrapped(VecMonitor) == [False] * 4
    with pytest.raises(NotImplementedError, match="one by one"):
        venv.set_attr("config", None)


def test_options_and_seeds_are_those_of_teams():
    venv = robots(houses=2)
    assert venv.seed(5) == [5, 5, 6, 6]
    venv.set_options({"house": 1})
    venv.reset()
    assert [info["house"] for info in venv.reset_infos] == [1] * 4


def test_who_is_no_team_is_refused():
    with pytest.raises(ValueError, match="the same choice for every robot"):
        RobotsVecEnv(batch("AVDynamicSep-v0", "sync", "SameStep"))


@every_kind
@pytest.mark.parametrize("algorithm", [PPO, MaskablePPO])
def test_one_policy_learns_for_all(kind, algorithm):
    venv = VecMonitor(robots(kind))
    model = algorithm("MultiInputPolicy", venv, policy_kwargs=FEATURES, **BRIEF)
    before = [weights.clone() for weights in model.policy.parameters()]
    model.learn(24)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    assert [episode["l"] for episode in model.ep_info_buffer] == [STEPS] * 4


@without_render_mode
@pytest.mark.parametrize("n_teams", [1, 2])
def test_supersuit_trains_one_policy_too(n_teams):
    options = {**BRIEF, "seed": None}  # its batch cannot be seeded
    venv = VecMonitor(robots_of_supersuit(n_teams))
    model = PPO("MultiInputPolicy", venv, policy_kwargs=FEATURES, **options)
    before = [weights.clone() for weights in model.policy.parameters()]
    model.learn(12 * n_teams)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    assert model.observation_space["rgb"].shape == (3, 128, 128)


def test_supersuit_does_not_tell_that_only_the_time_was_up():
    """So algorithms take the last step for an end; nor are its infos kept."""
    venv = robots_of_supersuit(observations=("azimuth",))
    venv.reset()
    for _ in range(STEPS):
        _, _, dones, infos = venv.step(np.array([2, 3]))
    assert dones.all()
    assert infos[0]["terminal_observation"]["azimuth"][1] == 1  # the time
    assert "TimeLimit.truncated" not in infos[0]
    assert infos[0]["t"] == 0  # of the next episode's reset


def test_supersuit_cannot_be_seeded_by_stable_baselines():
    with pytest.raises(AttributeError, match="'seed'"):
        robots_of_supersuit(observations=("azimuth",)).seed(0)


def test_supersuit_wants_robots_that_are_alike():
    with pytest.raises(AssertionError, match="observation spaces not consistent"):
        robots_of_supersuit(receivers=[0], observations=("heard_rir",))
