"""Line of sight between two places, from a map of free space that the measurements draw.

Where the direct sound of a measured pair was heard, the line between its ends is free, and
so are the places where robots stood. The less of a line is known to be free, the likelier
is a wall; a measured pair nearby that was hidden speaks against sight, too.
"""

import numpy as np

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.geometry import distances

CELL = 0.25  # m
LINE_POINTS = 64  # points looked up on each line
# fitted by logistic regression on flats of the train split
NEARBY = 0.8  # m between pairs over which being hidden matters
FREE, UNKNOWN, HIDDEN = 2.7, 0.75, 2.0  # log odds: of a free line, per unknown metre, of a match


class SightMap:
    """Cells of the ground plane that are known to be free."""

    def __init__(self):
        self._free = np.zeros((0, 0), bool)
        self._origin = np.zeros(2, int)  # cell of the first element

    def observe(self, pairs: Pairs, seen: np.ndarray) -> None:
        """Learn from measured pairs, of which `seen` (P,) bool see each other."""
        if len(seen) == 0:
            return
        lines = _line_cells(pairs)
        known = np.concatenate([lines[seen].reshape(-1, 2), lines[:, [0, -1]].reshape(-1, 2)])
        self._make_room(known)
        self._free[tuple((known - self._origin).T)] = True

    def log_odds(self, pairs: Pairs, near_hidden: np.ndarray) -> np.ndarray:
        """(P,) natural log of the odds that nothing stands between emitter and receiver.

        near_hidden  (P,) how many measured pairs nearby were hidden, fading with `NEARBY`
        """
        cells = _line_cells(pairs) - self._origin
        inside = np.all((cells >= 0) & (cells < self._free.shape), axis=2)
        free = np.zeros(inside.shape, bool)
        free[inside] = self._free[tuple(cells[inside].T)]
        unknown = (1 - free.mean(axis=1)) * distances(pairs)
        return FREE - UNKNOWN * unknown - HIDDEN * near_hidden / (1 + near_hidden)

    def _make_room(self, cells: np.ndarray) -> None:
        """Grow the map so that it holds `cells` (K, 2) too."""
        low, high = cells.min(axis=0), cells.max(axis=0) + 1
        if self._free.size:
            low = np.minimum(low, self._origin)
            high = np.maximum(high, self._origin + self._free.shape)
        if tuple(high - low) != self._free.shape:
            before, after = self._origin - low, high - self._origin - self._free.shape
            if self._free.size:
                self._free = np.pad(self._free, np.stack([before, after], axis=1))
            else:
                self._free = np.zeros(high - low, bool)
            self._origin = low


def _line_cells(pairs: Pairs) -> np.ndarray:
    """(P, LINE_POINTS, 2) int cells from emitter to receiver."""
    along = np.linspace(0, 1, LINE_POINTS)[None, :, None]
    emitter, receiver = pairs.emitter[:, None, :2], pairs.receiver[:, None, :2]
    return np.round((emitter + along * (receiver - emitter)) / CELL).astype(int)
