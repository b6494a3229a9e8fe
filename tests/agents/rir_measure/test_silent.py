"""Teams that walk without measuring, against the environment."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from av_envs.agents.ego_map import SIDE
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.networks.policy import PolicyConfig, TeamPolicy
from av_envs.agents.rir_measure.seeing import SeeingTeams, SilentTrials
from av_envs.agents.rir_measure.senses import features_of, needed_observations
from av_envs.agents.rir_measure.silent import SilentTeam
from av_envs.rir_measure.actions import Action
from av_envs.rir_measure.config import MeasureConfig
from tests.agents.rir_measure.small_teams import ONE_FLAT, SENSES, small_team

STARTS = {"house": 0, "start_nodes": [3, 40], "start_headings": [1, 2]}
CONFIG = MeasureConfig.from_keywords(**ONE_FLAT)
SCALES = {"zeta": 100.0, "psi": 0.5, "phi": 0.25}


def seeing(count: int = 2) -> SeeingTeams:
    return SeeingTeams(CONFIG, count, SENSES, SCALES)


def test_a_silent_team_is_where_and_what_the_environment_says():
    env = gym.make(
        "AVRIRMeasure-v0",
        prediction="none",
        observations=("azimuth", "position", "action_mask"),
        **ONE_FLAT,
    )
    seen, info = env.reset(seed=0, options=STARTS)
    team = SilentTeam(CONFIG)
    team.begin(np.random.default_rng(0), STARTS)
    rng = np.random.default_rng(1)
    for _ in range(ONE_FLAT["steps"]):
        for key, value in team.numbers().items():
            np.testing.assert_array_equal(value, seen[key])
        moves = rng.integers(1, 4, size=2)
        before = {key: float(info[key]) for key in SCALES}
        changes = team.step(moves)
        seen, _, _, truncated, info = env.step(moves)
        for key, change in changes.items():
            assert change == pytest.approx(float(info[key]) - before[key], abs=1e-5)
        assert team.finds.tolist() == [info["new_nodes_0"], info["new_nodes_1"]]
        assert team.coverage == pytest.approx(float(info["cr"]))
        assert team.is_over == truncated
    assert team.is_over


def test_it_sees_what_the_environment_shows():
    env = gym.make(
        "AVRIRMeasure-v0", prediction="none", observations=needed_observations(SENSES), **ONE_FLAT
    )
    envs = seeing(1)
    features, _ = envs.reset(seed=0)
    poses = envs.teams[0].poses
    options = {"house": 0, "start_nodes": [node for node, _ in poses]}
    options["start_headings"] = [heading for _, heading in poses]
    seen, _ = env.reset(seed=0, options=options)
    wanted = features_of({key: value[None] for key, value in seen.items()}, SENSES)
    assert features.keys() == wanted.keys()
    for key, value in wanted.items():
        assert torch.equal(features[key], value), key


def test_a_map_is_drawn_of_every_team_and_begins_anew_with_its_episode():
    maps = Maps(PolicyConfig(map=True), 2)
    envs = SeeingTeams(CONFIG, 2, SENSES, SCALES, maps)
    features, _ = envs.reset(seed=3)
    assert features["footprints"].shape == (2, 2, 3, SIDE, SIDE)
    here = features["footprints"][:, :, 0].sum((-1, -2))  # starts that are near enough
    assert ((here >= 1) & (here <= 2)).all()
    rng, most = np.random.default_rng(0), 0.0
    for _ in range(ONE_FLAT["steps"]):
        features, *_ = envs.step(rng.integers(1, 4, size=(2, 2)))
        most = max(most, features["footprints"][:, :, 0].sum((-1, -2)).max().item())
    assert most > 2
    features, *_ = envs.step(np.full((2, 2), Action.LEFT))
    assert (features["footprints"][:, :, 0].sum((-1, -2)) <= 2).all()


def test_a_policy_that_sees_no_map_is_shown_none():
    features, _ = SeeingTeams(CONFIG, 1, SENSES, SCALES, Maps(PolicyConfig(), 1)).reset(seed=3)
    assert "footprints" not in features


def test_episodes_begin_anew_in_the_step_after_the_last():
    envs = seeing()
    envs.reset(seed=3)
    for _ in range(ONE_FLAT["steps"]):
        *_, truncated, _ = envs.step(np.full((2, 2), 2))
    assert truncated.all()
    _, rewards, _, truncated, _ = envs.step(np.full((2, 2), 1))
    assert not truncated.any()
    assert (rewards == 0).all()
    assert [team.t for team in envs.teams] == [0, 0]


def test_rewards_are_scaled_changes():
    envs = seeing(1)
    envs.reset(seed=3)
    before = dict(envs.teams[0].quantities)
    _, rewards, *_ = envs.step(np.array([[1, 1]]))
    after = envs.teams[0].quantities
    weights = {"zeta": 100.0, "psi": -0.5, "phi": 0.25}
    expected = sum(weight * (after[key] - before[key]) for key, weight in weights.items())
    assert rewards[0] == pytest.approx(expected)


def test_it_wants_seeds_and_never_stops():
    with pytest.raises(ValueError, match="begin with seeds"):
        seeing().reset()
    with pytest.raises(ValueError, match="silent teams never stop"):
        SeeingTeams(MeasureConfig(stop_mode="latch"), 1, SENSES, SCALES)


def test_trials_are_the_same_again_and_better_for_who_walks():
    networks = small_team()
    trials = SilentTrials(CONFIG, SENSES, networks.policy)
    found = trials.scores()
    assert found == trials.scores()
    assert 0 < found["cr_mean"] <= found["cr"] < 1
    turning: TeamPolicy = networks.policy
    for network in turning.networks:
        torch.nn.init.zeros_(network.actor.weight)
        network.actor.bias.data = torch.tensor([0.0, -99.0, 99.0, 0.0])
    assert trials.scores()["cr"] < found["cr"]
