"""A map that robots draw as they go, from depth images, steps and bumps.

The places are a square lattice with the stride of the robots. What a depth image shows is
projected onto it: a floor makes the place above it known, anything else blocks the places
and the steps that a body, 0.25 m wide all around, could not take. That may be wrong, as
furniture hides what is behind it: a step that fails blocks, and one that succeeds frees for
good.
"""

import numpy as np

from av_envs.baselines.rir_measure.moves import STEPS
from av_envs.conventions import N_HEADINGS
from av_envs.scene import HEAD_HEIGHT
from av_envs.scene.navigation import BODY_RADIUS
from av_envs.vision import IMAGE_SIZE, MAX_DEPTH

WIDTH = 128  # places along each side of the lattice, which is centred on its origin
FLOOR_HEIGHT = 0.06  # m; what lies lower, like a rug, is walked on
TOUCH = BODY_RADIUS - 0.01  # m; exactly BODY_RADIUS away is free, and depth is rounded
FARTHEST = MAX_DEPTH - 0.01  # m; the image says no more than that it is at least as far
EVERY = 2  # rows and columns of the image between two rays

OFFSETS = np.array([north + WIDTH * east for east, north in STEPS])  # in places, by heading
_PIXEL_CENTRES = (np.arange(IMAGE_SIZE) + 0.5) / (IMAGE_SIZE / 2) - 1  # tan of the angle
_RAYS_TO_THE_RIGHT = _PIXEL_CENTRES[::EVERY].astype(np.float32)
_RAYS_DOWN = _PIXEL_CENTRES[IMAGE_SIZE // 2 :: EVERY, None].astype(np.float32)


class LatticeMap:
    """Places by number, and what is known about them.

    stride      m between two places
    visited     (C,) bool, a robot has been there
    seen        (C,) bool, its floor has been seen
    neighbours  (C,4) int32, the place one step away by heading; -1 where the way is blocked
    """

    def __init__(self, origin: np.ndarray, stride: float):
        """A map of nothing yet; origin (2,) in metres is the place in the middle."""
        self.stride = stride
        self._origin = np.asarray(origin, float) - stride * (WIDTH // 2)
        self._walked = np.zeros((WIDTH * WIDTH, N_HEADINGS), bool)
        self.visited = np.zeros(WIDTH * WIDTH, bool)
        self.seen = np.zeros_like(self.visited)
        self.neighbours = _lattice_steps()

    @property
    def known(self) -> np.ndarray:
        """(C,) bool: visited places and those whose floor has been seen."""
        return self.visited | self.seen

    def place(self, position: np.ndarray) -> int:
        """Number of the place at (x, y) in metres."""
        column, row = np.rint((np.asarray(position, float) - self._origin) / self.stride)
        if not (0 < column < WIDTH - 1 and 0 < row < WIDTH - 1):
            raise ValueError(
                f"position {tuple(map(float, position))} lies outside the map, which reaches "
                f"{self.stride * WIDTH / 2:g} m from where the first robot started"
            )
        return int(column) * WIDTH + int(row)

    def position(self, place: int) -> np.ndarray:
        """(2,) m, x and y of a place."""
        return self._origin + self.stride * np.array(divmod(place, WIDTH), float)

    def visit(self, place: int) -> None:
        self.visited[place] = True

    def walk(self, place: int, heading: int) -> None:
        """A step has succeeded: whatever it looked like, the way is free in both directions."""
        other, back = place + OFFSETS[heading], (heading + 2) % N_HEADINGS
        self._walked[place, heading] = self._walked[other, back] = True
        self.neighbours[place, heading], self.neighbours[other, back] = other, place

    def bump(self, place: int, heading: int) -> None:
        """A step has failed."""
        other, back = place + OFFSETS[heading], (heading + 2) % N_HEADINGS
        self.neighbours[place, heading] = self.neighbours[other, back] = -1

    def look(self, position: np.ndarray, heading: int, depth: np.ndarray) -> None:
        """Take in a depth image (128, 128) float32 in units of MAX_DEPTH, as seen from (x, y)."""
        ahead = depth[IMAGE_SIZE // 2 :: EVERY, ::EVERY] * MAX_DEPTH
        height = HEAD_HEIGHT - ahead * _RAYS_DOWN
        right = ahead * _RAYS_TO_THE_RIGHT
        east, north = STEPS[heading]
        points = np.stack([ahead * east + right * north, ahead * north - right * east], -1)
        points += (np.asarray(position, float) - self._origin).astype(np.float32)
        near, low = ahead < FARTHEST, height < FLOOR_HEIGHT
        self._see_floor(points[near & low])
        self._see_obstacles(points[near & ~low])

    def _see_floor(self, points: np.ndarray) -> None:
        nearest, off = self._split(points)
        nearest = nearest[(np.abs(off) <= BODY_RADIUS).all(1)]
        self.seen[nearest[:, 0] * WIDTH + nearest[:, 1]] = True

    def _see_obstacles(self, points: np.ndarray) -> None:
        """Block every step along which a body would touch one of the points (P,2)."""
        nearest, off = self._split(points)
        places = nearest[:, 0] * WIDTH + nearest[:, 1]
        blocked = np.zeros_like(self._walked)
        blocked[places[np.hypot(off[:, 0], off[:, 1]) < TOUCH]] = True
        for heading in (0, 1):  # the steps east and north that pass beside the point
            beside = np.abs(off[:, 1 - heading]) < TOUCH
            nearer_end = places[beside] - OFFSETS[heading] * (off[beside, heading] < 0)
            blocked[nearer_end, heading] = True
        for heading in range(N_HEADINGS):  # and all of them the other way round
            back = (heading + 2) % N_HEADINGS
            blocked[:, back] |= np.roll(blocked[:, heading], OFFSETS[heading])
        self.neighbours[blocked & ~self._walked] = -1

    def _split(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Column and row (P,2) of the nearest place, and metres (P,2) off it; on the map only."""
        nearest = np.rint(points / self.stride).astype(np.int32)
        inside = ((nearest > 0) & (nearest < WIDTH - 1)).all(1)
        nearest = nearest[inside]
        return nearest, points[inside] - nearest * self.stride


def _lattice_steps() -> np.ndarray:
    """(C,4) int32: where each step would lead with nothing in the way; -1 off the lattice."""
    column, row = np.divmod(np.arange(WIDTH * WIDTH), WIDTH)
    steps = np.arange(WIDTH * WIDTH, dtype=np.int32)[:, None] + OFFSETS.astype(np.int32)
    for heading, (east, north) in enumerate(STEPS):
        inside = np.minimum(column + east, row + north) >= 0
        inside &= np.maximum(column + east, row + north) < WIDTH
        steps[~inside, heading] = -1
    return steps
