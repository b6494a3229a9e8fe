"""The scales of normalised scores, suite by suite.

`low` is the score of an agent that does nothing of use, `high` that of the greedy oracle.
Of teams that measure, `low` is Random with the zero predictor, `high` CoverageOracle with the
oracle predictor. `av_envs.benchmarks.measure_scales` writes them into normalisation.json, once per
version of a suite, so that a normalised score means the same for ever. An agent may well score
above 1: none of them is a proven best.
"""

import json
from dataclasses import dataclass
from pathlib import Path


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


def read_scales(path: Path) -> dict[str, Scale]:
    """By suite."""
    given = json.loads(path.read_text(encoding="utf-8"))
    return {suite: Scale(**ends) for suite, ends in given.items()}


FILE = Path(__file__).with_suffix(".json")
SCALES: dict[str, Scale] = read_scales(FILE)
