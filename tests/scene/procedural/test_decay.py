import numpy as np
import pytest

from av_envs.scene import MATERIALS, House
from av_envs.scene.procedural.blocks import DOWN, FLOATING, UP, Block
from av_envs.scene.procedural.decay import absorbing_area, eyring_times
from av_envs.scene.procedural.floorplan import area


def dwelling_times(design):
    volume = design.height * sum(area(floor) for floor in design.floors)
    return eyring_times(*absorbing_area(design.blocks), volume)


def test_absorbing_area_is_area_times_absorption():
    room = Block((0, 0, 0), (6, 4, 3), "stud_wall", (0, 0, 0), 0, FLOATING ^ UP ^ DOWN)
    floor = Block((0, 0, 0), (6, 4, 0), "carpet", (0, 0, 0), 0, UP)
    absorption, whole = absorbing_area([room, floor])
    assert whole == 2 * (6 * 3 + 4 * 3) + 24
    expected = 60 * np.array(MATERIALS["stud_wall"].absorption)
    expected += 24 * np.array(MATERIALS["carpet"].absorption)
    assert absorption == pytest.approx(expected)


def test_eyring_of_the_6x4x3_room():
    seconds = eyring_times(np.full(7, 0.2 * 108), 108.0, 72.0)
    assert seconds == pytest.approx(0.481, abs=0.001)


def test_eyring_approaches_sabine_when_little_is_absorbed():
    seconds = eyring_times(np.full(7, 0.001 * 108), 108.0, 72.0)
    assert seconds == pytest.approx(0.1611 * 72 / 0.108, rel=0.001)


@pytest.mark.parametrize("kind", ["house", "flat"])
def test_dwellings_ring_as_furnished_homes_do(kind):
    times = np.array([dwelling_times(House(seed, kind).design) for seed in range(40)])
    middle = times[:, 2:5].mean(axis=1)
    assert middle.min() > 0.2
    assert middle.max() < 0.55
    assert times.max() < 1.0


def test_dwellings_differ_in_how_long_they_ring():
    middle = [dwelling_times(House(seed).design)[3] for seed in range(40)]
    assert max(middle) > 1.5 * min(middle)
