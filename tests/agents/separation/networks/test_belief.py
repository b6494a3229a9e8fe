"""Seconds add up to a place: closed forms of a Bayes filter."""

import math

import pytest
import torch

from av_envs.agents.separation.mirror import mirrored
from av_envs.agents.separation.networks.belief import (
    AROUND,
    NEVER,
    REACH,
    SHOWN,
    SIDE,
    Belief,
    belief_loss,
    between,
)
from av_envs.agents.separation.networks.locator import AZIMUTHS, PLACE_SIZE, RANGES, ranges_of

ANYWHERE = torch.full((PLACE_SIZE,), 1.0)
ANYWHERE[:AZIMUTHS], ANYWHERE[AZIMUTHS:] = -math.log(AZIMUTHS), -math.log(RANGES)


def told(degrees: float | None = None, metres: float | None = None) -> torch.Tensor:
    """(43,) of a locator that is sure of what is given and knows nothing of the rest."""
    place = ANYWHERE.clone()
    if degrees is not None:
        place[:AZIMUTHS] = -20.0
        place[round(degrees / 10) % AZIMUTHS] = 0.0
    if metres is not None:
        place[AZIMUTHS:] = -20.0
        place[AZIMUTHS + int(ranges_of(torch.tensor(metres)))] = 0.0
    return place


def pose(forward: float = 0.0, left: float = 0.0, quarters: int = 0) -> torch.Tensor:
    return torch.tensor([forward, left, quarters * math.pi / 2, 0.0])


