"""Perimeter and area of the convex hull of the robots, now and one step before."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

SAME_POINT = 1e-6  # m

Walk = Sequence[tuple[int, int]]  # (node, heading) of every step


def hull_perimeter_and_area(points: np.ndarray) -> tuple[float, float]:
    """Perimeter and area of the convex hull of points (n, 2) in metres: psi and phi of Yu et al.,
    "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023.

    Points on a line have twice its length and no area, as a very thin hull would; points that
    coincide within a micrometre have neither.
    """
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"points must have the shape (n, 2) with n > 0, got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"points must be finite, got {points.tolist()}")
    hull = shapely.convex_hull(shapely.multipoints(_distinct(points)))
    perimeter = shapely.length(hull)
    if shapely.get_type_id(hull) == shapely.GeometryType.LINESTRING:
        perimeter *= 2
    return float(perimeter), float(shapely.area(hull))


def _distinct(points: np.ndarray) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for x, y in points.tolist():
        if all(max(abs(x - u), abs(y - v)) > SAME_POINT for u, v in kept):
            kept.append((x, y))
    return kept


def hull_nodes(walks: Iterable[Walk]) -> list[int]:
    """Nodes of the hull that is rewarded: where the robots are and were one step before."""
    walks = list(walks)
    return [path[k][0] for k in (-1, -2) for path in walks if len(path) >= -k]
