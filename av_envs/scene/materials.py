"""Acoustic materials: absorption, scattering and transmission per octave band.

All three are energy fractions per octave band. A wall is built as two faces with
air between them, and each face passes the square root of its transmission, so that
sound that crosses the whole wall is weakened by `transmission` once. Surfaces that
have nothing behind them (outer walls, floors, ceilings, furniture) transmit nothing.

Absorption values are handbook values where the source says so. Scattering is rarely
tabulated (ISO 17497-1 defines how to measure it): those values are estimates, small
for flat surfaces and large for cluttered ones, growing with frequency. Walls scatter
more than the flat faces they are: pictures, frames, switches and skirting boards are
not modelled, and without them sound would flutter between bare walls for seconds.
"""

from dataclasses import dataclass

import numpy as np

from av_envs.conventions import N_BANDS

Bands = tuple[float, float, float, float, float, float, float]

NOTHING: Bands = (0.0,) * 7
SMOOTH: Bands = (0.05, 0.06, 0.08, 0.10, 0.12, 0.14, 0.15)
WALL: Bands = (0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40)
TEXTILE: Bands = (0.10, 0.12, 0.15, 0.20, 0.25, 0.30, 0.35)
CLUTTERED: Bands = (0.20, 0.25, 0.30, 0.40, 0.50, 0.55, 0.60)
STUD_WALL_DB = (20, 24, 28, 30, 33, 34, 35)
MASONRY_WALL_DB = (34, 36, 38, 44, 50, 54, 56)

VORLAENDER = "Vorlaender, Auralization, Springer 2008, appendix"


@dataclass(frozen=True)
class Material:
    """One kind of surface.

    absorption    (7,) fraction of the arriving energy that stays in the surface
    scattering    (7,) fraction of the reflected energy that leaves in all directions
    transmission  (7,) fraction that crosses the whole wall, both faces together
    source        where the numbers come from
    """

    name: str
    absorption: Bands
    scattering: Bands
    transmission: Bands
    source: str

    def __post_init__(self):
        for field in ("absorption", "scattering", "transmission"):
            values = np.asarray(getattr(self, field))
            if values.shape != (N_BANDS,) or not ((values >= 0) & (values <= 1)).all():
                raise ValueError(
                    f"material {self.name!r}: {field} needs {N_BANDS} values in [0, 1], "
                    f"got {getattr(self, field)}"
                )
        if (np.add(self.absorption, self.transmission) > 1).any():
            raise ValueError(f"material {self.name!r} absorbs and transmits more than arrives")


def _through(loss_db: tuple[float, ...]) -> Bands:
    """Energy fractions of a sound reduction index in dB."""
    return tuple(round(10 ** (-loss / 10), 7) for loss in loss_db)


_STUD = _through(STUD_WALL_DB)
_MASONRY = _through(MASONRY_WALL_DB)
_STUD_SOURCE = "; transmission: light partition with its gaps and flanking paths, estimate"
_MASONRY_SOURCE = "; transmission: plastered half-brick wall, typical ASTM E90 reduction index"

_PLASTERBOARD = (0.15, 0.10, 0.06, 0.04, 0.04, 0.05, 0.05)
_RENDERED_BRICK = (0.01, 0.02, 0.02, 0.03, 0.03, 0.04, 0.04)
_TILED = (0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.02)

