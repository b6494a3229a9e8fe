"""Placement of furniture: along the walls or free, never in front of a door.

A piece is accepted only if the room stays walkable: on both navigation grids every
node at a door stays free and (almost) all free nodes of the room stay connected.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.scene.navigation import BODY_RADIUS, STEPS, is_free
from av_envs.scene.procedural import furniture
from av_envs.scene.procedural.blocks import UP, Block, Rectangle, turned
from av_envs.scene.procedural.finishes import TEXTILES, pick
from av_envs.scene.procedural.floorplan import FloorPlan
from av_envs.scene.procedural.furniture import Piece
from av_envs.scene.procedural.openings import Door, Window, side_line
from av_envs.scene.scene import FABRIC

DOOR_APRON = 0.9  # m kept free in front of a door
WALL_GAP = 0.03  # m to the wall beside a piece and between pieces
POCKET_SHARE = 0.03  # of a room's nodes may be cut off by furniture
TRIES = 12  # places tried per piece before it is left out
MOST_PIECES = 24  # per room, curtains included
RUG_HEIGHT = 0.012  # m

Draw = Callable[[np.random.Generator], Piece]

# What stands along the walls of a room, and the chance that it is tried at all.
ALONG_WALLS: dict[str, tuple[tuple[Draw, float], ...]] = {
    "living room": (
        (furniture.sofa, 1.0), (furniture.sideboard, 0.9), (furniture.bookshelf, 0.9),
        (furniture.armchair, 0.8), (furniture.armchair, 0.4), (furniture.bookshelf, 0.4),
    ),
    "living kitchen": (
        (furniture.kitchen_counter, 1.0), (furniture.fridge, 1.0), (furniture.sofa, 1.0),
        (furniture.bookshelf, 0.7), (furniture.sideboard, 0.6), (furniture.armchair, 0.5),
    ),
    "studio": (
        (furniture.bed, 1.0), (furniture.kitchen_counter, 1.0), (furniture.fridge, 1.0),
        (furniture.wardrobe, 1.0), (furniture.sofa, 0.8), (furniture.bookshelf, 0.7),
    ),
    "bedroom": (
        (furniture.bed, 1.0), (furniture.wardrobe, 1.0), (furniture.nightstand, 0.7),
        (furniture.desk, 0.4), (furniture.armchair, 0.3), (furniture.bookshelf, 0.3),
    ),
    "kitchen": (
        (furniture.kitchen_counter, 1.0), (furniture.low_counter, 1.0), (furniture.fridge, 1.0),
        (furniture.low_counter, 0.5),
    ),
    "dining room": ((furniture.sideboard, 0.9), (furniture.bookshelf, 0.4)),
    "study": (
        (furniture.desk, 1.0), (furniture.bookshelf, 1.0), (furniture.bookshelf, 0.7),
        (furniture.armchair, 0.6), (furniture.sofa, 0.3),
    ),
    "bathroom": ((furniture.bathtub, 0.9), (furniture.toilet, 1.0), (furniture.basin, 1.0)),
    "hallway": ((furniture.shoe_cabinet, 0.8), (furniture.shoe_cabinet, 0.3)),
}  # fmt: skip
IN_THE_MIDDLE: dict[str, tuple[tuple[Draw, float], ...]] = {
    "living room": ((furniture.coffee_table, 0.8),),
    "living kitchen": ((furniture.dining_table, 0.8),),
    "studio": ((furniture.dining_table, 0.6),),
    "dining room": ((furniture.dining_table, 1.0),),
    "kitchen": ((furniture.dining_table, 0.6),),
}
RUGS = {
    "living room": 0.8, "living kitchen": 0.6, "studio": 0.6, "bedroom": 0.5,
    "dining room": 0.4, "study": 0.6, "hallway": 0.4,
}  # fmt: skip
CURTAINS = {
    "living room": 0.9, "living kitchen": 0.8, "studio": 0.9, "bedroom": 0.95,
    "dining room": 0.7, "study": 0.7, "kitchen": 0.2,
}  # fmt: skip


PICTURES = {"living room": 3, "living kitchen": 2, "studio": 3, "hallway": 2, "bathroom": 0}


class Furniture(NamedTuple):
    """A piece in its place. Rugs and pictures are flat; everything else blocks the way."""

    name: str
    room: int
    footprint: Rectangle
    height: float
    blocks: tuple[Block, ...]
    blocks_the_way: bool


def furnish(
    rng: np.random.Generator,
    plan: FloorPlan,
    uses: Sequence[str],
    doors: Sequence[Door],
    windows: Sequence[Window],
    height: float,
) -> tuple[Furniture, ...]:
    """Curtains, furniture and rugs for all rooms."""
    placed: list[Furniture] = []
    for room, use in enumerate(uses):
        space = _Space(rng, plan, room, doors, windows)
        for window in space.windows:
            if window.material == "window_glass" and rng.random() < CURTAINS.get(use, 0.0):
                _hang_curtains(space, window, height)
        for draw, chance in ALONG_WALLS[use]:
            if rng.random() < chance:
                _place_along_wall(space, draw(rng))
        for draw, chance in IN_THE_MIDDLE.get(use, ()):
            if rng.random() < chance:
                _place_in_middle(space, draw(rng))
        for _ in range(PICTURES.get(use, 1)):
            _hang_picture(space, furniture.picture(rng))
        if rng.random() < RUGS.get(use, 0.0):
            _lay_rug(space)
        placed.extend(space.furniture)
    return tuple(placed)


class _Space:
    """One room while it is being furnished."""

    def __init__(self, rng, plan: FloorPlan, room: int, doors, windows):
        self.rng, self.room = rng, room
        self.floor = plan.inside(room)
        self.windows = [window for window in windows if window.room == room]
        self.furniture: list[Furniture] = []
        own = [door for door in doors if room in door.rooms]
        self.aprons = [_apron(door) for door in own]
        self.aprons += [self._inside_front(window) for window in self.windows if window.bottom == 0]
        self._entries = np.array([_node_at(door, self.floor) for door in own])
        self._obstacles = np.zeros((MOST_PIECES, 4))
        self._n_obstacles = 0

    def accepts(self, footprint: Rectangle) -> bool:
        """Whether a piece may stand there: clear of doors and of others, and walkable."""
        if self._n_obstacles == MOST_PIECES or any(_overlap(footprint, a) for a in self.aprons):
            return False
        grown = _grown(footprint, WALL_GAP)
        if any(_overlap(grown, self._obstacles[k]) for k in range(self._n_obstacles)):
            return False
        self._obstacles[self._n_obstacles] = footprint
        floor = np.array(_grown(self.floor, -BODY_RADIUS))
        return all(
            _stays_walkable(floor, self._entries, self._obstacles, self._n_obstacles + 1, grid)
            for grid in (1.0, 0.5)
        )

    def add(self, piece: Piece, footprint: Rectangle, turns: int, origin) -> None:
        """Put a piece down so that its frame, turned, starts at `origin`."""
        self._obstacles[self._n_obstacles] = footprint
        self._n_obstacles += 1
        self._keep(piece, footprint, turns, origin, blocks_the_way=True)

    def hang(self, piece: Piece, footprint: Rectangle, turns: int, origin) -> None:
        """As `add`, for a piece that is too flat to block the way."""
        self._keep(piece, footprint, turns, origin, blocks_the_way=False)

    def _keep(self, piece: Piece, footprint, turns, origin, blocks_the_way: bool) -> None:
        named = (block._replace(category=piece.name) for block in piece.blocks)
        blocks = tuple(turned(block, turns, origin) for block in named)
        self.furniture.append(
            Furniture(piece.name, self.room, footprint, piece.height, blocks, blocks_the_way)
        )

    def _inside_front(self, window: Window) -> Rectangle:
        return _footprint_at(self.floor, window.side, window.low, window.high, DOOR_APRON)


def _place_along_wall(space: _Space, piece: Piece) -> None:
    rng = space.rng
    for _ in range(TRIES):
        side = int(rng.integers(4))
        _, (start, end) = side_line(space.floor, side)
        slack = end - start - piece.width - 2 * WALL_GAP
        share = float(pick(rng, (0.0, 1.0, 0.5, rng.random())))
        if slack < 0:
            continue
        low = start + WALL_GAP + share * slack
        if _try_at_wall(space, piece, side, low):
            return


def _try_at_wall(space: _Space, piece: Piece, side: int, low: float) -> bool:
    high = low + piece.width
    for window in space.windows:
        covers = window.side == side and window.low < high and low < window.high
        if covers and piece.height > window.bottom and piece.name != "curtain":
            return False
    footprint = _footprint_at(space.floor, side, low, high, piece.depth)
    if not space.accepts(footprint):
        return False
    space.add(piece, footprint, *_frame_at(space.floor, side, low, high))
    return True


def _place_in_middle(space: _Space, piece: Piece) -> None:
    rng = space.rng
    x0, y0, x1, y1 = space.floor
    for _ in range(TRIES):
        turns = int(rng.integers(2))
        width, depth = (piece.width, piece.depth) if turns == 0 else (piece.depth, piece.width)
        left = x0 + (x1 - x0 - width) * float(rng.uniform(0.25, 0.75))
        bottom = y0 + (y1 - y0 - depth) * float(rng.uniform(0.25, 0.75))
        footprint = (left, bottom, left + width, bottom + depth)
        if min(x1 - x0 - width, y1 - y0 - depth) > 0.2 and space.accepts(footprint):
            space.add(piece, footprint, turns, (left + turns * width, bottom))
            return


def _hang_curtains(space: _Space, window: Window, height: float) -> None:
    """Drawn over the window, or gathered at one or both of its sides."""
    rng, colour = space.rng, pick(space.rng, TEXTILES)
    top = min(height - 0.1, 2.3)
    if rng.random() < 0.3:
        spans = [(window.low - 0.15, window.high + 0.15)]
    else:
        width = float(rng.uniform(0.3, 0.5))
        spans = [(window.low - width, window.low), (window.high, window.high + width)]
        spans = spans[: int(rng.integers(1, 3))]
    _, (start, end) = side_line(space.floor, window.side)
    for low, high in spans:
        low, high = max(low, start + WALL_GAP), min(high, end - WALL_GAP)
        if high - low > 0.15:
            _try_at_wall(space, furniture.curtain(high - low, top, colour), window.side, low)


def _hang_picture(space: _Space, picture: Piece) -> None:
    """On a stretch of wall without door, window or anything tall in front of it."""
    side = int(space.rng.integers(4))
    _, (start, end) = side_line(space.floor, side)
    slack = end - start - picture.width - 2 * WALL_GAP
    low = start + WALL_GAP + slack * float(space.rng.random())
    footprint = _footprint_at(space.floor, side, low, low + picture.width, picture.depth)
    bottom = min(block.low[2] for block in picture.blocks)
    in_the_way = [
        *space.aprons,
        *(piece.footprint for piece in space.furniture if piece.height > bottom),
        *(
            _footprint_at(space.floor, window.side, window.low, window.high, DOOR_APRON)
            for window in space.windows
        ),
    ]
    if slack > 0 and not any(_overlap(_grown(footprint, WALL_GAP), other) for other in in_the_way):
        space.hang(picture, footprint, *_frame_at(space.floor, side, low, low + picture.width))


def _lay_rug(space: _Space) -> None:
    """A flat rectangle over the middle of the floor; furniture stands on it."""
    x0, y0, x1, y1 = space.floor
    share_x, share_y = (float(share) for share in space.rng.uniform(0.4, 0.7, 2))
    inset_x, inset_y = (x1 - x0) * (1 - share_x) / 2, (y1 - y0) * (1 - share_y) / 2
    footprint = (x0 + inset_x, y0 + inset_y, x1 - inset_x, y1 - inset_y)
    low, high = (*footprint[:2], RUG_HEIGHT), (*footprint[2:], RUG_HEIGHT)
    rug = Block(low, high, "rug", pick(space.rng, TEXTILES), FABRIC, UP, "rug")
    space.furniture.append(Furniture("rug", space.room, footprint, RUG_HEIGHT, (rug,), False))


def _footprint_at(floor: Rectangle, side: int, low: float, high: float, depth: float) -> Rectangle:
    x0, y0, x1, y1 = floor
    return (
        (x0, low, x0 + depth, high),
        (low, y0, high, y0 + depth),
        (x1 - depth, low, x1, high),
        (low, y1 - depth, high, y1),
    )[side]


def _frame_at(floor: Rectangle, side: int, low: float, high: float):
    """Quarter turns and origin of the frame of a piece with its back to the wall `side`."""
    x0, y0, x1, y1 = floor
    return side - 1, ((x0, high), (low, y0), (x1, low), (high, y1))[side]


def _apron(door: Door) -> Rectangle:
    x0, y0, x1, y1 = door.floor
    reach_x, reach_y = (DOOR_APRON, 0.1) if door.axis == 0 else (0.1, DOOR_APRON)
    return x0 - reach_x, y0 - reach_y, x1 + reach_x, y1 + reach_y


def _node_at(door: Door, floor: Rectangle) -> tuple[float, float]:
    """The node of the coarse grid in front of a door, on the side of `floor`."""
    along = np.floor((door.low + door.high) / 2) + 0.5
    if door.high - door.low < 1.5:
        along = (door.low + door.high) / 2
    centre = (floor[door.axis] + floor[door.axis + 2]) / 2
    across = round(door.line) + (0.5 if centre > door.line else -0.5)
    return (across, along) if door.axis == 0 else (along, across)


def _grown(rectangle: Rectangle, by: float) -> Rectangle:
    x0, y0, x1, y1 = rectangle
    return x0 - by, y0 - by, x1 + by, y1 + by


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


@njit(cache=True, nogil=True, fastmath=True)
def _stays_walkable(floor, entries, obstacles, n_obstacles, grid):
    """Whether all entries are free and reach all but a few of the room's free nodes."""
    i0, i1 = int(np.ceil((floor[0] - 0.5) / grid)), int(np.floor((floor[2] - 0.5) / grid))
    j0, j1 = int(np.ceil((floor[1] - 0.5) / grid)), int(np.floor((floor[3] - 0.5) / grid))
    nx, ny = i1 - i0 + 1, j1 - j0 + 1
    free = np.zeros((nx, ny), np.bool_)
    n_free = 0
    for i in range(nx):
        for j in range(ny):
            x, y = 0.5 + grid * (i0 + i), 0.5 + grid * (j0 + j)
            free[i, j] = is_free(x, y, x, y, obstacles, n_obstacles)
            n_free += free[i, j]
    if n_free == 0:
        return False
    reached = np.zeros((nx, ny), np.bool_)
    stack = np.empty((nx * ny, 2), np.int64)
    height, n_reached = 0, 0
    for k in range(len(entries)):
        i = int(np.round((entries[k, 0] - 0.5) / grid)) - i0
        j = int(np.round((entries[k, 1] - 0.5) / grid)) - j0
        if not free[i, j]:
            return False
        if k == 0:
            stack[0, 0], stack[0, 1], height = i, j, 1
            reached[i, j] = True
    while height:
        height -= 1
        n_reached += 1
        i, j = stack[height, 0], stack[height, 1]
        x, y = 0.5 + grid * (i0 + i), 0.5 + grid * (j0 + j)
        for heading in range(4):
            a, b = i + STEPS[heading, 0], j + STEPS[heading, 1]
            if 0 <= a < nx and 0 <= b < ny and free[a, b] and not reached[a, b]:
                u, v = x + grid * STEPS[heading, 0], y + grid * STEPS[heading, 1]
                if is_free(min(x, u), min(y, v), max(x, u), max(y, v), obstacles, n_obstacles):
                    reached[a, b] = True
                    stack[height, 0], stack[height, 1] = a, b
                    height += 1
    for k in range(len(entries)):
        i = int(np.round((entries[k, 0] - 0.5) / grid)) - i0
        j = int(np.round((entries[k, 1] - 0.5) / grid)) - j0
        if not reached[i, j]:
            return False
    return n_reached >= (1.0 - POCKET_SHARE) * n_free
