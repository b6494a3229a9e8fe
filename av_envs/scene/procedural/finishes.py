"""Finishes of rooms: materials, colours and patterns of floor, walls and ceiling."""

from typing import NamedTuple, TypeVar

import numpy as np

from av_envs.scene.procedural.blocks import Colour
from av_envs.scene.scene import FABRIC, PLAIN, PLANKS, STRIPES, TILES

T = TypeVar("T")

WALL_PAINTS: tuple[Colour, ...] = (
    (236, 232, 222), (222, 208, 184), (196, 210, 200), (186, 202, 220), (226, 196, 178),
    (212, 190, 200), (238, 220, 160), (168, 186, 170), (204, 204, 208), (180, 164, 148),
    (150, 172, 190), (228, 180, 150),
)  # fmt: skip
WOODS: tuple[Colour, ...] = (
    (176, 130, 84), (140, 96, 60), (200, 160, 112), (112, 76, 50), (186, 150, 120),
)  # fmt: skip
STONES: tuple[Colour, ...] = (
    (214, 212, 206), (170, 176, 180), (190, 170, 150), (120, 128, 136), (206, 220, 224),
)  # fmt: skip
TEXTILES: tuple[Colour, ...] = (
    (150, 40, 44), (44, 74, 120), (70, 104, 70), (188, 160, 96), (110, 86, 130),
    (90, 96, 104), (204, 190, 170), (176, 96, 60), (60, 120, 128),
)  # fmt: skip
CARPETS: tuple[Colour, ...] = (
    (168, 158, 146), (128, 132, 136), (140, 116, 100), (110, 124, 116), (124, 128, 150),
    (160, 132, 128),
)  # fmt: skip
CEILING: Colour = (244, 243, 238)
WET = ("bathroom", "kitchen", "living kitchen", "studio")  # no carpet here


class Surface(NamedTuple):
    material: str
    colour: Colour
    pattern: int


class Finish(NamedTuple):
    """The inside of one room; `outer` faces nothing, `inner` has another room behind it."""

    floor: Surface
    ceiling: Surface
    inner: Surface
    outer: Surface


def pick(rng: np.random.Generator, choices: tuple[T, ...]) -> T:
    return choices[int(rng.integers(len(choices)))]


def draw_finishes(rng: np.random.Generator, uses: tuple[str, ...]) -> tuple[Finish, ...]:
    """A finish per room; walls of one dwelling are all built alike."""
    inner, outer = ("stud", "lined_outer") if rng.random() < 0.75 else ("masonry", "outer")
    wood = pick(rng, WOODS)
    paints = rng.permutation(len(WALL_PAINTS))
    return tuple(
        _draw_finish(rng, use, inner, outer, wood, WALL_PAINTS[paint])
        for use, paint in zip(uses, paints, strict=False)
    )


def _draw_finish(rng, use: str, inner: str, outer: str, wood: Colour, paint: Colour) -> Finish:
    ceiling = Surface("plaster_ceiling", CEILING, PLAIN)
    if use == "bathroom":
        tiles = pick(rng, STONES)
        inner, outer = f"tiled_{inner}_wall", "tiled_outer_wall"
        walls = [Surface(material, tiles, TILES) for material in (inner, outer)]
        return Finish(Surface("tile_floor", pick(rng, STONES), TILES), ceiling, *walls)
    pattern = STRIPES if rng.random() < 0.2 else PLAIN
    walls = [Surface(f"{material}_wall", paint, pattern) for material in (inner, outer)]
    if use == "kitchen" and rng.random() < 0.7:
        floor = Surface("tile_floor", pick(rng, STONES), TILES)
    elif use == "bedroom" and rng.random() < 0.5:
        floor = carpeted(rng)
    else:
        floor = Surface("wood_floor", wood, PLANKS)
    return Finish(floor, ceiling, *walls)


def carpeted(rng: np.random.Generator) -> Surface:
    return Surface("carpet", pick(rng, CARPETS), FABRIC)
