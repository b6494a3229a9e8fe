"""The passive separator as an estimator."""

import numpy as np
import pytest

from av_envs.agents.separation import passive
from av_envs.agents.separation.passive import Passive
from tests.agents.separation.small_networks import CLASSES


@pytest.fixture(scope="module")
def estimator(separator_file):
    return Passive(separator_file)


def heard(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mixtures = rng.random((n, 2, 512, 32), np.float32)
    return mixtures, rng.integers(len(CLASSES), size=n)


def test_a_batch_is_what_its_rows_are_alone(estimator, monkeypatch):
    monkeypatch.setattr(passive, "AT_ONCE", 3)  # so that the batch is cut, too
    mixtures, labels = heard(8)
    memories = [object()] * 8
    together, after = estimator.estimate_batch(mixtures, labels, memories)
    assert after is memories
    assert together.shape == (8, 512, 32)
    assert together.dtype == np.float32
    assert (together >= 0).all()
    for k in range(8):
        alone, _ = estimator.estimate_batch(mixtures[k : k + 1], labels[k : k + 1], [None])
        np.testing.assert_allclose(together[k], alone[0], atol=1e-5)


@pytest.mark.parametrize("label", [-1, len(CLASSES)])
def test_a_label_of_no_class_is_refused(estimator, label):
    mixtures, labels = heard(2)
    labels[1] = label
    with pytest.raises(ValueError, match=f"knows {len(CLASSES)} classes, the labels are in"):
        estimator.estimate_batch(mixtures, labels, [None, None])


def test_nobody_is_an_answer(estimator):
    mixtures, labels = heard(1)
    estimates, _ = estimator.estimate_batch(mixtures[:0], labels[:0], [])
    assert estimates.shape == (0, 512, 32)


def test_a_path_may_be_a_text(separator_file):
    assert Passive(str(separator_file)).header.classes == CLASSES
