"""What a separator is worth where validation episodes begin."""

import numpy as np
import pytest
import torch

from av_envs.agents.separation import validation
from av_envs.agents.separation.validation import heard_at_start, si_sdr_of, wrong_labels
from av_envs.separation.config import SeparationConfig

CONFIG = SeparationConfig(split="val", houses=1, start="near")


@pytest.fixture(scope="module")
def heard():
    return heard_at_start(CONFIG, 2, (1, 3))


class Says(torch.nn.Module):
    """A separator that has its answers from somewhere else."""

    def __init__(self, answers: np.ndarray):
        super().__init__()
        self.answers = iter(torch.from_numpy(answers))

    def forward(self, mixture, label):
        assert not self.training
        return None, torch.stack([next(self.answers) for _ in label])


def test_seconds_that_are_heard(heard):
    n = len(heard.label)
    assert n == len(heard.truth) == len(heard.si_sdr_mixture) > 1
    assert heard.mixture.shape == (n, 2, 512, 32)
    assert set(heard.episode) <= {0, 1}
    assert np.isfinite(heard.si_sdr_mixture).all()


def test_they_are_the_same_every_time(heard):
    again = heard_at_start(CONFIG, 1, (1, 3))
    of_first = heard.episode == 0
    np.testing.assert_array_equal(again.mixture, heard.mixture[of_first])
    np.testing.assert_array_equal(again.si_sdr_mixture, heard.si_sdr_mixture[of_first])


def test_the_truth_is_worth_most_and_its_negative_nothing(heard, monkeypatch):
    monkeypatch.setattr(validation, "AT_ONCE", 3)
    truth = np.stack([second.magnitude for second in heard.truth])
    assert (si_sdr_of(Says(truth), heard, heard.label) > 60).all()
    # the magnitude of an estimate below zero counts as zero, as when it is played
    assert (si_sdr_of(Says(-truth), heard, heard.label) < -99.9).all()


def test_wrong_labels_are_wrong(heard):
    wrong = wrong_labels(heard, 3)
    other = heard._replace(label=np.arange(300) % 3)
    assert (wrong_labels(other, 3) != other.label).all()
    assert set(wrong_labels(other, 3)) == {0, 1, 2}
    np.testing.assert_array_equal(wrong, wrong_labels(heard, 3))


def test_silence_everywhere_is_named(monkeypatch):
    monkeypatch.setattr(validation, "oracle_phase_si_sdr", lambda *given: np.array([np.nan]))
    with pytest.raises(ValueError, match=r"in 1 episodes of the split 'val' every target is sil"):
        heard_at_start(CONFIG, 1, (1, 3))
