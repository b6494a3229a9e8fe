"""Check of ear order: sound from one side is louder and earlier at the ear of that side."""

import numpy as np

ASIDE = 0.5  # sine of the azimuth from which on sides are compared
CLEAR = 0.5  # dB between the ears; below, the times of arrival decide
ONSET_SHARE = 0.1  # of a response's peak


def onsets(responses: np.ndarray) -> np.ndarray:
    """(...) index of the first sample of (..., n) that exceeds a tenth of the peak."""
    level = np.abs(responses)
    return (level > ONSET_SHARE * level.max(axis=-1, keepdims=True)).argmax(axis=-1)


def check_sides(name: str, sine: np.ndarray, responses: np.ndarray) -> None:
    """Raise a ValueError if what is on the left is louder at the right ear, or heard there first.

    sine       (M,) of the azimuths of the sources: 1 exactly to the left, -1 to the right
    responses  (M,2,n) what comes directly, left ear first
    """
    energy = np.square(responses, dtype=float).sum(axis=2) + np.finfo(float).tiny
    level = 10 * np.log10(energy[:, 0] / energy[:, 1])
    left, right = onsets(responses).T
    side = np.where(np.abs(level) > CLEAR, np.sign(level), np.sign(right - left))
    aside = (np.abs(sine) > ASIDE) & (side != 0)
    if aside.any() and (side != np.sign(sine))[aside].mean() > 0.5:
        raise ValueError(
            f"{name}: sources on the left are louder at the right ear or heard there first; are "
            "the ears exchanged (ReceiverPosition says which is which), or do azimuths count "
            "clockwise? For the latter there is clockwise=True"
        )
