"""What is spoilt is told wrong, and nothing else."""

import pytest
import torch

from av_envs.agents.separation import spoil
from av_envs.agents.separation.agent import load_locator
from av_envs.agents.separation.senses import Senses
from av_envs.agents.separation.spoil import SpoiltTrials, table
from tests.agents.separation.small_networks import small_agent
from tests.agents.separation.test_senses import STARTS, N, observation

OPTIONS = {"start": "between", "estimator": "agent", "steps": 2}
LOCATOR = load_locator()[0]


def trials(separator, spoilt: str | None = None) -> SpoiltTrials:
    networks = small_agent("memoryless", separator)
    made = SpoiltTrials(networks, separator, 2, 1, OPTIONS, locator=LOCATOR)
    made.spoilt = spoilt
    return made


def told(separator, spoilt: str | None) -> dict[str, torch.Tensor]:
    made = trials(separator, spoilt)
    senses = Senses(separator, made.policy_config, locator=LOCATOR)
    return made.perceived(senses, observation(), STARTS)


@pytest.mark.parametrize("name", ["mixture", "binaural", "place", "walls"])
def test_one_sense_is_that_of_another_episode(separator, name):
    true, spoilt = told(separator, None), told(separator, name)
    assert torch.equal(spoilt[name], true[name].roll(1, dims=0))
    assert not torch.equal(spoilt[name], true[name])
    assert all(torch.equal(spoilt[key], true[key]) for key in true if key != name)


def test_another_class_changes_what_is_made_with_it(separator):
    true, spoilt = told(separator, None), told(separator, "class")
    changed = {key for key in true if not torch.equal(spoilt[key], true[key])}
    assert changed == {"binaural", "delays", "place"}


def test_without_memory_every_step_is_the_first(separator):
    state = torch.ones(N, 7)
    assert trials(separator).remembered(state) is state
    assert not trials(separator, "memory").remembered(state).any()


def test_a_row_for_every_sense(separator):
    made = trials(separator)
    rows = table(made)
    names = [row.split("|")[1].strip() for row in rows[2:]]
    assert names == ["nothing", *made.policy_config.features, "class", "memory"]


def test_what_cannot_be_is_one_line(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        spoil.main(["--checkpoint", str(tmp_path / "none.safetensors")])
    assert stop.value.code == 2
    assert "none.safetensors" in capsys.readouterr().err.splitlines()[-1]