_ROWS = (
    Material(
        "stud_wall", _PLASTERBOARD, WALL, _STUD,
        f"{VORLAENDER}: 2 x 13 mm plasterboard on steel frame, painted{_STUD_SOURCE}",
    ),
    Material(
        "masonry_wall", _RENDERED_BRICK, WALL, _MASONRY,
        f"{VORLAENDER}: walls, rendered brickwork{_MASONRY_SOURCE}",
    ),
    Material(
        "tiled_stud_wall", _TILED, WALL, _STUD,
        f"{VORLAENDER}: ceramic tiles with a smooth surface{_STUD_SOURCE}",
    ),
    Material(
        "tiled_masonry_wall", _TILED, WALL, _MASONRY,
        f"{VORLAENDER}: ceramic tiles with a smooth surface{_MASONRY_SOURCE}",
    ),
    Material(
        "lined_outer_wall", _PLASTERBOARD, WALL, NOTHING,
        f"{VORLAENDER}: 2 x 13 mm plasterboard on steel frame, painted",
    ),
    Material(
        "outer_wall", _RENDERED_BRICK, WALL, NOTHING,
        f"{VORLAENDER}: walls, rendered brickwork",
    ),
    Material(
        "tiled_outer_wall", _TILED, WALL, NOTHING,
        f"{VORLAENDER}: ceramic tiles with a smooth surface",
    ),
    Material(
        "plaster_ceiling", (0.20, 0.15, 0.10, 0.08, 0.04, 0.02, 0.02), SMOOTH, NOTHING,
        f"{VORLAENDER}: plasterboard ceiling on battens, large air space above; 8 kHz repeated",
    ),
    Material(
        "acoustic_ceiling", (0.17, 0.36, 0.66, 0.65, 0.62, 0.68, 0.68), SMOOTH, NOTHING,
        f"{VORLAENDER}: acoustical plaster, about 25 mm thick; 8 kHz repeated",
    ),
    Material(
        "wood_floor", (0.18, 0.12, 0.10, 0.09, 0.08, 0.07, 0.07), SMOOTH, NOTHING,
        f"{VORLAENDER}: 16 mm wood on 40 mm studs",
    ),
    Material(
        "tile_floor", _TILED, SMOOTH, NOTHING,
        f"{VORLAENDER}: ceramic tiles with a smooth surface",
    ),
    Material(
        "carpet", (0.08, 0.08, 0.30, 0.60, 0.75, 0.80, 0.80), TEXTILE, NOTHING,
        f"{VORLAENDER}: 9 mm tufted pile carpet on felt underlay",
    ),
    Material(
        "rug", (0.03, 0.09, 0.25, 0.31, 0.33, 0.44, 0.44), TEXTILE, NOTHING,
        f"{VORLAENDER}: 6 mm pile carpet bonded to closed-cell foam underlay",
    ),
    Material(
        "curtain", (0.05, 0.06, 0.39, 0.63, 0.70, 0.73, 0.73), TEXTILE, NOTHING,
        f"{VORLAENDER}: curtains (0.2 kg/m2) hung 90 mm from the wall",
    ),
    Material(
        "wall_hanging", (0.03, 0.12, 0.15, 0.27, 0.37, 0.42, 0.42), TEXTILE, NOTHING,
        f"{VORLAENDER}: cotton cloth (0.33 kg/m2) folded to 7/8 area; 8 kHz repeated",
    ),
    Material(
        "window_glass", (0.15, 0.05, 0.03, 0.03, 0.02, 0.02, 0.02), SMOOTH, NOTHING,
        f"{VORLAENDER}: double glazing, 2-3 mm glass, gap above 30 mm",
    ),
    Material(
        "wooden_door", (0.14, 0.10, 0.06, 0.08, 0.10, 0.10, 0.10), SMOOTH, NOTHING,
        f"{VORLAENDER}: solid wooden door",
    ),
    Material(
        "wood_furniture", (0.27, 0.23, 0.22, 0.15, 0.10, 0.07, 0.06), CLUTTERED, NOTHING,
        f"{VORLAENDER}: wooden lining, 12 mm fixed on frame",
    ),
    Material(
        "bookshelf", (0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.40), CLUTTERED, NOTHING,
        "estimate: paper backs and the gaps between them, between wooden lining and felt",
    ),
    Material(
        "upholstery", (0.44, 0.60, 0.77, 0.89, 0.82, 0.70, 0.70), CLUTTERED, NOTHING,
        f"{VORLAENDER}: empty chairs, upholstered with cloth cover",
    ),
    Material(
        "leather", (0.40, 0.50, 0.58, 0.61, 0.58, 0.50, 0.50), CLUTTERED, NOTHING,
        f"{VORLAENDER}: empty chairs, upholstered with leather cover",
    ),
    Material(
        "mattress", (0.23, 0.59, 0.86, 0.86, 0.86, 0.86, 0.86), CLUTTERED, NOTHING,
        f"estimate: as 50 mm rockwool of 40 kg/m3 in {VORLAENDER}; bedding on foam",
    ),
    Material(
        "ceramic", (0.02, 0.02, 0.03, 0.03, 0.04, 0.05, 0.05), SMOOTH, NOTHING,
        f"{VORLAENDER}: walls, hard surfaces average",
    ),
    Material(
        "worktop", (0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.02), SMOOTH, NOTHING,
        f"{VORLAENDER}: marble floor",
    ),
    Material(
        "concrete", (0.01, 0.01, 0.02, 0.02, 0.02, 0.05, 0.05), SMOOTH, NOTHING,
        f"{VORLAENDER}: smooth unpainted concrete",
    ),
    Material(
        "stone_wall", (0.02, 0.02, 0.03, 0.04, 0.05, 0.05, 0.05), WALL, NOTHING,
        f"{VORLAENDER}: limestone walls",
    ),
    Material(
        "linoleum", (0.02, 0.03, 0.03, 0.03, 0.03, 0.02, 0.02), SMOOTH, NOTHING,
        f"{VORLAENDER}: linoleum, asphalt, rubber or cork tile on concrete; 8 kHz repeated",
    ),
    Material(
        "single_glass", (0.08, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02), SMOOTH, NOTHING,
        f"{VORLAENDER}: single pane of glass, 3 mm",
    ),
    Material(
        "metal", (0.04, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02), SMOOTH, NOTHING,
        "estimate: sheet metal that hardly vibrates, a little above ceramics in the bass",
    ),
    Material(
        "plant", (0.04, 0.07, 0.12, 0.18, 0.25, 0.30, 0.32), CLUTTERED, NOTHING,
        "estimate: leaves of house plants, thin textiles with gaps between them",
    ),
    Material(
        "unknown", (0.10,) * 7, WALL, NOTHING,
        "estimate: the mean over everything in a lived-in room, for what nobody has named",
    ),
)  # fmt: skip

MATERIALS: dict[str, Material] = {material.name: material for material in _ROWS}
