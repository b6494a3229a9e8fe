"""Train the passive separator: `python -m av_envs.agents.separation.pretrain --out DIR`.

Pairs of what is heard and what one source plays are rendered on the fly in training houses. DIR
gets `config.json`, `curve.csv` (a row per validation: SI-SDR where episodes of validation houses
begin, with unheard clips, dB), scalars for tensorboard, `last.pt`, and `best.safetensors`, the
separator with the best validation. An interrupted run goes on with the same command and
--resume, and ends with the same bits as if it had not been interrupted.
"""

from dataclasses import dataclass

from av_envs.agents.options.choices import SEPARATOR_LOSSES, SIZES
from av_envs.agents.options.houses import HouseOptions
from av_envs.agents.runs import LAST, option, run_command
from av_envs.options import positive_int


@dataclass(frozen=True, kw_only=True)
class Args(HouseOptions):
    """A run: every field is an option of the command line."""

    size: str = option("small", choices=SIZES)
    loss: str | None = option(None, "default: that of the size", type=str, choices=SEPARATOR_LOSSES)
    pairs: int = option(600_000, "seen in all", type=positive_int)
    val_episodes: int = option(100, "of each start", type=positive_int)
    val_every: int = option(50_000, "pairs between validations", type=positive_int)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.separation.pretrain:pretrain",
        Args,
        "av_envs.agents.separation.pretrain",
        __doc__,
        argv,
        LAST,
    )
