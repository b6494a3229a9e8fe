"""Open doors and the frames of doorways, painted on the walls of a scene.

They exist in pictures only: sound, depth and walking know openings without leaves. An opening is
found by its lintel, the face that looks down between two faces of a wall; an open leaf lies flat
against the wall beside it, where a stretch of wall is free that is wide enough. Front doors, which
are panels flush with their wall, are shut.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numba import njit

from av_envs.scene.scene import CATEGORIES, Scene

WALL, DOOR, DOOR_FRAME = (CATEGORIES.index(name) for name in ("wall", "door", "door frame"))
EXACT = 1e-3  # m, by which edges that meet may miss each other
ARCHITRAVE = 0.07  # m, width of the frame around an opening
GAP = 0.015  # m, between the frame and the leaf, and under the leaf
WIDEST_LEAF = 1.1  # m; wider openings have none
CLEAR = 0.35  # m in front of a leaf, where nothing may stand or hang
BEYOND = 1.0  # m; what meets an edge of its wall is painted past it, so that no wall shows there
FAR = 1e4  # m, past everything

WHITE = (236, 236, 236)
LEAVES = (WHITE, (228, 224, 212), (176, 130, 84), (140, 96, 60), (200, 160, 112), (112, 76, 50))
FRAME, PLAIN, PANELLED = range(3)
OUTLINE, OUTLINE_SHADE = 0.014, np.float32(0.5)  # m around it, that are as dark as this
STILE, MIDDLE, GROOVE, GROOVE_SHADE = 0.13, 0.95, 0.025, np.float32(0.72)  # of a panelled leaf
HANDLE = (0.05, 0.19, 1.03, 1.07)  # m: from and to, off the far edge; from and to, in height
PLATE = (0.04, 0.08, 0.93, 1.13)
# Of the handle: dark on a bright leaf, bright on a dark one.
IRON, STEEL, BRIGHT = np.float32(100), np.float32(196), np.float32(180)


class Doors(NamedTuple):
    """What is painted on the T triangles of a scene, n rectangles.

    first    (T + 1,) int32: triangle k has the rectangles first[k] to first[k + 1] - 1
    places   (n, 4) float32, metres: lowest u, v and highest u, v, see `surface.place_of`
    colours  (n, 3) float32, 0 to 255
    kinds    (n,) int8: FRAME, PLAIN or PANELLED, the latter two being leaves
    hands    (n,) int8: 1 where the handle is at the highest u, -1 where it is at the lowest
    """

    first: np.ndarray
    places: np.ndarray
    colours: np.ndarray
    kinds: np.ndarray
    hands: np.ndarray


class Opening(NamedTuple):
    """A hole in a wall, down to the floor; metres.

    axis       0: the wall runs north-south, its faces look along x; 1: it runs east-west
    faces      x (or y) of its two faces
    low, high  where it starts and ends along the wall
    top        above the floor
    """

    axis: int
    faces: tuple[float, float]
    low: float
    high: float
    top: float


class _Paint(NamedTuple):
    """A rectangle on some triangles, as in `Doors`."""

    triangles: np.ndarray
    place: tuple[float, float, float, float]
    colour: tuple[int, int, int]
    kind: int
    hand: int


def doors_of(scene: Scene, frames: np.ndarray) -> Doors:
    """The doors of a scene: none where its surfaces are not those of walls around an opening.

    frames  (T, 4) metres, as in `light.Lights`
    """
    openings, shut = openings_of(scene), shut_doors_of(scene)
    paints: list[_Paint] = []
    if openings or shut:
        # By the surfaces alone: a dwelling has the same doors whatever the grid of its nodes.
        rng = np.random.default_rng(crc32(scene.bvh.triangles.tobytes()))
        leaf = LEAVES[rng.integers(len(LEAVES))]
        frame = WHITE if rng.random() < 0.6 else leaf
        kind = int(rng.choice([PLAIN, PANELLED]))
        walls = _Walls(scene, frames)
        for opening in openings + shut:
            paints.extend(_frame(walls, opening, frame))
        for opening in openings:
            places = list(_leaf_places(walls, opening, paints))
            if places:
                triangles, place, hand = places[rng.integers(len(places))]
                paints.append(_Paint(triangles, place, leaf, kind, hand))
        for opening in shut:
            paints.extend(_shut_leaf(walls, scene.colour, opening, int(rng.choice([-1, 1]))))
    return _sorted(paints, len(frames))


def openings_of(scene: Scene) -> list[Opening]:
    """All openings whose lintel is a level rectangle of two triangles, from the lowest x on."""
    down = (scene.category == DOOR_FRAME) & (scene.normals[:, 2] < -0.99)
    openings = []
    for x0, y0, z0, x1, y1, z1 in _pairs(scene.triangles[down]):
        if z1 - z0 < EXACT:
            across = x1 - x0 < y1 - y0
            opening = ((x0, x1), y0, y1) if across else ((y0, y1), x0, x1)
            openings.append(Opening(0 if across else 1, *opening, z1))
    return openings


def shut_doors_of(scene: Scene) -> list[Opening]:
    """All upright doors that are a rectangle of two triangles; their two faces are one."""
    upright = (scene.category == DOOR) & (np.abs(scene.normals[:, :2]).max(axis=1) > 0.99)
    doors = []
    for x0, y0, _, x1, y1, top in _pairs(scene.triangles[upright]):
        if x1 - x0 < EXACT:
            doors.append(Opening(0, (x0, x1), y0, y1, top))
        elif y1 - y0 < EXACT:
            doors.append(Opening(1, (y0, y1), x0, x1, top))
    return doors


def _pairs(triangles: np.ndarray) -> list[list[float]]:
    """Lowest x, y, z and highest x, y, z of every two triangles that have the same."""
    corners = triangles.astype(float)
    bounds = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    once, counts = np.unique(np.round(bounds, 4), axis=0, return_counts=True)
    return once[counts == 2].tolist()


class _Walls:
    """The upright rectangles of a scene, two triangles each, and what stands before them."""

    def __init__(self, scene: Scene, frames: np.ndarray):
        corners = scene.triangles
        self.frames, self.normals, self.category = frames, scene.normals, scene.category
        self.low, self.high = corners.min(axis=1), corners.max(axis=1)

    def face(self, opening: Opening, side: int, category: int = WALL) -> np.ndarray:
        """(T,) bool, what lies in one of the two faces of the wall around an opening."""
        outward, at = self.normals[:, opening.axis] * (2 * side - 1), opening.faces[side]
        flat = np.abs(self.low[:, opening.axis] - at) + np.abs(self.high[:, opening.axis] - at)
        return (self.category == category) & (outward > 0.99) & (flat < EXACT)

    def beside(self, opening: Opening, side: int, end: int) -> np.ndarray:
        """(2,) the triangles of the wall beside an opening, before its low or past its high end."""
        u0, v0, u1, v1 = self.frames.T
        meets = np.abs(u0 - opening.high) if end else np.abs(u1 - opening.low)
        tall = (v1 > opening.top) & (v0 < opening.top - 1.5)
        return self._rectangle(self.face(opening, side) & (meets < EXACT) & tall)

    def above(self, opening: Opening, side: int) -> np.ndarray:
        """(2,) the triangles of the wall above an opening."""
        u0, v0, u1, _ = self.frames.T
        misses = np.abs([u0 - opening.low, u1 - opening.high, v0 - opening.top]).max(axis=0)
        return self._rectangle(self.face(opening, side) & (misses < EXACT))

    def within(self, opening: Opening, side: int) -> np.ndarray:
        """(2,) the triangles of a door that is shut."""
        u0, _, u1, v1 = self.frames.T
        misses = np.abs([u0 - opening.low, u1 - opening.high, v1 - opening.top]).max(axis=0)
        return self._rectangle(self.face(opening, side, DOOR) & (misses < EXACT))

    def reveal(self, opening: Opening) -> np.ndarray:
        """The triangles within an opening, between the faces of the wall."""
        along = 1 - opening.axis
        low, high = np.empty((2, 3))
        low[opening.axis], high[opening.axis] = opening.faces
        low[along], high[along] = opening.low, opening.high
        low[2], high[2] = -np.inf, opening.top
        within = (self.low > low - EXACT).all(axis=1) & (self.high < high + EXACT).all(axis=1)
        return np.flatnonzero(within & (self.category == DOOR_FRAME))

    def is_clear(self, opening: Opening, side: int, place) -> bool:
        """Whether nothing stands or hangs in front of a place on a face of the wall."""
        u0, v0, u1, v1 = place
        at, outward = opening.faces[side], 2 * side - 1
        across = sorted((at + 0.002 * outward, at + CLEAR * outward))
        low, high = np.empty((2, 3))
        low[opening.axis], high[opening.axis] = across
        low[1 - opening.axis], high[1 - opening.axis] = u0, u1
        low[2], high[2] = v0 + 0.05, v1
        return not ((self.low < high) & (self.high > low)).all(axis=1).any()

    def _rectangle(self, which: np.ndarray) -> np.ndarray:
        """The indices, if these are two triangles of one rectangle; else none."""
        triangles = np.flatnonzero(which)
        same = len(triangles) == 2 and np.ptp(self.frames[triangles], axis=0).max() < EXACT
        return triangles if same else triangles[:0]


def _frame(walls: _Walls, opening: Opening, colour) -> Iterator[_Paint]:
    """The reveal, and an architrave on both faces of the wall."""
    low, high, top = opening.low, opening.high, opening.top + ARCHITRAVE
    everywhere = (-FAR, -FAR, FAR, FAR)
    yield _Paint(walls.reveal(opening), everywhere, colour, FRAME, 0)
    for side in range(2):
        above = (low - BEYOND, -BEYOND, high + BEYOND, top)
        yield _Paint(walls.above(opening, side), above, colour, FRAME, 0)
        before = (low - ARCHITRAVE, -BEYOND, low + BEYOND, top)
        yield _Paint(walls.beside(opening, side, 0), before, colour, FRAME, 0)
        past = (high - BEYOND, -BEYOND, high + ARCHITRAVE, top)
        yield _Paint(walls.beside(opening, side, 1), past, colour, FRAME, 0)


def _leaf_places(walls: _Walls, opening: Opening, paints: list[_Paint]) -> Iterator[tuple]:
    """(triangles, place, hand) wherever the leaf of an opening can lie."""
    width = opening.high - opening.low
    if width > WIDEST_LEAF:
        return
    away = ARCHITRAVE + GAP
    for side, end in product(range(2), range(2)):
        triangles = walls.beside(opening, side, end)
        if len(triangles) == 0:
            continue
        start, floor, stop, _ = walls.frames[triangles[0]]
        u0 = opening.high + away if end else opening.low - away - width
        u1 = u0 + width
        place = (u0, floor + GAP, u1, opening.top)
        others = (paint.place for paint in paints if triangles[0] in paint.triangles)
        is_free = all(u1 < low - GAP / 2 or high + GAP / 2 < u0 for low, _, high, _ in others)
        is_within = start + GAP < u0 and u1 < stop - GAP
        if is_within and is_free and walls.is_clear(opening, side, place):
            yield triangles, place, 2 * end - 1


def _shut_leaf(walls: _Walls, colours: np.ndarray, opening: Opening, hand: int) -> Iterator[_Paint]:
    """The leaf of a door that is shut and has wall above it, in the colour that it has."""
    for side in range(2):
        triangles = walls.within(opening, side)
        if len(triangles) and len(walls.above(opening, side)):
            u0, v0, u1, v1 = walls.frames[triangles[0]]
            place = (u0 + OUTLINE, v0 + OUTLINE, u1 - OUTLINE, v1 - OUTLINE)
            colour = tuple(colours[triangles[0]].tolist())
            yield _Paint(triangles, place, colour, PANELLED, hand)


def _sorted(paints: list[_Paint], n_triangles: int) -> Doors:
    owner = np.array([k for paint in paints for k in paint.triangles], np.int64)
    rows = [paint for paint in paints for _ in paint.triangles]
    order = np.argsort(owner, kind="stable")
    rows = [rows[index] for index in order]
    counts = np.bincount(owner, minlength=n_triangles)
    return Doors(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        np.array([row.place for row in rows], np.float32).reshape(-1, 4),
        np.array([row.colour for row in rows], np.float32).reshape(-1, 3),
        np.array([row.kind for row in rows], np.int8),
        np.array([row.hand for row in rows], np.int8),
    )


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def painted(doors, k, u, v, du, dv, light, red, green, blue):
    """(red, green, blue) of a place on triangle k, which is of that colour without doors.

    u, v, du, dv  the place and the extent of a pixel there, see `surface.place_of`
    light         brightness of the place
    """
    for row in range(doors.first[k], doors.first[k + 1]):
        u0, v0 = doors.places[row, 0], doors.places[row, 1]
        u1, v1 = doors.places[row, 2], doors.places[row, 3]
        outer = _covered(u, v, du, dv, u0 - OUTLINE, v0 - OUTLINE, u1 + OUTLINE, v1 + OUTLINE)
        if outer <= 0:
            continue
        inner = _covered(u, v, du, dv, u0, v0, u1, v1)
        shade, metal = np.float32(1), np.float32(0)
        if doors.kinds[row] == PANELLED:
            middle = v0 + MIDDLE
            grooves = _groove(u, v, du, dv, u0 + STILE, v0 + STILE, u1 - STILE, middle - STILE / 2)
            grooves += _groove(u, v, du, dv, u0 + STILE, middle + STILE / 2, u1 - STILE, v1 - STILE)
            shade = 1 - (1 - GROOVE_SHADE) * grooves
        if doors.kinds[row] != FRAME:
            far = u1 - u if doors.hands[row] > 0 else u - u0
            metal = max(
                _covered(far, v, du, dv, HANDLE[0], v0 + HANDLE[2], HANDLE[1], v0 + HANDLE[3]),
                _covered(far, v, du, dv, PLATE[0], v0 + PLATE[2], PLATE[1], v0 + PLATE[3]),
            )
        own = light * ((inner - metal) * shade + (outer - inner) * OUTLINE_SHADE)
        grey = light * metal * (IRON if doors.colours[row, 1] > BRIGHT else STEEL)
        rest = 1 - outer
        red = np.float32(rest * red + own * doors.colours[row, 0] + grey)
        green = np.float32(rest * green + own * doors.colours[row, 1] + grey)
        blue = np.float32(rest * blue + own * doors.colours[row, 2] + grey)
    return red, green, blue


@njit(inline="always", fastmath=True)
def _covered(u, v, du, dv, u0, v0, u1, v1):
    """Share of the du by dv metres around (u, v) that lies in a rectangle."""
    du, dv = max(du, 1e-4), max(dv, 1e-4)
    wide = min(u1, u + du / 2) - max(u0, u - du / 2)
    tall = min(v1, v + dv / 2) - max(v0, v - dv / 2)
    return np.float32(max(wide, 0.0) / du * max(tall, 0.0) / dv)


@njit(inline="always", fastmath=True)
def _groove(u, v, du, dv, u0, v0, u1, v1):
    """Share of the du by dv metres around (u, v) that lies on the border of a rectangle."""
    inner = _covered(u, v, du, dv, u0 + GROOVE, v0 + GROOVE, u1 - GROOVE, v1 - GROOVE)
    return _covered(u, v, du, dv, u0, v0, u1, v1) - inner
