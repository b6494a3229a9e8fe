import numpy as np
import pytest

from av_envs.scene.bvh import build_bvh
from av_envs.scene.clearance import distance_to_surfaces
from av_envs.scene.importing.graph import NoFloorError, mesh_graph, sphere
from av_envs.scene.importing.space import nearest_surfaces


def walk(grid, *parts):
    """The walkable part of a mesh; the parts are added up."""
    bvh, _ = build_bvh(np.concatenate(parts))
    normals = np.cross(bvh.triangles[:, 3:6], bvh.triangles[:, 6:])
    return mesh_graph(bvh, normals / np.linalg.norm(normals, axis=1, keepdims=True), grid)


def room(box, width=4.0, depth=3.0, height=2.5, at=(0, 0, 0)):
    return box(at, np.add(at, (width, depth, height)))[:, ::-1]


def stairs(box, steps, riser, tread, at=(0, 0)):
    """Blocks that rise to the east."""
    x, y = at
    blocks = (
        box((x + k * tread, y, -0.5), (x + (k + 1) * tread, y + 1, (k + 1) * riser))
        for k in range(steps)
    )
    return np.concatenate(list(blocks))


@pytest.mark.parametrize("grid", [0.5, 1.0])
def test_an_empty_room_is_filled_up_to_the_clearance(box, grid):
    graph = walk(grid, room(box)).graph
    low, high = graph.positions.min(axis=0), graph.positions.max(axis=0)
    assert (low[:2] >= 0.24).all()
    assert (high[:2] <= [3.76, 2.76]).all()
    assert (high - low >= [3.0, 2.0, 0.0]).all()
    assert len(graph) == np.prod(np.round((high - low)[:2] / grid) + 1)
    assert (graph.room == 0).all()


def test_neighbours_lie_one_step_away_along_their_heading_and_lead_back(box):
    graph = walk(0.5, room(box), box((1.5, 1, 0), (2.5, 1.6, 0.8))).graph
    moves = np.array([[0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]])
    for heading in range(4):
        node = np.flatnonzero(graph.neighbours[:, heading] >= 0)
        other = graph.neighbours[node, heading]
        steps = graph.positions[other, :2] - graph.positions[node, :2]
        np.testing.assert_allclose(steps, np.tile(moves[heading], (len(node), 1)), atol=1e-5)
        assert (graph.neighbours[other, (heading + 2) % 4] == node).all()
    assert np.isfinite(graph.walking_distances).all()


def test_nobody_stands_in_or_steps_through_furniture_and_thin_walls(box):
    pole = box((2.0, 1.1, 0.9), (2.02, 1.12, 1.0))  # hangs in the air at waist height
    graph = walk(0.25, room(box), pole).graph
    away = np.linalg.norm(graph.positions[:, :2] - [2.01, 1.11], axis=1)
    assert away.min() > 0.23
    sheet = np.array([[[2, 0, 0], [2, 3, 0], [2, 3, 2.5]], [[2, 0, 0], [2, 3, 2.5], [2, 0, 2.5]]])
    walkable = walk(0.5, room(box), sheet)
    assert walkable.n_islands == 2
    assert np.ptp(walkable.graph.positions[:, 0]) < 2


def test_low_ceilings_and_low_beams_stop_a_head(box):
    assert len(walk(0.5, room(box, height=1.8)).graph) > 10
    low = walk(0.5, room(box, 4, 3, 1.6), room(box, 4, 4, 2.0, at=(10, 0, 0))).graph
    assert low.positions[:, 0].min() > 10
    beam = box((1.8, 0, 1.5), (2.2, 3, 1.7))
    assert np.ptp(walk(0.5, room(box), beam).graph.positions[:, 0]) < 2


def test_sills_are_stepped_over_and_tables_are_not_climbed(box):
    sill = box((1.9, 0, 0), (2.1, 3, 0.1))
    assert walk(0.5, room(box), sill).n_islands == 1
    bench = box((2.4, 0, 0), (3, 3, 0.5))
    graph = walk(0.5, room(box), bench).graph
    assert graph.positions[:, 0].max() < 2.2
    assert (graph.positions[:, 2] == 0).all()


def test_stairs_join_two_floors(box):
    flight = stairs(box, steps=10, riser=0.18, tread=0.28, at=(3, 1))
    upper = box((5.8, 0, 1.6), (9, 3, 1.8))
    graph = walk(0.5, room(box, width=9, height=4.5), flight, upper).graph
    levels = graph.positions[:, 2]
    assert (levels.min(), levels.max()) == (0, pytest.approx(1.8))
    assert len(np.unique(levels.round(2))) > 4
    assert np.isfinite(graph.walking_distances).all()


def test_a_gap_in_the_stairs_parts_them(box):
    flight = stairs(box, steps=10, riser=0.18, tread=0.28, at=(3, 1))
    flight = flight.reshape(10, 12, 3, 3)[[0, 1, 2, 3, 6, 7, 8, 9]].reshape(-1, 3, 3)
    upper = box((5.8, 0, 1.6), (9, 3, 1.8))
    graph = walk(0.5, room(box, width=9, height=4.5), flight, upper).graph
    assert graph.positions[:, 2].max() < 1


