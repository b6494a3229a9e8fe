"""Measured rooms whose walls are known: as scenes that can be simulated.

The rooms are those of the University of Surrey: Hummersone, "Binaural room impulse response
measurements", 2011, figures 2 and 5, the places of whose loudspeakers are in the SOFA files. Of the
others, room B has a drawing that contradicts its own numbers and room C is no box. What nobody
wrote down is what the surfaces are and what stands in the room: all surfaces are of one material,
whose absorption is fitted in each octave band to decays that were measured.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.measured.rooms import MeasuredRoom
from av_envs.acoustics.measures import octave_bands, t20
from av_envs.agents.refinement.tiers import tier_acoustics
from av_envs.conventions import BANDS_HZ, SPEED_OF_SOUND
from av_envs.scene import HEAD_HEIGHT, NavigationGraph, Room, Scene
from av_envs.scene.clearance import distance_to_surfaces
from av_envs.scene.materials import WALL, Material
from av_envs.scene.navigation import CLEARANCE_CAP
from av_envs.scene.scene import Mesh

Point = tuple[float, float, float]

FACES = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
ROUNDS, FIT_RAYS = 4, 8192  # of the fit of absorption
LEAST, MOST = 0.01, 0.99  # absorption


class Geometry(NamedTuple):
    """A room in metres from the head that was measured, which looks along x; y is to its left.

    low, high  corners of the room
    blocked    boxes in it that reach no sound, by two corners
    """

    low: Point
    high: Point
    blocked: tuple[tuple[Point, Point], ...] = ()

    @property
    def volume(self) -> float:
        """Cubic metres of air."""
        boxes = [(self.low, self.high), *self.blocked]
        sizes = [float(np.prod(np.subtract(high, low))) for low, high in boxes]
        return sizes[0] - sum(sizes[1:])

    @property
    def triangles(self) -> np.ndarray:
        """(T, 3, 3) of all surfaces, seen from the air."""
        return np.concatenate(
            [_box(self.low, self.high)[:, ::-1], *(_box(low, high) for low, high in self.blocked)]
        )


ROOMS = {  # by file: ahead, behind, to both sides, above and below the head
    "UniS_Room_A_BRIR_16k.sofa": Geometry(
        (-1.5, -2.86, -1.78), (4.22, 3.78, 0.53), (((2.73, 3.12, -1.78), (4.22, 3.78, 0.53)),)
    ),
    "UniS_Room_D_BRIR_16k.sofa": Geometry((-3.73, -4.36, -1.7), (4.29, 4.36, 2.55)),
}


def scene_of(name: str, geometry: Geometry, room: MeasuredRoom, absorption: np.ndarray) -> Scene:
    """The room with surfaces of that absorption (7,); its nodes are the places of `room`."""
    origin = room.positions[room.poses[0, 1]]
    heads = (room.positions - origin).astype(np.float32)
    triangles = geometry.triangles.astype(np.float32)
    surface = Material(
        "fitted", tuple(float(value) for value in absorption), WALL, (0.0,) * 7, "fitted"
    )
    graph = NavigationGraph(
        heads - np.array([0, 0, HEAD_HEIGHT], np.float32),
        np.full((len(heads), 4), -1, np.int32),
        1.0,
        np.zeros(len(heads), np.int32),
        distance_to_surfaces(heads, triangles, CLEARANCE_CAP),
    )
    (x0, y0, _), (x1, y1, _) = geometry.low, geometry.high
    n = len(triangles)
    mesh = Mesh(triangles, np.zeros(n), np.full((n, 3), 128), np.zeros(n))
    return Scene.build(name, mesh, (surface,), (Room("room", (x0, y0, x1, y1)),), graph)


def fitted_absorption(
    name: str, geometry: Geometry, room: MeasuredRoom, rows: Sequence[int]
) -> np.ndarray:
    """(7,) with which the simulated decays, T20, are as long as those measured at some rows.

    From Eyring's formula on, by simulating: rooms are not diffuse.
    """
    measured = _decays(room.responses[list(rows)])
    exponent = _eyring_exponent(geometry) / measured
    for _ in range(ROUNDS):
        scene = scene_of(name, geometry, room, _absorption(exponent))
        acoustics = tier_acoustics(scene, tier="T3", rays=FIT_RAYS)
        responses = [acoustics.rir(*map(int, room.poses[row])) for row in rows]
        exponent = exponent * _decays(np.stack(responses)) / measured
    return _absorption(exponent)


def _absorption(exponent: np.ndarray) -> np.ndarray:
    """(7,) of -log(1 - absorption), to which decay rates are in proportion."""
    return np.clip(1 - np.exp(-exponent), LEAST, MOST)


def _decays(responses: np.ndarray) -> np.ndarray:
    """(7,) seconds, mean T20 over (P, 2, n); ValueError for a band without one."""
    times = t20(octave_bands(responses, np.array(BANDS_HZ))).reshape(-1, len(BANDS_HZ))
    known = np.isfinite(times)
    if not known.any(axis=0).all():
        band = BANDS_HZ[int(known.any(axis=0).argmin())]
        raise ValueError(f"no response decays by 25 dB in the band of {band} Hz")
    return np.nanmean(np.where(known, times, np.nan), axis=0)


def _eyring_exponent(geometry: Geometry) -> float:
    """-log(1 - absorption) for a reverberation time of one second (Eyring, JASA 1930)."""
    a, b, c = np.moveaxis(geometry.triangles, 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return 24 * np.log(10) * geometry.volume / (SPEED_OF_SOUND * area)


def _box(low: Point, high: Point) -> np.ndarray:
    """(12, 3, 3) triangles of a box, seen from outside."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    base = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    corners = np.array([(*p, z0) for p in base] + [(*p, z1) for p in base])
    return np.array(
        [[corners[face[i]] for i in part] for face in FACES for part in ((0, 1, 2), (0, 2, 3))]
    )
