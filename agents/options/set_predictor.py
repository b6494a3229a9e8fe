"""Train the set predictor: `python -m av_envs.agents.rir_measure.set_predictor.train --out DIR`.

Two robots measure along a walk in each training dwelling; held-out pairs are asked after 2 to 200
steps, in half of the updates with a random part of what was measured. DIR gets `config.json`,
`curve.csv` (a row per validation: STFT distance of rendered responses to held-out pairs of
validation dwellings, by the number of steps), scalars for tensorboard, `last.pt`, and
`best.safetensors`, the network with the best validation. An interrupted run goes on with the same
command and --resume, and ends with the same bits as if it had not been interrupted.
"""

from dataclasses import dataclass, field
from pathlib import Path

from av_envs.agents.runs import LAST, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    updates: int = option(2000, type=positive_int)
    pairs: int = option(32, "asked in an update, all in one dwelling", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    weight_decay: float = option(0.05, "of AdamW")
    dwellings: int = option(24, "flats and as many houses, of the split train", type=positive_int)
    queries: int = option(64, "held-out pairs of each of them", type=positive_int)
    val_flats: int = option(2, "of the split val", type=positive_int)
    val_houses: int = option(2, "of the split val", type=positive_int)
    val_every: int = option(200, "updates between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.rir_measure.set_predictor.train:train",
        Args,
        "av_envs.agents.rir_measure.set_predictor.train",
        __doc__,
        argv,
        LAST,
    )
