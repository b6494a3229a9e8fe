"""Pickles that old and new software can read, and that name nothing else."""

import pickle
import pickletools

import networkx as nx
import numpy as np

from av_envs.soundspaces.writing.pickled import graph_pickle, pictures_pickle

POINTS = np.array([[0.5, 0, -0.5], [1.5, 0, -0.5], [1.5, 0, -1.5]])
NEIGHBOURS = np.array([[1, -1, -1, -1], [-1, 2, 0, -1], [-1, -1, -1, 1]])


def named_by(data: bytes) -> set[str]:
    """Everything that a pickle imports."""
    return {arg for code, arg, _ in pickletools.genops(data) if "GLOBAL" in code.name}


def test_networkx_finds_a_graph_that_it_can_work_with():
    graph = pickle.loads(graph_pickle(POINTS, NEIGHBOURS))
    assert type(graph) is nx.Graph
    assert dict(graph.nodes(data="point")) == {k: tuple(p) for k, p in enumerate(POINTS.tolist())}
    assert list(graph[1]) == [2, 0]  # in the order of the headings
    assert graph.number_of_edges() == 2
    assert nx.shortest_path(graph, 0, 2) == [0, 1, 2]
    assert nx.utils.graphs_equal(graph, graph.copy())
    graph.add_edge(0, 2)
    graph.edges[0, 1]["way"] = "door"
    assert graph.edges[1, 0]["way"] == "door"  # the same edge from both ends
    assert list(graph.subgraph([0, 2]).edges) == [(0, 2)]


def test_a_graph_names_the_class_and_old_attributes_only():
    data = graph_pickle(POINTS, NEIGHBOURS)
    assert named_by(data) == {"networkx.classes.graph Graph"}
    assert next(pickletools.genops(data))[1] == 2  # the protocol
    state = vars(pickle.loads(data))
    assert set(state) == {"graph", "_node", "_adj"}
    assert all(type(x) is float for node in state["_node"].values() for x in node["point"])


def test_pictures_need_numpy_1_or_2_and_nothing_else():
    rng = np.random.default_rng(0)
    pictures = {
        (node, theta): {
            "rgb": rng.integers(0, 256, (8, 8, 3), np.uint8),
            "depth": rng.random((8, 8, 1), np.float32),
        }
        for node in range(3)
        for theta in (0, 90)
    }
    data = pictures_pickle(pictures)
    assert named_by(data) == {
        "numpy.core.multiarray _reconstruct",
        "numpy ndarray",
        "numpy dtype",
    }
    found = pickle.loads(data)
    assert found.keys() == pictures.keys()
    for pose, views in pictures.items():
        for name, array in views.items():
            assert found[pose][name].dtype == array.dtype
            assert found[pose][name].flags.writeable
            assert (found[pose][name] == array).all()


def test_a_picture_that_looks_like_a_pickle_is_left_alone():
    text = np.frombuffer(b"cnumpy._core.multiarray\n_reconstruct\n", np.uint8)
    found = pickle.loads(pictures_pickle({(0, 0): {"rgb": text}}))
    assert (found[0, 0]["rgb"] == text).all()
