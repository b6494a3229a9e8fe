"""Train a localiser: `python -m av_envs.agents.localization.train --out DIR`.

Sequences are rendered on the fly in training houses, or come from recordings in the folders of
DCASE 2020 Task 3 (--data FOLDER). DIR gets `config.json`, `curve.csv` (a row per validation, in
unseen houses or on the validation fold; columns as in `metrics.py`), scalars for tensorboard,
`last.pt`, and `best.safetensors`, the localiser with the lowest LE. An interrupted run goes on
with the same command and --resume, and ends with the same bits as if it had not been interrupted.
"""

from dataclasses import dataclass, field
from pathlib import Path

from av_envs.agents.options.choices import ASSOCIATIONS, HEARING, LOCALISER_SIZES, TOWARDS
from av_envs.agents.runs import LAST, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    features: str = option("binaural", choices=HEARING)
    size: str = option("small", choices=LOCALISER_SIZES)
    tracks: int = option(1, "N, most sources at a time", type=int, choices=(1, 2, 3))
    association: str = option("exact", "see losses.py", choices=ASSOCIATIONS)
    no_activity: bool = option(False, "no head for activity, as the paper's baseline")
    bounded: bool = option(False, "heads end in tanh, as in the paper's code")
    data: str = option("simulated", "or a folder laid out as DCASE 2020 Task 3")
    towards: str = option("straight", "direction of the labels", choices=TOWARDS)
    sounds: str = option("embedded", "corpus: embedded, embedded-2, or a directory of recordings")
    sequences: int = option(20_000, "seen in all", type=positive_int)
    seconds: int = option(5, "of a sequence", type=positive_int)
    batch_size: int = option(32, "sequences of an update", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    clip: float = option(1.0, "largest norm of a gradient; 0: any, as in the paper's code")
    houses: int = option(48, "of the split train", type=positive_int)
    val_houses: int = option(10, "of the split val", type=positive_int)
    val_sequences: int = option(100, "to validate on", type=positive_int)
    val_every: int = option(2_000, "sequences between validations", type=positive_int)
    hnet: str | None = option(None, "file of an Hnet; default: the one that ships", type=str)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.localization.train:train",
        Args,
        "av_envs.agents.localization.train",
        __doc__,
        argv,
        LAST,
    )
