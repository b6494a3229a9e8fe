"""What depth images show of the plane at head height: where it is free and where it is not.

All loudspeakers and heads are at one height, that of the cameras. So the horizon of a depth
image is a cut through the dwelling in the plane in which pairs see each other or do not.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit

from av_envs.conventions import HEADING_STEPS, N_HEADINGS
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.protocol import JointObservation
from av_envs.vision import IMAGE_SIZE, MAX_DEPTH

CELL = 0.1  # m
HORIZON = IMAGE_SIZE // 2 - 1  # the row of pixels just above it
FARTHEST = MAX_DEPTH - 0.01  # m; the image says no more than that it is at least as far
TO_THE_LEFT = 1 - (np.arange(IMAGE_SIZE) + 0.5) / (IMAGE_SIZE / 2)  # tan of each column's angle
SMOOTH = 0.3  # m: columns that differ by less in depth show one surface
UNKNOWN, FREE, WALL = range(3)
GRAZED = 4  # rays that pass a cell outvote one that ends there: it stands at an edge
# log odds of sight: of a free line, less for each metre that is unknown or wall. Read off pairs of
# places in validation dwellings, after 2 to 250 steps
OPEN, PER_UNKNOWN, PER_WALL = 5.3, 1.5, 35.0
HIDING = 0.09  # m of wall on a line that surely hide what is behind it: one cell does
NEEDED = ("depth", "position", "azimuth")
MARGIN = 64  # cells by which the map grows beyond what it must hold


class SeenSpace:
    """Cells of the plane at head height: unknown, free or wall.

    It draws on observations of `NEEDED` keys, with positions in the frame of the scene.
    """

    def __init__(self) -> None:
        self._passed = np.zeros((0, 0), np.int32)  # rays through each cell
        self._ended = np.zeros((0, 0), np.int32)  # rays that end in it
        self._origin = np.zeros(2, int)  # cell of the first element
        self._looked_from: set[bytes] = set()
        self._eyes: list[np.ndarray] = []  # (2,) m, of the newest observation

    @property
    def cells(self) -> np.ndarray:
        """(X, Y) int8 of UNKNOWN, FREE and WALL, the first at the cell `origin`."""
        free = np.where(self._passed > 0, FREE, UNKNOWN)
        wall = (self._ended > 0) & (GRAZED * self._ended >= self._passed)
        return np.where(wall, WALL, free).astype(np.int8)

    @property
    def origin(self) -> np.ndarray:
        """(2,) m, the middle of the first cell."""
        return self._origin * CELL

    def look_around(self, history: Sequence[JointObservation]) -> None:
        """Take in what the robots saw in the last steps; what was taken in already is skipped."""
        for joint in history:
            self._eyes = [self._look_of(robot, seen) for robot, seen in joint.items()]

    def _look_of(self, robot: str, observation: Mapping[str, np.ndarray]) -> np.ndarray:
        """Take in what one robot sees; where it stands, (2,) m."""
        missing = sorted(set(NEEDED) - set(observation))
        if missing:
            raise ValueError(
                f"sight from depth images needs the observations {', '.join(NEEDED)}; "
                f"{robot} lacks {', '.join(missing)}"
            )
        heading = int(np.rint(observation["azimuth"][0] * N_HEADINGS)) % N_HEADINGS
        self.look(observation["position"], heading, observation["depth"])
        return np.asarray(observation["position"], float)[:2]

    def look(self, position: np.ndarray, heading: int, depth: np.ndarray) -> None:
        """Take in a depth image (128, 128, 1) in units of MAX_DEPTH, as seen from (x, y, ...)."""
        eye = np.asarray(position, float)[:2]
        pose = np.array([*eye, heading], np.float32).tobytes()
        if pose in self._looked_from:
            return
        self._looked_from.add(pose)
        ahead = np.minimum(np.asarray(depth)[HORIZON, :, 0] * MAX_DEPTH, MAX_DEPTH).astype(float)
        east, north = HEADING_STEPS[heading]
        ahead, hits, left = _between_columns(ahead)
        left = left * ahead
        ends = eye + np.stack([ahead * east - left * north, ahead * north + left * east], 1)
        self._make_room(np.vstack([ends, eye]))
        start = eye / CELL - self._origin
        _cast(start, ends / CELL - self._origin, hits, self._passed, self._ended)

    def check_frame(self, pairs: Pairs) -> None:
        """Raise a ValueError unless robots that see stand where something was just measured."""
        ends = np.concatenate([pairs.emitter[:, :2], pairs.receiver[:, :2]])
        gaps = [np.abs(ends - eye).max(axis=1).min() for eye in self._eyes if len(ends)]
        if gaps and min(gaps) > CELL:
            raise ValueError(
                "sight from depth images needs positions in the frame of the scene, "
                "position_frame='scene'; the robots are "
                f"{min(gaps):.2f} m or more from all that was measured"
            )

    def along(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Metres (L,) that are unknown, and that are wall, of lines from start to end (L, 3)."""
        unknown, wall = (np.zeros(len(start)) for _ in range(2))
        first, last = (
            np.ascontiguousarray(one[:, :2] / CELL - self._origin) for one in (start, end)
        )
        _follow(first, last, self.cells, unknown, wall)
        return unknown, wall

    def log_odds(self, pairs: Pairs) -> np.ndarray:
        """(P,) natural log of the odds that nothing stands between emitter and receiver."""
        unknown, wall = self.along(pairs.emitter, pairs.receiver)
        return OPEN - PER_UNKNOWN * unknown - PER_WALL * wall

    def hides(self, places: np.ndarray, others: np.ndarray) -> np.ndarray:
        """(P, M, E) bool, whether a wall is known between places (P, E, 3) and others (M, E, 3)."""
        shape = len(places), len(others), *places.shape[1:]
        lines = [
            np.broadcast_to(ends, shape).reshape(-1, 3) for ends in (places[:, None], others[None])
        ]
        return (self.along(*lines)[1] > HIDING).reshape(shape[:3])

    def _make_room(self, points: np.ndarray) -> None:
        """Grow the map so that it holds `points` (K, 2) m too."""
        cells = np.rint(points / CELL).astype(int)
        low, high = cells.min(axis=0), cells.max(axis=0) + 1
        before = self._origin, self._origin + self._passed.shape
        if self._passed.size and np.all(low >= before[0]) and np.all(high <= before[1]):
            return
        low, high = low - MARGIN, high + MARGIN
        if self._passed.size:
            low, high = np.minimum(low, before[0]), np.maximum(high, before[1])
            around = np.stack([before[0] - low, high - before[1]], axis=1)
            self._passed, self._ended = (
                np.pad(counts, around) for counts in (self._passed, self._ended)
            )
        else:
            self._passed, self._ended = (np.zeros(high - low, np.int32) for _ in range(2))
        self._origin = low


