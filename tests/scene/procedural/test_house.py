"""What every dwelling promises, whatever its seed."""

from functools import cache
from time import perf_counter

import numpy as np
import pytest

from av_envs.scene import CATEGORIES, House, cast_rays
from av_envs.scene.clearance import distance_to_surfaces
from av_envs.scene.navigation import BODY_RADIUS, STEPS
from av_envs.scene.procedural.blocks import shown_faces
from av_envs.scene.procedural.floorplan import KINDS, area
from av_envs.scene.procedural.furniture import PICTURE_GAP

SEEDS = range(200)
EACH = [(kind, seed) for kind in KINDS for seed in SEEDS]
SOME = [(kind, seed) for kind in KINDS for seed in range(0, 200, 10)]
SHELL = ("wall", "floor", "ceiling", "door", "door frame", "window")
NODES = {"house": (60, 170), "flat": (75, 250)}


@cache
def dwelling(kind, seed):
    house = House(seed, kind)
    return house.design, house.scene()


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_those_of_the_kind(kind):
    for seed in SEEDS:
        design, scene = dwelling(kind, seed)
        low, high = KINDS[kind].area
        assert low <= sum(area(room.bounds) for room in scene.rooms) <= high
        assert KINDS[kind].n_rooms[0] <= len(scene.rooms) <= KINDS[kind].n_rooms[1]
        assert 2.4 <= design.height <= 3.0
        assert NODES[kind][0] <= len(scene.graph) <= NODES[kind][1]
        assert 150 <= len(scene.normals) <= 900
        assert len({room.name for room in scene.rooms}) == len(scene.rooms)


