"""Graphs of every version of networkx, and what of them can be walked."""

import pickle

import numpy as np
import pytest
from tiny_tree import COLUMNS, grid_edges, grid_points, nx_graph, pickled_as, write_points

from av_envs.soundspaces.errors import MissingFileError, UnreadableFileError
from av_envs.soundspaces.frames import habitat_from_world, world_from_habitat
from av_envs.soundspaces.reading.graph import check_points, read_graph, read_points, steps_of

POINTS = grid_points("mp3d")


@pytest.fixture
def read(tmp_path):
    def graph_of(content):
        path = tmp_path / "graph.pkl"
        path.write_bytes(content)
        return read_graph(path)

    return graph_of


def old_graph(nodes, adjacency, **more):
    """As networkx 1.11 pickled it: other names, and the edges twice."""
    state = {"graph": {}, "node": nodes, "adj": adjacency, "edge": adjacency, **more}
    return pickled_as("networkx.classes.graph", "Graph", state)


def nodes_at(points):
    return {k: {"point": tuple(point)} for k, point in enumerate(habitat_from_world(points))}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("looked_at", [False, True])
def test_true_graphs_are_read(read, protocol, looked_at):
    graph = nx_graph(POINTS, grid_edges())
    if looked_at:  # then networkx keeps views of itself in the graph
        assert list(graph.nodes)
        assert list(graph.edges)
        assert graph.adj
    found = read(pickle.dumps(graph, protocol))
    assert found.nodes.tolist() == list(graph.nodes)
    np.testing.assert_allclose(found.positions, POINTS)
    assert {node: list(others) for node, others in found.adjacency.items()} == {
        node: list(others) for node, others in graph.adjacency()
    }


def test_graphs_of_networkx_1_are_read(read):
    found = read(old_graph(nodes_at(POINTS[:3]), {0: {1: {}}, 1: {2: {}, 0: {}}, 2: {1: {}}}))
    assert found.adjacency == {0: (1,), 1: (2, 0), 2: (1,)}
    np.testing.assert_allclose(found.positions, POINTS[:3])


def test_nodes_are_found_where_they_are_and_nowhere_else(read):
    found = read(pickle.dumps(nx_graph(POINTS, grid_edges())))
    assert found.node_at(POINTS[7] + np.array([0.005, 0, -0.005])) == 7
    assert found.node_at(POINTS[7] + np.array([0.02, 0, 0])) is None
    nodes, distances = found.nearest(POINTS[:2] + np.array([0.1, 0, 0]))
    assert nodes.tolist() == [0, 1]
    np.testing.assert_allclose(distances, 0.1)
    assert found.row(3) == 3
    with pytest.raises(ValueError, match="the graph has no node 8"):
        found.position(8)


def test_minus_zero_is_zero(read):
    """The string "-0.00", with which SoundSpaces looks nodes up, is another than "0.00"."""
    found = read(old_graph({4: {"point": (0.0, -0.0, -0.0)}}, {4: {}}))
    for x in (0.0, -0.0, -0.001):
        assert found.node_at(world_from_habitat(np.array([x, -x, x]))) == 4


def test_headings_of_steps_are_those_of_the_world(read):
    steps = steps_of(read(pickle.dumps(nx_graph(POINTS, grid_edges()))))
    east, north, west, south = steps.neighbours[COLUMNS + 1].tolist()
    assert (east, north, west, south) == (COLUMNS + 2, -1, COLUMNS, 1)
    assert steps.neighbours[0].tolist() == [1, COLUMNS, -1, -1]
    assert (steps.slanted, steps.doubled, steps.cut_off) == (0, 0, 0)


def test_what_cannot_be_walked_is_counted(read):
    """A slanted edge, two nodes in one direction, and an island; numbers with gaps."""
    places = {
        20: (0, 0, 0), 5: (1, 0, 0), 9: (1, 0, 0.3), 7: (1, 1, 0), 2: (50, 0, 0), 3: (51, 0, 0),
    }  # fmt: skip
    points = {k: {"point": tuple(habitat_from_world(place))} for k, place in places.items()}
    adjacency = {20: {5: {}, 9: {}, 7: {}}, 5: {20: {}, 7: {}}, 9: {20: {}}, 7: {5: {}, 20: {}}}
    graph = read(old_graph(points, {**adjacency, 2: {3: {}}, 3: {2: {}}}))
    steps = steps_of(graph)
    assert graph.nodes[steps.rows].tolist() == [20, 5, 7]
    assert steps.neighbours.tolist() == [[1, -1, -1, -1], [-1, 2, 0, -1], [-1, -1, -1, 1]]
    assert steps.slanted == 2  # 20 to 7, there and back
    assert steps.doubled == 1  # 20 to 9: the first neighbour ahead is 5
    assert steps.cut_off == 3  # the island, and 9, from which nobody comes back


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps({0: 1}), "no graph of networkx"),
        (old_graph({}, {}), "no graph of networkx with nodes"),
        (old_graph({0: {}}, {0: {}}), "nodes must be numbers with a point"),
        (old_graph({"a": {"point": (0, 0, 0)}}, {"a": {}}), "nodes must be numbers"),
        (old_graph({0: {"point": (0, 0)}}, {0: {}}), "a point is no x, y, z"),
        (old_graph({0: {"point": (0, 0, np.nan)}}, {0: {}}), "must be"),
        (old_graph({0: {"point": (0, 0, 0)}}, {0: {8: {}}}), "do not exist: .8"),
        (old_graph({0: {"point": (0, 0, 0)}}, {}), "nodes must be numbers with a point: KeyError"),
    ],
)
def test_what_is_no_graph_names_the_file(read, content, reason):
    with pytest.raises(UnreadableFileError, match=rf"graph\.pkl: .*{reason}"):
        read(content)


def test_points_are_read_and_checked(tmp_path):
    path = tmp_path / "points.txt"
    with pytest.raises(MissingFileError, match=r"points\.txt: this file does not exist"):
        read_points(path)
    write_points(path, POINTS, "mp3d")
    np.testing.assert_allclose(read_points(path), POINTS + np.array([0, 0, 1.5]))
    for text, reason in (
        ("0\t1\t2\tx\n", "no table of numbers"),
        ("0\t1\t2\n", "rows must be index, x, y, z"),
        ("0 1 2 3\n2 1 2 3\n", "must be numbered 0, 1, 2"),
        ("0 1 2 nan\n", "rows must be"),
    ):
        path.write_text(text)
        with pytest.raises(UnreadableFileError, match=rf"points\.txt: .*{reason}"):
            read_points(path)


def test_a_graph_of_other_points_is_an_error(tmp_path, read):
    graph, path = read(pickle.dumps(nx_graph(POINTS, grid_edges()))), tmp_path / "graph.pkl"
    check_points(path, graph, POINTS + 0.1)
    with pytest.raises(UnreadableFileError, match=r"node 0 lies 1\.00 m from that point"):
        check_points(path, graph, POINTS + np.array([1.0, 0, 0]))
    with pytest.raises(UnreadableFileError, match=r"has nodes 0\.\.7, points\.txt 5"):
        check_points(path, graph, POINTS[:5])
