"""Open doors and their frames: where they are painted, and that they are in lit pictures only."""

from dataclasses import replace

import numpy as np
import pytest

from av_envs.conventions import HEADING_STEPS
from av_envs.scene import CATEGORIES, House
from av_envs.scene.procedural.floorplan import WALL
from av_envs.scene.procedural.openings import DOOR_HEIGHT, side_line
from av_envs.vision import Lights, lights_of, render_rgbd
from av_envs.vision.doors import ARCHITRAVE, CLEAR, FRAME, GAP, openings_of

DWELLINGS = [("house", 2), ("house", 7), ("house", 11), ("flat", 1), ("flat", 8), ("flat", 13)]
WALLS = CATEGORIES.index("wall")
# The mean colour of each quarter of a picture of the box, before there were doors.
BOX = [[76.3, 76.5, 54.4], [125.0, 111.6, 111.6], [90.9, 84.4, 52.3], [123.2, 110.4, 110.4]]


@pytest.fixture(scope="module", params=DWELLINGS, ids=lambda of: f"{of[0]}-{of[1]}")
def dwelling(request):
    """(design, scene, lights)"""
    kind, seed = request.param
    house = House(seed, kind)
    scene = house.scene()
    return house.design, scene, lights_of(scene)


def without(lights: Lights) -> Lights:
    """The same light, without doors."""
    return lights._replace(doors=lights.doors._replace(first=np.zeros_like(lights.doors.first)))


def leaves_of(scene, doors) -> list[tuple]:
    """(axis, at, outward, place, hand, colour) of every open leaf, by the wall that it is on."""
    owner = np.repeat(np.arange(len(doors.first) - 1), np.diff(doors.first))
    found = set()
    for row in np.flatnonzero((doors.kinds != FRAME) & (scene.category[owner] == WALLS)):
        normal = np.rint(scene.normals[owner[row]]).astype(int)
        axis = int(np.abs(normal).argmax())
        at = round(float(scene.triangles[owner[row], 0, axis]), 3)
        place = tuple(round(float(x), 3) for x in doors.places[row])
        colour = tuple(map(float, doors.colours[row]))
        found.add((axis, at, int(normal[axis]), place, int(doors.hands[row]), colour))
    return sorted(found)


def test_openings_are_the_doors_of_the_plan(dwelling):
    design, scene, _ = dwelling
    found = [(o.axis, *o.faces, o.low, o.high, o.top) for o in openings_of(scene)]
    planned = [
        (door.axis, door.line - WALL / 2, door.line + WALL / 2, door.low, door.high, door.top)
        for door in design.doors
    ]
    np.testing.assert_allclose(sorted(found), sorted(planned), atol=2e-4)


def test_leaves_lie_beside_their_openings_on_free_walls(dwelling):
    design, scene, lights = dwelling
    leaves = leaves_of(scene, lights.doors)
    assert len(leaves) >= sum(door.top == DOOR_HEIGHT for door in design.doors) / 2
    owners = []
    for axis, at, outward, (u0, v0, u1, v1), hand, _ in leaves:
        edge = u0 - ARCHITRAVE - GAP if hand > 0 else u1 + ARCHITRAVE + GAP
        [door] = [
            door for door in design.doors
            if door.axis == axis
            and abs(at - door.line - outward * WALL / 2) < 2e-3
            and abs(edge - (door.high if hand > 0 else door.low)) < 2e-3
        ]  # fmt: skip
        owners.append(door)
        assert u1 - u0 == pytest.approx(door.high - door.low, abs=2e-3)
        assert door.top == DOOR_HEIGHT  # others are wide and have no leaf
        assert (v0, v1) == (pytest.approx(GAP, abs=2e-3), pytest.approx(door.top, abs=2e-3))
        [room] = [
            room for room in door.rooms
            if abs(side_line(design.plan.inside(room), axis + 1 - outward)[0] - at) < 2e-3
        ]  # fmt: skip
        side = axis + 1 - outward
        _, (start, end) = side_line(design.plan.inside(room), side)
        assert start < u0 < u1 < end
        for other in design.doors:  # in the same wall of that room
            if other.axis == axis and other.line == door.line and room in other.rooms:
                assert u1 < other.low - ARCHITRAVE or other.high + ARCHITRAVE < u0
        for window in design.windows:
            if (window.room, window.side) == (room, side):
                assert u1 < window.low or window.high < u0
        for piece in design.furniture:
            low, high = piece.footprint[1 - axis], piece.footprint[3 - axis]
            near = sorted((piece.footprint[axis] - at, piece.footprint[2 + axis] - at))
            reaches = min(near, key=abs) * outward < CLEAR
            if piece.room == room and piece.name != "rug" and reaches:
                assert u1 <= low + 2e-3 or high <= u0 + 2e-3, piece.name
    assert len(set(owners)) == len(owners)


def facing(axis: int, at: float, outward: int, u: float, z: float) -> tuple[np.ndarray, int]:
    """(eye, heading) straight in front of a place on a wall, within what is kept clear."""
    eye = np.empty(3)
    eye[axis], eye[1 - axis], eye[2] = at + 0.95 * CLEAR * outward, u, z
    return eye, axis + 1 + outward


