"""Options that trainings on what is heard in houses have in common."""

from dataclasses import dataclass, field
from pathlib import Path

from av_envs.agents.runs import option
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument

# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")


@dataclass(frozen=True, kw_only=True)
class HouseOptions:
    """Fields that are options of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    batch_size: int = option(32, "of an update", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    sounds: str = option("embedded", "corpus: embedded, embedded-2, or a directory of recordings")
    houses: int = option(48, "of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")
