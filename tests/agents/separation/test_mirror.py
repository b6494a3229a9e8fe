"""Walks in a mirror are walks of a mirrored world."""

import numpy as np
import pytest
import torch

from av_envs.agents.separation.expert import expert_moves
from av_envs.agents.separation.mirror import mirrored
from av_envs.agents.separation.networks.encoders import bands

FORWARD, LEFT, RIGHT, STAY = range(4)
T, B = 3, 2
WALKS = {
    "rgb": torch.arange(128).expand(T, B, 128, 128)[..., None].expand(-1, -1, -1, -1, 3),
    "mixture": torch.rand(T, B, 2, 512, 32, generator=torch.Generator().manual_seed(0)),
    "mono": torch.rand(T, B, 1, 32, 8),
    "delays": torch.arange(33.0).expand(T, B, 4, 33),
    "place": torch.arange(43.0).expand(T, B, 43),
    "walls": torch.arange(16.0).expand(T, B, 16),
    "pose": torch.tensor([2.0, 1.0, 0.5, 7.0]).expand(T, B, 4),
    "collision": torch.tensor([[True, False]] * T),
    "previous_action": torch.tensor([[FORWARD, STAY], [LEFT, LEFT], [RIGHT, RIGHT]]),
    "expert": torch.tensor([[LEFT, LEFT], [RIGHT, RIGHT], [STAY, FORWARD]]),
    "offset": torch.tensor([3.0, -1.0]).expand(T, B, 2),
    "starts": torch.tensor([[True, True], [False, False], [False, False]]),
}
FIRST, BOTH = torch.tensor([True, False]), torch.ones(B, dtype=torch.bool)


def test_left_and_right_are_exchanged_where_asked():
    found = mirrored(WALKS, FIRST)
    assert found["expert"].T.tolist() == [[RIGHT, LEFT, STAY], [LEFT, RIGHT, FORWARD]]
    assert found["previous_action"].T.tolist() == [[FORWARD, RIGHT, LEFT], [STAY, LEFT, RIGHT]]
    assert found["pose"][0].tolist() == [[2.0, -1.0, -0.5, 7.0], [2.0, 1.0, 0.5, 7.0]]
    assert found["offset"][0].tolist() == [[3.0, 1.0], [3.0, -1.0]]
    assert torch.equal(found["mixture"][:, 0], WALKS["mixture"][:, 0].flip(1))
    assert torch.equal(found["mixture"][:, 1], WALKS["mixture"][:, 1])
    assert found["delays"][0, :, 0, 0].tolist() == [32.0, 0.0]
    assert found["place"][0, 0].tolist() == [0, *range(35, 0, -1), *range(36, 43)]
    assert found["walls"][0, :, 0].tolist() == [15.0, 0.0]
    assert found["rgb"][0, 0, 0, :, 0].tolist() == list(range(127, -1, -1))


@pytest.mark.parametrize("name", ["mono", "collision", "starts"])
def test_what_has_no_sides_stays(name):
    assert mirrored(WALKS, BOTH)[name] is WALKS[name]


@pytest.mark.parametrize("name", sorted(WALKS))
def test_twice_mirrored_is_as_before(name):
    assert torch.equal(mirrored(mirrored(WALKS, BOTH), BOTH)[name], WALKS[name])


def test_bands_of_the_mirrored_are_the_mirrored_bands():
    inside = mirrored({"mixture": bands(WALKS["mixture"])}, BOTH)["mixture"]
    outside = bands(mirrored(WALKS, BOTH)["mixture"])
    torch.testing.assert_close(inside, outside)


def test_the_expert_does_in_the_mirror_what_it_does_here():
    ways, quarters = np.array([0, 1, 3, -1, -1, -1]), np.array([0, 0, 0, 0, 1, 3])
    here = torch.from_numpy(expert_moves(ways, quarters))[None]
    there = expert_moves(np.where(ways > 0, 4 - ways, ways), (4 - quarters) % 4)
    seen = mirrored({"expert": here}, torch.ones(6, dtype=torch.bool))["expert"]
    assert seen[0].tolist() == there.tolist()
