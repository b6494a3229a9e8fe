"""Floor plans as SVG paths: one unit is a metre, y points down as in SVG."""

from collections.abc import Iterable
from typing import Any

from av_envs.scene import House

MARGIN = 0.4  # m around the dwelling

Rectangle = tuple[float, float, float, float]  # x0, y0, x1, y1 with y up


def house_map(scene_name: str) -> dict[str, Any]:
    """What a drawing of the dwelling needs, ready for JSON.

    box     x, y, width, height of the whole drawing
    floors, doors, rugs, things   paths: floors of rooms, gaps in the walls, what lies flat,
                                  what stands in the way
    rooms   [name, x, y, width] with the middle of the room
    """
    kind, _, seed = scene_name.partition("-")
    design = House(int(seed), kind).design
    standing = [piece.footprint for piece in design.furniture if piece.blocks_the_way]
    flat = [piece.footprint for piece in design.furniture if not piece.blocks_the_way]
    return {
        "box": _box(design.floors),
        "floors": path_of(design.floors),
        "doors": path_of(door.floor for door in design.doors),
        "rugs": path_of(flat),
        "things": path_of(standing),
        "rooms": [
            [use, _number((x0 + x1) / 2), _number(-(y0 + y1) / 2), _number(x1 - x0)]
            for use, (x0, y0, x1, y1) in zip(design.uses, design.floors, strict=True)
        ],
    }


def path_of(rectangles: Iterable[Rectangle]) -> str:
    """One path of many rectangles, to the centimetre."""
    return "".join(
        f"M{_number(x0)} {_number(-y1)}h{_number(x1 - x0)}v{_number(y1 - y0)}h{_number(x0 - x1)}z"
        for x0, y0, x1, y1 in rectangles
    )


def _box(floors: list[Rectangle]) -> list[float]:
    x0, y0 = (min(floor[axis] for floor in floors) - MARGIN for axis in (0, 1))
    x1, y1 = (max(floor[axis] for floor in floors) + MARGIN for axis in (2, 3))
    return [_number(value) for value in (x0, -y1, x1 - x0, y1 - y0)]


def _number(value: float) -> float:
    return round(float(value), 2) + 0.0
