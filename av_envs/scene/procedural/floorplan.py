"""Random floor plans: rooms as rectangles whose walls follow a lattice of one metre.

Every wall lies within WALL_SHIFT of a lattice line and every door is centred on the
middle of a lattice cell. Navigation nodes stand in the middle of lattice cells (and,
on the finer grid, on the lines between them), so each node keeps its distance from
the walls and each door has a row of nodes through it, whatever the plan.

Plans are drawn and thrown away until one is acceptable, which takes a few attempts.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from av_envs.scene.procedural.blocks import Rectangle

WALL = 0.12  # m, thickness of the walls between rooms
WALL_SHIFT = 0.15  # m: 0.5 - 0.15 - 0.12 / 2 leaves 0.29 m to the nearest node
NARROWEST_DOOR = 0.8  # m
ATTEMPTS = 2000
SMALLEST_LIVING_ROOM = 14.0  # m2
LARGEST_ROOM = 48.0  # m2
LARGEST_BATHROOM = 10.0  # m2
LARGEST_STRETCH = 2.4  # longer than this times its width, only a corridor may be


class Kind(NamedTuple):
    """Parameters of a kind of dwelling: areas in m2, lengths in m."""

    number: int  # separates the random streams of the kinds
    grid: float  # default spacing of navigation nodes
    area: tuple[float, float]  # floor inside the walls, all rooms together
    n_rooms: tuple[int, int]
    room_area: tuple[float, float]  # usual area per room, decides how many there are
    shortest_side: int


KINDS = {
    "house": Kind(0, 1.0, (100.0, 180.0), (4, 8), (15.0, 30.0), 8),
    "flat": Kind(1, 0.5, (48.0, 80.0), (2, 4), (15.0, 26.0), 5),
}


class Contact(NamedTuple):
    """A wall between two rooms, where a door could be.

    rooms   indices of the two rooms
    axis    0: the wall runs north-south at x = `line`; 1: east-west at y = `line`
    span    free interval along the wall, between the walls that meet it
    cells   lattice cells (k covers k .. k + 1) in whose middle a door fits
    """

    rooms: tuple[int, int]
    axis: int
    line: float
    span: tuple[float, float]
    cells: tuple[int, ...]


class FloorPlan(NamedTuple):
    """Rooms between the middle lines of their walls, their contacts, and the corridor if any."""

    rooms: tuple[Rectangle, ...]
    contacts: tuple[Contact, ...]
    corridor: int | None

    def inside(self, room: int) -> Rectangle:
        """The floor of a room, inside its walls."""
        return inside_walls(self.rooms[room])


def inside_walls(room: Rectangle) -> Rectangle:
    x0, y0, x1, y1 = room
    return x0 + WALL / 2, y0 + WALL / 2, x1 - WALL / 2, y1 - WALL / 2


def area(rectangle: Rectangle) -> float:
    x0, y0, x1, y1 = rectangle
    return (x1 - x0) * (y1 - y0)


def draw_plan(rng: np.random.Generator, kind: Kind) -> FloorPlan:
    """A plan with the areas and room numbers of `kind`, every room reachable."""
    for _ in range(ATTEMPTS):
        rooms, corridor = _draw_rooms(rng, kind)
        if _is_acceptable(rooms, corridor, kind):
            plan = FloorPlan(tuple(rooms), tuple(_contacts(rooms)), corridor)
            if _is_connected(plan):
                return plan
    raise RuntimeError(f"no acceptable plan in {ATTEMPTS} attempts for {kind}")


def _draw_rooms(rng: np.random.Generator, kind: Kind) -> tuple[list[Rectangle], int | None]:
    """Rooms of one attempt; the corridor, if there is one, is the first."""
    sides = _draw_sides(rng, kind)
    outline = (*(-rng.uniform(0, WALL_SHIFT, 2)), *(np.add(sides, rng.uniform(0, WALL_SHIFT, 2))))
    outline = tuple(float(side) for side in outline)
    fewest, most = (round(sides[0] * sides[1] / size) for size in reversed(kind.room_area))
    fewest, most = max(kind.n_rooms[0], fewest), min(kind.n_rooms[1], most)
    n_rooms = int(rng.integers(fewest, most, endpoint=True))
    n_cut = int(rng.random() < 0.35)
    if n_rooms >= 5 and rng.random() < 0.6:
        rooms = _along_corridor(rng, outline, n_rooms + n_cut - 1)
        rooms = _with_bathroom(rng, _without_corner(rng, rooms, outline, n_cut, kept=1), kept=1)
        return rooms, 0
    rooms = _split(rng, [outline], n_rooms + n_cut - 1)
    rooms = _with_bathroom(rng, _without_corner(rng, rooms, outline, n_cut, kept=0), kept=0)
    return rooms, None


def _draw_sides(rng: np.random.Generator, kind: Kind) -> tuple[int, int]:
    """Outer lengths in lattice cells."""
    while True:
        wanted = rng.uniform(kind.area[0] * 1.05, kind.area[1] * 1.1)
        stretch = rng.uniform(1.0, 1.8)
        short = round((wanted / stretch) ** 0.5)
        long = round(wanted / max(short, 1))
        if short >= kind.shortest_side:
            return (long, short) if rng.random() < 0.5 else (short, long)


def _cut(rng, room: Rectangle, axis: int, cell: int, shift=(-WALL_SHIFT, WALL_SHIFT)):
    """Two rooms, the wall near lattice line `cell`, across `axis`."""
    line = cell + float(rng.uniform(*shift))
    first, second = list(room), list(room)
    first[2 + axis] = second[axis] = line
    return tuple(first), tuple(second)


def _split(rng: np.random.Generator, rooms: list[Rectangle], n_rooms: int) -> list[Rectangle]:
    """Cut the largest room in two until there are `n_rooms`, or until none can be cut."""
    rooms = list(rooms)
    while len(rooms) < n_rooms:
        largest = max(range(len(rooms)), key=lambda index: area(rooms[index]))
        x0, y0, x1, y1 = (round(side) for side in rooms[largest])
        stretch = (x1 - x0) / (y1 - y0)
        axis = int(stretch < rng.uniform(0.7, 1.4))
        low, high = (x0, x1) if axis == 0 else (y0, y1)
        margin = 2 if rng.random() < 0.3 else 3
        if high - low < 2 * margin:
            return rooms
        cell = int(rng.integers(low + margin, high - margin, endpoint=True))
        rooms[largest : largest + 1] = _cut(rng, rooms[largest], axis, cell)
    return rooms


def _along_corridor(rng, outline: Rectangle, n_rooms: int) -> list[Rectangle]:
    """A corridor of one cell with rooms on both sides, and perhaps one across its end."""
    sides = [round(outline[2]) - round(outline[0]), round(outline[3]) - round(outline[1])]
    long = int(sides[1] > sides[0])
    rest, ends = outline, []
    if sides[long] >= 11 and rng.random() < 0.6:
        cell = round(outline[long]) + int(rng.integers(4, 6))
        end, rest = _cut(rng, outline, long, cell)
        ends = [end]
        if rng.random() < 0.5:
            mirrored = round(outline[long + 2]) - (cell - round(outline[long]))
            rest, end = _cut(rng, outline, long, mirrored)
            ends = [end]
    across = 1 - long
    low, high = round(outline[across]), round(outline[across + 2])
    if high - low < 7:
        return []
    cell = int(rng.integers(low + 3, high - 4, endpoint=True))
    below, above = _cut(rng, rest, across, cell, shift=(-WALL_SHIFT, 0))
    corridor, above = _cut(rng, above, across, cell + 1, shift=(0, WALL_SHIFT))
    return [corridor, *_split(rng, [below, above, *ends], n_rooms - 1)]


def _without_corner(rng, rooms, outline: Rectangle, n_cut: int, kept: int) -> list[Rectangle]:
    """Drop one small room at a corner of the outline, so that the outer shape is an L."""
    if n_cut == 0:
        return rooms
    corners = [
        room for room in rooms[kept:]
        if (room[0] == outline[0] or room[2] == outline[2])
        and (room[1] == outline[1] or room[3] == outline[3])
        and area(room) < 0.22 * area(outline)
    ]  # fmt: skip
    if not corners:
        return []
    dropped = corners[int(rng.integers(len(corners)))]
    return [room for room in rooms if room != dropped]


def _with_bathroom(rng, rooms: list[Rectangle], kept: int) -> list[Rectangle]:
    """Cut a small room off the end of one that is long enough, unless there is one already."""
    if any(area(inside_walls(room)) <= LARGEST_BATHROOM for room in rooms[kept:]):
        return rooms
    order = [kept + int(index) for index in rng.permutation(len(rooms) - kept)]
    for index in order:
        x0, y0, x1, y1 = (round(side) for side in rooms[index])
        axis = int(y1 - y0 > x1 - x0)
        low, high, across = (x0, x1, y1 - y0) if axis == 0 else (y0, y1, x1 - x0)
        if across <= 5 and high - low >= 5:
            cell = low + 2 if rng.random() < 0.5 else high - 2
            rooms[index : index + 1] = _cut(rng, rooms[index], axis, cell)
            return rooms
    return []


def _is_acceptable(rooms: list[Rectangle], corridor: int | None, kind: Kind) -> bool:
    if not kind.n_rooms[0] <= len(rooms) <= kind.n_rooms[1]:
        return False
    floors = [inside_walls(room) for index, room in enumerate(rooms) if index != corridor]
    sides = np.array([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in floors])
    total = sum(area(inside_walls(room)) for room in rooms)
    return bool(
        kind.area[0] <= total <= kind.area[1]
        and (sides.max(axis=1) <= LARGEST_STRETCH * sides.min(axis=1)).all()
        and SMALLEST_LIVING_ROOM <= sides.prod(axis=1).max() <= LARGEST_ROOM
        and sides.prod(axis=1).min() <= LARGEST_BATHROOM
    )


def _contacts(rooms: list[Rectangle]) -> Iterator[Contact]:
    for pair in combinations(range(len(rooms)), 2):
        for axis in (0, 1):
            a, b = sorted((rooms[index] for index in pair), key=lambda room: room[axis])
            if a[axis + 2] != b[axis]:
                continue
            low = max(a[1 - axis], b[1 - axis]) + WALL / 2
            high = min(a[3 - axis], b[3 - axis]) - WALL / 2
            half = NARROWEST_DOOR / 2 + 0.02
            cells = range(int(np.ceil(low + half - 0.5)), int(np.floor(high - half - 0.5)) + 1)
            if low < high:
                yield Contact(pair, axis, b[axis], (low, high), tuple(cells))


def _is_connected(plan: FloorPlan) -> bool:
    reached, todo = {0}, [0]
    while todo:
        room = todo.pop()
        for contact in plan.contacts:
            if room in contact.rooms and contact.cells:
                other = sum(contact.rooms) - room
                if other not in reached:
                    reached.add(other)
                    todo.append(other)
    return len(reached) == len(plan.rooms)
