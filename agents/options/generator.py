"""Train the generator alone: `python -m av_envs.agents.rir_measure.pretrain --out DIR`.

It learns to say how what two robots measure will sound, in training dwellings, before teams learn
where to go. DIR gets `config.json`, `curve.csv` (a row per validation on pairs anywhere in
validation dwellings: `xi`, minus the distance of the predictions, beside that of silence and of
the mean response), scalars for tensorboard, `last.pt`, and `best.safetensors`, which
`av_envs.agents.rir_measure.train --generator` begins with. An interrupted run goes on with the
same command and --resume, and ends with the same bits as if it had not been interrupted.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from av_envs.agents.options.choices import ENVIRONMENTS, SAMPLERS, SIZES, VISIONS
from av_envs.agents.runs import LAST, json_object, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    size: str = option("small", choices=SIZES)
    env: str = option("flats", choices=ENVIRONMENTS)
    env_kwargs: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "JSON object of its options", "type": json_object}
    )
    sampler: str = option("uniform_pairs", "who measures", choices=SAMPLERS)
    vision: str = option("rgbd", choices=VISIONS)
    kappa: int = option(2, "moments that are remembered", type=non_negative_int)
    mse_share: float | None = option(None, "w^MSE; default: by size", type=float)
    amplitude: float = option(2.0, "loudest sample of a prediction")
    teams: int = option(500_000, "measured in all", type=positive_int)
    batch_size: int = option(32, "teams of an update", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero")
    houses: int = option(32, "of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val", type=positive_int)
    val_teams: int = option(200, "of a validation", type=positive_int)
    val_every: int = option(25_000, "teams between validations", type=positive_int)
    device: str | None = option(None, "of torch; default: cuda if there is one", type=str)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.rir_measure.pretrain:pretrain",
        Args,
        "av_envs.agents.rir_measure.pretrain",
        __doc__,
        argv,
        LAST,
    )
