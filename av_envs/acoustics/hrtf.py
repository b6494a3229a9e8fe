"""What a head does to sound from each direction: head-related impulse responses.

The built-in table is the KEMAR dummy head with normal pinnae of Gardner and Martin,
"HRTF measurements of a KEMAR dummy-head microphone", MIT Media Lab Perceptual
Computing TR 280, 1994, resampled to 16 kHz. `python -m av_envs.acoustics.sofa
MIT_KEMAR_normal_pinna.sofa kemar.npz` made it from the file of Debian's libmysofa1.
Any other head comes from a SOFA file (AES69).

Head frame: x forward, y to the left, z up.
"""

import os
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import as_file, files

import numpy as np

from av_envs.conventions import SAMPLE_RATE
from av_envs.paths import suffix_of, user_path


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


def load_hrtf(name: str | os.PathLike[str] = "kemar") -> Hrtf:
    """The built-in head, "kemar", or any head from the path of a SOFA file."""
    if name == "kemar":
        return _kemar()
    path = user_path(name, "hrtf")
    if suffix_of(path) == ".sofa":
        from av_envs.acoustics.sofa import read_sofa  # needs h5py, extra [sofa]

        return read_sofa(path)
    raise ValueError(f'unknown hrtf {name!r}: choose "kemar" or the path of a .sofa file')


@cache
def _kemar() -> Hrtf:
    with as_file(files("av_envs") / "data" / "kemar.npz") as path, np.load(path) as table:
        responses = table["responses"].astype(np.float32) * table["scale"]
        return Hrtf("kemar", table["directions"], responses, int(table["lead"]))


def interaural_differences(hrtf: Hrtf, row: int) -> tuple[float, float]:
    """Time (s, positive when the left ear hears first) and level (dB, left over right)."""
    left, right = hrtf.responses[row].astype(float)
    lag = np.argmax(np.correlate(right, left, "full")) - (len(left) - 1)
    level = 10 * np.log10(np.sum(left**2) / np.sum(right**2))
    return lag / SAMPLE_RATE, float(level)
