"""Scenes of triangle meshes: `read_mesh("house.glb")` returns a scene and a report."""

import logging
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from av_envs.paths import suffix_of, user_path
from av_envs.scene.bvh import Bvh, build_bvh
from av_envs.scene.importing.finish import Finish, Materials, finish_parts
from av_envs.scene.importing.frame import decide_frame, in_metres
from av_envs.scene.importing.graph import NoFloorError, Walkable, mesh_graph
from av_envs.scene.importing.leaks import look_around, turned_to_air
from av_envs.scene.importing.mesh_file import read_surfaces
from av_envs.scene.importing.report import MeshReport
from av_envs.scene.importing.surfaces import Surfaces
from av_envs.scene.materials import Material
from av_envs.scene.navigation import BODY_RADIUS, NavigationGraph
from av_envs.scene.scene import PLAIN, SMALLEST_AREA, Room, Scene

UNKNOWN = "unknown"  # the material of what no rule names
ROOM = "room"  # the only one: walls of a mesh do not say where a room ends
FAR_AWAY = 1000.0  # m from the origin: single precision gets coarser than a tenth of a millimetre
SAME_CORNER = 1e-5  # m
LEAKY = 0.02  # share of lost rays worth a warning
FEW_NODES, MANY_NODES = 12, 4000

logger = logging.getLogger(__name__)


class MeshOptions(NamedTuple):
    """Options of a scene, as in `read_mesh`.

    usual  materials by name that come after those of the user and before the rules
    """

    grid: float = 1.0
    materials: Materials | None = None
    default: str | Material = UNKNOWN
    usual: Materials | None = None


def read_mesh(
    path: str | Path,
    grid: float = 1.0,
    unit: str | float = "auto",
    up: str = "auto",
    materials: Materials | None = None,
    default: str | Material = UNKNOWN,
) -> tuple[Scene, MeshReport]:
    """The scene in a mesh file (OBJ, PLY, GLB, glTF, STL, DAE) and a report.

    grid       metres between nodes
    unit       "m", "cm", "mm", "in", "ft" or metres per unit; "auto": as the file declares,
               or guessed from the heights of its rooms
    up         "x", "y", "z" or "auto": the axis of the file that points up
    materials  {part of a name: material} for names of materials and objects; it comes
               before the rules of `av_envs.scene.importing.labels`. A material is a name in
               MATERIALS or a Material
    default    material of everything that has no telling name

    Raises an error that names the file and the fault if a body can stand nowhere in it.
    """
    path = user_path(path)
    raw = read_surfaces(path)
    frame = decide_frame(raw.triangles, suffix_of(path), (raw.unit, raw.up), unit, up)
    surfaces = raw._replace(triangles=in_metres(raw.triangles, frame))
    options = MeshOptions(grid, materials, default)
    return scene_of_surfaces(str(path), surfaces, (frame.unit_text, frame.up_text), options)


def scene_of_surfaces(
    source: str, surfaces: Surfaces, frame_texts: tuple[str, str], options: MeshOptions
) -> tuple[Scene, MeshReport]:
    """A scene of triangles in metres, z up.

    source       path or name, for the name of the scene and for errors
    frame_texts  the unit and axis that were read, with their origin
    """
    if not options.grid > 0:
        raise ValueError(f"grid must be positive, got {options.grid!r}")
    finish = finish_parts(
        surfaces.names, options.materials or {}, options.usual or {}, options.default
    )
    usable = _usable(source, surfaces.triangles)
    bvh, order = build_bvh(usable.triangles)
    rows = usable.rows[order]  # of the surfaces, in the order of the tree
    normals = _normals(bvh)
    walkable = _explore(source, bvh, normals, float(options.grid), frame_texts)
    part = surfaces.part[rows]
    sides = look_around(bvh, normals, walkable.graph.heads)
    turned = turned_to_air(sides.votes, part)
    coloured = surfaces.coloured[rows, None]
    used, material = np.unique(finish.material[part], return_inverse=True)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(source).stem) or "mesh"
    scene = Scene(
        name=name,
        bvh=_turn(bvh, turned),
        normals=np.where(turned[:, None], -normals, normals),
        material=material.astype(np.int32),
        colour=np.where(coloured, surfaces.colour[rows], finish.colour[part]).astype(np.uint8),
        pattern=np.full(len(rows), PLAIN, np.uint8),
        category=finish.category[part],
        materials=tuple(finish.materials[k] for k in used),
        rooms=(Room(ROOM, _floor_bounds(walkable.graph)),),
        graph=walkable.graph,
    )
    warnings = _warnings(walkable, sides.lost, finish, usable.shift) + surfaces.notes
    levels = scene.graph.positions[:, 2]
    report = MeshReport(
        name=name,
        n_read=len(surfaces.triangles),
        dropped=usable.dropped,
        unit=frame_texts[0],
        up=frame_texts[1],
        size=_size(bvh),
        materials=finish.matched,
        defaulted=finish.defaulted,
        default=options.default if isinstance(options.default, str) else options.default.name,
        n_nodes=len(scene.graph),
        n_islands=walkable.n_islands,
        n_beyond=walkable.n_beyond,
        levels=(float(levels.min()), float(levels.max())),
        n_flipped=int(turned.sum()),
        lost=sides.lost,
        warnings=warnings,
    )
    logger.info("%s", report)
    for warning in warnings:
        logger.warning("%s: %s", source, warning)
    return scene, report


