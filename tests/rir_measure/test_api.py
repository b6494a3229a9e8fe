"""What PettingZoo and Gymnasium demand, for every variant and every way predictions come in."""

import gymnasium as gym
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, max_cycles_test, parallel_api_test, parallel_seed_test

import av_envs
from av_envs import rir_measure
from av_envs.registration import MEASURING
from av_envs.rir_measure.config import ROUTES

SMALL = {"houses": 1, "steps": 6}
VARIANTS = [env_id for env_id, (entry, _) in av_envs.VARIANTS.items() if entry == MEASURING]
every_variant = pytest.mark.parametrize("env_id", VARIANTS)
every_route = pytest.mark.parametrize(  # of one variant; the others differ in their dwellings
    ("env_id", "prediction"),
    [*((VARIANTS[0], route) for route in ROUTES), *((other, "env") for other in VARIANTS[1:])],
)


def make(env_id: str, kind: str = "parallel", **options):
    return pettingzoo.make(kind, env_id, **{**SMALL, **options})


@every_route
def test_follows_the_parallel_api(env_id, prediction):
    parallel_api_test(make(env_id, prediction=prediction), num_cycles=10)


@every_route
def test_same_seed_same_episode(env_id, prediction):
    parallel_seed_test(lambda: make(env_id, prediction=prediction), num_cycles=6)


@every_route
@pytest.mark.filterwarnings("ignore:(Observation|Action space)")  # a Dict is on purpose
def test_follows_the_turn_based_api(env_id, prediction):
    api_test(make(env_id, "aec", prediction=prediction), num_cycles=10)


@every_route
def test_ends_when_the_cycles_are_over(env_id, prediction):
    options = {**av_envs.VARIANTS[env_id][1], "houses": 1, "prediction": prediction}
    options.pop("steps", None)

    class Module:
        @staticmethod
        def parallel_env(max_cycles):
            return rir_measure.parallel_env(max_cycles=max_cycles, **options)

        @staticmethod
        def env(max_cycles):
            return rir_measure.env(max_cycles=max_cycles, **options)

    max_cycles_test(Module)


@every_route
def test_the_team_follows_the_gymnasium_api(env_id, prediction):
    env = gym.make(env_id, prediction=prediction, render_mode="rgb_array", **SMALL)
    check_env(env.unwrapped)


@every_variant
def test_the_variants_are_known_to_pettingzoo(env_id):
    with pytest.raises(TypeError, match="two names of one option"):
        pettingzoo.make("parallel", env_id, steps=3, max_cycles=3)
    env = pettingzoo.make("parallel", env_id)
    expected = {"kind": "flat", "grid": 0.5, "steps": 250, **av_envs.VARIANTS[env_id][1]}
    assert {key: getattr(env.config, key) for key in expected} == expected


@every_variant
@pytest.mark.parametrize("robots", [2, 3, 4])
def test_the_joint_view_is_the_parallel_environment_stacked(env_id, robots):
    parallel, joint = make(env_id, robots=robots), gym.make(env_id, robots=robots, **SMALL)
    apart, infos = parallel.reset(seed=3)
    together, info = joint.reset(seed=3)
    rng = np.random.default_rng(0)
    for _ in range(SMALL["steps"]):
        for key, values in together.items():
            np.testing.assert_array_equal(values, [apart[robot][key] for robot in apart])
        for k, own in enumerate(infos.values()):
            for key, value in own.items():
                np.testing.assert_equal(info.get(key, info.get(f"{key}_{k}")), value)
        moves = rng.integers(1, 4, robots)
        apart, rewards, *_, infos = parallel.step(
            dict(zip(parallel.possible_agents, moves, strict=True))
        )
        together, reward, terminated, truncated, info = joint.step(moves)
        assert list(rewards.values()) == [reward] * robots
    assert (terminated, truncated, parallel.agents) == (False, True, [])
