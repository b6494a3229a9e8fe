"""The control that learned nothing: the delay between two ears, of all that is heard.

Of every 100 ms the direction in front whose delay has the highest generalised cross-correlation
with phase transform. It hears one source, cannot tell front from back, and always hears something.
"""

import numpy as np
import torch

from av_envs.agents.localization.directions import unit_vectors
from av_envs.agents.localization.features import FRAMES_PER_LABEL, N_MELS
from av_envs.agents.localization.metrics import Frames
from av_envs.agents.localization.sequences import Sequences
from av_envs.agents.separation.networks.gcc import lags_of

KIND = "binaural"  # of the features it reads, whose last map is GCC-PHAT in half samples
AZIMUTHS = np.radians(np.arange(-90, 91, 5))


def gcc_found_in(recording: Sequences) -> Frames:
    """What it finds in sequences of features KIND, all in the first track."""
    phat = recording.maps[:, -1]  # (B, 5 L, 64)
    heard = phat.reshape(len(phat), -1, FRAMES_PER_LABEL, N_MELS).sum(axis=2)
    best = AZIMUTHS[at_lags(heard).argmax(axis=-1)].reshape(-1, 1)  # (B L, 1)
    others = [part.reshape(-1, *part.shape[2:]) for part in recording[1:]]
    tracks = others[1].shape[1]
    sounding = np.repeat(np.arange(tracks)[None] == 0, len(best), axis=0)
    found = np.repeat(unit_vectors(best, np.zeros_like(best)), tracks, axis=1)
    return Frames(found, sounding, *others)


def at_lags(phat: np.ndarray) -> np.ndarray:
    """(..., 37) correlation at the delays of AZIMUTHS, of rows (..., 64) in half samples."""
    index = N_MELS // 2 + 2 * lags_of(torch.from_numpy(AZIMUTHS)).numpy()
    below = np.floor(index).astype(int)
    share = index - below
    return (1 - share) * phat[..., below] + share * phat[..., below + 1]
