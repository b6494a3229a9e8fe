"""Uses of rooms, doors between them, windows and the front door."""

from typing import NamedTuple

import numpy as np

from av_envs.scene.procedural.blocks import Rectangle
from av_envs.scene.procedural.floorplan import NARROWEST_DOOR, WALL, Contact, FloorPlan, area

DOOR_HEIGHT = 2.05  # m
ARCH_HEIGHT = 2.2  # m, of wide openings
EXTRA_DOORS = 0.3  # chance that a wall off the shortest tree gets a door as well: loops
JAMB = 0.1  # m of wall kept beside a wide opening, and between windows and corners

# How reluctantly a door joins two uses; the tree of doors takes the lowest sums.
RELUCTANCE = {
    "hallway": 0.0,
    "living room": 0.5,
    "living kitchen": 0.5,
    "studio": 0.5,
    "dining room": 0.8,
    "kitchen": 0.9,
    "study": 1.2,
    "bedroom": 1.3,
    "bathroom": 2.5,
}
OPEN_PLAN = {"hallway", "living room", "dining room", "kitchen"}


class Door(NamedTuple):
    """An opening in the wall between two rooms, down to the floor, without a leaf.

    rooms  indices of the two rooms
    axis   0: in a wall that runs north-south at x = `line`; 1: east-west at y = `line`
    low, high  where the opening starts and ends along the wall, metres
    top    metres above the floor
    """

    rooms: tuple[int, int]
    axis: int
    line: float
    low: float
    high: float
    top: float

    @property
    def floor(self) -> Rectangle:
        """The floor between the two faces of the wall."""
        near, far = self.line - WALL / 2, self.line + WALL / 2
        if self.axis == 0:
            return near, self.low, far, self.high
        return self.low, near, self.high, far


class Window(NamedTuple):
    """A panel in an outer wall, flush with it; the front door is one, too.

    side  heading of the wall's face as seen from the room: 0 is the west wall, facing east
    low, high, bottom, top  metres along the wall and above the floor
    """

    room: int
    side: int
    low: float
    high: float
    bottom: float
    top: float
    material: str


def assign_uses(rng: np.random.Generator, plan: FloorPlan) -> tuple[str, ...]:
    """A use per room: the largest is a living room, the smallest the bathroom."""
    uses: dict[int, str] = {}
    if plan.corridor is not None:
        uses[plan.corridor] = "hallway"
    by_size = sorted(
        (room for room in range(len(plan.rooms)) if room not in uses),
        key=lambda room: area(plan.rooms[room]),
    )
    n_rooms = len(plan.rooms)
    uses[by_size.pop()] = {2: "studio", 3: "living kitchen"}.get(n_rooms, "living room")
    uses[by_size.pop(0)] = "bathroom"
    first = ("kitchen", "bedroom") if n_rooms > 3 else ("bedroom",)
    wanted = [*first, "bedroom", *rng.permutation(["study", "dining room", "bedroom"])]
    for room, use in zip(by_size, wanted, strict=False):
        uses[room] = str(use)
    if len(by_size) > 3 and area(plan.rooms[by_size[0]]) < 9:
        uses[by_size[0]], uses[by_size[3]] = "bathroom", uses[by_size[0]]
    return tuple(uses[room] for room in range(len(plan.rooms)))


def draw_doors(
    rng: np.random.Generator, plan: FloorPlan, uses: tuple[str, ...]
) -> tuple[Door, ...]:
    """Doors so that every room can be reached, some more, and some wide openings."""
    contacts = [contact for contact in plan.contacts if contact.cells]
    costs = [_cost(contact, uses) + rng.random() for contact in contacts]
    group = list(range(len(plan.rooms)))
    doors = []
    for index in np.argsort(costs, kind="stable"):
        contact = contacts[index]
        a, b = (group[room] for room in contact.rooms)
        private = "bathroom" in (uses[room] for room in contact.rooms)
        if a == b and (private or rng.random() > EXTRA_DOORS):
            continue
        group = [a if member == b else member for member in group]
        open_plan = all(uses[room] in OPEN_PLAN for room in contact.rooms)
        wide = _draw_arch(rng, contact) if open_plan and rng.random() < 0.6 else None
        doors.append(wide or _draw_door(rng, contact))
    return tuple(doors)


