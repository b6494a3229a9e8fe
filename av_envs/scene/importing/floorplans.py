"""Scenes of floor plans: walls drawn from above, extruded to the height of a storey.

Floor and ceiling fill the plan's outline; doors are cut into the walls. Every face
looks into a room, and a wall between two rooms has two faces, so that sound passes it
as in the built-in houses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.ops import unary_union

from av_envs.json_files import LARGEST_JSON, parse_json
from av_envs.paths import user_path
from av_envs.scene.importing.finish import Materials
from av_envs.scene.importing.mesh import UNKNOWN, MeshOptions, scene_of_surfaces
from av_envs.scene.importing.report import MeshReport
from av_envs.scene.importing.space import BODY_HEIGHT
from av_envs.scene.importing.surfaces import Surfaces
from av_envs.scene.materials import Material
from av_envs.scene.scene import Room, Scene

DRAWN_TO = 1e-3  # m, to which points of a plan are rounded
THICKEST_WALL = 0.5  # m; with a room as near behind it, a face belongs to an inner wall
SMALLEST_ROOM = 1.0  # m2; less is a shaft
NAMES = ("floor", "ceiling", "inner wall", "outer wall")
USUAL = {"inner wall": "masonry_wall", "outer wall": "outer_wall"}
FLOOR, CEILING, INNER, OUTER = range(4)
Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Storey:
    """Parameters of a storey that a floor plan does not contain; lengths in metres.

    outline     corners of the floor; by default what the walls surround, across gaps of
                at most `widest_gap`
    enclose     close the outline where no wall stands on it: plans leave out windows.
                False leaves it open, and the report tells how much sound is lost
    """

    height: float = 2.6
    thickness: float = 0.15  # of a wall that is drawn as a line
    door_height: float = 2.05
    outline: Points | None = None
    widest_gap: float = 2.5
    enclose: bool = True

    def __post_init__(self):
        _check_length("height", self.height)
        _check_length("thickness", self.thickness)
        if self.height < BODY_HEIGHT:
            raise ValueError(
                f"height: nobody can stand under {self.height} m, {BODY_HEIGHT} are needed"
            )
        if not 0 < self.door_height <= self.height:
            raise ValueError(f"door_height must lie in 0..{self.height}, got {self.door_height!r}")


def read_floorplan(
    walls: Sequence[Points],
    doors: Sequence[Points] = (),
    storey: Storey | None = None,
    grid: float = 1.0,
    name: str = "floorplan",
    materials: Materials | None = None,
    default: str | Material = UNKNOWN,
) -> tuple[Scene, MeshReport]:
    """The scene of a floor plan in metres, and a report.

    walls      corners ((x, y), ...) of each wall's rectangle or other shape, or the two
               ends of its middle line, which then is `storey.thickness` thick
    doors      the same for what is cut out of the walls up to `storey.door_height`
    materials  by name, as in `read_mesh`; the names are floor, ceiling, inner wall, outer wall

    Rooms are what walls and doors keep apart: through a gap that no door fills, two
    rooms are one.
    """
    storey = storey or Storey()
    _check_length("grid", grid)
    solid = _union("walls", walls, storey.thickness)
    if solid.is_empty:
        raise ValueError(f"{name}: a floor plan needs walls")
    floor = shapely.set_precision(_floor_of(storey, solid), DRAWN_TO)
    openings = _union("doors", doors, 2 * storey.thickness, "flat").intersection(solid)
    openings = openings.intersection(floor)
    free = shapely.set_precision(floor.difference(solid), DRAWN_TO)
    low = shapely.set_precision(free.union(openings), DRAWN_TO)
    faces = _Faces(free, None if storey.enclose else floor, solid)
    faces.level(low, 0.0, FLOOR)
    faces.level(free, storey.height, CEILING)
    faces.level(low.difference(free), storey.door_height, CEILING)
    faces.upright(low, 0.0, storey.door_height)
    faces.upright(free, storey.door_height, storey.height)
    options = MeshOptions(grid, materials, default, USUAL)
    texts = ("m (floor plans are)", "z (floor plans are)")
    scene, report = scene_of_surfaces(name, faces.surfaces(), texts, options)
    return _with_rooms(scene, free), _with_gap(report, floor, solid, storey.enclose)


def _check_length(option: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ValueError(f"{option} must be a positive number of metres, got {value!r}")


class PlanOnFile(NamedTuple):
    """Walls, rectangles (4,2) in metres, and the corners of the floor slab if there is one."""

    walls: list[np.ndarray]
    slab: np.ndarray | None


def read_mlstruct(path: str | Path) -> dict[int, PlanOnFile]:
    """The plans in an MLSTRUCT-FP file by the number of the floor.

    They hold load-bearing walls only: doors, windows and light partitions are gaps.
    Pizarro et al., "Large-scale multi-unit floor plan dataset for architectural plan
    analysis and recognition", Automation in Construction 2023.
    """
    path = user_path(path)
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError(f"it has more than {LARGEST_JSON} bytes, the most that are read")
        content = parse_json(path.read_bytes())
        slabs = {_floor(key, each): _corners(key, each) for key, each in content["slab"].items()}
        plans: dict[int, PlanOnFile] = {}
        for key, each in content["rect"].items():
            floor = _floor(key, each)
            plan = plans.setdefault(floor, PlanOnFile([], slabs.get(floor)))
            plan.walls.append(_corners(key, each))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{path}: cannot be read as plans: {reason}") from error
    return plans


def _floor(key: str, shape: Mapping[str, int]) -> int:
    floor = shape["floorID"]
    if isinstance(floor, bool) or not isinstance(floor, int):
        raise ValueError(f"the floorID of {key!r} is {floor!r:.40}, no whole number")
    return floor


def _corners(key: str, shape: Mapping[str, Sequence[float]]) -> np.ndarray:
    try:
        corners = np.column_stack([shape["x"], shape["y"]]).astype(float)
    except ValueError as error:
        raise ValueError(f"the corners of {key!r} are no numbers x and y: {error}") from None
    if corners.shape[1:] != (2,) or len(corners) < 3 or not np.isfinite(corners).all():
        raise ValueError(f"the corners of {key!r} are {len(corners)}; 3 or more x, y are needed")
    return corners


class _Faces:
    """Collects the triangles of a plan and what each belongs to."""

    def __init__(self, free, open_outline, solid):
        self._free, self._open, self._solid = free, open_outline, solid
        self._triangles: list[np.ndarray] = []
        self._part: list[np.ndarray] = []

    def level(self, region, height: float, part: int) -> None:
        """A floor that looks up or a ceiling that looks down."""
        for polygon in _polygons(region):
            pieces = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
            flat = np.array([piece.exterior.coords[:3] for piece in pieces])[:, :, :2]
            corners = np.concatenate([flat, np.full((len(flat), 3, 1), height)], axis=2)
            edges = flat[:, 1:] - flat[:, :1]
            left = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
            turn = (left < 0) if part == FLOOR else (left > 0)
            corners[turn] = corners[turn][:, ::-1]
            self._add(corners, np.full(len(corners), part))

    def upright(self, region, low: float, high: float) -> None:
        """Faces along the edge of a region, which they look into."""
        if high - low < DRAWN_TO:
            return
        edges = [_edges(ring) for polygon in _polygons(region) for ring in _rings(polygon)]
        if not edges:
            return
        starts, ends = np.concatenate(edges).swapaxes(0, 1)
        along = ends - starts
        behind = np.stack([along[:, 1], -along[:, 0]], 1)
        behind /= np.linalg.norm(behind, axis=1, keepdims=True)
        middle = (starts + ends) / 2
        probes = np.stack([middle + 5 * DRAWN_TO * behind, middle + THICKEST_WALL * behind], 1)
        inner = shapely.intersects(shapely.linestrings(probes), self._free)
        part = np.where(inner, INNER, OUTER)
        if self._open is not None:
            walled = ~_without_wall(middle, self._open, self._solid)
            starts, ends, part = starts[walled], ends[walled], part[walled]
        a, b = (
            np.concatenate([points, np.full((len(points), 1), low)], 1) for points in (starts, ends)
        )
        rise = np.array([0, 0, high - low])
        quads = np.stack([b, a, a + rise, b + rise], axis=1)
        self._add(quads[:, [0, 1, 2]], part)
        self._add(quads[:, [0, 2, 3]], part)

    def surfaces(self) -> Surfaces:
        triangles = np.concatenate(self._triangles)
        n = len(triangles)
        names = tuple((name,) for name in NAMES)
        part = np.concatenate(self._part).astype(np.int32)
        return Surfaces(
            triangles, np.zeros((n, 3), np.uint8), np.zeros(n, bool), part, names, 1.0, "z"
        )

    def _add(self, triangles: np.ndarray, part: np.ndarray) -> None:
        self._triangles.append(triangles)
        self._part.append(part)


def _shape(
    option: str, number: int, points: Points, thickness: float, ends: str = "square"
) -> Polygon:
    """The polygon through the points, or around the line between two of them."""
    try:
        corners = np.asarray(points, float)
    except (TypeError, ValueError):  # rows of several lengths, or words
        corners = np.empty(0)
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise ValueError(f"{option}[{number}]: needs corners (x, y) in metres, got {points!r:.200}")
    if len(corners) == 2:
        shape = LineString(corners).buffer(thickness / 2, cap_style=ends)
    elif len(corners) > 2:
        shape = shapely.make_valid(Polygon(corners))
    else:
        raise ValueError(f"{option}[{number}]: one point is no shape: {points!r}")
    if shape.area == 0:
        raise ValueError(f"{option}[{number}]: has no area: {points!r}")
    return shape


def _union(
    option: str, shapes: Sequence[Points], thickness: float, ends: str = "square"
) -> MultiPolygon | Polygon:
    each = [_shape(option, k, points, thickness, ends) for k, points in enumerate(shapes)]
    return shapely.set_precision(unary_union(each), DRAWN_TO)


def _floor_of(storey: Storey, solid: MultiPolygon | Polygon) -> MultiPolygon | Polygon:
    if storey.outline is None:
        return _outline(solid, storey.widest_gap)
    return _shape("outline", 0, storey.outline, 0)


def _outline(solid: MultiPolygon | Polygon, widest_gap: float) -> MultiPolygon | Polygon:
    """Area enclosed by the walls after closing gaps of at most `widest_gap`; corners stay sharp."""
    reach = widest_gap / 2
    bridged = solid.buffer(reach, join_style="mitre").buffer(-reach, join_style="mitre")
    return unary_union([Polygon(polygon.exterior) for polygon in _polygons(bridged.union(solid))])


def _polygons(region) -> list[Polygon]:
    parts = shapely.get_parts(region)
    return [p for p in parts if isinstance(p, Polygon) and p.area > DRAWN_TO**2]


def _rings(polygon: Polygon) -> list[np.ndarray]:
    """Corners of each edge of a polygon, which lies to their left."""
    polygon = shapely.orient_polygons(polygon)
    return [np.array(ring.coords)[:, :2] for ring in (polygon.exterior, *polygon.interiors)]


def _edges(ring: np.ndarray) -> np.ndarray:
    """(n,2,2) start and end of each edge."""
    edges = np.stack([ring[:-1], ring[1:]], axis=1)
    return edges[np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1) > 0]


def _without_wall(points: np.ndarray, outline, solid) -> np.ndarray:
    """(n,) bool, which points on the outline have no wall there."""
    points = shapely.points(points)
    on_outline = shapely.distance(points, outline.boundary) < 2 * DRAWN_TO
    return on_outline & (shapely.distance(points, solid) > 2 * DRAWN_TO)


def _with_rooms(scene: Scene, free) -> Scene:
    """The scene with the parts that walls and doors keep apart as rooms, the largest first."""
    shapes = sorted(_polygons(free), key=lambda shape: -shape.area)
    shapes = [shape for shape in shapes if shape.area >= SMALLEST_ROOM] or shapes[:1]
    points = shapely.points(scene.graph.positions[:, :2].astype(float))
    away = np.stack([shapely.distance(points, shape) for shape in shapes], axis=1)
    nearest = away.argmin(axis=1)
    used, room = np.unique(nearest, return_inverse=True)
    rooms = tuple(Room(f"room {k + 1}", shapes[index].bounds) for k, index in enumerate(used))
    return replace(scene, rooms=rooms, graph=replace(scene.graph, room=room.astype(np.int32)))


def _with_gap(report: MeshReport, floor, solid, enclose: bool) -> MeshReport:
    """The report with what is known about the outline."""
    bare = floor.boundary.difference(solid.buffer(2 * DRAWN_TO)).length
    if bare < DRAWN_TO:
        return report
    what = "was closed" if enclose else "is open"
    warning = f"{bare:.1f} of {floor.length:.1f} m of the outline has no wall and {what}"
    return replace(report, warnings=(*report.warnings, warning))
