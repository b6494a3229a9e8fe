"""What a step is worth. Pure functions, floats in and out."""

import math
from collections.abc import Callable

LAST_STEP_WEIGHT = 10.0  # of the final error in Move2Hear


def si_sdr_gain(score: dict[str, float]) -> float:
    """What moving has bought, dB: the estimate here against the same second heard at the start."""
    return score["si_sdr_gain"]


def si_sdr(score: dict[str, float]) -> float:
    """How good the estimate is, dB."""
    return score["si_sdr"]


def neg_nmse(score: dict[str, float]) -> float:
    """Negative normalised error, the reward in the code of Majumder and Grauman, ECCV 2022."""
    return -score["nmse"]


def improvement(score: dict[str, float]) -> float:
    """How much the error fell, and at the last step minus ten times what is left of it.

    Majumder, Al-Halah and Grauman, "Move2Hear: Active Audio-Visual Source Separation",
    ICCV 2021, as intended; their code overwrites the improvement at the last step.
    """
    gained = score["nmse_before"] - score["nmse"]
    return gained - LAST_STEP_WEIGHT * score["nmse"] if score["is_last"] else gained


def approach(score: dict[str, float]) -> float:
    """Metres of walking to the target that the step has won: Move2Hear's, for far targets."""
    return score["geodesic_before"] - score["geodesic_to_target"]


REWARD_FUNCTIONS: dict[str, Callable[[dict[str, float]], float]] = {
    function.__name__: function
    for function in (si_sdr_gain, si_sdr, neg_nmse, improvement, approach)
}


def reward(name: str, score: dict[str, float]) -> float:
    """The named reward; zero for a second in which the target is silent and nothing can be won."""
    value = float(REWARD_FUNCTIONS[name](score))
    return value if math.isfinite(value) else 0.0
