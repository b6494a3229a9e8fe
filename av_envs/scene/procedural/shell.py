"""The empty dwelling: floors, ceilings and walls of each room, with holes for doors.

A wall between two rooms is two faces, one in each room, joined around every door by
its reveal: the two jambs, the lintel above and the floor below.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from av_envs.scene.procedural.blocks import DOWN, EAST, NORTH, SOUTH, UP, WEST, Block, Rectangle
from av_envs.scene.procedural.finishes import Finish, Surface
from av_envs.scene.procedural.floorplan import FloorPlan
from av_envs.scene.procedural.openings import Door, Window, outer_intervals, side_line
from av_envs.scene.scene import PLAIN

GLASS = Surface("window_glass", (170, 200, 220), PLAIN)
FRONT_DOOR = Surface("wooden_door", (110, 66, 40), PLAIN)
PANELS = {  # by material: how it looks and what it is
    GLASS.material: (GLASS, "window"),
    FRONT_DOOR.material: (FRONT_DOOR, "door"),
}


def room_blocks(
    plan: FloorPlan,
    room: int,
    height: float,
    doors: Sequence[Door],
    windows: Sequence[Window],
    finish: Finish,
) -> list[Block]:
    """Floor, ceiling and walls of one room, as seen from inside."""
    x0, y0, x1, y1 = plan.inside(room)
    floor = Block((x0, y0, 0), (x1, y1, 0), *finish.floor, UP, "floor")
    ceiling = Block((x0, y0, height), (x1, y1, height), *finish.ceiling, DOWN, "ceiling")
    walls = [
        panel
        for side in range(4)
        for panel in _wall(plan, room, side, height, doors, windows, finish)
    ]
    return [floor, ceiling, *walls]


def reveal_blocks(doors: Sequence[Door], finishes: Sequence[Finish]) -> list[Block]:
    """Reveals: faces that join both sides of a wall around each door."""
    return [block for door in doors for block in _reveal(door, finishes[door.rooms[0]])]


def wall_obstacles(plan: FloorPlan, doors: Sequence[Door], thickness: float) -> list[Rectangle]:
    """Rectangles of this thickness behind the faces of all walls, open at the doors."""
    return [
        _behind(plan, room, side, low, high, thickness)
        for room in range(len(plan.rooms))
        for side in range(4)
        for low, high in _closed_intervals(plan, room, side, doors)
    ]


def _behind(plan, room, side, low, high, thickness) -> Rectangle:
    line, _ = side_line(plan.inside(room), side)
    near, far = (line - thickness, line) if side < 2 else (line, line + thickness)
    return (near, low, far, high) if side % 2 == 0 else (low, near, high, far)


def _doors_in(plan: FloorPlan, room: int, side: int, doors: Sequence[Door]) -> list[Door]:
    line, _ = side_line(plan.rooms[room], side)
    found = [
        door for door in doors
        if room in door.rooms and door.axis == side % 2 and door.line == line
    ]  # fmt: skip
    return sorted(found, key=lambda door: door.low)


def _closed_intervals(plan, room, side, doors) -> Iterator[tuple[float, float]]:
    _, (low, high) = side_line(plan.inside(room), side)
    for door in _doors_in(plan, room, side, doors):
        yield low, door.low
        low = door.high
    yield low, high


def _wall(plan, room, side, height, doors, windows, finish: Finish) -> Iterator[Block]:
    """The panels of one wall of a room, from one end to the other."""
    line, (start, end) = side_line(plan.inside(room), side)

    def panel(low, high, bottom, top, surface, category="wall"):
        ends = ((line, low), (line, high)) if side % 2 == 0 else ((low, line), (high, line))
        return Block((*ends[0], bottom), (*ends[1], top), *surface, 1 << side, category)

    outside = outer_intervals(plan, room, side)
    cuts = sorted({start, end, *(min(max(x, start), end) for pair in outside for x in pair)})
    for low, high in pairwise(cuts):
        middle = (low + high) / 2
        is_outer = any(a < middle < b for a, b in outside)
        surface = finish.outer if is_outer else finish.inner
        holes = [
            hole for hole in _doors_in(plan, room, side, doors) if low < hole.low < high
        ] + sorted(
            (
                hole
                for hole in windows
                if (hole.room, hole.side) == (room, side) and low < hole.low < high
            ),
            key=lambda hole: hole.low,
        )
        for hole in holes:
            yield panel(low, hole.low, 0, height, surface)
            yield panel(hole.low, hole.high, hole.top, height, surface)
            if isinstance(hole, Window):
                if hole.bottom > 0:
                    yield panel(hole.low, hole.high, 0, hole.bottom, surface)
                yield panel(hole.low, hole.high, hole.bottom, hole.top, *PANELS[hole.material])
            low = hole.high
        yield panel(low, high, 0, height, surface)


def _reveal(door: Door, finish: Finish) -> Iterator[Block]:
    x0, y0, x1, y1 = door.floor

    def frame(low, high, faces):
        return Block(low, high, *finish.outer, faces, "door frame")

    yield Block((x0, y0, 0), (x1, y1, 0), *finish.floor, UP, "floor")
    yield frame((x0, y0, door.top), (x1, y1, door.top), DOWN)
    if door.axis == 0:
        yield frame((x0, y0, 0), (x1, y0, door.top), NORTH)
        yield frame((x0, y1, 0), (x1, y1, door.top), SOUTH)
    else:
        yield frame((x0, y0, 0), (x0, y1, door.top), EAST)
        yield frame((x1, y0, 0), (x1, y1, door.top), WEST)
