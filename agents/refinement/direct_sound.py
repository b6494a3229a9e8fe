"""What would be heard of a recording's source without any room: where its refinement starts.

Nothing is known of the rooms of RWAVS but where the listener and the loudspeaker are, in a unit
that nobody measured. So the start is the direct sound: what the source plays, softer in
proportion to the distance, through the ears of the built-in head for the azimuth of the source.
One gain makes up for the levels of both recordings. They are synchronised, so the sound is not
delayed unless the unit is given in metres. Whatever a room adds, the refiner has to.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import resample_poly

from av_envs.acoustics.heads import load_hrtf
from av_envs.agents.refinement.rwavs import RATE, Clip
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND

UP, DOWN = 441, 320  # from the rate of heads to that of recordings
NEAREST = 0.05  # of the unit of places: nearer than that, a source does not get louder


def direct_sound(clip: Clip, metres: float = 0.0) -> np.ndarray:
    """(2, n) float32 of what the source plays in a clip; what it played before is left out.

    metres  that are one unit of the places; 0: not known, and sound takes no time
    """
    head = load_hrtf()
    distance = max(float(np.linalg.norm(clip.source - clip.place)), NEAREST)
    row = head.nearest(np.array([np.cos(clip.azimuth), np.sin(clip.azimuth), 0.0]))
    ears, n = _ears()[row], len(clip.dry)
    seconds = distance * metres / SPEED_OF_SOUND
    late = seconds - head.lead / SAMPLE_RATE
    size = next_fast_len(n + ears.shape[-1] + round(seconds * RATE) + head.lead * 2, real=True)
    turned = np.exp(-2j * np.pi * rfftfreq(size, 1 / RATE) * late)
    heard = irfft(rfft(clip.dry, size) * rfft(ears, size) * turned, size)[..., :n]
    return (heard / distance).astype(np.float32)


def fitted_gain(clips: Iterable[Clip], metres: float = 0.0) -> float:
    """What direct sounds are multiplied with to have the energy of recordings, over all clips."""
    simulated = recorded = 0.0
    for clip in clips:
        simulated += float(np.sum(np.square(direct_sound(clip, metres), dtype=float)))
        recorded += float(np.sum(np.square(clip.heard, dtype=float)))
    if simulated == 0 or recorded == 0:
        raise ValueError("there is no clip in which something plays and is heard")
    return float(np.sqrt(recorded / simulated))


@lru_cache(maxsize=1)
def _ears() -> np.ndarray:
    """(D, 2, taps) the head's responses at the rate of recordings, with the same spectra."""
    return resample_poly(load_hrtf().responses, UP, DOWN, axis=-1) * (DOWN / UP)
