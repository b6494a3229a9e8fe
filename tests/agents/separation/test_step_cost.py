"""What a step costs."""

import pytest
import torch
from torch import nn

from av_envs.agents.separation.step_cost import PARTS, StepCost, operations, table


def test_operations_of_a_product():
    layer = nn.Linear(30, 50, bias=False)
    assert operations(lambda: layer(torch.rand(7, 30))) == 2 * 7 * 30 * 50


@pytest.fixture(scope="module")
def cost() -> StepCost:
    made = StepCost(num_envs=2, houses=1)
    made.play(2)
    return made


def test_every_part_has_its_time(cost):
    spent = cost.milliseconds()
    assert tuple(spent) == PARTS
    assert all(one > 0 for one in spent.values())
    assert all(len(one) == 2 for one in cost.seconds.values())
    rows = table(cost)
    assert len(rows) == 2 + len(PARTS)
    assert [row.count("|") for row in rows] == [4] * len(rows)


def test_the_separator_is_some_hundred_million_operations(cost):
    """docs/agents/active.md tells."""
    assert 50e6 < cost.operations["separator"] < 200e6