def test_of_two_floors_without_stairs_the_larger_is_kept(box):
    walkable = walk(0.5, room(box), room(box, width=8, at=(0, 0, 2.7)))
    assert walkable.graph.positions[:, 2] == pytest.approx(2.7)
    assert (walkable.n_islands, walkable.n_beyond > 10) == (2, True)


def test_the_roof_and_the_land_around_a_house_are_left_out(box):
    house = [box((-0.2, -0.2, -0.2), (6.2, 5.2, 2.8)), room(box, 6, 5, 2.6)]
    land = np.array([[[-30, -30, -0.1], [40, -30, -0.1], [0, 60, -0.1]]], float)
    for parts in (house, [*house, land]):
        walkable = walk(0.5, *parts)
        assert not walkable.open_sky
        assert (walkable.graph.positions[:, 2] == 0).all()
        assert (np.abs(walkable.graph.positions[:, :2] - [3, 2.5]) < [3, 2.5]).all()


def test_a_house_whose_door_leads_outdoors_ends_at_the_door(box):
    shell = room(box, 6, 5, 2.6)
    shell = shell[~((shell[:, :, 0] == 6).all(axis=1))]  # no east wall at all
    land = np.array([[[-30, -30, -0.01], [40, -30, -0.01], [0, 60, -0.01]]], float)
    graph = walk(0.5, shell, land).graph
    assert graph.positions[:, 0].max() < 6.5
    assert len(graph) > 80


def test_the_inside_of_solids_is_no_floor_but_a_room_drawn_from_outside_is(box):
    ground = box((-10, -10, -3), (10, 10, 0))
    walkable = walk(0.5, ground, room(box))
    assert (walkable.graph.positions[:, 2] == 0).all()
    drawn_from_outside = walk(0.5, box((0, 0, 0), (4, 3, 2.5)))
    assert (drawn_from_outside.graph.positions[:, 2] == 0).all()
    assert not drawn_from_outside.open_sky


def test_small_holes_of_a_scan_are_no_abyss_and_large_ones_are(box):
    def floor(x0, x1):
        return room(box, x1 - x0, 3, at=(x0, 0, 0))[is_floor(room(box, x1 - x0, 3, at=(x0, 0, 0)))]

    shell = room(box)[~is_floor(room(box))]
    whole = walk(0.5, shell, floor(0, 4)).graph
    slit = walk(0.5, shell, floor(0, 1.99), floor(2.01, 4)).graph
    assert (slit.neighbours == whole.neighbours).all()
    assert walk(0.5, shell, floor(0, 1.8), floor(2.2, 4)).n_islands == 2


def test_without_anything_overhead_that_is_said(box):
    floor = room(box)[is_floor(room(box))]
    assert walk(0.5, floor).open_sky


def is_floor(triangles):
    return (triangles[:, :, 2] == 0).all(axis=1)


def test_a_mesh_without_floor_or_without_room_to_stand_says_so(box):
    walls = room(box)[~is_floor(room(box))]
    walls = walls[~(walls[:, :, 2] == 2.5).all(axis=1)]
    with pytest.raises(NoFloorError, match=r"no surface has 1\.7 m of free air above it"):
        walk(0.5, walls)
    shaft = room(box, 0.4, 0.4)
    with pytest.raises(NoFloorError, match="a body fits nowhere"):
        walk(0.5, shaft[~(shaft[:, :, 2] == 2.5).all(axis=1)])


def test_a_plan_too_wide_for_the_grid_is_refused():
    plate = np.array([[[0, 0, 0], [5e5, 0, 0], [0, 5e5, 0]]], float)
    with pytest.raises(NoFloorError, match="too wide for a 1 m grid; is the unit right"):
        walk(1.0, plate)


def test_the_same_mesh_in_another_order_gives_the_same_graph(box):
    parts = np.concatenate([room(box), box((1.5, 1, 0), (2.5, 1.6, 0.8))])
    one = walk(0.5, parts).graph
    other = walk(0.5, np.random.default_rng(0).permutation(parts)).graph
    assert (one.positions == other.positions).all()
    assert (one.neighbours == other.neighbours).all()


def test_the_tree_finds_the_same_nearest_surfaces_as_all_triangles(box):
    triangles = np.random.default_rng(0).normal(size=(300, 3, 3)).astype(np.float32)
    points = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32) * 2
    bvh, _ = build_bvh(triangles)
    by_tree = nearest_surfaces(bvh, points, np.float32(1))
    np.testing.assert_allclose(by_tree, distance_to_surfaces(points, triangles, 1.0), atol=1e-5)


def test_directions_are_unit_and_even():
    directions = sphere(1000)
    assert np.linalg.norm(directions, axis=1) == pytest.approx(1)
    assert np.abs(directions.mean(axis=0)).max() < 1e-3
