"""The assignment of a batch is that of scipy, one matrix at a time."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from av_envs.agents.localization.assignment import all_permutations, assign, permuted_costs


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_all_rows_and_columns(n):
    distance = torch.from_numpy(np.random.default_rng(n).random((200, n, n)))
    there = torch.ones(200, n, dtype=torch.bool)
    found = assign(distance, there, there)
    for one, matched in zip(distance.numpy(), found.numpy(), strict=True):
        rows, columns = linear_sum_assignment(one)
        assert matched[rows, columns].all()
        assert matched.sum() == n


@pytest.mark.parametrize("n", [2, 3, 4])
def test_only_what_exists_is_matched_and_as_much_of_it_as_can_be(n):
    rng = np.random.default_rng(n)
    distance = rng.random((300, n, n)) * rng.choice([1, 100], (300, 1, 1))
    rows, columns = rng.random((2, 300, n)) < 0.6
    found = assign(*map(torch.from_numpy, (distance, rows, columns))).numpy()
    for k in range(300):
        there = np.ix_(np.flatnonzero(rows[k]), np.flatnonzero(columns[k]))
        expected = np.zeros((n, n), bool)
        block = np.zeros(distance[k][there].shape, bool)
        block[linear_sum_assignment(distance[k][there])] = True
        expected[there] = block
        np.testing.assert_array_equal(found[k], expected)


def test_costs_of_permutations():
    cost = torch.tensor([[1.0, 10.0], [100.0, 1000.0]])
    assert all_permutations(2).tolist() == [[0, 1], [1, 0]]
    assert permuted_costs(cost).tolist() == [1001.0, 110.0]


def test_it_has_no_gradient():
    distance = torch.rand(1, 2, 2, requires_grad=True)
    there = torch.ones(1, 2, dtype=torch.bool)
    assert not assign(distance, there, there).requires_grad


def test_five_are_too_many():
    with pytest.raises(ValueError, match="at most 4"):
        all_permutations(5)
