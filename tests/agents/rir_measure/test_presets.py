"""What teams are paid for, against the tables of the paper."""

import pytest

from av_envs.agents.rir_measure.presets import ENVIRONMENTS, PRESETS, TABLE_6
from av_envs.registration import VARIANTS
from av_envs.rir_measure.config import MeasureConfig

PAPER = {  # weights of xi, zeta, psi and phi in tables 1 and 10
    "macma": (1, 1, -1, 1),
    "macmara": (1, 1, -1, 1),
    "occupancy": (1, 0, 0, 1),
    "curiosity": (1, 1, 0, 0),
}
ROWS_OF_TABLE_6 = [
    (1, 1, 0, 0),
    (1, 0, -1, 0),
    (1, 0, 0, 1),
    (1, 1, -1, 0),
    (1, 1, 0, 1),
    (1, 0, -1, 1),
    (1, 1, -1, 1),
]


def weights(preset) -> tuple[float, ...]:
    return preset.xi, preset.zeta, preset.psi, preset.phi


@pytest.mark.parametrize("name", PAPER)
def test_weights_are_those_of_the_paper(name):
    assert weights(PRESETS[name]) == PAPER[name]


def test_the_rows_of_table_6_are_in_its_order():
    assert [weights(preset) for preset in TABLE_6.values()] == ROWS_OF_TABLE_6
    assert all(PRESETS[name] == preset for name, preset in TABLE_6.items())


def test_only_macmara_shares_rewards_out():
    assert {name: preset.rho for name, preset in PRESETS.items() if preset.rho != -1} == {
        "macmara": 0.4
    }


@pytest.mark.parametrize("name", PRESETS)
def test_environments_know_the_weights(name):
    config = MeasureConfig.from_keywords(**PRESETS[name].env_options)
    found = (config.alpha_xi, config.alpha_zeta, config.alpha_psi, config.alpha_phi)
    assert found == weights(PRESETS[name])


def test_the_environments_exist():
    assert set(ENVIRONMENTS.values()) <= set(VARIANTS)
