"""Objectives of associations that can be written down."""

import math

import pytest
import torch

from av_envs.agents.localization.hungarian import Hnet, HnetConfig
from av_envs.agents.localization.losses import (
    LossConfig,
    exact_association,
    hnet_association,
    loss,
    squared_error,
    tracking,
)

FRONT, LEFT, UP = torch.eye(3)
BOTH = torch.tensor([[[True, True]]])
ONE = torch.tensor([[[True, False]]])
TRUTH = torch.stack([FRONT, LEFT])[None, None]  # (1, 1, 2, 3)
SWAPPED = TRUTH.flip(2)


class Known(torch.nn.Module):
    """An Hnet that says what it is told to."""

    def __init__(self, probability):
        super().__init__()
        self.config = HnetConfig(2)
        self.logits = torch.logit(torch.tensor(probability))

    def forward(self, distance):
        return (self.logits.expand_as(distance),)


def test_order_counts_only_if_it_is_asked_for():
    assert squared_error(TRUTH, TRUTH, BOTH, any_order=False)[0] == 0
    # each of the two is off by 1 in two of three coordinates
    assert squared_error(SWAPPED, TRUTH, BOTH, any_order=False)[0].item() == pytest.approx(2 / 3)
    assert squared_error(SWAPPED, TRUTH, BOTH, any_order=True)[0] == 0


def test_who_is_idle_points_up():
    found = torch.stack([UP, FRONT])[None, None]
    assert squared_error(found, TRUTH, ONE, any_order=True)[0] == 0
    target = squared_error(found, TRUTH, ONE, any_order=True)[1]
    assert target.tolist() == [[[0, 1]]]
    assert squared_error(found, TRUTH, ONE, any_order=False)[0].item() == pytest.approx(2 / 3)


def test_exact_association():
    distance, matched = exact_association(SWAPPED, TRUTH, BOTH)
    assert matched.tolist() == [[[[0, 1], [1, 0]]]]
    assert distance[0, 0, 0, 0].item() == pytest.approx(math.sqrt(2))
    _, matched = exact_association(SWAPPED, TRUTH, ONE)  # only the first source sounds
    assert matched.tolist() == [[[[0, 0], [1, 0]]]]


def test_hnet_association_forgets_what_is_unlikely_and_pads_who_is_silent():
    hnet = Known([[0.9, 0.4], [0.5, 0.6]])
    distance, soft = hnet_association(hnet, TRUTH, TRUTH, ONE)
    torch.testing.assert_close(soft[0, 0], torch.tensor([[0.9, 0.0], [0.0, 0.6]]))
    # from (1, 0, 0) to (10, 10, 10)
    assert distance[0, 0, 0, 1].item() == pytest.approx(math.sqrt(81 + 100 + 100))


def test_tracking():
    """Two frames: one match at distance 0.5; then two matches at 0.1 and 0.3, one of them new."""
    distance = torch.tensor([[[[0.5, 9], [9, 9]], [[0.1, 9], [9, 0.3]]]])
    soft = torch.tensor([[[[1.0, 0], [0, 0]], [[1, 0], [0, 1]]]])
    active = torch.tensor([[[True, True], [True, True]]])
    found = tracking(distance, soft, active, switches=2)
    # frames with two matches count twice; three matches in all
    assert found.precision.item() == pytest.approx((0.5 * 1 + 0.4 * 2) / 3)
    # a miss in the first frame, a switch in the second
    assert found.accuracy.item() == pytest.approx((1 + 2 * 1) / 3)
    assert found.associated.tolist() == [[[1, 0], [1, 1]]]


def test_false_alarms():
    soft = torch.tensor([[[[0.8, 0], [0, 0.6]]]])
    found = tracking(torch.zeros(1, 1, 2, 2), soft, ONE, switches=1)
    assert found.accuracy.item() == pytest.approx(0.4 / 1.4)


def test_sequences_have_no_switch_between_them():
    on, off = torch.eye(2), torch.zeros(2, 2)
    soft = torch.stack([torch.stack([off, off]), torch.stack([on, on])])  # two sequences
    active = torch.ones(2, 2, 2, dtype=torch.bool)
    found = tracking(torch.zeros_like(soft), soft, active, switches=1)
    assert found.accuracy.item() == pytest.approx(4 / 4)  # two misses in two frames, no switch


@pytest.mark.parametrize("association", ["pit", "exact"])
def test_perfect_directions_cost_nothing_in_any_order(association):
    value = loss(LossConfig(association), SWAPPED, None, TRUTH, BOTH)
    assert value.item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("association", ["ordered", "pit", "exact", "hnet"])
def test_activity_is_part_of_it(association):
    """The right activity costs nothing, no idea log 2, times ten."""
    hnet = Known([[0.99, 0.01], [0.01, 0.01]])
    found, logits = torch.stack([FRONT, UP])[None, None], torch.tensor([[[40.0, -40.0]]])
    given = (TRUTH, ONE, hnet)
    bare = loss(LossConfig(association), found, None, *given)
    right = loss(LossConfig(association), found, logits, *given)
    unsure = loss(LossConfig(association), found, 0 * logits, *given)
    assert right.item() == pytest.approx(bare.item(), abs=1e-4)
    assert (unsure - bare).item() == pytest.approx(10 * math.log(2), rel=1e-3)


@pytest.mark.parametrize("association", ["ordered", "pit", "exact", "hnet"])
def test_a_step_against_the_gradient_goes_towards_the_source(association):
    angle = torch.tensor(0.5, requires_grad=True)
    found = torch.stack([torch.cos(angle), torch.sin(angle), torch.zeros(())])
    found = torch.stack([found, UP])[None, None]
    hnet = Known([[0.99, 0.01], [0.01, 0.01]])
    loss(LossConfig(association), found, None, TRUTH, ONE, hnet).backward()
    assert angle.grad > 0


def test_a_real_hnet_passes_its_gradient_on():
    found = torch.nn.functional.normalize(torch.randn(2, 3, 2, 3), dim=-1).requires_grad_()
    active = torch.ones(2, 3, 2, dtype=torch.bool)
    hnet = Hnet().requires_grad_(False)
    truth = TRUTH.expand(2, 3, 2, 3)
    loss(LossConfig("hnet"), found, None, truth, active, hnet).backward()
    assert found.grad.isfinite().all()


def test_exactly_right_has_a_finite_gradient():
    found = TRUTH.clone().requires_grad_()
    loss(LossConfig("exact"), found, None, TRUTH, BOTH).backward()
    assert found.grad.isfinite().all()


def test_mistakes():
    with pytest.raises(ValueError, match="association 'l2' does not exist"):
        LossConfig("l2")
    with pytest.raises(ValueError, match="needs an Hnet"):
        loss(LossConfig("hnet"), TRUTH, None, TRUTH, BOTH)
    with pytest.raises(ValueError, match="assigns 3 tracks, the labels have 2"):
        loss(LossConfig("hnet"), TRUTH, None, TRUTH, BOTH, Hnet(HnetConfig(3)))
