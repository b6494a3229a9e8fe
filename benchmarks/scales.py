"""What 0 and 1 mean on the normalised scale of each suite. Data only.

`low` is the score of an agent that does nothing of use, `high` that of the greedy oracle;
both were measured once and stay, so that a normalised score means the same for ever. An
agent may well score above 1: the oracle looks but one second ahead.
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


SCALES: dict[str, Scale] = {}
