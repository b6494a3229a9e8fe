"""Unit and up axis of a mesh whose file does not declare them.

Vertical lines are intersected with the mesh along each axis that may be up. In buildings
the air between two surfaces is about a storey high, so the right unit and axis are those
for which this holds over most of the plan. The declaration of the file, or the usual axis
of its format, wins unless another reading is far better.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
GUESSED = ("m", "cm", "mm")  # inches and feet look too much like centimetres and metres
AXES = ("x", "y", "z")
USUAL_UP = {".obj": "y", ".ply": "z", ".stl": "z", ".dae": "z", ".glb": "y", ".gltf": "y"}
# Columns of the rotation that takes file axes to ours: rows are east, north, up.
TO_Z_UP = {
    "x": np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], float),
    "y": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float),
    "z": np.eye(3),
}

STOREY = 2.7  # m, the commonest height of a room
SPREAD = 0.5  # of the logarithm of heights about it
OPEN_WEIGHT = 0.6  # of a floor without a ceiling in a mesh that is a storey high in all
DECLARED_WEIGHT = 2.0  # how much better another reading must be
USUAL_WEIGHT = 1.5
UNLIKELY = 0.05
N_COLUMNS = 18  # each way
DEEPEST = 64  # surfaces on one column
LARGEST = {"m": 200.0, "cm": 20_000.0}  # extent in units, for meshes without a ceiling


class Frame(NamedTuple):
    """Metres per unit and up axis of a file, and texts that say where each comes from."""

    metres: float
    up: str
    unit_text: str
    up_text: str


def decide_frame(
    triangles: np.ndarray,
    suffix: str,
    declared: tuple[float | None, str | None],
    unit: str | float,
    up: str,
) -> Frame:
    """The unit and the axis: the caller's, else the file's, else a guess.

    triangles  (T,3,3) float, in units of the file
    suffix     of the file, such as ".obj"
    declared   metres per unit and axis of the file, None where it does not say
    """
    wanted_unit, wanted_up = check_unit(unit), check_up(up)
    units = [wanted_unit or declared[0]]
    if units == [None]:
        units = [UNITS[name] for name in GUESSED]
    ups = [USUAL_UP[suffix], *(axis for axis in "yz" if axis != USUAL_UP[suffix])]
    if declared[1] is not None:
        ups = list(dict.fromkeys([declared[1], *ups]))
    ups = ups if wanted_up is None else [wanted_up]
    scores = _scores(triangles, units, ups)
    seen = scores.max() > 0
    scores[:, 0] *= USUAL_WEIGHT if declared[1] is None else DECLARED_WEIGHT
    best_unit, best_up = np.unravel_index(scores.argmax(), scores.shape)
    if not seen and wanted_unit is None and declared[0] is None:
        extent = float(np.ptp(triangles.reshape(-1, 3), axis=0).max())
        best_unit = int(np.searchsorted(list(LARGEST.values()), extent))
    metres, axis = units[best_unit], ups[best_up]
    guess = "guessed from the room heights" if seen else "guessed, the mesh has no ceiling to tell"
    return Frame(
        metres,
        axis,
        f"{_name(metres)} ({_who(wanted_unit, declared[0], metres, guess)})",
        f"{axis} ({_who(wanted_up, declared[1], axis, guess)})",
    )


def in_metres(triangles: np.ndarray, frame: Frame) -> np.ndarray:
    """(T,3,3) float64, metres, z up."""
    return (triangles * frame.metres) @ TO_Z_UP[frame.up].T


def check_unit(unit: str | float) -> float | None:
    """Metres per unit; None for "auto"."""
    if unit == "auto":
        return None
    if isinstance(unit, str):
        if unit not in UNITS:
            raise ValueError(
                f"unit {unit!r} does not exist; choose from auto, {', '.join(UNITS)}, "
                "or give metres per unit"
            )
        return UNITS[unit]
    if isinstance(unit, bool) or not 0 < unit < np.inf:
        raise ValueError(f"unit must be a positive number of metres, got {unit!r}")
    return float(unit)


def check_up(up: str) -> str | None:
    """The axis; None for "auto"."""
    if up not in ("auto", *AXES):
        raise ValueError(f"up {up!r} does not exist; choose from auto, {', '.join(AXES)}")
    return None if up == "auto" else up


def _name(metres: float) -> str:
    names = {value: name for name, value in UNITS.items()}
    return names.get(metres, f"{metres:g} m")


def _who(wanted, declared, chosen, guess: str) -> str:
    if wanted is not None:
        return "as asked for"
    if declared is None:
        return guess
    return "says the file" if declared == chosen else f"{guess}, though the file says otherwise"


def _scores(triangles: np.ndarray, units: list[float], ups: list[str]) -> np.ndarray:
    """(units, ups) how much of the plan is a storey high, times its area in file units."""
    scores = np.zeros((len(units), len(ups)))
    for k, axis in enumerate(ups):
        gaps, open_share, (width, depth, height) = _gaps(triangles @ TO_Z_UP[axis].T)
        for j, metres in enumerate(units):
            closed = _likely(gaps * metres).max(axis=1).mean()
            opened = OPEN_WEIGHT * open_share * _likely(height * metres)
            scores[j, k] = max(closed, opened) * width * depth
    return scores


def _likely(height: np.ndarray) -> np.ndarray:
    """Likelihood of heights in metres as room heights, at most 1; 0 for impossible ones."""
    with np.errstate(divide="ignore"):
        likely = np.exp(-0.5 * (np.log(height / STOREY) / SPREAD) ** 2)
    return np.where(likely < UNLIKELY, 0, likely)


def _gaps(points: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Gaps between surfaces on vertical lines through a mesh with z up.

    Returns (C, DEEPEST) heights of the air between surfaces, the share of the columns that
    meet anything, and the mesh's extent (3,), all in its own unit.
    """
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    steps = (np.arange(N_COLUMNS) + 0.5) / N_COLUMNS
    shift = 0.29 / N_COLUMNS  # off the planes of symmetry, where edges are
    x, y = np.meshgrid(*(low[:2, None] + (high - low)[:2, None] * (steps + shift)))
    heights = _crossings(np.ascontiguousarray(points), x.ravel(), y.ravel(), DEEPEST)
    heights.sort(axis=1)  # inf, where there is no more, comes last
    with np.errstate(invalid="ignore"):
        gaps = np.diff(heights, axis=1)
    gaps = np.where(np.isfinite(gaps), gaps, 0)
    return gaps, float(np.isfinite(heights[:, 0]).mean()), high - low


@njit(cache=True, nogil=True)
def _crossings(points, xs, ys, deepest):
    """(C, deepest) heights at which the vertical line through each (x, y) meets triangles."""
    heights = np.full((len(xs), deepest), np.inf)
    count = np.zeros(len(xs), np.int64)
    for k in range(len(points)):
        ax, ay, az = points[k, 0]
        bx, by, bz = points[k, 1]
        cx, cy, cz = points[k, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        low_x, high_x = min(ax, bx, cx), max(ax, bx, cx)
        low_y, high_y = min(ay, by, cy), max(ay, by, cy)
        for i in range(len(xs)):
            x, y = xs[i], ys[i]
            if x < low_x or x > high_x or y < low_y or y > high_y or count[i] == deepest:
                continue
            v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
            w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
            if v >= 0 and w >= 0 and v + w <= 1:
                heights[i, count[i]] = az + v * (bz - az) + w * (cz - az)
                count[i] += 1
    return heights
