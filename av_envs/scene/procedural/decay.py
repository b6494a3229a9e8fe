"""Reverberation time by Eyring's formula, and finishes that shorten it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from av_envs.scene.materials import MATERIALS
from av_envs.scene.procedural.blocks import Block, face_areas
from av_envs.scene.procedural.finishes import WET, Finish, Surface, carpeted
from av_envs.scene.procedural.floorplan import FloorPlan, area
from av_envs.scene.procedural.openings import outer_intervals

SPEED_OF_SOUND = 343.0  # m/s
LOW_ALLOWANCE = np.array([1.5, 1.4, 1.1, 1.0, 1.0, 1.0, 1.0])  # low bands may ring longer

CHANGES = ("floor", "ceiling", "outer")

_ABSORPTION = np.array([material.absorption for material in MATERIALS.values()])
_ROW = {name: _ABSORPTION[index] for index, name in enumerate(MATERIALS)}


def absorbing_area(blocks: Sequence[Block]) -> tuple[np.ndarray, float]:
    """Equivalent absorption area (7,) and whole area of all faces, in m2."""
    material, areas = face_areas(blocks)
    return areas @ _ABSORPTION[material], float(areas.sum())


def eyring_times(absorption_area: np.ndarray, whole_area: float, volume: float) -> np.ndarray:
    """(7,) seconds until the sound has decayed by 60 dB, without absorption by the air.

    Eyring, Reverberation time in "dead" rooms, JASA 1, 1930. Rooms with soft floors
    and bare walls ring longer than that, because sound keeps running between the walls.
    """
    mean = absorption_area / whole_area
    return 24 * np.log(10) / SPEED_OF_SOUND * volume / (-whole_area * np.log1p(-mean))


class RoomShell(NamedTuple):
    """A room of a plan by its number, with the height of its ceiling in metres and its use."""

    plan: FloorPlan
    room: int
    height: float
    use: str

    @property
    def floor_area(self) -> float:
        """Square metres inside the walls."""
        return area(self.plan.inside(self.room))

    def extent(self, field: str) -> float:
        """Square metres of one of CHANGES; three quarters of outer walls, the rest is windows."""
        if field != "outer":
            return self.floor_area
        sides = (outer_intervals(self.plan, self.room, side) for side in range(4))
        return 0.75 * self.height * sum(high - low for side in sides for low, high in side)


def soften(
    rng: np.random.Generator,
    room: RoomShell,
    finish: Finish,
    blocks: Sequence[Block],
    seconds: float,
) -> Finish:
    """The finish with a carpet, an acoustic ceiling or lined walls if its decay is too long.

    Changes are tried in random order and made only if they absorb more in the band whose
    decay is too long by the largest factor; all of them together may not suffice.

    blocks   the room with the present finish and its furniture
    seconds  wanted decay time by Eyring's formula, in the middle bands
    """
    absorption, whole = absorbing_area(blocks)
    volume = room.height * room.floor_area
    for index in rng.permutation(len(CHANGES)):
        excess = eyring_times(absorption, whole, volume) / (seconds * LOW_ALLOWANCE)
        band = int(excess.argmax())
        if excess[band] <= 1:
            break
        field = CHANGES[index]
        surface = _softer(rng, field, room.use, finish)
        gain = _ROW[surface.material] - _ROW[getattr(finish, field).material]
        if gain[band] > 0:
            absorption = absorption + gain * room.extent(field)
            finish = finish._replace(**{field: surface})
    return finish


def _softer(rng, field: str, use: str, finish: Finish) -> Surface:
    if field == "ceiling":
        return finish.ceiling._replace(material="acoustic_ceiling")
    if field == "floor" and use not in WET:
        return carpeted(rng)
    if field == "outer" and finish.outer.material == "outer_wall":
        return finish.outer._replace(material="lined_outer_wall")
    return getattr(finish, field)
