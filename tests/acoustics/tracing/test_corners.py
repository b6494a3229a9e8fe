"""Corners against what a plan says: every door has them, and ways over them are taut strings."""

import networkx
import numpy as np
import pytest
import shapely
from rooms import box, flat_material, scene_of

from av_envs.acoustics.tracing.corners import CLEARANCE, MOST_CORNERS, find_corners
from av_envs.acoustics.tracing.diffraction import add_diffraction
from av_envs.acoustics.tracing.image_sources import find_mirrors, image_paths
from av_envs.acoustics.tracing.surfaces import make_surfaces
from av_envs.scene import House
from av_envs.scene.bvh import occluded
from av_envs.scene.navigation import HEAD_HEIGHT


def free_plan(design) -> shapely.Geometry:
    """What is air at head height: rooms and doors without furniture that is as tall."""
    floors = [*design.floors, *(door.floor for door in design.doors)]
    tall = [
        block
        for piece in design.furniture
        for block in piece.blocks
        if block.low[2] < HEAD_HEIGHT < block.high[2]
    ]
    solid = [shapely.box(*block.low[:2], *block.high[:2]) for block in tall]
    air = shapely.union_all([shapely.box(*floor) for floor in floors])
    return air.difference(shapely.union_all(solid))


def sight(air, starts, ends) -> np.ndarray:
    """(starts, ends) metres in plan, inf where the line leaves the air."""
    starts, ends = np.asarray(starts), np.asarray(ends)
    pairs = np.stack(np.broadcast_arrays(starts[:, None], ends[None]), axis=2)
    distance = np.linalg.norm(pairs[:, :, 0] - pairs[:, :, 1], axis=-1)
    return np.where(shapely.covers(air, shapely.linestrings(pairs)), distance, np.inf)


def taut_lengths(air, heads) -> np.ndarray:
    """(N, N) metres in plan, shortest paths over the corners of the air."""
    corners = np.unique(shapely.get_coordinates(air), axis=0)
    air = air.buffer(1e-4, join_style="mitre")  # strings may touch the walls
    shapely.prepare(air)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(corners)))
    among = sight(air, corners, corners)
    for i, j in zip(*np.nonzero(np.isfinite(np.triu(among, 1)) & (among > 0)), strict=True):
        graph.add_edge(i, j, weight=among[i, j])
    over = np.full(among.shape, np.inf)
    for i, reached in networkx.all_pairs_dijkstra_path_length(graph, weight="weight"):
        over[i, list(reached)] = list(reached.values())
    to_corners = sight(air, heads, corners)
    first = np.array([np.min(row[:, None] + over, axis=0) for row in to_corners])
    around = np.array([np.min(row + to_corners, axis=1) for row in first])
    return np.minimum(around, sight(air, heads, heads))


def ways(scene, source, corners):
    """Which places are hidden, and the longest path to each (N,) metres: around corners."""
    heads = scene.graph.heads
    paths = image_paths(scene, find_mirrors(scene), heads[source], heads, 0)
    add_diffraction(scene, make_surfaces(scene), corners, source, heads, paths)
    hidden = occluded(scene.bvh, np.repeat(heads[source : source + 1], len(heads), 0), heads)
    hidden[source] = False
    straight = np.linalg.norm(heads - heads[source], axis=1)
    used = np.arange(paths.length.shape[1]) < paths.count[:, None]
    around = used & (paths.length > straight[:, None] + 1e-5)
    return hidden, np.where(around, paths.length, -np.inf).max(axis=1)


@pytest.mark.parametrize("house", [House(3), House(10), House(11), House(2, kind="flat")])
def test_every_door_has_corners_on_both_sides(house):
    scene = house.scene()
    edges = find_corners(scene, scene.graph.heads).edges
    for door in house.design.doors:
        x0, y0, x1, y1 = door.floor
        for jamb in [(x0, y0), (x0, y1), (x1, y0), (x1, y1)]:
            distance = np.linalg.norm(edges[:, :2] - jamb, axis=1)
            assert distance.min() < 0.01, f"{house.name}: no corner at {jamb}"


@pytest.mark.parametrize("house", [House(3), House(4, kind="flat")])
def test_hidden_places_are_reached_by_taut_strings(house):
    scene = house.scene(1.0)
    heads = scene.graph.heads
    taut = taut_lengths(free_plan(house.design), heads[:, :2].astype(float))
    corners = find_corners(scene, heads)
    found = n_hidden = 0
    for source in range(0, len(heads), 3):
        hidden, length = ways(scene, source, corners)
        n_hidden += hidden.sum()
        assert np.isfinite(taut[source]).all()
        found += np.sum(np.abs(length[hidden] / taut[source, hidden] - 1) < 0.05)
        known = hidden & (length > 0)
        assert np.median(np.abs(length[known] - taut[source, known])) < 0.005
    assert n_hidden > 300
    assert found >= 0.99 * n_hidden


