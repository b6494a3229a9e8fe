"""The teams of the measuring task on the real environment; few and short episodes."""

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  (registers the environments)
from av_envs.baselines import rir_measure
from av_envs.baselines.rir_measure import CoverageOracle, Curiosity, Random, SpreadOut

OBSERVATIONS = ("depth", "azimuth", "position", "action_mask")


def make_env(name="AVRIRMeasure-v0", **options):
    options = {"split": "test", "houses": 2, "observations": OBSERVATIONS, **options}
    return gym.make(name, **options)


def coverage(env, team, seed) -> list[float]:
    """Play an episode: the share of visited nodes after every step."""
    env.unwrapped.use_predictor(team.predictor)
    observation, info = env.reset(seed=seed)
    team.reset(seed=seed)
    shares, done = [float(info["cr"])], False
    while not done:
        keys = getattr(team, "privileged", ())
        truth = [{key: env.unwrapped.privileged(key) for key in keys}] if keys else []
        observation, reward, terminated, truncated, info = env.step(team.act(observation, *truth))
        assert np.isfinite(reward)
        shares.append(float(info["cr"]))
        done = terminated or truncated
    return shares


def build(factory, env, **kwargs):
    return factory(env.observation_space, env.action_space, seed=0, **kwargs)


@pytest.mark.parametrize("name", rir_measure.__all__)
def test_every_team_plays_an_episode_with_its_predictor(name):
    env = make_env(steps=3)
    shares = coverage(env, build(getattr(rir_measure, name), env), seed=0)
    assert len(shares) == 4
    assert shares == sorted(shares)


@pytest.mark.parametrize("factory", [Random, SpreadOut, CoverageOracle])
@pytest.mark.parametrize("robots", [1, 3])
def test_teams_of_other_sizes_play_as_well(factory, robots):
    env = make_env(steps=2, robots=robots, fixed_sources=1)
    assert len(coverage(env, build(factory, env, predictor="zero"), seed=1)) == 3


def test_teams_play_in_houses():
    env = make_env("AVRIRMeasureHouse-v0", steps=4)
    assert coverage(env, build(SpreadOut, env, predictor="zero"), seed=0)[-1] > 0


def test_who_has_finished_stops_where_that_ends_the_episode():
    env = make_env(stop_mode="latch", steps=250)
    team = build(CoverageOracle, env, predictor="zero")
    team.reset(seed=0)
    observation, _ = env.reset(seed=0)
    truth = {key: env.unwrapped.privileged(key) for key in team.privileged}
    truth["visited"] = np.ones_like(truth["visited"])
    _, _, terminated, _, _ = env.step(team.act(observation, truth))
    assert terminated


def test_a_frame_of_each_robots_own_is_refused():
    env = make_env(position_frame="start")
    with pytest.raises(ValueError, match="position_frame='scene'"):
        coverage(env, build(Curiosity, env, predictor="zero"), seed=0)


@pytest.mark.slow
def test_teams_cover_in_the_order_of_what_they_know():
    env, reached = make_env(steps=100), {}
    for name in ("Random", "Occupancy", "Curiosity", "Frontier", "SpreadOut", "CoverageOracle"):
        team = build(getattr(rir_measure, name), env, predictor="zero")
        reached[name] = np.mean([coverage(env, team, seed)[-1] for seed in range(2)])
    assert reached["Random"] < reached["Occupancy"]
    for explorer in ("Curiosity", "Frontier", "SpreadOut"):
        assert reached["Occupancy"] < reached[explorer] < reached["CoverageOracle"]
