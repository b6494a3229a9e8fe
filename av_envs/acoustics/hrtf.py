"""Head-related impulse responses by direction.

Head frame: x forward, y to the left, z up.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from av_envs.conventions import SAMPLE_RATE


@dataclass(frozen=True, eq=False)
class Hrtf:
    """A table of head-related impulse responses.

    name        what is shown in results
    directions  (D, 3) float32, unit vectors towards the sound, head frame
    responses   (D, 2, taps) float32, left ear first, 16 kHz; mean energy over all
                directions is one between 300 Hz and 3 kHz
    lead        samples before the instant at which sound would reach the centre of the head
    """

    name: str
    directions: np.ndarray
    responses: np.ndarray
    lead: int

    def __post_init__(self):
        n = len(self.directions)
        if self.directions.shape != (n, 3) or self.responses.shape[:2] != (n, 2):
            raise ValueError(
                f"{self.name}: directions {self.directions.shape} and responses "
                f"{self.responses.shape} should be (D, 3) and (D, 2, taps)"
            )
        if not (np.isfinite(self.directions).all() and np.isfinite(self.responses).all()):
            raise ValueError(f"{self.name}: directions or responses are not finite")

    @property
    def fingerprint(self) -> str:
        return sha256(self.directions.tobytes() + self.responses.tobytes()).hexdigest()

    def nearest(self, direction: np.ndarray) -> int:
        """Row of the measured direction nearest to `direction` (3,)."""
        return int((self.directions @ np.asarray(direction, np.float32)).argmax())


def interaural_differences(hrtf: Hrtf, row: int) -> tuple[float, float]:
    """Time (s, positive when the left ear hears first) and level (dB, left over right)."""
    left, right = hrtf.responses[row].astype(float)
    lag = np.argmax(np.correlate(right, left, "full")) - (len(left) - 1)
    level = 10 * np.log10(np.sum(left**2) / np.sum(right**2))
    return lag / SAMPLE_RATE, float(level)
