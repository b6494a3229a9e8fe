"""The simplest refiner: one gain for each ear and octave band, the same for all responses."""

from collections.abc import Iterable

import numpy as np

from av_envs.acoustics.refined import EARS
from av_envs.agents.refinement import levels
from av_envs.agents.refinement.pairs import Heard
from av_envs.conventions import N_BANDS, SAMPLE_RATE


class BandEq:
    """Makes each ear and band louder or softer by a fixed amount.

    gain_db  (2, 7)
    """

    sample_rate, channels = SAMPLE_RATE, EARS

    def __init__(self, gain_db: np.ndarray):
        gain_db = np.asarray(gain_db, float)
        if gain_db.shape != (EARS, N_BANDS) or not np.isfinite(gain_db).all():
            raise ValueError(f"gain_db must be {EARS} x {N_BANDS} numbers, got {gain_db.shape}")
        self.gain = (10 ** (gain_db / 20)).astype(np.float32)

    @classmethod
    def fitted(cls, pairs: Iterable[Heard]) -> "BandEq":
        """With the mean difference of the energies of pairs, in dB."""
        differences = []
        for heard in pairs:
            cheap, truth = (
                levels.band_energies(levels.band_signals(signal)).sum(axis=-1)
                for signal in (heard.cheap, heard.truth)
            )
            differences.append(10 * np.log10(truth / cheap))
        if not differences:
            raise ValueError("there is no pair to fit gains to")
        return cls(np.mean(differences, axis=0))

    def refine(
        self, signal: np.ndarray, pose: np.ndarray | None = None, dry: np.ndarray | None = None
    ) -> np.ndarray:
        """(2, n) float32 of (2, n); pose and dry sound do not matter."""
        bands = levels.band_signals(signal) * self.gain[..., None]
        return bands.sum(axis=1)[:, : signal.shape[1]].astype(np.float32)
