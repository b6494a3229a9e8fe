"""What a team has learned in an episode: one map, and where on it its robots are."""

import numpy as np

from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.moves import FORWARD
from av_envs.baselines.rir_measure.routes import routes

NEEDED = ("azimuth", "depth", "position")
FIRST_STRIDE = 0.5  # m, until a step has shown how long it is
STILL = 1e-3  # m; a step forward that moved less has bumped


class Survey:
    """Keeps the common map of `n_robots` up to date from their observations alone.

    map       of the places; its stride is a guess before the first step
    places    (robots,) int, where they are
    headings  (robots,) int, quarter turns from east
    """

    def __init__(self, n_robots: int):
        self._n_robots = n_robots
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._actions: np.ndarray | None = None
        self._before: np.ndarray | None = None  # (robots,2) m, where they were at the last update
        self._looked_from: set[tuple[int, int]] = set()
        self.map: LatticeMap | None = None

    def update(self, observation: dict[str, np.ndarray]) -> None:
        """Take in what the robots observe after their last actions.

        observation["position"]  (robots,3) m, in one frame for all of them
        observation["azimuth"]   (robots,2) heading / 4 and share of the episode
        observation["depth"]     (robots,128,128,1) in units of 10 m
        """
        positions = np.asarray(observation["position"], float)[:, :2]
        if self.map is None:
            _refuse_frames_of_their_own(positions)
            self.map = LatticeMap(positions[0], FIRST_STRIDE)
            self._before = positions
        self._learn_stride(positions)
        self.headings = np.rint(np.asarray(observation["azimuth"])[:, 0] * 4).astype(int) % 4
        self.places = np.array([self.map.place(position) for position in positions])
        self._learn_steps(positions)
        self._before = positions
        for robot, pose in enumerate(zip(self.places, self.headings, strict=True)):
            self.map.visit(pose[0])
            if pose not in self._looked_from:
                self._looked_from.add(pose)
                depth = np.asarray(observation["depth"][robot])[:, :, 0]
                self.map.look(positions[robot], int(pose[1]), depth)

    def note(self, actions: np.ndarray) -> None:
        """Remember what the robots were told, (robots,) int, to recognise bumps."""
        self._actions = np.array(actions)

    def routes(self, robot: int) -> tuple[np.ndarray, np.ndarray]:
        """Actions of a robot to every place and the first of them, see `routes.routes`."""
        place, heading = int(self.places[robot]), int(self.headings[robot])
        return routes(self.map.neighbours, self.map.known, place, heading)

    def _learn_stride(self, positions: np.ndarray) -> None:
        """Draw the map anew if the first step turns out to be longer or shorter than guessed."""
        moved = np.abs(positions - self._before).max()
        if moved > STILL and abs(moved - self.map.stride) > STILL:
            self.map = LatticeMap(self._before[0], float(moved))
            self._looked_from.clear()
            for position in self._before:
                self.map.visit(self.map.place(position))

    def _learn_steps(self, positions: np.ndarray) -> None:
        if self._actions is None:
            return
        for robot in np.flatnonzero(self._actions == FORWARD):
            start = self.map.place(self._before[robot])
            heading = int(self.headings[robot])  # a step does not turn
            if np.abs(positions[robot] - self._before[robot]).max() > STILL:
                self.map.walk(start, heading)
            else:
                self.map.bump(start, heading)


def _refuse_frames_of_their_own(positions: np.ndarray) -> None:
    """Robots that each count from their own start, along their own heading, share no map."""
    if not positions.any():
        raise ValueError(
            "every robot starts at (0, 0), in a frame of its own; the map needs "
            "position_frame='scene'"
        )
