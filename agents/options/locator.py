"""Train the locator of targets: `python -m av_envs.agents.separation.locate --out DIR`.

Seconds of two sources or three are rendered on the fly in training houses; the network begins
with the extractor of a separator and learns in which direction, and how far away, the source of
the class that it is asked for is. DIR gets `config.json`, `curve.csv` (a row per validation:
other seconds, of validation houses and unheard clips), scalars for tensorboard, `last.pt`, and
`best.safetensors`. An interrupted run goes on with the same command and --resume, and ends with
the same bits as if it had not been interrupted.
"""

from dataclasses import dataclass, field
from pathlib import Path

from av_envs.agents.options.houses import HouseOptions
from av_envs.agents.runs import LAST, option, run_command
from av_envs.options import positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args(HouseOptions):
    """A run: every field is an option of the command line."""

    separator: Path | None = field(
        default=None,
        metadata={"help": "begun with; default: the shipped one", "type": path_argument},
    )
    seconds: int = option(256_000, "asked about in all", type=positive_int)
    val_seconds: int = option(1024, "of a validation", type=positive_int)
    val_every: int = option(32_000, "seconds between validations", type=positive_int)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.separation.locate:locate",
        Args,
        "av_envs.agents.separation.locate",
        __doc__,
        argv,
        LAST,
    )
