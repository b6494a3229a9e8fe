"""Furniture as a few blocks each, drawn at random sizes.

In its own frame a piece stands with its back to the south wall: x runs along the wall
from 0 to `width`, y from the wall into the room from 0 to `depth`. Pieces that stand
free use the same frame.
"""

from typing import NamedTuple

import numpy as np

from av_envs.scene.procedural.blocks import (
    AGAINST_WALL,
    EAST,
    FLOATING,
    NORTH,
    SIDES,
    STANDING,
    UP,
    WEST,
    Block,
    Colour,
)
from av_envs.scene.procedural.finishes import STONES, TEXTILES, WOODS, pick
from av_envs.scene.scene import BOOKS, FABRIC, MARBLE, PLAIN, PLANKS, STRIPES

Corner = tuple[float, float, float]  # x, y, z in metres

WHITE: Colour = (238, 238, 236)
STEEL: Colour = (190, 194, 198)
PICTURE_GAP = 0.02  # m
FRONT = EAST | NORTH | WEST  # the upright faces of a piece that stands against the wall


class Piece(NamedTuple):
    """One piece of furniture in its own frame; lengths in metres."""

    name: str
    width: float
    depth: float
    height: float
    blocks: tuple[Block, ...]


def _box(
    low: Corner,
    high: Corner,
    material: str,
    colour: Colour,
    pattern: int = PLAIN,
    faces: int = AGAINST_WALL,
) -> Block:
    return Block(low, high, material, colour, pattern, faces)


def _piece(name: str, width: float, depth: float, *blocks: Block) -> Piece:
    return Piece(name, width, depth, max(block.high[2] for block in blocks), blocks)


def sofa(rng: np.random.Generator) -> Piece:
    width, depth = rng.uniform(1.5, 2.3), rng.uniform(0.8, 0.9)
    material, colour = (
        ("leather", pick(rng, WOODS)) if rng.random() < 0.3 else ("upholstery", pick(rng, TEXTILES))
    )
    return _piece(
        "sofa", width, depth,
        _box((0, 0, 0), (width, depth, 0.42), material, colour, FABRIC),
        _box((0, 0, 0.42), (width, 0.25, 0.85), material, colour, FABRIC),
    )  # fmt: skip


def armchair(rng: np.random.Generator) -> Piece:
    width, colour = rng.uniform(0.7, 0.85), pick(rng, TEXTILES)
    return _piece(
        "armchair", width, 0.8,
        _box((0, 0, 0), (width, 0.8, 0.42), "upholstery", colour, FABRIC),
        _box((0, 0, 0.42), (width, 0.22, 0.9), "upholstery", colour, FABRIC),
    )  # fmt: skip


def bed(rng: np.random.Generator) -> Piece:
    width, wood = float(pick(rng, (0.9, 1.4, 1.6, 1.8))), pick(rng, WOODS)
    return _piece(
        "bed", width, 2.08,
        _box((0, 0, 0), (width, 0.08, 0.95), "wood_furniture", wood, PLANKS),
        _box((0, 0.08, 0), (width, 2.08, 0.5), "mattress", pick(rng, TEXTILES), FABRIC),
    )  # fmt: skip


def wardrobe(rng: np.random.Generator) -> Piece:
    width, height = rng.uniform(1.0, 2.2), rng.uniform(1.9, 2.2)
    colour = pick(rng, (*WOODS, WHITE))
    return _piece(
        "wardrobe", width, 0.6,
        _box((0, 0, 0), (width, 0.6, height), "wood_furniture", colour, PLANKS),
    )  # fmt: skip


def bookshelf(rng: np.random.Generator) -> Piece:
    width, height = rng.uniform(0.8, 2.0), rng.uniform(1.5, 2.2)
    wood = pick(rng, WOODS)
    return _piece(
        "bookshelf", width, 0.32,
        _box((0, 0, 0), (width, 0.32, height), "bookshelf", wood, BOOKS),
    )  # fmt: skip


def sideboard(rng: np.random.Generator) -> Piece:
    width, height = rng.uniform(1.0, 1.8), rng.uniform(0.5, 0.9)
    return _piece(
        "sideboard", width, 0.42,
        _box((0, 0, 0), (width, 0.42, height), "wood_furniture", pick(rng, WOODS), PLANKS),
    )  # fmt: skip


def nightstand(rng: np.random.Generator) -> Piece:
    return _piece(
        "nightstand", 0.45, 0.4,
        _box((0, 0, 0), (0.45, 0.4, 0.5), "wood_furniture", pick(rng, WOODS), PLANKS),
    )  # fmt: skip


def shoe_cabinet(rng: np.random.Generator) -> Piece:
    width = rng.uniform(0.6, 1.0)
    return _piece(
        "shoe cabinet", width, 0.24,
        _box((0, 0, 0), (width, 0.24, 1.0), "wood_furniture", pick(rng, (*WOODS, WHITE)), PLANKS),
    )  # fmt: skip


