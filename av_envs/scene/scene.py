"""The scene of a dwelling: triangles, materials, rooms and navigation graph."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from av_envs.scene.bvh import Bvh, build_bvh
from av_envs.scene.materials import Material
from av_envs.scene.navigation import NavigationGraph

# Procedural textures, see `av_envs.vision.textures`.
PLAIN, PLANKS, TILES, BRICKS, FABRIC, STRIPES, MARBLE, BOOKS = PATTERNS = range(8)

# Semantic categories: the shell of a dwelling, then furniture.
CATEGORIES: tuple[str, ...] = (
    "void", "wall", "floor", "ceiling", "door", "door frame", "window", "rug", "picture", "curtain",
    "sofa", "armchair", "bed", "wardrobe", "bookshelf", "sideboard", "nightstand", "shoe cabinet",
    "desk", "coffee table", "dining table", "kitchen counter", "low counter", "fridge", "bathtub",
    "basin", "toilet",
)  # fmt: skip
VOID = CATEGORIES.index("void")  # nothing, or unknown

SMALLEST_AREA = 1e-8  # m2; anything smaller has no usable normal


class Room(NamedTuple):
    """A room and its floor: bounds (x0, y0, x1, y1) in metres, inside the walls."""

    name: str
    bounds: tuple[float, float, float, float]


class Mesh(NamedTuple):
    """Triangles with what `Scene` holds per triangle.

    triangles  (T,3,3) metres; corners run counter-clockwise as seen from the air
    material, colour, pattern, category
               as in `Scene`, in the order of `triangles`; without `category` all is void
    """

    triangles: np.ndarray
    material: np.ndarray
    colour: np.ndarray
    pattern: np.ndarray
    category: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """Surfaces, rooms and walkable places. World frame: x east, y north, z up, in metres.

    All arrays with T rows follow the order of `bvh.triangles`.

    normals    (T,3) float32, unit length; walls and furniture face the air
    material   (T,) int32, index into `materials`
    colour     (T,3) uint8, red green blue
    pattern    (T,) uint8, procedural texture: one of PATTERNS
    category   (T,) uint8, index into CATEGORIES
    materials  the materials that occur, each with values per octave band
    rooms      by index as in `graph.room`
    """

    name: str
    bvh: Bvh
    normals: np.ndarray
    material: np.ndarray
    colour: np.ndarray
    pattern: np.ndarray
    category: np.ndarray
    materials: tuple[Material, ...]
    rooms: tuple[Room, ...]
    graph: NavigationGraph

    @classmethod
    def build(
        cls,
        name: str,
        mesh: Mesh,
        materials: tuple[Material, ...],
        rooms: tuple[Room, ...],
        graph: NavigationGraph,
    ) -> "Scene":
        """The scene of a mesh, its triangles sorted for ray casting; ValueError if ill-formed."""
        triangles = np.ascontiguousarray(mesh.triangles, np.float32)
        category = np.full(len(triangles), VOID) if mesh.category is None else mesh.category
        normals = _unit_normals(name, triangles)
        rows: dict[str, np.ndarray] = {
            "material": np.asarray(mesh.material, np.int32),
            "colour": np.asarray(mesh.colour, np.uint8),
            "pattern": np.asarray(mesh.pattern, np.uint8),
            "category": np.asarray(category, np.uint8),
        }
        for field in rows:
            shape = (3,) if field == "colour" else ()
            if rows[field].shape != (len(triangles), *shape):
                raise ValueError(
                    f"scene {name!r}: {field} must have shape {(len(triangles), *shape)}, "
                    f"got {rows[field].shape}"
                )
        _check_indices(name, "material", rows["material"], len(materials))
        _check_indices(name, "pattern", rows["pattern"], len(PATTERNS))
        _check_indices(name, "category", rows["category"], len(CATEGORIES))
        _check_indices(name, "graph.room", graph.room, len(rooms))
        bvh, order = build_bvh(triangles)
        sorted_rows = {field: values[order] for field, values in rows.items()}
        return cls(
            name, bvh, normals[order], **sorted_rows,
            materials=tuple(materials), rooms=tuple(rooms), graph=graph,
        )  # fmt: skip

    @property
    def triangles(self) -> np.ndarray:
        """(T,3,3) float32, metres, corners of every triangle."""
        vertex, edge1, edge2 = self.bvh.triangles.reshape(-1, 3, 3).swapaxes(0, 1)
        return np.stack([vertex, vertex + edge1, vertex + edge2], axis=1)

    @cached_property
    def absorption(self) -> np.ndarray:
        """(M,7) float32, energy fraction per material and octave band."""
        return self._table("absorption")

    @cached_property
    def scattering(self) -> np.ndarray:
        """(M,7) float32, share of the reflected energy that is diffuse."""
        return self._table("scattering")

    @cached_property
    def transmission(self) -> np.ndarray:
        """(M,7) float32, energy fraction that crosses a whole wall of two faces."""
        return self._table("transmission")

    @cached_property
    def bounds(self) -> np.ndarray:
        """(2,3) float32, metres: lowest and highest corner of everything."""
        points = self.triangles.reshape(-1, 3)
        return np.stack([points.min(axis=0), points.max(axis=0)])

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 over geometry, looks, materials and graph: the key of every cache.

        Independent of the order of the triangles, of what can be computed from the rest,
        and of the categories: nothing that is kept depends on them.
        """
        surfaces = np.column_stack(
            [self.bvh.triangles, self.material, self.colour, self.pattern]
        ).astype(np.float32)
        surfaces = surfaces[np.lexsort(surfaces.T)]
        graph = self.graph.positions, self.graph.neighbours, self.graph.room
        tables = self.absorption, self.scattering, self.transmission
        digest = hashlib.sha256()
        for array in (surfaces, *graph, *tables):
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        names = [material.name for material in self.materials]
        rooms = [(room.name, *map(float, room.bounds)) for room in self.rooms]
        digest.update(repr((names, rooms, float(self.graph.grid))).encode())
        return digest.hexdigest()

    def _table(self, field: str) -> np.ndarray:
        return np.array([getattr(material, field) for material in self.materials], np.float32)


def _unit_normals(name: str, triangles: np.ndarray) -> np.ndarray:
    if triangles.ndim != 3 or triangles.shape[1:] != (3, 3) or len(triangles) == 0:
        raise ValueError(f"scene {name!r}: triangles must be (T, 3, 3), got {triangles.shape}")
    if not np.isfinite(triangles).all():
        raise ValueError(f"scene {name!r}: triangles must be finite")
    edges = triangles[:, 1:] - triangles[:, :1]
    normals = np.cross(edges[:, 0], edges[:, 1])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    if (lengths < 2 * SMALLEST_AREA).any():
        worst = int(lengths.argmin())
        raise ValueError(f"scene {name!r}: triangle {worst} has no area: {triangles[worst]}")
    return normals / lengths


def _check_indices(name: str, field: str, values: np.ndarray, n_choices: int) -> None:
    if len(values) and not 0 <= values.min() <= values.max() < n_choices:
        raise ValueError(
            f"scene {name!r}: {field} must lie in 0..{n_choices - 1}, "
            f"got {values.min()}..{values.max()}"
        )
