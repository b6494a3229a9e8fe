import numpy as np
import pytest

from av_envs.scene.navigation import HEAD_HEIGHT, build_graph

NO_PASSAGE = np.zeros((0, 4))
FLOOR = np.array([[[0, 0, 0], [9, 0, 0], [0, 9, 0]]], np.float32)


def walls_around(x0, y0, x1, y1):
    west, east = (x0 - 0.1, y0, x0, y1), (x1, y0, x1 + 0.1, y1)
    return [west, east, (x0, y0 - 0.1, x1, y0), (x0, y1, x1, y1 + 0.1)]


def graph_of(rooms, obstacles, grid=1.0, passages=NO_PASSAGE):
    return build_graph(np.array(rooms, float), passages, np.array(obstacles, float), FLOOR, grid)


def node_at(graph, x, y):
    return int(np.flatnonzero((graph.positions == (x, y, 0)).all(axis=1))[0])


def test_an_empty_room_is_a_full_grid():
    room = (0, 0, 3, 2)
    graph = graph_of([room], walls_around(*room))
    assert len(graph) == 6
    assert sorted(map(tuple, graph.positions)) == [
        (x, y, 0) for x in (0.5, 1.5, 2.5) for y in (0.5, 1.5)
    ]
    assert (graph.neighbours >= 0).sum() == 2 * 7  # 4 steps along x, 3 along y, both ways
    assert graph.walking_distances.max() == 3
    assert graph.heads[:, 2].tolist() == [HEAD_HEIGHT] * 6
    assert graph.clearance.tolist() == [1.0] * 6


def test_the_fine_grid_holds_the_coarse_one():
    room = (0, 0, 3, 2)
    coarse = graph_of([room], walls_around(*room), 1.0)
    fine = graph_of([room], walls_around(*room), 0.5)
    assert len(fine) == 5 * 3
    assert set(map(tuple, coarse.positions)) <= set(map(tuple, fine.positions))
    assert fine.walking_distances.max() == 3


def test_neighbours_follow_the_headings():
    room = (0, 0, 3, 3)
    graph = graph_of([room], walls_around(*room))
    centre = node_at(graph, 1.5, 1.5)
    steps = graph.positions[graph.neighbours[centre]] - graph.positions[centre]
    assert steps[:, :2].tolist() == [[1, 0], [0, 1], [-1, 0], [0, -1]]


@pytest.mark.parametrize(("gap", "n_nodes"), [(0.26, 6), (0.24, 5)])
def test_a_body_keeps_a_quarter_metre_where_it_stands(gap, n_nodes):
    room = (0, 0, 3, 2)
    post = (1.4, 0.5 - gap - 0.1, 1.6, 0.5 - gap)  # south of the node at (1.5, 0.5)
    assert len(graph_of([room], [*walls_around(*room), post])) == n_nodes


@pytest.mark.parametrize(("gap", "n_steps"), [(0.26, 7), (0.24, 6)])
def test_a_body_keeps_a_quarter_metre_while_it_walks(gap, n_steps):
    room = (0, 0, 3, 2)
    post = (0.95, 0.5 - gap - 0.1, 1.05, 0.5 - gap)  # half way from (0.5, 0.5) to (1.5, 0.5)
    graph = graph_of([room], [*walls_around(*room), post])
    assert len(graph) == 6
    assert (graph.neighbours >= 0).sum() == 2 * n_steps


def test_rooms_are_joined_by_their_passage_only():
    rooms = [(0, 0, 1.94, 3), (2.06, 0, 4, 3)]
    outer = walls_around(0, 0, 4, 3)
    wall = [(1.94, 0, 2.06, 1.05), (1.94, 1.95, 2.06, 3)]
    passage = np.array([[1.94, 1.05, 2.06, 1.95]])
    graph = graph_of(rooms, [*outer, *wall], 0.5, passage)
    through = np.flatnonzero(graph.positions[:, 0] == 2)
    assert graph.positions[through, 1].tolist() == [1.5]
    assert graph.neighbours[through[0], [1, 3]].tolist() == [-1, -1]
    assert (graph.neighbours[through[0], [0, 2]] >= 0).all()
    assert np.bincount(graph.room, minlength=2).min() >= 15
    corners = [node_at(graph, 0.5, 0.5), node_at(graph, 3.5, 0.5)]
    assert graph.walking_distances[tuple(corners)] == 3 + 2 * 1  # via the passage one metre north


def test_small_pockets_are_left_out_and_large_ones_refused():
    with pytest.raises(ValueError, match="hang together"):
        graph_of([(0, 0, 2, 3), (2.1, 0, 4, 3)], [(2, 0, 2.1, 3)])
    small = (30.1, 0, 31, 1)
    graph = graph_of([(0, 0, 30, 1), small], [(30, 0, 30.1, 1)])
    assert len(graph) == 30


def test_a_room_without_any_place_is_refused():
    with pytest.raises(ValueError, match="nobody can stand"):
        graph_of([(0, 0, 2, 2)], [(0, 0, 2, 2)])


def test_unreachable_nodes_are_infinitely_far():
    room = (0, 0, 3, 1)
    graph = graph_of([room], walls_around(*room))
    graph.neighbours[:] = -1
    distances = graph.walking_distances
    assert distances.dtype == np.float32
    assert np.isinf(distances[~np.eye(3, dtype=bool)]).all()
    assert (np.diag(distances) == 0).all()
