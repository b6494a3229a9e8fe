"""Navigation graph: a grid of nodes where a body can stand, linked where it can walk."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from av_envs.conventions import HEADING_STEPS
from av_envs.scene.clearance import distance_to_surfaces

HEAD_HEIGHT = 1.5  # m above the floor: ears, eyes and sources sit there
BODY_RADIUS = 0.25  # m that a body keeps from walls and furniture
CLEARANCE_CAP = 1.0  # m, larger clearances are not told apart
CONNECTED_SHARE = 0.95  # of the standable nodes must hang together
STEPS = np.array(HEADING_STEPS)  # grid steps


@dataclass(frozen=True, eq=False)
class NavigationGraph:
    """Nodes a body can stand on and the steps between them.

    positions   (N,3) float32, metres, on the floor
    neighbours  (N,4) int32, node one grid step away by heading 0 east, 1 north, 2 west,
                3 south; -1 where the way is blocked
    grid        metres between neighbours
    room        (N,) int32, index of the room the node lies in
    clearance   (N,) float32, metres from the node's head to the nearest surface, at most 1
    """

    positions: np.ndarray
    neighbours: np.ndarray
    grid: float
    room: np.ndarray
    clearance: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def heads(self) -> np.ndarray:
        """(N,3) float32, metres: where the ears, eyes and sources of each node are."""
        return self.positions + np.array([0, 0, HEAD_HEIGHT], np.float32)

    @cached_property
    def walking_distances(self) -> np.ndarray:
        """(N,N) float32, metres of the shortest walk; inf where there is none."""
        steps = _steps_between(self.neighbours).astype(np.float32)
        steps[steps < 0] = np.inf
        return steps * np.float32(self.grid)


def build_graph(
    rooms: np.ndarray,
    passages: np.ndarray,
    obstacles: np.ndarray,
    triangles: np.ndarray,
    grid: float,
) -> NavigationGraph:
    """The largest connected set of nodes on the multiples of `grid`, counted from half a metre.

    rooms      (K,4) float, x0 y0 x1 y1 in metres, floor inside the walls
    passages   (P,4) float, floor of the door openings
    obstacles  (R,4) float, rectangles that block the way; a body keeps BODY_RADIUS away
               from them where it stands and all along a step
    triangles  (T,3,3) float32, every surface, for `clearance`
    """
    floors = np.concatenate([rooms, passages.reshape(-1, 4)])
    first = np.floor((floors[:, :2].min(0) - 0.5) / grid).astype(int)
    counts = np.ceil((floors[:, 2:].max(0) - 0.5) / grid).astype(int) - first + 1
    xs, ys = (0.5 + grid * (first[axis] + np.arange(counts[axis])) for axis in (0, 1))
    label, links = _link_grid(xs, ys, floors, np.ascontiguousarray(obstacles))
    sizes = np.bincount(label[label >= 0])
    if len(sizes) == 0:
        raise ValueError(f"nobody can stand anywhere on a {grid} m grid in these rooms")
    if sizes.max() < CONNECTED_SHARE * sizes.sum():
        raise ValueError(
            f"only {sizes.max()} of {sizes.sum()} standable nodes hang together; "
            f"at least {CONNECTED_SHARE:.0%} must"
        )
    kept = label == sizes.argmax()
    ix, iy = np.nonzero(kept)
    positions = np.stack([xs[ix], ys[iy], np.zeros(len(ix))], 1).astype(np.float32)
    heads = positions + np.array([0, 0, HEAD_HEIGHT], np.float32)
    clearance = distance_to_surfaces(heads, triangles, CLEARANCE_CAP)
    return NavigationGraph(
        positions, _neighbours(kept, links), grid, _nearest_room(positions, rooms), clearance
    )


def _neighbours(kept: np.ndarray, links: np.ndarray) -> np.ndarray:
    """(N,4) int32 node numbers, counted over the grid points that are kept."""
    number = np.cumsum(kept).reshape(kept.shape) - 1
    ix, iy = np.nonzero(kept)
    neighbours = np.full((len(ix), 4), -1, np.int32)
    for heading, (dx, dy) in enumerate(STEPS):
        linked = links[ix, iy, heading]
        neighbours[linked, heading] = number[ix[linked] + dx, iy[linked] + dy]
    return neighbours


def _nearest_room(positions: np.ndarray, rooms: np.ndarray) -> np.ndarray:
    """(N,) int32; a node in a door opening belongs to the nearer room."""
    points = positions[:, None, :2]
    outside = np.maximum(np.maximum(rooms[:, :2] - points, points - rooms[:, 2:]), 0)
    return np.square(outside).sum(axis=2).argmin(axis=1).astype(np.int32)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def is_free(x0, y0, x1, y1, obstacles, n_obstacles):
    """Whether a body swept over the rectangle keeps its distance from every obstacle."""
    for k in range(n_obstacles):
        gap_x = max(obstacles[k, 0] - x1, x0 - obstacles[k, 2], 0.0)
        gap_y = max(obstacles[k, 1] - y1, y0 - obstacles[k, 3], 0.0)
        if gap_x * gap_x + gap_y * gap_y < BODY_RADIUS * BODY_RADIUS:
            return False
    return True


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _is_on_floor(x, y, floors):
    for k in range(len(floors)):
        if floors[k, 0] <= x <= floors[k, 2] and floors[k, 1] <= y <= floors[k, 3]:
            return True
    return False


@njit(cache=True, nogil=True, fastmath=True)
def _link_grid(xs, ys, floors, obstacles):
    """Component number of every grid point (-1: not free) and its free steps."""
    nx, ny, n_obstacles = len(xs), len(ys), len(obstacles)
    label = np.full((nx, ny), -1, np.int32)
    links = np.zeros((nx, ny, 4), np.bool_)
    for i in range(nx):
        for j in range(ny):
            x, y = xs[i], ys[j]
            if _is_on_floor(x, y, floors) and is_free(x, y, x, y, obstacles, n_obstacles):
                label[i, j] = -2
                if (
                    i
                    and label[i - 1, j] == -2
                    and is_free(xs[i - 1], y, x, y, obstacles, n_obstacles)
                ):
                    links[i, j, 2] = links[i - 1, j, 0] = True
                if (
                    j
                    and label[i, j - 1] == -2
                    and is_free(x, ys[j - 1], x, y, obstacles, n_obstacles)
                ):
                    links[i, j, 3] = links[i, j - 1, 1] = True
    number = 0
    stack = np.empty((nx * ny, 2), np.int64)
    for start in range(nx * ny):
        if label[start // ny, start % ny] == -2:
            _flood(start // ny, start % ny, number, label, links, stack)
            number += 1
    return label, links


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _flood(i, j, number, label, links, stack):
    """Give `number` to every grid point that can be reached from (i, j)."""
    stack[0, 0], stack[0, 1], height = i, j, 1
    label[i, j] = number
    while height:
        height -= 1
        i, j = stack[height, 0], stack[height, 1]
        for heading in range(4):
            if links[i, j, heading]:
                a, b = i + STEPS[heading, 0], j + STEPS[heading, 1]
                if label[a, b] == -2:
                    label[a, b] = number
                    stack[height, 0], stack[height, 1] = a, b
                    height += 1


@njit(cache=True, nogil=True, fastmath=True)
def _steps_between(neighbours):
    """(N,N) int32 grid steps of the shortest walk, -1 where there is none."""
    n = len(neighbours)
    steps = np.full((n, n), -1, np.int32)
    queue = np.empty(n, np.int64)
    for start in range(n):
        steps[start, start] = 0
        queue[0], head, tail = start, 0, 1
        while head < tail:
            node = queue[head]
            head += 1
            for heading in range(4):
                other = neighbours[node, heading]
                if other >= 0 and steps[start, other] < 0:
                    steps[start, other] = steps[start, node] + 1
                    queue[tail] = other
                    tail += 1
    return steps
