"""What scores depend on."""

import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure.importance import SENSES
from av_envs.agents.rir_measure.importance_rir import Disturbed, changes, main
from av_envs.agents.rir_measure.measuring import make_teams
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.team import save_team
from tests.agents.rir_measure.small_teams import ONE_FLAT, small_team
from tests.agents.rir_measure.small_teams import SENSES as SEES


@pytest.mark.parametrize("sense", SENSES)
def test_one_sense_of_one_robot_is_disturbed(sense):
    made = make_teams("AVRIRMeasure-v0", 2, SEES, autoreset_mode="Disabled", **ONE_FLAT)
    clean, _ = made.reset(seed=0)
    seen, _ = Disturbed(made, 1, sense, 7).reset(seed=0)
    for key, value in seen.items():
        assert value.dtype == clean[key].dtype
        np.testing.assert_array_equal(value[:, 0], clean[key][:, 0])
        assert np.array_equal(value, clean[key]) == (key not in SENSES[sense])


def test_what_nobody_looks_at_changes_no_score():
    networks = small_team()
    for network in networks.policy.networks:
        torch.nn.init.zeros_(network.encoder.pictures[-1].weight)
    for encoder in (networks.generator.now, networks.generator.remembered):
        torch.nn.init.zeros_(encoder.pictures[-1].weight)
    found = changes(networks, "flats", 2, 1, {"steps": 6}, 0)
    assert found.shape == (2, 2, 3)
    assert (found[..., 0] == 0).all()
    assert (found[0, :, 2] > 0).all()


@pytest.mark.parametrize("sees_map", [False, True])
def test_the_command(sees_map, tmp_path, capsys):
    path = tmp_path / "team.safetensors"
    save_team(small_team(policy=PolicyConfig(state_size=8, map=sees_map)), path, {})
    words = ["--checkpoint", str(path), "--episodes", "1", "--houses", "1", "--steps", "3"]
    assert main(words) == 0
    assert capsys.readouterr().out.count("%") == 12
    with pytest.raises(SystemExit):
        main([*words, "--preset", "curiosity"])
    assert "'curiosity' is wanted" in capsys.readouterr().err
