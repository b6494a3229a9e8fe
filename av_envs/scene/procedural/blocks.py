"""Upright boxes, of which procedural dwellings are built, and their triangles.

A block has only its visible faces: a wardrobe on the floor against a wall has no bottom
and no back, a wall panel is a flat block with one face. So no two triangles coincide,
which ray tracing and image sources require.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from av_envs.conventions import HEADING_STEPS
from av_envs.scene.materials import MATERIALS
from av_envs.scene.scene import CATEGORIES, Mesh

EAST, NORTH, WEST, SOUTH, UP, DOWN = (1 << face for face in range(6))
SIDES = EAST | NORTH | WEST | SOUTH
STANDING = SIDES | UP
FLOATING = STANDING | DOWN
AGAINST_WALL = EAST | NORTH | WEST | UP  # the wall is to the south, as in furniture's own frame

Rectangle = tuple[float, float, float, float]  # x0, y0, x1, y1 in metres
Colour = tuple[int, int, int]

# Corner of the box (0 low, 1 high) per face, counter-clockwise seen from outside.
_CORNERS = np.array(
    [
        [(1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)],
        [(1, 1, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1)],
        [(0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1)],
        [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)],
        [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
        [(0, 1, 0), (1, 1, 0), (1, 0, 0), (0, 0, 0)],
    ]
)
_TWO_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])
_FACE_AXES = np.array([(1, 2), (0, 2), (1, 2), (0, 2), (0, 1), (0, 1)])


class Block(NamedTuple):
    """An upright box, or a flat rectangle if two of its sides coincide.

    low, high  (3,) metres, opposite corners
    material   name in MATERIALS
    colour     red, green, blue in 0..255
    pattern    a texture of `av_envs.scene.scene`, e.g. PLANKS
    faces      which faces exist: EAST | NORTH | WEST | SOUTH | UP | DOWN
    category   what it is or belongs to, one of CATEGORIES
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    material: str
    colour: Colour
    pattern: int
    faces: int
    category: str = "void"


def turned(block: Block, quarter_turns: int, origin: tuple[float, float]) -> Block:
    """`block` turned counter-clockwise about the vertical, then moved to `origin`."""
    cos, sin = HEADING_STEPS[quarter_turns % 4]
    (x0, y0, z0), (x1, y1, z1) = block.low, block.high
    xs = sorted((cos * x0 - sin * y0, cos * x1 - sin * y1))
    ys = sorted((sin * x0 + cos * y0, sin * x1 + cos * y1))
    sides = (block.faces & SIDES) << (quarter_turns % 4)
    return block._replace(
        low=(xs[0] + origin[0], ys[0] + origin[1], z0),
        high=(xs[1] + origin[0], ys[1] + origin[1], z1),
        faces=(sides | sides >> 4) & SIDES | block.faces & ~SIDES,
    )


def shown_faces(blocks: Sequence[Block]) -> tuple[np.ndarray, np.ndarray]:
    """Block index and face number (0 east ... 5 down) of every face that exists."""
    masks = np.array([block.faces for block in blocks], np.uint8)
    return np.nonzero(masks[:, None] >> np.arange(6) & 1)


def face_areas(blocks: Sequence[Block]) -> tuple[np.ndarray, np.ndarray]:
    """Index into MATERIALS and area in m2 of every face that exists."""
    owner, face = shown_faces(blocks)
    size = np.array([block.high for block in blocks]) - np.array([block.low for block in blocks])
    sides = np.take_along_axis(size[owner], _FACE_AXES[face], axis=1)
    return _material_indices(blocks)[owner], sides.prod(axis=1)


def mesh_of(blocks: Sequence[Block]) -> Mesh:
    """All triangles of the blocks, two per face; indices into MATERIALS and CATEGORIES."""
    owner, face = shown_faces(blocks)
    extents = np.array([(block.low, block.high) for block in blocks])  # (B, low/high, 3)
    corners = _CORNERS[face]  # (F, 4, 3)
    points = extents[owner[:, None, None], corners, np.arange(3)]
    colours = np.array([block.colour for block in blocks], np.uint8)
    patterns = np.array([block.pattern for block in blocks], np.uint8)
    categories = np.array([CATEGORIES.index(block.category) for block in blocks], np.uint8)
    twice = np.repeat(owner, 2)
    return Mesh(
        points[:, _TWO_TRIANGLES].reshape(-1, 3, 3).astype(np.float32),
        _material_indices(blocks)[twice].astype(np.int32),
        colours[twice],
        patterns[twice],
        categories[twice],
    )


def _material_indices(blocks: Sequence[Block]) -> np.ndarray:
    index = {name: number for number, name in enumerate(MATERIALS)}
    return np.array([index[block.material] for block in blocks])