def _between_columns(ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth (R,) m, whether it ends at a wall, and tan of the angle to the left, of R rays.

    There is a ray for each column (128,), and one between neighbours, as far as both reach: far
    away, columns are more than a cell apart.
    """
    hits, apart = ahead < FARTHEST, np.abs(np.diff(ahead))
    one_surface = hits[1:] & hits[:-1] & (apart < SMOOTH)
    return (
        np.concatenate([ahead, np.minimum(ahead[1:], ahead[:-1])]),
        np.concatenate([hits, one_surface]),
        np.concatenate([TO_THE_LEFT, (TO_THE_LEFT[1:] + TO_THE_LEFT[:-1]) / 2]),
    )


@njit(cache=True, nogil=True)
def _cast(eye, ends, hits, passed, ended):
    """Count rays from the eye to the ends (K, 2), in cells; `hits` (K,) bool end at a wall."""
    for k in range(len(ends)):
        x, y = ends[k, 0] - eye[0], ends[k, 1] - eye[1]
        length = np.hypot(x, y)
        i, j = round(ends[k, 0]), round(ends[k, 1])
        if hits[k]:
            ended[i, j] += 1
        last = (-1, -1)
        for step in range(int(2 * length)):
            share = 0.5 * step / length
            cell = (round(eye[0] + share * x), round(eye[1] + share * y))
            if cell != last and cell != (i, j):
                passed[cell] += 1
                last = cell


@njit(cache=True, nogil=True)
def _follow(starts, ends, cells, unknown, wall):
    """Add up the metres (L,) of unknown cells and of walls along lines in cells."""
    for k in range(len(starts)):
        x, y = ends[k, 0] - starts[k, 0], ends[k, 1] - starts[k, 1]
        steps = max(1, int(np.ceil(2 * np.hypot(x, y))))
        metres = CELL * np.hypot(x, y) / steps
        for step in range(steps):
            share = (step + 0.5) / steps
            i, j = round(starts[k, 0] + share * x), round(starts[k, 1] + share * y)
            if not (0 <= i < cells.shape[0] and 0 <= j < cells.shape[1]) or cells[i, j] == UNKNOWN:
                unknown[k] += metres
            elif cells[i, j] == WALL:
                wall[k] += metres