def desk(rng: np.random.Generator) -> Piece:
    width, wood = rng.uniform(1.2, 1.6), pick(rng, WOODS)
    return _piece(
        "desk", width, 0.7,
        _box((0, 0, 0.7), (width, 0.7, 0.74), "wood_furniture", wood, PLANKS, FLOATING ^ 8),
        _box(
            (width - 0.45, 0.05, 0), (width - 0.05, 0.6, 0.7),
            "wood_furniture", wood, PLANKS, SIDES,
        ),
    )  # fmt: skip


def coffee_table(rng: np.random.Generator) -> Piece:
    width, depth, wood = rng.uniform(0.8, 1.2), rng.uniform(0.5, 0.7), pick(rng, WOODS)
    return _piece(
        "coffee table", width, depth,
        _box((0, 0, 0), (width, depth, 0.42), "wood_furniture", wood, PLANKS, STANDING),
    )  # fmt: skip


def dining_table(rng: np.random.Generator) -> Piece:
    """A table on a pedestal with a bench on either side."""
    width, wood, cloth = rng.uniform(1.1, 1.8), pick(rng, WOODS), pick(rng, TEXTILES)
    middle = width / 2
    return _piece(
        "dining table", width, 1.5,
        _box((0, 0.33, 0.71), (width, 1.17, 0.75), "wood_furniture", wood, PLANKS, FLOATING),
        _box(
            (middle - 0.2, 0.6, 0), (middle + 0.2, 0.9, 0.71),
            "wood_furniture", wood, PLANKS, SIDES,
        ),
        _box((0.1, 0, 0), (width - 0.1, 0.36, 0.46), "upholstery", cloth, FABRIC, STANDING),
        _box((0.1, 1.14, 0), (width - 0.1, 1.5, 0.46), "upholstery", cloth, FABRIC, STANDING),
    )  # fmt: skip


def kitchen_counter(rng: np.random.Generator) -> Piece:
    """Base cabinets under a worktop, with cabinets on the wall above."""
    width, front = rng.uniform(1.6, 2.8), pick(rng, (*WOODS, WHITE, *TEXTILES))
    return _piece(
        "kitchen counter", width, 0.6,
        _box((0, 0, 0), (width, 0.6, 0.9), "wood_furniture", front, PLAIN, FRONT),
        _box((0, 0, 0.9), (width, 0.6, 0.9), "worktop", pick(rng, STONES), MARBLE, UP),
        _box((0, 0, 1.45), (width, 0.35, 2.1), "wood_furniture", front, PLAIN, FLOATING ^ 8),
    )  # fmt: skip


def low_counter(rng: np.random.Generator) -> Piece:
    """Base cabinets only, short enough to find a place under a window."""
    width, front = rng.uniform(0.9, 1.6), pick(rng, (*WOODS, WHITE))
    return _piece(
        "low counter", width, 0.6,
        _box((0, 0, 0), (width, 0.6, 0.9), "wood_furniture", front, PLAIN, FRONT),
        _box((0, 0, 0.9), (width, 0.6, 0.9), "worktop", pick(rng, STONES), MARBLE, UP),
    )  # fmt: skip


def fridge(rng: np.random.Generator) -> Piece:
    height = rng.uniform(1.5, 1.95)
    return _piece(
        "fridge", 0.6, 0.62,
        _box((0, 0, 0), (0.6, 0.62, height), "ceramic", pick(rng, (WHITE, STEEL))),
    )  # fmt: skip


def bathtub(rng: np.random.Generator) -> Piece:
    return _piece("bathtub", 1.65, 0.72, _box((0, 0, 0), (1.65, 0.72, 0.55), "ceramic", WHITE))


def basin(rng: np.random.Generator) -> Piece:
    width = rng.uniform(0.5, 0.9)
    return _piece("basin", width, 0.45, _box((0, 0, 0), (width, 0.45, 0.85), "ceramic", WHITE))


def toilet(rng: np.random.Generator) -> Piece:
    return _piece(
        "toilet", 0.38, 0.6,
        _box((0, 0, 0), (0.38, 0.6, 0.42), "ceramic", WHITE),
        _box((0, 0, 0.42), (0.38, 0.16, 0.8), "ceramic", WHITE),
    )  # fmt: skip


def picture(rng: np.random.Generator) -> Piece:
    """A wall hanging: cloth that hangs free of the wall by the width of a finger."""
    width, height = rng.uniform(0.6, 1.8), rng.uniform(0.5, 0.9)
    low = 1.6 - height / 2
    return _piece(
        "picture", width, PICTURE_GAP,
        _box(
            (0, PICTURE_GAP, low), (width, PICTURE_GAP, low + height),
            "wall_hanging", pick(rng, TEXTILES), pick(rng, (STRIPES, FABRIC, MARBLE)), NORTH,
        ),
    )  # fmt: skip


def curtain(width: float, height: float, colour: Colour) -> Piece:
    return _piece(
        "curtain", width, 0.08,
        _box((0, 0, 0), (width, 0.08, height), "curtain", colour, FABRIC),
    )  # fmt: skip
