"""The two pickles of a SoundSpaces tree, made without the software that they name.

Software of 2020 must be able to read them: Python 3.6, numpy 1 and networkx 2 as well as today's.
"""

import pickle

import numpy as np

_AN_EMPTY_GRAPH = b"\x80\x02cnetworkx.classes.graph\nGraph\n)\x81"  # Graph.__new__(Graph)
_SET_STATE = b"b."
_ARRAYS_OF_NUMPY_2 = b"cnumpy._core.multiarray\n_reconstruct\n"
_ARRAYS = b"cnumpy.core.multiarray\n_reconstruct\n"  # which numpy 2 knows, too


def graph_pickle(points: np.ndarray, neighbours: np.ndarray) -> bytes:
    """A `networkx.Graph` with the attribute `point` at every node.

    points      (N, 3) metres, in habitat's frame
    neighbours  (N, k) node numbers, -1 for none; their order is kept

    All versions of networkx from 2.2 keep a graph in the three attributes written here and
    have defaults for the rest. networkx itself would add what only the same version knows.
    """
    edges: dict[frozenset, dict] = {}
    adjacency = {
        node: {other: edges.setdefault(frozenset((node, other)), {}) for other in row if other >= 0}
        for node, row in enumerate(neighbours.tolist())
    }
    nodes = {node: {"point": tuple(point)} for node, point in enumerate(points.tolist())}
    state = {"graph": {}, "_node": nodes, "_adj": adjacency}
    body = pickle.dumps(state, protocol=2)[2:-1]  # without the protocol and the full stop
    return _AN_EMPTY_GRAPH + body + _SET_STATE


def pictures_pickle(pictures: dict[tuple[int, int], dict[str, np.ndarray]]) -> bytes:
    """Views by node and theta.

    The values are plain dicts. SoundSpaces keeps `habitat.core.simulator.Observations` there,
    a dict of which it only asks `get`; naming that class would demand habitat of every reader.
    """
    data = pickle.dumps(pictures, protocol=3)
    # The name stands before the first array, once: later arrays refer to it.
    return data.replace(_ARRAYS_OF_NUMPY_2, _ARRAYS, 1)
