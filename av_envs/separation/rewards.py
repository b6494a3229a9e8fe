"""What a step is worth: the choices of the option `reward`, as pure functions in one table."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LAST_STEP_WEIGHT = 10.0  # of the final error in Move2Hear

Values = Mapping[str, Any]  # floats, or tensors (N,), by the keys of the info


@dataclass(frozen=True)
class RewardTerm:
    """One choice of the option `reward`.

    function       of the info of this step and of the one before; this step's also has "is_last",
                   whether the episode ends. Written so that it takes floats and tensors alike
    meaning        its row in the documentation of the environment
    against_start  whether it needs `si_sdr_start` and `si_sdr_gain`, for which every second is
                   rendered at the start pose, too
    """

    function: Callable[[Values, Values], Any]
    meaning: str
    against_start: bool = False


def improvement(now: Values, before: Values) -> Any:
    """How much the error fell, and at the last step minus ten times what is left of it.

    Majumder, Al-Halah and Grauman, "Move2Hear: Active Audio-Visual Source Separation",
    ICCV 2021, as intended; their code overwrites the improvement at the last step.
    """
    gained = before["nmse"] - now["nmse"]
    return gained - LAST_STEP_WEIGHT * now["nmse"] * now["is_last"]


REWARDS: dict[str, RewardTerm] = {
    "si_sdr_gain": RewardTerm(
        lambda now, before: now["si_sdr_gain"],
        "dB; SI-SDR of the estimate here minus SI-SDR of the same estimator at the start pose "
        "hearing the same second: what moving has bought",
        against_start=True,
    ),
    "si_sdr": RewardTerm(
        lambda now, before: now["si_sdr"],
        "dB; SI-SDR without the comparison",
    ),
    "neg_nmse": RewardTerm(
        lambda now, before: -now["nmse"],
        "the paper's code: minus the mean squared error of the magnitude over 1.44; here the "
        "last step counts, too",
    ),
    "improvement": RewardTerm(
        improvement,
        "Move2Hear's: how much that error fell since the estimate before; the last step also "
        "loses ten times the error that is left",
    ),
    "approach": RewardTerm(
        lambda now, before: before["geodesic_to_target"] - now["geodesic_to_target"],
        "Move2Hear's for far targets: metres of walking distance won",
    ),
}


def reward(name: str, now: Values, before: Values) -> float:
    """The named reward; zero for a second in which the target is silent and nothing can be won."""
    value = float(REWARDS[name].function(now, before))
    return value if math.isfinite(value) else 0.0