class _Usable(NamedTuple):
    """Triangles (t,3,3) float32 worth keeping, their rows in the file, and what was done."""

    triangles: np.ndarray
    rows: np.ndarray
    shift: np.ndarray
    dropped: dict[str, int]


def _usable(source: str, triangles: np.ndarray) -> _Usable:
    """Without triangles that have no area or lie on top of each other; near the origin."""
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    far = np.maximum(np.abs(low), np.abs(high)).max() > FAR_AWAY
    shift = np.floor((low + high) / 2) if far else np.zeros(3)
    if (high - low).max() > 10 * FAR_AWAY:
        raise ValueError(f"{source}: is {(high - low).max():.3g} m long; is the unit right?")
    corners = (triangles - shift).astype(np.float32)
    edges = corners[:, 1:] - corners[:, :1]
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    solid = areas > 2 * SMALLEST_AREA
    single = solid.copy()
    single[solid] = _first_of_each(corners[solid])
    if not single.any():
        raise ValueError(f"{source}: none of its {len(solid)} triangles has an area")
    dropped = {"without area": int((~solid).sum()), "doubled": int(solid.sum() - single.sum())}
    return _Usable(corners[single], np.flatnonzero(single), shift, dropped)


def _first_of_each(triangles: np.ndarray) -> np.ndarray:
    """(t,) bool, false for triangles with the same three corners as one before, in any order."""
    cells = np.round(triangles.astype(float) / SAME_CORNER).astype(np.int64).view(np.uint64)
    mix = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    corners = (cells * mix).sum(axis=2, dtype=np.uint64)  # a hash of each corner
    corners ^= corners >> np.uint64(29)
    corners *= np.uint64(0xBF58476D1CE4E5B9)
    corners ^= corners >> np.uint64(32)
    _, first = np.unique(corners.sum(axis=1, dtype=np.uint64), return_index=True)
    keep = np.zeros(len(triangles), bool)
    keep[first] = True
    return keep


def _normals(bvh: Bvh) -> np.ndarray:
    normals = np.cross(bvh.triangles[:, 3:6], bvh.triangles[:, 6:])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _explore(
    source: str, bvh: Bvh, normals: np.ndarray, grid: float, frame_texts: tuple[str, str]
) -> Walkable:
    try:
        return mesh_graph(bvh, normals, grid)
    except NoFloorError as error:
        size = " x ".join(f"{edge:.3g}" for edge in _size(bvh))
        raise NoFloorError(
            f"{source}: {error} (read as {size} m, unit {frame_texts[0]}, up {frame_texts[1]})"
        ) from error


def _turn(bvh: Bvh, turned: np.ndarray) -> Bvh:
    """The tree with the winding of some triangles reversed."""
    triangles = bvh.triangles.copy()
    triangles[turned, 3:] = triangles[turned][:, [6, 7, 8, 3, 4, 5]]
    return bvh._replace(triangles=triangles)


def _size(bvh: Bvh) -> tuple[float, float, float]:
    return tuple(float(edge) for edge in bvh.boxes[0, 3:] - bvh.boxes[0, :3])


def _floor_bounds(graph: NavigationGraph) -> tuple[float, float, float, float]:
    low, high = graph.positions[:, :2].min(axis=0), graph.positions[:, :2].max(axis=0)
    return (*(float(x) for x in low - BODY_RADIUS), *(float(x) for x in high + BODY_RADIUS))


def _warnings(
    walkable: Walkable, lost: float, finish: Finish, shift: np.ndarray
) -> tuple[str, ...]:
    n_nodes = len(walkable.graph)
    checks = {
        f"moved by {(-shift).tolist()} m, it lay too far from the origin": shift.any(),
        "nothing is overhead: most sound leaves and does not come back": walkable.open_sky,
        f"{lost:.1%} of the rays from the nodes meet nothing: there are holes": (
            lost > LEAKY and not walkable.open_sky
        ),
        f"only {n_nodes} nodes: a smaller grid gives more": n_nodes < FEW_NODES,
        f"{n_nodes} nodes need {n_nodes**2 * 4 / 1e6:.0f} MB for their walking distances and "
        "much more for responses: a larger grid gives fewer": n_nodes > MANY_NODES,
        f"materials: no name holds {', '.join(finish.unused)}": bool(finish.unused),
    }
    return tuple(text for text, holds in checks.items() if holds)