def _cost(contact: Contact, uses: tuple[str, ...]) -> float:
    return sum(RELUCTANCE[uses[room]] for room in contact.rooms)


def _draw_door(rng: np.random.Generator, contact: Contact) -> Door:
    """Preferably near a corner, which leaves long walls for furniture."""
    ends = (contact.cells[0], contact.cells[-1])
    choices = ends if rng.random() < 0.7 else contact.cells
    centre = int(choices[int(rng.integers(len(choices)))]) + 0.5
    room = min(centre - contact.span[0], contact.span[1] - centre) - 0.02
    half = min(float(rng.uniform(NARROWEST_DOOR, 1.0)) / 2, room)
    return Door(
        contact.rooms, contact.axis, contact.line, centre - half, centre + half, DOOR_HEIGHT
    )


def _draw_arch(rng: np.random.Generator, contact: Contact) -> Door | None:
    """An opening over two or three cells, if the wall is long enough."""
    n_cells = int(rng.integers(2, 4))
    low, high = contact.span
    starts = range(int(np.ceil(low)), int(np.floor(high)) - n_cells + 1)
    if len(starts) == 0:
        return None
    start = starts[int(rng.integers(len(starts)))]
    edges = start + JAMB, start + n_cells - JAMB
    return Door(contact.rooms, contact.axis, contact.line, *edges, ARCH_HEIGHT)


def side_line(room: Rectangle, side: int) -> tuple[float, tuple[float, float]]:
    """Coordinate of the line of wall `side` of a rectangle, and (start, end) along it."""
    x0, y0, x1, y1 = room
    return ((x0, (y0, y1)), (y0, (x0, x1)), (x1, (y0, y1)), (y1, (x0, x1)))[side]


def outer_intervals(plan: FloorPlan, room: int, side: int) -> list[tuple[float, float]]:
    """Stretches of a wall with no room behind them, between the walls' middle lines."""
    line, (low, high) = side_line(plan.rooms[room], side)
    behind = sorted(
        (max(low, plan.rooms[other][1 - axis]), min(high, plan.rooms[other][3 - axis]))
        for other, axis in (
            (sum(contact.rooms) - room, contact.axis)
            for contact in plan.contacts
            if room in contact.rooms and contact.axis == side % 2 and contact.line == line
        )
    )
    intervals, start = [], low
    for taken, free in behind:
        if taken > start:
            intervals.append((start, taken))
        start = free
    if start < high:
        intervals.append((start, high))
    return intervals


def draw_windows(
    rng: np.random.Generator, plan: FloorPlan, uses: tuple[str, ...]
) -> tuple[Window, ...]:
    """One or two windows per room with an outer wall, and a front door."""
    windows = []
    entrance = min(range(len(uses)), key=lambda room: RELUCTANCE[uses[room]])
    for room, use in enumerate(uses):
        places = [
            (side, low + WALL / 2 + JAMB, high - WALL / 2 - JAMB)
            for side in range(4)
            for low, high in outer_intervals(plan, room, side)
            if high - low >= 1.5
        ]
        order = [places[index] for index in rng.permutation(len(places))]
        if room == entrance and order:
            narrowest = min(order, key=lambda place: place[2] - place[1])
            order.remove(narrowest)
            windows.append(_front_door(rng, room, *narrowest))
        most = 1 if use == "bathroom" else int(rng.integers(1, 3))
        for place in order[:most]:
            windows.append(_draw_window(rng, room, use, *place))
    return tuple(windows)


def _front_door(rng, room: int, side: int, low: float, high: float) -> Window:
    start = low + (high - low - 0.95) * float(rng.random())
    return Window(room, side, start, start + 0.95, 0.0, DOOR_HEIGHT, "wooden_door")


def _draw_window(rng, room: int, use: str, side: int, low: float, high: float) -> Window:
    width = 0.6 if use == "bathroom" else min(float(rng.uniform(0.9, 2.2)), high - low)
    start = low + (high - low - width) * float(rng.uniform(0.2, 0.8))
    bottom = {"bathroom": 1.4, "kitchen": 1.1}.get(use, float(rng.uniform(0.45, 0.95)))
    return Window(room, side, start, start + width, bottom, 2.1, "window_glass")