def pixel_of(eye, heading: int, axis: int, at: float, u: float, v: float) -> tuple[int, int]:
    """Row and column of a place on a wall."""
    point = np.empty(3)
    point[axis], point[1 - axis], point[2] = at, u, v
    x, y, z = point - eye
    cos, sin = HEADING_STEPS[heading]
    ahead, right = x * cos + y * sin, x * sin - y * cos
    return int(64 * (1 - z / ahead)), int(64 * (1 + right / ahead))


def both(scene, lights, eye, heading) -> list[np.ndarray]:
    """(128, 128, 3) float, the picture with doors and the one without."""
    lit = (lights, without(lights))
    return [render_rgbd(scene, eye, heading, lights=of)[0].astype(float) for of in lit]


def assert_coloured(rgb: np.ndarray, colour) -> None:
    """That a pixel has a colour, however bright."""
    shades = rgb / colour
    np.testing.assert_allclose(shades, shades.mean(), rtol=0.02)


def test_a_view_that_faces_a_leaf_has_its_colour(dwelling):
    _, scene, lights = dwelling
    for axis, at, outward, (u0, _, u1, _), _, colour in leaves_of(scene, lights.doors):
        eye, heading = facing(axis, at, outward, (u0 + u1) / 2, 1.2)
        rgb, bare = both(scene, lights, eye, heading)
        middle = pixel_of(eye, heading, axis, at, (u0 + u1) / 2, 1.35)
        assert_coloured(rgb[middle], colour)
        assert not np.array_equal(rgb[middle], bare[middle])


def test_the_handle_is_at_the_edge_away_from_the_opening(dwelling):
    _, scene, lights = dwelling
    for axis, at, outward, (u0, v0, u1, _), hand, _ in leaves_of(scene, lights.doors):
        far, near = (u1, u0) if hand > 0 else (u0, u1)
        contrast = []
        for u in (far - 0.06 * hand, near + 0.06 * hand):
            eye, heading = facing(axis, at, outward, u, 1.2)
            rgb = both(scene, lights, eye, heading)[0]
            handle, higher = (pixel_of(eye, heading, axis, at, u, v0 + v) for v in (1.03, 1.3))
            contrast.append(np.abs(rgb[handle] - rgb[higher]).max())
        assert contrast[0] > 30
        assert contrast[1] < 15


def test_frames_are_around_openings_on_both_sides(dwelling):
    _, scene, lights = dwelling
    [colour] = np.unique(lights.doors.colours[lights.doors.kinds == FRAME], axis=0)
    for opening in openings_of(scene):
        middle = (opening.low + opening.high) / 2
        for at, outward in zip(opening.faces, (-1, 1), strict=True):
            eye, heading = facing(opening.axis, at, outward, middle, opening.top - 0.1)
            rgb, bare = both(scene, lights, eye, heading)
            on, over = (
                pixel_of(eye, heading, opening.axis, at, middle, opening.top + share * ARCHITRAVE)
                for share in (0.5, 1.5)
            )
            assert_coloured(rgb[on], colour)
            np.testing.assert_array_equal(rgb[over], bare[over])


def test_front_doors_have_a_handle_and_a_frame(dwelling):
    design, scene, lights = dwelling
    for door in (window for window in design.windows if window.bottom == 0):
        at, _ = side_line(design.plan.inside(door.room), door.side)
        axis, outward = door.side % 2, 1 if door.side < 2 else -1
        changes = []
        for u in (door.low + 0.07, door.high - 0.07):
            eye, heading = facing(axis, at, outward, u, 1.2)
            rgb, bare = both(scene, lights, eye, heading)
            handle = pixel_of(eye, heading, axis, at, u, 1.04)
            changes.append(np.abs(rgb[handle] - bare[handle]).max())
            eye[2] = door.top
            rgb, _ = both(scene, lights, eye, heading)
            above = pixel_of(eye, heading, axis, at, u, door.top + 0.5 * ARCHITRAVE)
            assert_coloured(rgb[above], lights.doors.colours[lights.doors.kinds == FRAME][0])
        assert max(changes) > 30
        assert min(changes) < 5


def test_depth_stays_as_it_is(dwelling):
    _, scene, lights = dwelling
    bare, changed = without(lights), 0
    for node in range(0, len(scene.graph), 13):
        for heading in range(4):
            eye = scene.graph.heads[node]
            rgb, depth = render_rgbd(scene, eye, heading, lights=lights)
            before, same = render_rgbd(scene, eye, heading, lights=bare)
            np.testing.assert_array_equal(depth, same)
            changed += (rgb != before).any(axis=2).mean()
    assert changed > 0


def test_doors_are_the_same_on_every_grid():
    coarse, fine = (House(3).scene(grid) for grid in (1.0, 0.5))
    for one, other in zip(lights_of(coarse).doors, lights_of(fine).doors, strict=True):
        np.testing.assert_array_equal(one, other)


def test_scenes_without_openings_have_no_doors(scene, dwelling):
    """The box has neither walls nor doors by name; its picture is that of before there were any."""
    assert lights_of(scene).doors.first.max() == 0
    rgb = render_rgbd(scene, np.array([1.5, 1.5, 1.5]), 0, lights=lights_of(scene))[0]
    means = rgb.reshape(2, 64, 2, 64, 3).mean(axis=(1, 3)).reshape(4, 3)
    np.testing.assert_allclose(means, BOX, atol=0.1)
    nameless = replace(dwelling[1], category=np.zeros_like(dwelling[1].category))
    assert lights_of(nameless).doors.first.max() == 0
