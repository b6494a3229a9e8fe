"""Parameters of synthetic speakers."""

from dataclasses import dataclass

import numpy as np

from av_envs.sound.synthesis.phonemes import VOWELS
from av_envs.sound.synthesis.vocal_tract import Larynx

IRRATIONAL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)  # their square roots; one trait each


@dataclass(frozen=True)
class Speaker:
    """Parameters of one voice.

    pitch         Hz, median
    liveliness    semitones, how far accents rise
    tract_scale   factor on all formants; 0.9 is a long vocal tract, 1.25 a short one
    rate          syllables per second while talking
    hiss          factor on the loudness of consonant noise
    hiss_scale    factor on its frequency
    larynx        how the vocal folds move
    accent        {vowel: (3,) factors on its formants}
    microphone    dB below 250 Hz and above 2 kHz; each speaker has another one
    """

    pitch: float
    liveliness: float
    tract_scale: float
    rate: float
    hiss: float
    hiss_scale: float
    larynx: Larynx
    accent: dict[str, np.ndarray]
    microphone: tuple[float, float]


def speaker(index: int) -> Speaker:
    """Speaker number `index` of an endless line in which neighbours are unlike each other.

    The traits follow a Kronecker sequence: however many speakers there are, they fill the
    range evenly, and adding speakers changes none of those before.
    """
    pitch, length, liveliness, rate, breath, smooth, openness, hiss, *colour = _spread(index)
    body = 0.65 * pitch + 0.35 * length  # small bodies have high voices, loosely
    rng = np.random.default_rng([7001, index])
    accent = {vowel: 1 + 0.05 * rng.standard_normal(3).clip(-2, 2) for vowel in VOWELS}
    return Speaker(
        pitch=88 * (250 / 88) ** pitch,
        liveliness=3.8 + 4.6 * liveliness,
        tract_scale=0.88 + 0.32 * body,
        rate=4.6 + 2.4 * rate,
        hiss=0.85 + 1.3 * hiss,
        hiss_scale=0.9 + 0.3 * body,
        larynx=Larynx(0.45 + 0.3 * openness, 0.8 * smooth - 0.1, 0.01 + 0.07 * breath**2, 0.006),
        accent=accent,
        microphone=(8 * colour[0] - 4, 12 * colour[1] - 6.5),
    )


def _spread(index: int) -> list[float]:
    """(10,) in [0, 1), point `index` of a sequence that fills the cube evenly."""
    return ((0.5 + (index + 1) * np.sqrt(IRRATIONAL)) % 1).tolist()
