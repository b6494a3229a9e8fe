"""What a predictor of impulse responses promises, and what it is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from av_envs.conventions import SAMPLE_RATE
from av_envs.rir_measure.pairs import Pairs

JointObservation = dict[str, dict[str, np.ndarray]]  # robot -> key -> array, of one step


@dataclass(frozen=True)
class PredictionContext:
    """What a predictor may know when an episode starts.

    robots     names, in the order of the environment
    grid       metres between neighbouring nodes
    steps      length of an episode
    truth      the true responses of any pairs, (P, 2, n_samples) float32, for predictors that
               declare it; `PermissionError` for others
    n_samples  of a response at 16 kHz
    """

    robots: tuple[str, ...]
    grid: float
    steps: int
    truth: Callable[[Pairs], np.ndarray]
    n_samples: int = SAMPLE_RATE


class RIRPredictor(Protocol):
    """Says how pairs of places sound before they are measured.

    The environment asks for the pairs of a step, then shows what was measured there. The
    same calls after `reset` must give the same predictions. An attribute
    `privileged = ("truth",)` declares that a predictor looks at what it should predict.
    """

    def reset(self, context: PredictionContext) -> None:
        """Forget the last episode."""
        ...

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        """(P, 2, n_samples) float32, left ear first; may be read-only.

        history  what the robots observed in the last 16 steps, the newest last, but for the
                 responses that they heard
        """
        ...

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        """Learn from what has just been measured, after it was predicted.

        rirs  (P, 2, n_samples) float32, read-only
        """
        ...


def context_for(
    predictor: RIRPredictor,
    robots: tuple[str, ...],
    grid: float,
    steps: int,
    truth: Callable[[Pairs], np.ndarray],
) -> PredictionContext:
    """What this predictor may know: the truth only if it declares to look at it."""
    is_declared = "truth" in getattr(predictor, "privileged", ())
    return PredictionContext(robots, grid, steps, truth if is_declared else hidden_truth)


def hidden_truth(pairs: Pairs) -> np.ndarray:
    """Stands in a context where the truth would be."""
    raise PermissionError(
        "a predictor that asks for context.truth must declare privileged = ('truth',)"
    )
