"""Follow several sources by their azimuths: a Kalman filter for each, and the best assignment.

A localiser says every 100 ms where something sounds, not which of the sources it is, and a head
that turns moves them all. So tracks are kept in the frame of the world, each as an azimuth and its
rate; what is found goes to the tracks for which the sum of angles is least, none to one that is
too far away. Two that are found near each other in three steps begin a track, and one that is
missed too often ends.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from av_envs.agents.localization.directions import angles_of, unit_vectors
from av_envs.agents.localization.features import LABEL_SECONDS
from av_envs.agents.localization.metrics import Frames

QUARTER = np.pi / 2
APART = 1e6  # cost of what may not be assigned; angles are far smaller


@dataclass(frozen=True)
class TrackerConfig:
    """Angles are radians, and a step is whatever time passes between two calls.

    tracks       that are followed at a time
    spread       standard deviation of the azimuths that are found
    drift        by which the rate of a source changes in a second, root mean square, per second
    gate         angle beyond which nothing is assigned
    hits, steps  found so often in so many steps, a track begins
    misses       in a row after which a track ends
    silent       likewise where it is so quiet that nothing could be found
    reported     misses in a row for which a track is still told of
    """

    tracks: int = 2
    spread: float = np.radians(13)
    drift: float = np.radians(20)
    gate: float = np.radians(45)
    hits: int = 2
    steps: int = 3
    misses: int = 5
    silent: int = 10
    reported: int = 0


class Followed(NamedTuple):
    """A track now.

    number   that no other track of the recording has
    slot     that no other track has at the same time, 0..tracks-1
    azimuth  in (-pi, pi]
    found    which of the azimuths was assigned to it, -1: none
    """

    number: int
    slot: int
    azimuth: float
    found: int


@dataclass
class _Track:
    state: np.ndarray  # (2,) azimuth and its rate
    covariance: np.ndarray  # (2, 2)
    recent: list[bool]  # whether something was assigned, in the last steps
    found: int
    number: int = -1  # until it has begun
    slot: int = -1
    missed: int = 0  # in a row


class AzimuthTracker:
    """Tracks of one recording or episode; numbers are never used again."""

    def __init__(self, config: TrackerConfig | None = None):
        self.config = config or TrackerConfig()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._tracks: list[_Track] = []
        self._begun = 0

    def step(self, azimuths: np.ndarray, seconds: float, quiet: bool = False) -> list[Followed]:
        """The tracks after a step.

        azimuths  (K,) in the world
        seconds   since the step before
        quiet     nothing could be found, so that nothing that is missed counts for much
        """
        azimuths = np.asarray(azimuths, float)
        if azimuths.ndim != 1 or not np.isfinite(azimuths).all():
            raise ValueError(f"azimuths must be (K,) finite numbers, got {azimuths!r}")
        for track in self._tracks:
            self._predict(track, seconds)
        left = set(range(len(azimuths)))
        begun = [track for track in self._tracks if track.number >= 0]
        for group in (begun, [track for track in self._tracks if track.number < 0]):
            left -= self._assign(group, azimuths, sorted(left))
        self._tracks = [track for track in self._tracks if self._lives(track, quiet)]
        self._begin()
        spread = self.config.spread**2
        for k in sorted(left):
            start = np.diag([spread, self.config.drift**2])
            self._tracks.append(_Track(np.array([azimuths[k], 0.0]), start, [True], found=k))
        return [
            Followed(track.number, track.slot, float(_wrapped(track.state[0])), track.found)
            for track in self._tracks
            if track.number >= 0 and track.missed <= self.config.reported
        ]

    def _predict(self, track: _Track, seconds: float) -> None:
        moves = np.array([[1.0, seconds], [0.0, 1.0]])
        grows = np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
        track.state = moves @ track.state
        track.covariance = moves @ track.covariance @ moves.T + self.config.drift**2 * grows

    def _assign(self, tracks: list[_Track], azimuths: np.ndarray, free: list[int]) -> set[int]:
        """Which of the free azimuths the tracks took; all that took none have missed."""
        taken: dict[int, int] = {}
        if tracks and free:
            at = np.array([track.state[0] for track in tracks])
            apart = np.abs(_wrapped(azimuths[free] - at[:, None]))
            rows, columns = linear_sum_assignment(np.where(apart > self.config.gate, APART, apart))
            near = apart[rows, columns] <= self.config.gate
            taken = dict(zip(rows[near].tolist(), columns[near].tolist(), strict=True))
        for row, track in enumerate(tracks):
            track.found = free[taken[row]] if row in taken else -1
            track.missed = 0 if row in taken else track.missed + 1
            track.recent = [*track.recent, row in taken][-self.config.steps :]
            if row in taken:
                self._correct(track, float(azimuths[track.found]))
        return {free[column] for column in taken.values()}

    def _correct(self, track: _Track, azimuth: float) -> None:
        gain = track.covariance[:, 0] / (track.covariance[0, 0] + self.config.spread**2)
        track.state = track.state + gain * _wrapped(azimuth - track.state[0])
        track.covariance = track.covariance - np.outer(gain, track.covariance[0])

    def _lives(self, track: _Track, quiet: bool) -> bool:
        if track.number >= 0:
            return track.missed < (self.config.silent if quiet else self.config.misses)
        return len(track.recent) < self.config.steps or sum(track.recent) >= self.config.hits

    def _begin(self) -> None:
        """Number the tracks that have been found often enough, while there are any free."""
        taken = {track.slot for track in self._tracks if track.number >= 0}
        free = sorted(set(range(self.config.tracks)) - taken)
        for track in self._tracks:
            due = track.number < 0 and track.found >= 0 and sum(track.recent) >= self.config.hits
            if free and due:
                track.number, track.slot = self._begun, free.pop(0)
                self._begun += 1


def tracked(
    frames: Frames, headings: np.ndarray | None = None, config: TrackerConfig | None = None
) -> Frames:
    """The same recording with what was found followed; a track keeps its column while it lives.

    headings  (L,) quarter turns of the listener; None: it does not turn
    config    of as many tracks as the frames have, which is also its default

    Elevations are those that were found last.
    """
    length, columns = frames.sounding.shape
    config = config or TrackerConfig(tracks=columns)
    if config.tracks != columns:
        raise ValueError(f"the frames have {columns} tracks, the tracker {config.tracks}")
    turned = QUARTER * (np.zeros(length) if headings is None else np.asarray(headings))
    azimuth, elevation = angles_of(frames.found)
    tracker = AzimuthTracker(config)
    found, sounding = np.zeros_like(frames.found), np.zeros_like(frames.sounding)
    heights: dict[int, float] = {}  # elevation of a track, by its number
    for k in range(length):
        heard = np.flatnonzero(frames.sounding[k])
        for track in tracker.step(azimuth[k, heard] + turned[k], LABEL_SECONDS):
            if track.found >= 0:
                heights[track.number] = elevation[k, heard[track.found]]
            height = np.asarray(heights[track.number])
            found[k, track.slot] = unit_vectors(track.azimuth - turned[k], height)
            sounding[k, track.slot] = True
    return frames._replace(found=found, sounding=sounding)


def _wrapped(angle: np.ndarray) -> np.ndarray:
    """In (-pi, pi]."""
    return np.pi - (np.pi - angle) % (2 * np.pi)
