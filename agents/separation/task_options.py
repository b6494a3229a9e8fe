"""Which task a policy learns: options that the commands of training have in common."""

from dataclasses import dataclass
from typing import Any

from av_envs.agents.runs import option
from av_envs.options import positive_int


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """Fields that are options of the command line."""

    start: str = option("between", "of the environment, as the next ones")
    num_sources: int = option(2, type=positive_int)
    sounds: str = option("embedded", "corpus: embedded, or a directory of recordings")
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
