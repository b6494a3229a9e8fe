"""What 0 and 1 mean on the normalised scale of each suite. Data only.

`low` is the score of an agent that does nothing of use, `high` that of the greedy oracle
(of ProximityPrior where the target is far: looking one second ahead leads nowhere there).
Of teams that measure, `low` is Random with the zero predictor, `high` CoverageOracle with the
oracle predictor. All were measured once and stay, so that a normalised score means the same for
ever. An agent may well score above 1: none of them is a proven best.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Scores that count as 0 and as 1, in the unit of the suite's primary metric."""

    low: float
    high: float

    def __post_init__(self):
        if self.low == self.high:
            raise ValueError(f"a scale needs two different scores, got {self.low} twice")

    def normalised(self, score: float) -> float:
        return (score - self.low) / (self.high - self.low)


SCALES: dict[str, Scale] = {
    "rir-mp3d-like-v1": Scale(0.302, 0.881),
    "rir-replica-like-v1": Scale(0.249, 0.839),
    "sep-3src-v1": Scale(0.000, 1.534),
    "sep-distance-v1": Scale(0.000, 1.371),
    "sep-far-v1": Scale(-9.453, -1.960),
    "sep-near-heard-v1": Scale(0.000, 1.354),
    "sep-near-unheard-v1": Scale(0.000, 1.296),
    "sep-noise-v1": Scale(0.000, 1.259),
    "sep-static-v1": Scale(-2.922, -1.605),
    "sep-target-unheard-v1": Scale(-1.153, 0.675),
}
