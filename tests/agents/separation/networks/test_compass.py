"""Directions are remembered in the frame of the start."""

import math

import pytest
import torch

from av_envs.agents.separation.networks.compass import CompassCore, turned

QUARTER = math.pi / 2


@pytest.mark.parametrize(
    ("angle", "expected"),
    [(0.0, [1.0, 2.0, 3.0, 4.0]), (QUARTER, [-2.0, 1.0, -4.0, 3.0]), (-QUARTER, [2, -1, 4, -3])],
    ids=["none", "left", "right"],
)
def test_quarter_turns(angle, expected):
    found = turned(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor(angle))
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_there_and_back():
    vectors, angles = torch.randn(3, 5, 8), torch.randn(3, 5)
    there = turned(vectors, angles)
    torch.testing.assert_close(turned(there, -angles), vectors)
    torch.testing.assert_close(there.norm(dim=-1), vectors.norm(dim=-1))


def core() -> CompassCore:
    torch.manual_seed(0)
    return CompassCore(2, 6, n_vectors=1, plain_size=4, output_size=3)


def test_the_same_direction_is_the_same_memory_whatever_the_heading():
    """A voice on the left, and ahead after a turn to the left, if nothing else is sensed."""
    made = core()
    made.plain.weight.data.zero_()
    made.heard.weight.data.copy_(torch.eye(2))
    left, ahead = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])
    states = [
        made(
            torch.stack([left, later])[:, None],
            torch.tensor([[0.0], [heading]]),
            made.initial_state(1),
            torch.tensor([[True], [False]]),
        )[1]
        for later, heading in ((left, 0.0), (ahead, QUARTER), (ahead, 0.0))
    ]
    torch.testing.assert_close(states[0], states[1])
    assert not torch.allclose(states[0], states[2])


def test_what_is_remembered_is_told_to_the_head_as_it_is_turned():
    made = core()
    made.plain.weight.data.zero_()
    made.heard.weight.data.copy_(torch.eye(2))
    one = torch.ones(1, 1, 2)
    starts = torch.tensor([[True]])
    state = made.initial_state(1)
    outputs = [
        made(turned(one, torch.tensor([[-angle]])), torch.tensor([[angle]]), state, starts)
        for angle in (0.0, QUARTER)
    ]
    torch.testing.assert_close(outputs[0][1], outputs[1][1])
    assert not torch.allclose(outputs[0][0], outputs[1][0])
