"""What every separation heuristic promises, on the real environment; few and short episodes."""

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  (registers the environments)
from av_envs.baselines import separation
from av_envs.baselines.separation import DoA, Novelty, ProximityPrior, Random, StandInPlace

STAY = 3


def make_env(**options):
    options = {"split": "test_unheard", "houses": 2, "observations": ("pose",), **options}
    return gym.make("AVDynamicSep-v0", **options)


def steps(env, agent, seed):
    """Play an episode; after every step yields the bare environment, the reward and the info."""
    observation, _ = env.reset(seed=seed)
    agent.reset(seed=seed)
    done = False
    while not done:
        keys = getattr(agent, "privileged", ())
        truth = [{key: env.unwrapped.privileged(key) for key in keys}] if keys else []
        observation, reward, _, done, info = env.step(agent.act(observation, *truth))
        yield env.unwrapped, reward, info


def build(factory, env, **options):
    return factory(env.observation_space, env.action_space, seed=0, **options)


def steps_at_the_target(env) -> tuple[int, int]:
    """How the agent stands: grid steps of its node to the target's, quarter turns to face it."""
    graph, target = env.scene.graph, env.source_nodes[0]
    if env.node == target:
        return 0, 0
    east, north = graph.positions[target][:2] - graph.positions[env.node][:2]
    turns = round(float(np.arctan2(north, east)) / (np.pi / 2)) - env.heading
    return round(float(graph.walking_distances[env.node, target] / graph.grid)), turns % 4


def test_stand_in_place_gains_exactly_nothing():
    env = make_env()
    agent = build(StandInPlace, env)
    for seed in range(3):
        assert {reward for _, reward, _ in steps(env, agent, seed)} == {0.0}


@pytest.mark.parametrize("start", ["between", "near", "target", "far"])
def test_doa_ends_beside_the_target_facing_it(start):
    env = make_env(start=start, steps=20 if start != "far" else 60)
    agent = build(DoA, env)
    for seed in range(5):
        *_, (last, _, info) = steps(env, agent, seed)
        assert steps_at_the_target(last) == (1, 0)
        assert info["collision"] == 0
        assert last.trajectory[-1] == last.trajectory[-2]  # and it holds


def test_proximity_prior_stays_within_two_metres_once_there():
    env = make_env(steps=40)
    agent = build(ProximityPrior, env)
    for seed in range(5):
        inside = False
        for _, _, info in steps(env, agent, seed):
            close = info["distance_to_target"] <= 2 + 1e-3
            assert close or not inside
            inside |= close
        assert inside


def test_novelty_sees_more_nodes_than_random():
    env = make_env()
    seen = {}
    for factory in (Novelty, Random):
        agent, seen[factory] = build(factory, env), []
        for seed in range(20):
            *_, (last, _, _) = steps(env, agent, seed)
            seen[factory].append(len({node for node, _ in last.trajectory}))
    assert np.mean(seen[Novelty]) > 2 * np.mean(seen[Random])


def test_novelty_bumps_into_no_side_twice():
    env = make_env(steps=60)
    agent = build(Novelty, env)
    for seed in range(3):
        bumps = [(e.node, e.heading) for e, _, info in steps(env, agent, seed) if info["collision"]]
        assert len(bumps) == len(set(bumps))


@pytest.mark.parametrize("name", separation.__all__)
def test_every_baseline_gives_estimates(name):
    env = make_env(estimator="agent", observations=("pose", "mixture"), steps=4)
    agent = build(getattr(separation, name), env, separator="louder_ear")
    rewards = [reward for _, reward, _ in steps(env, agent, seed=0)]
    assert np.isfinite(rewards).all()


def test_the_louder_ear_is_often_the_better_ear_of_the_same_second():
    env = make_env(estimator="agent", observations=("mixture",))
    agent, differences = build(StandInPlace, env, separator="louder_ear"), []
    for seed in range(3):
        for _, _, info in steps(env, agent, seed):
            differences.append(abs(info["si_sdr"] - info["si_sdr_mixture"]))
    assert np.mean(np.array(differences) < 1e-2) > 0.3  # never, were it of another second