@pytest.mark.parametrize("grid", [0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_every_room_can_be_walked_to(kind, grid):
    for seed in SEEDS:
        graph = House(seed, kind).scene(grid).graph
        assert np.isfinite(graph.walking_distances).all()
        rooms = len(dwelling(kind, seed)[1].rooms)
        assert set(graph.room) == set(range(rooms))


@pytest.mark.parametrize("kind", KINDS)
def test_steps_have_a_way_back_and_the_right_length(kind):
    for seed in SEEDS:
        graph = dwelling(kind, seed)[1].graph
        node, heading = np.nonzero(graph.neighbours >= 0)
        other = graph.neighbours[node, heading]
        assert (graph.neighbours[other, (heading + 2) % 4] == node).all()
        step = graph.positions[other] - graph.positions[node]
        assert (step[:, :2] == graph.grid * STEPS[heading]).all()


def test_many_pairs_of_places_in_a_house_are_far_apart():
    for seed in SEEDS:
        distances = dwelling("house", seed)[1].graph.walking_distances
        pairs = distances[np.triu_indices(len(distances), 1)]
        assert (pairs >= 8).mean() >= 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_bodies_keep_their_distance_where_they_stand_and_walk(kind):
    for seed in SEEDS:
        design, scene = dwelling(kind, seed)
        graph, boxes = scene.graph, np.array(design.obstacles)
        node, heading = np.nonzero(graph.neighbours[:, :2] >= 0)
        ends = graph.positions[graph.neighbours[node, heading]]
        places = [graph.positions] + [
            graph.positions[node] * (1 - share) + ends * share for share in (0.25, 0.5, 0.75)
        ]
        points = np.concatenate(places)[:, None, :2]
        outside = np.maximum(np.maximum(boxes[:, :2] - points, points - boxes[:, 2:]), 0)
        assert np.hypot(*np.moveaxis(outside, 2, 0)).min() >= BODY_RADIUS - 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_no_surface_reaches_into_a_standing_body(kind):
    """Measured on the triangles alone, at several heights of the body."""
    for seed in SEEDS:
        scene = dwelling(kind, seed)[1]
        for height in (0.35, 0.7, 1.1, 1.5, 1.75):
            points = scene.graph.positions + np.array([0, 0, height], np.float32)
            gaps = distance_to_surfaces(points, scene.triangles, 1.0)
            assert gaps.min() >= BODY_RADIUS - PICTURE_GAP
        assert scene.graph.clearance == pytest.approx(
            distance_to_surfaces(scene.graph.heads, scene.triangles, 1.0), abs=1e-6
        )


def test_nothing_stands_in_front_of_a_door():
    for kind, seed in EACH:
        design, _ = dwelling(kind, seed)
        for door in design.doors:
            x0, y0, x1, y1 = door.floor
            reach = np.array([0.5, 0]) if door.axis == 0 else np.array([0, 0.5])
            low, high = np.array([x0, y0]) - reach, np.array([x1, y1]) + reach
            for piece in design.furniture:
                box = np.array(piece.footprint)
                apart = (box[:2] >= high).any() or (box[2:] <= low).any()
                assert apart or not piece.blocks_the_way, (piece.name, seed)


def test_furniture_stands_in_its_room_and_not_in_other_furniture():
    for kind, seed in EACH:
        design, _ = dwelling(kind, seed)
        for piece in design.furniture:
            x0, y0, x1, y1 = piece.footprint
            low_x, low_y, high_x, high_y = design.floors[piece.room]
            assert low_x <= x0 < x1 <= high_x
            assert low_y <= y0 < y1 <= high_y
            for block in piece.blocks:
                assert np.allclose(np.clip(block.low[:2], (x0, y0), (x1, y1)), block.low[:2])
                assert np.allclose(np.clip(block.high[:2], (x0, y0), (x1, y1)), block.high[:2])
        solid = [piece.footprint for piece in design.furniture if piece.blocks_the_way]
        boxes = np.array(solid)
        apart = (boxes[:, None, :2] >= boxes[None, :, 2:]).any(axis=2)
        assert (apart | apart.T | np.eye(len(boxes), dtype=bool)).all()


def test_no_two_faces_lie_on_each_other():
    """Overlapping coplanar faces would confuse rays and image sources."""
    for kind, seed in EACH[::5]:
        blocks = dwelling(kind, seed)[0].blocks
        owner, face = shown_faces(blocks)
        low = np.array([block.low for block in blocks])[owner]
        high = np.array([block.high for block in blocks])[owner]
        axis = np.array([0, 1, 0, 1, 2, 2])[face]
        level = np.where((face < 2) | (face == 4), high.T, low.T)[axis, np.arange(len(axis))]
        for normal in range(3):
            chosen = axis == normal
            others = [other for other in range(3) if other != normal]
            a, b = low[chosen][:, others], high[chosen][:, others]
            same = np.abs(level[chosen][:, None] - level[chosen]) < 1e-4
            shared = np.minimum(b[:, None], b) - np.maximum(a[:, None], a)
            overlap = same & (shared > 1e-6).all(axis=2)
            assert not (overlap & ~np.eye(len(a), dtype=bool)).any(), (kind, seed, normal)


@pytest.mark.parametrize(("kind", "seed"), SOME)
def test_rays_neither_escape_nor_see_the_back_of_a_surface(kind, seed):
    scene = dwelling(kind, seed)[1]
    rng = np.random.default_rng(seed)
    n_rays = 5000
    directions = rng.normal(size=(n_rays, 3)).astype(np.float32)
    heads = scene.graph.heads[rng.integers(len(scene.graph), size=n_rays)]
    _, hit = cast_rays(scene.bvh, heads, directions, np.full(n_rays, 1000, np.float32))
    assert (hit >= 0).all()
    flat = [material.name in ("rug", "wall_hanging") for material in scene.materials]
    seen_from_behind = (scene.normals[hit] * directions).sum(axis=1) > 0
    seen_from_behind &= ~np.array(flat)[scene.material[hit]]
    assert seen_from_behind.sum() <= 1  # a ray may touch the very edge of a door from behind


def test_same_seed_same_dwelling_and_other_seeds_others():
    fingerprints = {dwelling(kind, seed)[1].fingerprint for kind, seed in EACH}
    assert len(fingerprints) == len(EACH)
    for kind, seed in SOME[::4]:
        assert House(seed, kind).scene().fingerprint == dwelling(kind, seed)[1].fingerprint


def test_dwellings_vary():
    designs = [dwelling("house", seed)[0] for seed in SEEDS]
    corridors = np.mean([design.plan.corridor is not None for design in designs])
    loops = np.mean([len(design.doors) >= len(design.uses) for design in designs])
    arches = np.mean([any(door.high - door.low > 1.5 for door in d.doors) for d in designs])
    assert 0.2 < corridors < 0.8
    assert loops > 0.2
    assert arches > 0.2
    assert len({len(design.uses) for design in designs}) == 5


def test_wrong_arguments_are_named_with_the_choices():
    with pytest.raises(ValueError, match=r"'castle'.*flat.*house"):
        House(1, "castle")
    with pytest.raises(ValueError, match=r"negative, got -1"):
        House(-1)
    with pytest.raises(TypeError, match=r"1\.5"):
        House(1.5)
    with pytest.raises(ValueError, match=r"0\.5, 1\.0.*got 0\.3"):
        House(1).scene(grid=0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dwelling_is_ready_within_fifty_milliseconds(kind):
    times = []
    for seed in range(1000, 1021):
        start = perf_counter()
        House(seed, kind).scene()
        times.append(perf_counter() - start)
    assert np.median(times) < 0.05


def test_every_surface_has_a_category_and_every_category_occurs():
    seen = set()
    for kind, seed in SOME:
        design, scene = dwelling(kind, seed)
        names = np.array(CATEGORIES)[scene.category]
        assert set(names) <= {"void", *SHELL, *(piece.name for piece in design.furniture)}
        seen |= set(names)
    assert seen == set(CATEGORIES) - {"void"}


@pytest.mark.parametrize(("kind", "seed"), SOME[:8])
def test_categories_lie_where_such_things_are(kind, seed):
    design, scene = dwelling(kind, seed)
    low, high = scene.triangles[..., 2].min(axis=1), scene.triangles[..., 2].max(axis=1)
    names = np.array(CATEGORIES)[scene.category]
    assert (high[names == "floor"] == 0).all()
    assert low[names == "ceiling"] == pytest.approx(design.height)
    assert ((low == 0) & (scene.normals[:, 2] == 1) <= (names == "floor")).all()
    assert np.count_nonzero(names == "door frame") == 6 * len(design.doors)  # jambs and lintel
    glass = [scene.materials[index].name == "window_glass" for index in scene.material]
    np.testing.assert_array_equal(names == "window", glass)
    assert np.count_nonzero(names == "rug") == 2 * sum(p.name == "rug" for p in design.furniture)
