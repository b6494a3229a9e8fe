"""Teams that predict while they play get what the environment pays for the same predictions."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure.measuring import (
    NO_SCALES,
    MeasuringTeams,
    make_teams,
    seen_as_it_is,
    truths,
)
from av_envs.agents.rir_measure.predictor import Generated
from av_envs.agents.rir_measure.senses import needed_observations
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import context_for, hidden_truth
from av_envs.rir_measure.predictors.nearest_neighbor import NearestNeighbor, record_table
from tests.agents.rir_measure.small_teams import ONE_FLAT, SENSES, small_team

ENV, N, STEPS = "AVRIRMeasure-v0", 2, 6


@pytest.fixture(scope="module")
def networks():
    return small_team()


def teams(networks, scales=None, mode="NextStep", **options) -> MeasuringTeams:
    made = make_teams(ENV, N, SENSES, autoreset_mode=mode, **ONE_FLAT, **options)
    return MeasuringTeams(made, networks.generator, SENSES, "cpu", scales)


def moves() -> np.ndarray:
    return np.random.default_rng(3).integers(1, 4, (9, N, 2))


def played(envs) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """Rewards and ends (9, N), and infos, of an episode and the beginning of the next."""
    _, first = envs.reset(seed=4)
    rewards, ends, infos = [], [], [first]
    for chosen in moves():
        _, paid, _, over, told = envs.step(chosen)
        rewards.append(paid)
        ends.append(over)
        infos.append(told)
    return np.array(rewards), np.array(ends), infos


def test_rewards_are_those_of_the_environment(networks):
    """With the same generator as its predictor: two ways to the same numbers."""
    found, ends, _ = played(teams(networks))
    asked = gym.make_vec(
        ENV, N, predictor=Generated(networks.generator, SENSES),
        observations=needed_observations(SENSES), **ONE_FLAT,
    )  # fmt: skip
    expected, same_ends, infos = played(asked)
    assert np.array_equal(ends, same_ends)
    assert ends.any(axis=1).tolist() == [k == STEPS - 1 for k in range(9)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs([told["r_xi"] for told in infos[1:STEPS]]).min() > 0
    assert (found[STEPS] == 0).all()


def test_every_component_adds_up_to_its_change(networks):
    """Times its weight and its scale, over one episode."""
    weights = {"xi": 0.0, "zeta": 1.0, "psi": -1.0, "phi": 1.0}
    for name in weights:
        scales = {**dict.fromkeys(NO_SCALES, 0.0), name: 3.0}
        alphas = {f"alpha_{key}": value for key, value in weights.items()}
        envs = teams(networks, scales, **{**alphas, "alpha_xi": float(name == "xi")})
        envs.reset(seed=4)
        first = -envs.deltas
        total, told = np.zeros(N), None
        for chosen in moves()[:STEPS]:
            _, rewards, *_, told = envs.step(chosen)
            total += rewards
        if name == "xi":
            change = -envs.deltas - first
        else:
            before = played(teams(networks, scales))[2][0]
            change = weights[name] * (told[name] - before[name])
            assert np.isnan(envs.deltas).all()
        np.testing.assert_allclose(total, 3.0 * change, atol=1e-5)


def test_what_was_measured_is_told(networks):
    envs = teams(networks)
    seen, infos = envs.reset(seed=0)
    rirs = truths(seen, infos)["rirs"]
    assert rirs.shape == (N, 2, 2, 16000)
    assert rirs.dtype == torch.float16
    np.testing.assert_allclose(rirs.numpy(), infos["rir"], rtol=1e-3, atol=1e-6)
    assert seen_as_it_is(seen, torch.ones(N)) is seen
    assert seen["pictures"].shape == (N, 2, 4, 16, 16)
    assert seen["pictures"].min() >= 0
    assert seen["pictures"].max() <= 1


def seen_at(*places: tuple[float, float], turn: float = 0.25) -> dict[str, dict[str, np.ndarray]]:
    """Of robots at these places, all of which look north, and see nothing."""
    return {
        f"robot_{k}": {
            "rgb": np.zeros((128, 128, 3), np.uint8),
            "depth": np.zeros((128, 128, 1), np.float32),
            "azimuth": np.array([turn, 0.5], np.float32),
            "position": np.array([*place, 0.0], np.float32),
        }
        for k, place in enumerate(places)
    }


def generated(networks) -> Generated:
    made = Generated(networks.generator, SENSES)
    made.reset(context_for(made, ("robot_0", "robot_1"), 0.5, 10, hidden_truth))
    return made


def pair(emitter, receiver, heading: int) -> Pairs:
    ends = (np.array([[*place, 1.5]], np.float32) for place in (emitter, receiver))
    return Pairs(*ends, np.array([heading]))


def test_other_pairs_stand_for_robots_moved_and_turned(networks):
    """A query at a place is what robots there would predict, where nothing can be seen."""
    made, here = generated(networks), [seen_at((0, 0), (4, 0))]
    there = [seen_at((1, 2), (3, 5))]
    asked = made.predict(pair((1, 2), (3, 5), 1), here)
    np.testing.assert_allclose(asked, made.predict(pair((1, 2), (3, 5), 1), there), atol=1e-6)
    assert np.abs(asked - made.predict(pair((1, 2), (3, 5), 2), here)).max() > 1e-6
    assert np.abs(asked - made.predict(pair((3, 5), (1, 2), 1), here)).max() > 1e-6


def test_a_nearest_neighbour_by_what_the_generator_knows_retrieves_itself(networks):
    made = generated(networks)
    measured = [
        (pair((0, 0), (k, 1), k), np.full((1, 2, 16000), k, np.float32), [seen_at((0, 0), (k, 1))])
        for k in range(3)
    ]
    table = NearestNeighbor(*record_table(measured, made.described), made.described)
    table.reset(context_for(table, ("robot_0", "robot_1"), 0.5, 10, hidden_truth))
    for pairs, rirs, history in measured:
        assert np.array_equal(table.predict(pairs, history), rirs)


def test_two_robots_on_one_node_are_told_apart(networks):
    made = generated(networks)
    ends, moved, turned = made._ends(
        pair((1, 1), (1, 1), 3), made._moments([seen_at((1, 1), (1, 1))])
    )
    assert sorted(ends[0].tolist()) == [0, 1]
    assert not moved.any()
    assert turned[0].tolist() == [0, 0.5]


def test_before_anything_was_seen_nothing_is_predicted(networks):
    made = generated(networks)
    with pytest.raises(ValueError, match="nothing was yet"):
        made.predict(pair((0, 0), (1, 1), 0), [])
    blind = [
        {name: {"position": seen["position"]} for name, seen in seen_at((0, 0), (1, 1)).items()}
    ]
    with pytest.raises(ValueError, match="needs the observations"):
        made.predict(pair((0, 0), (1, 1), 0), blind)
