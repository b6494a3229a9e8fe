"""Exact assignment of a few predictions to a few references, for a whole batch at a time.

With N <= 4 all N! permutations are tried at once. That is what
`scipy.optimize.linear_sum_assignment` finds one matrix at a time.
"""

from functools import cache
from itertools import permutations

import torch
from torch import Tensor

MOST = 4  # predictions and references
FORBIDDEN = 1e6  # cost of leaving out two that could have been matched; distances are far smaller


@cache
def all_permutations(n: int) -> Tensor:
    """(n!, n) int64, in lexicographic order; ValueError for more than MOST."""
    if not 1 <= n <= MOST:
        raise ValueError(f"at most {MOST} can be assigned to each other, got {n}")
    return torch.tensor(list(permutations(range(n))))


def permuted_costs(cost: Tensor) -> Tensor:
    """Total cost of every permutation, (..., N, N) to (..., N!); column p[i] goes to row i."""
    orders = all_permutations(cost.shape[-1]).to(cost.device)
    rows = torch.arange(cost.shape[-1], device=cost.device)
    return cost[..., rows, orders].sum(dim=-1)


def assign(distance: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The assignment of least total distance, (..., N, N) bool, no gradient.

    distance  (..., N, N)
    rows      (..., N) bool, which rows exist
    columns   (..., N) bool, which columns exist

    As many pairs as possible are matched, and only rows and columns that exist.
    """
    both = rows[..., :, None] & columns[..., None, :]
    neither = ~rows[..., :, None] & ~columns[..., None, :]
    cost = torch.where(both, distance.detach(), torch.where(neither, 0.0, FORBIDDEN))
    orders = all_permutations(distance.shape[-1]).to(distance.device)
    best = orders[permuted_costs(cost).argmin(dim=-1)]  # (..., N) column of each row
    return torch.nn.functional.one_hot(best, distance.shape[-1]).bool() & both
