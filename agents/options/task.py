"""Which task an agent learns, over which networks: options that commands of training share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from av_envs.agents.options.choices import SIZES
from av_envs.agents.runs import option
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """Fields that are options of the command line."""

    start: str = option("between", "of the environment, as the next ones")
    num_sources: int = option(2, type=positive_int)
    sounds: str = option("embedded", "corpus: embedded, embedded-2, or a directory of recordings")
    noise_snr_db: float | None = option(None, "of the microphones", type=float)
    episode: int = option(20, "steps of an episode", type=positive_int)
    static: bool = option(False, "every source repeats one second, as in Move2Hear")

    @property
    def env_options(self) -> dict[str, Any]:
        """Of the environments of training and validation alike."""
        return {
            "start": self.start,
            "num_sources": self.num_sources,
            "noise_snr_db": self.noise_snr_db,
            "sounds": self.sounds,
            "steps": self.episode,
            "dynamic": not self.static,
        }


@dataclass(frozen=True, kw_only=True)
class AgentOptions(TaskOptions):
    """Those of a run whose agent walks over a separator and a locator, beside the task."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    size: str = option("small", choices=SIZES)
    separator: Path | None = field(
        default=None, metadata={"help": "file; default: the shipped one", "type": path_argument}
    )
    locator: Path | None = field(
        default=None, metadata={"help": "file; default: the shipped one", "type": path_argument}
    )
    num_envs: int = option(32, "of this process", type=positive_int)
    val_houses: int = option(20, "of the split val", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")
