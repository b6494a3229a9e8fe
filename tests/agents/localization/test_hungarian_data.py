"""Synthetic matrices for Hnet: how many of what kind, and that their association is exact."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from av_envs.agents.localization.hungarian_data import draw_matrices, weighted_f1


@pytest.fixture(scope="module")
def matrices():
    return draw_matrices(np.random.default_rng(0), 2, 0.01)


def test_a_third_each_has_no_one_and_two_associations(matrices):
    n = matrices.association.sum(dim=(1, 2)).int()
    assert torch.bincount(n).tolist() == [9 * 150] * 3


def test_the_whole_set_has_the_size_of_the_paper(matrices):
    assert len(matrices.distance) == 0.01 * 405_000


@pytest.mark.parametrize("tracks", [2, 3])
def test_the_association_is_exact(tracks):
    """Two unit vectors are at most 2 apart; what is absent is farther from any."""
    distance, association = draw_matrices(np.random.default_rng(1), tracks, 0.002)
    unit = distance <= 2
    full = unit.all(dim=2).all(dim=1) & (association.sum(dim=(1, 2)) == tracks)
    assert full.sum() > 50
    for one, truth in zip(distance[full].numpy(), association[full].numpy(), strict=True):
        rows, columns = linear_sum_assignment(one)
        np.testing.assert_allclose(one[rows, columns].sum(), (one * truth).sum(), rtol=1e-5)
    assert (distance[association.bool()] <= 2 + 1e-6).all()


def test_rows_and_columns_are_shuffled(matrices):
    """With one reference and one prediction, they meet in any cell."""
    one = matrices.association[matrices.association.sum(dim=(1, 2)) == 1]
    assert (one.mean(dim=0) > 0.05).all()


def test_the_same_generator_gives_the_same(matrices):
    again = draw_matrices(np.random.default_rng(0), 2, 0.01)
    assert torch.equal(again.distance, matrices.distance)


def test_f1():
    truth = np.array([[[True, False], [False, True]]])
    even = np.ones((2, 2))
    assert weighted_f1(truth, truth, even) == 1
    # one hit, one miss, one false alarm, one rest: both labels have F1 1/2
    predicted = np.array([[[True, True], [False, False]]])
    assert weighted_f1(predicted, truth, even) == pytest.approx(0.5)
    # the mistakes do not count where nothing is ever true
    assert weighted_f1(predicted, truth, np.array([[1.0, 0.0], [1.0, 0.0]])) == 1