def believed(*seconds: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """(T, 17, 17) of one environment, after seconds (place, pose)."""
    belief = Belief()
    places, poses = (torch.stack(part)[:, None] for part in zip(*seconds, strict=True))
    starts = torch.zeros(len(seconds), 1, dtype=torch.bool)
    starts[0] = True
    with torch.no_grad():
        return belief(places, poses, belief.initial_state(1), starts)[0][:, 0]


def likeliest(shown: torch.Tensor) -> tuple[int, int]:
    """Metres ahead and to the left."""
    ahead, left = divmod(int(shown.argmax()), SHOWN)
    return ahead - AROUND, left - AROUND


def test_one_second_that_says_all():
    assert likeliest(believed((told(0, 3.0), pose()))[-1]) == (3, 0)
    assert likeliest(believed((told(90, 3.0), pose()))[-1]) == (0, 3)
    assert likeliest(believed((told(-90, 3.0), pose()))[-1]) == (0, -3)


@pytest.mark.parametrize(("quarters", "found"), [(1, (0, -3)), (2, (-3, 0)), (3, (0, 3))])
def test_the_map_turns_against_the_head(quarters, found):
    turned = believed((told(0, 3.0), pose()), (ANYWHERE, pose(quarters=quarters)))
    assert likeliest(turned[-1]) == found


def test_the_map_moves_against_the_body():
    walked = believed((told(0, 3.0), pose()), (ANYWHERE, pose(forward=2.0)))
    assert likeliest(walked[-1]) == (1, 0)


def test_two_bearings_cross_where_it_is():
    crossed = believed((told(0), pose(0, 0)), (told(90), pose(4, -3)))
    assert likeliest(crossed[-1]) == (0, 3)


def test_front_and_back_are_told_apart_by_turning():
    either = (told(40).exp() / 2 + told(140).exp() / 2).log()
    either[AZIMUTHS:] = ANYWHERE[AZIMUTHS:]
    after = believed((either, pose()), (told(-50), pose(quarters=1)))
    ahead, left = likeliest(after[-1])
    assert ahead > 0 > left  # a quarter turn to the left later, what was at 40 degrees is at -50


def test_nobody_stands_on_the_target():
    shown = believed((told(0, 1.0), pose()), (ANYWHERE, pose(forward=1.0)))
    assert shown[0, AROUND, AROUND] < NEVER + 1
    assert likeliest(shown[0]) == (1, 0)
    assert shown[1, AROUND, AROUND] < NEVER + 5


def test_probabilities_sum_to_one_and_an_episode_forgets_the_one_before():
    belief = Belief()
    place, poses = told(30, 2.0).expand(3, 2, -1), pose().expand(3, 2, -1)
    starts = torch.tensor([[True, True], [False, True], [False, False]])
    _, state = belief(place, poses, belief.initial_state(2), starts)
    torch.testing.assert_close(state.exp().sum(dim=1), torch.ones(2))
    _, fresh = belief(place[1:], poses[1:], belief.initial_state(2)[:2], starts[1:] | True)
    assert not torch.allclose(state[0], state[1])
    assert state[0].max() > state[1].max() > fresh.max()


def test_in_pieces_as_at_once():
    torch.manual_seed(0)
    belief = Belief()
    place = torch.randn(4, 2, PLACE_SIZE).log_softmax(dim=-1)
    poses = pose().expand(4, 2, -1)
    starts = torch.tensor([[True, True], [False, False], [False, True], [False, False]])
    whole, last = belief(place, poses, belief.initial_state(2), starts)
    first, state = belief(place[:2], poses[:2], belief.initial_state(2), starts[:2])
    second, state = belief(place[2:], poses[2:], state, starts[2:])
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(state, last)


def test_the_mirrored_is_believed_in_a_mirror():
    torch.manual_seed(0)
    heard = {
        "place": torch.randn(3, 1, PLACE_SIZE).log_softmax(dim=-1),
        "pose": torch.stack([pose(), pose(1, 2), pose(1, 2, 1)])[:, None],
    }
    other = mirrored(heard, torch.tensor([True]))
    belief, starts = Belief(), torch.tensor([[True], [False], [False]])
    here, there = (
        belief(one["place"], one["pose"], belief.initial_state(1), starts)[0]
        for one in (heard, other)
    )
    torch.testing.assert_close(there, here.flip(-1), atol=1e-4, rtol=1e-4)


def test_what_lies_beyond_the_map_is_never():
    belief = Belief()
    maps = torch.zeros(1, 1, SIDE * SIDE)
    shown = belief.about(maps, pose(forward=REACH)[None, None])[0, 0]
    assert (shown[: AROUND + 1] == 0).all()
    assert (shown[AROUND + 1 :] == NEVER).all()


def test_values_between_directions_go_round_the_circle():
    chances = torch.arange(float(AZIMUTHS))
    angles = torch.tensor([0.0, 5.0, -5.0, 355.0, 720.0]) * math.pi / 180
    found = between(chances, angles)
    torch.testing.assert_close(found, torch.tensor([0.0, 0.5, 17.5, 17.5, 0.0]), atol=1e-3, rtol=0)


def test_the_loss_is_what_a_guess_costs():
    shown = torch.zeros(2, 3, SHOWN, SHOWN)
    offset = torch.tensor([1.0, -2.0]).expand(2, 3, 2).clone()
    assert belief_loss(shown, offset).item() == pytest.approx(math.log(SHOWN**2))
    offset[0] = 99.0  # not shown, so not counted
    assert belief_loss(shown, offset).item() == pytest.approx(math.log(SHOWN**2))
    shown[1, :, AROUND + 1, AROUND - 2] = 50.0
    assert belief_loss(shown, offset).item() == pytest.approx(0.0, abs=1e-4)
    assert belief_loss(shown, torch.full((2, 3, 2), 99.0)).item() == 0.0


def test_how_much_a_second_counts_is_learned():
    belief = Belief()
    shown, _ = belief(
        told(20, 3.0)[None, None],
        pose()[None, None],
        belief.initial_state(1),
        torch.ones(1, 1, dtype=torch.bool),
    )
    belief_loss(shown, torch.tensor([[[3.0, 1.0]]])).backward()
    assert all(weight.grad.abs().sum() > 0 for weight in belief.parameters())