def two_rooms(tilt=0.0, dented=False):
    """Two rooms that share a wall with a door; every side of it is a mesh of its own.

    The wall's panels end at the ceiling at 3 m and the reveal of the door at 2 m, so that no
    two triangles at a jamb share an edge.
    """
    heads = [(2.0, 1.0, 1.5), (8.0, 1.0, 1.5)]
    parts = [box((0, 0, 0), (10, 5, 3))]
    parts += [box((4.9, low, 0), (5.1, high, 3), inside=False) for low, high in ((0, 3), (4, 5))]
    jambs = [panel[:, :, 1] for panel in parts[1:]]
    parts[1:] = [
        panel[~np.isin(y, (3, 4)).all(axis=1)] for panel, y in zip(parts[1:], jambs, strict=True)
    ]
    for y in (3, 4):
        a, b, c, d = ((4.9, y, 0), (5.1, y, 0), (5.1, y, 2), (4.9, y, 2))
        parts.append(np.array([(a, b, c), (a, c, d)], float))
    triangles = np.concatenate(parts)
    return scene_of(triangles, np.zeros(len(triangles)), [flat_material(0.1)], heads)


def test_surfaces_that_share_no_vertices_meet_in_corners():
    scene = two_rooms()
    corners = find_corners(scene, scene.graph.heads)
    jambs = [(x, y, 1.5) for x in (4.9, 5.1) for y in (3, 4)]
    np.testing.assert_allclose(sorted(map(tuple, corners.edges)), sorted(jambs), atol=1e-5)
    np.testing.assert_allclose(np.degrees(corners.faces[:, 1]), 270, atol=1e-3)
    beside = np.linalg.norm(corners.points - corners.edges, axis=1)
    np.testing.assert_allclose(beside, CLEARANCE, atol=1e-5)


@pytest.mark.parametrize("gap", [0.0, 0.001])
def test_panels_turned_either_way_and_not_quite_joined_make_the_same_corner(gap):
    walls = box((0, 0, 0), (6, 5, 3))
    screen = box((2.9, -1, 0), (3.1, 3, 3), inside=False)
    screen[np.all(screen[:, :, 1] == 3, axis=1), :, 1] += gap
    screen[::2] = screen[::2, ::-1]  # half of the faces look inwards
    triangles = np.vstack([walls, screen])
    scene = scene_of(triangles, np.zeros(24), [flat_material(0.1)], [(1, 1, 1.5), (5, 1, 1.5)])
    edges = find_corners(scene, scene.graph.heads).edges
    np.testing.assert_allclose(
        edges[edges[:, 0].argsort()], [(2.9, 3, 1.5), (3.1, 3, 1.5)], atol=gap
    )


def test_the_end_of_a_single_sheet_is_a_corner_with_air_all_around():
    sheet = np.array([[(3, 0, 0), (3, 3, 0), (3, 3, 3)], [(3, 0, 0), (3, 3, 3), (3, 0, 3)]], float)
    triangles = np.vstack([box((0, 0, 0), (6, 5, 3)), sheet])
    scene = scene_of(triangles, np.zeros(14), [flat_material(0.1)], [(1, 1, 1.5), (5, 1, 1.5)])
    corners = find_corners(scene, scene.graph.heads)
    np.testing.assert_allclose(corners.edges, [(3, 3, 1.5)], atol=1e-5)
    np.testing.assert_allclose(corners.faces, [(1.5 * np.pi, 2 * np.pi)], atol=1e-5)
    assert corners.free.all()


def test_a_picture_on_the_wall_shades_nothing():
    sheet = np.array([[(2, 0.02, 1), (4, 0.02, 1), (4, 0.02, 2)]], float)
    sheet = np.vstack([sheet, [[(2, 0.02, 1), (4, 0.02, 2), (2, 0.02, 2)]]])
    triangles = np.vstack([box((0, 0, 0), (6, 5, 3)), sheet])
    heads = [(0.5, 0.3, 1.5), (5.5, 0.3, 1.5)]
    scene = scene_of(triangles, np.zeros(14), [flat_material(0.1)], heads)
    corners = find_corners(scene, scene.graph.heads)
    assert len(corners.edges) == 2
    assert not corners.free.any()
    paths = image_paths(scene, find_mirrors(scene), scene.graph.heads[0], scene.graph.heads, 0)
    add_diffraction(scene, make_surfaces(scene), corners, 0, scene.graph.heads, paths)
    np.testing.assert_array_equal(paths.gain[1, 0], 1)


def test_places_at_two_heights_have_corners_at_both():
    scene = two_rooms()
    heads = np.array([(2, 1, 1.5), (8, 1, 1.5), (2, 1, 0.5), (8, 1, 0.5)], np.float32)
    corners = find_corners(scene, heads)
    np.testing.assert_allclose(np.unique(corners.edges[:, 2]), [0.5, 1.5])
    assert np.isfinite(corners.from_places).any(axis=1).all()


def test_a_scene_without_corners_has_none():
    scene = scene_of(box((0, 0, 0), (6, 5, 3)), np.zeros(12), [flat_material(0.1)], [(1, 1, 1.5)])
    corners = find_corners(scene, scene.graph.heads)
    assert corners.edges.shape == (0, 3)
    assert corners.from_places.shape == (1, 0)


def test_corners_of_a_scan_are_thinned():
    posts = [
        box((x, y, 0), (x + 0.1, y + 0.1, 3), inside=False)
        for x in np.arange(1, 9, 0.5)
        for y in np.arange(1, 9, 0.5)
    ]
    triangles = np.vstack([box((0, 0, 0), (10, 10, 3)), *posts])
    material = np.zeros(len(triangles))
    scene = scene_of(triangles, material, [flat_material(0.1)], [(0.5, 0.5, 1.5)])
    assert 100 < len(find_corners(scene, scene.graph.heads).edges) <= MOST_CORNERS
