"""Which senses moves depend on."""

import csv

import gymnasium as gym
import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure.importance import (
    SENSES,
    divergences,
    importance,
    main,
    shares,
    with_noise,
)
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.senses import needed_observations
from av_envs.agents.rir_measure.team import save_team
from tests.agents.rir_measure import small_teams
from tests.agents.rir_measure.small_teams import ONE_FLAT, small_team


def room() -> gym.Env:
    return gym.make(
        "AVRIRMeasure-v0",
        predictor="zero",
        observations=needed_observations(small_teams.SENSES),
        **ONE_FLAT,
    )


def test_divergences_are_those_of_kullback_and_leibler():
    true, other = torch.tensor([0.5, 0.25, 0.25, 0.0]), torch.tensor([0.25, 0.25, 0.5, 0.0])
    expected = 0.5 * np.log(2) + 0.25 * np.log(0.5)
    assert divergences(true.log(), other.log()).item() == pytest.approx(expected)
    assert divergences(true.log(), true.log()).item() == 0
    close = torch.randn(1000, 4)
    assert (divergences(close, close + 1e-7 * torch.randn(1000, 4)) >= 0).all()


def test_shares_add_up_to_one_even_of_nothing():
    found = shares(np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.75, 0.0], [1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize("sense", SENSES)
def test_noise_replaces_one_sense_alone(sense):
    env = room()
    seen, _ = env.reset(seed=0)
    bounds = env.unwrapped.scene.bounds
    changed = with_noise(seen, sense, bounds, np.random.default_rng(1))
    same = {key for key in seen if np.array_equal(seen[key], changed[key])}
    assert same == set(seen) - set(SENSES[sense])
    assert np.array_equal(changed["azimuth"][:, 1], seen["azimuth"][:, 1])
    for key, value in changed.items():
        assert value.dtype == seen[key].dtype
        assert value.shape == seen[key].shape


def test_a_map_that_is_not_looked_at_does_not_matter():
    networks = small_team(policy=PolicyConfig(state_size=8, map=True))
    found = importance(networks, room(), 3)
    assert found.shape == (6, 2, 4)
    assert (found > 0).all()
    for network in networks.policy.networks:
        torch.nn.init.zeros_(network.map[-2].weight)
    assert (importance(networks, room(), 3)[..., 3] == 0).all()


def test_what_a_team_does_not_look_at_does_not_matter():
    networks = small_team()
    for network in networks.policy.networks:
        torch.nn.init.zeros_(network.encoder.pictures[-1].weight)
    found = importance(networks, room(), 3)
    assert found.shape == (6, 2, 3)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)
    assert (found[..., 0] == 0).all()
    assert (found[..., 1:] > 0).all()
    assert np.array_equal(found, importance(networks, room(), 3))


@pytest.mark.parametrize("sees_map", [False, True])
def test_the_command(sees_map, tmp_path, capsys):
    path = tmp_path / "team.safetensors"
    save_team(small_team(policy=PolicyConfig(state_size=8, map=sees_map)), path, {})
    words = ["--checkpoint", str(path), "--episodes", "2", "--houses", "1", "--steps", "3"]
    assert main([*words, "--out", str(tmp_path / "steps.csv")]) == 0
    names = [*SENSES, "map"] if sees_map else list(SENSES)
    assert capsys.readouterr().out.count("%") == 2 * len(names)
    with (tmp_path / "steps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 2
    assert sum(float(rows[0][sense]) for sense in names) == pytest.approx(1, abs=1e-3)
    with pytest.raises(SystemExit):
        main([*words, "--preset", "curiosity"])
    assert "holds 'macma', 'curiosity' is wanted" in capsys.readouterr().err
