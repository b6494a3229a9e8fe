"""Train a localiser: `python -m av_envs.agents.localization.train --out DIR`.

Sequences are rendered on the fly in training houses, or come from recordings in the folders of
DCASE 2020 Task 3 (--data FOLDER). DIR gets `config.json`, `curve.csv` (a row per validation, in
unseen houses or on the validation fold; columns as in `metrics.py`), scalars for tensorboard,
`last.pt`, and `best.safetensors`, the localiser with the lowest LE. An interrupted run goes on
with the same command and --resume, and ends with the same bits as if it had not been interrupted.
"""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.localization.features import KINDS
from av_envs.agents.localization.hungarian import load_hnet
from av_envs.agents.localization.listening import found_in
from av_envs.agents.localization.localizer import Localizer, localizer_config, save_localizer
from av_envs.agents.localization.losses import ASSOCIATIONS, LossConfig, loss
from av_envs.agents.localization.metrics import scores
from av_envs.agents.localization.network import SIZES
from av_envs.agents.localization.recordings import Recordings
from av_envs.agents.localization.sequences import Sequences, SequenceSource, Simulated
from av_envs.agents.localization.takes import TakeConfig
from av_envs.agents.runs import begin, kept_options, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument, user_path

SAVED_EVERY = 50  # updates
FOR_SCALE = 64  # sequences from which mean and deviation of the features are taken
OF_THE_RUN = ("out", "resume", "threads")
TOWARDS = ("straight", "arrival")


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    features: str = option("binaural", choices=KINDS)
    size: str = option("small", choices=SIZES)
    tracks: int = option(1, "N, most sources at a time", type=int, choices=(1, 2, 3))
    association: str = option("exact", "see losses.py", choices=ASSOCIATIONS)
    no_activity: bool = option(False, "no head for activity, as the paper's baseline")
    bounded: bool = option(False, "heads end in tanh, as in the paper's code")
    data: str = option("simulated", "or a folder laid out as DCASE 2020 Task 3")
    towards: str = option("straight", "direction of the labels", choices=TOWARDS)
    sounds: str = option("embedded", "corpus: embedded, or a directory of recordings")
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


class Run(Fitting):
    """Localisers that learn from sequences."""

    def __init__(self, args: Args):
        self.args = args
        self.held_out: list[Sequences] = []
        torch.manual_seed(args.seed)
        heads = {"activity": not args.no_activity, "bounded": args.bounded}
        self.localizer = Localizer(localizer_config(args.features, args.size, args.tracks, **heads))
        self.objective = LossConfig(args.association)
        self.hnet = load_hnet(args.hnet) if args.association == "hnet" else None
        if self.hnet is not None and self.hnet.config.tracks != args.tracks:
            raise ValueError(
                f"the Hnet assigns {self.hnet.config.tracks} tracks, the run has {args.tracks}"
            )
        optimiser = torch.optim.Adam(self.localizer.parameters(), lr=args.learning_rate)
        super().__init__(self.localizer, optimiser, args.out, -(-args.sequences // args.batch_size))
        self.max_norm = args.clip or math.inf

    def loss(self, batch: Sequences) -> torch.Tensor:
        """The objective of the run."""
        maps, truth, active, _ = map(torch.from_numpy, batch)
        return loss(self.objective, *self.localizer(maps), truth, active, self.hnet)

    def scores(self) -> tuple[dict[str, float], float]:
        """All measures on what is held out; the best has the lowest LE."""
        found = [found_in(self.localizer, one) for one in self.held_out]
        seen = float(self.updates * self.args.batch_size)
        row = {"sequences": seen, **scores(found, not self.args.no_activity)}
        return row, -row["le"]

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        options = json.loads(kept_options(self.args, OF_THE_RUN))
        for name in ("hnet", "data", "sounds"):  # no path of the machine that trained
            options[name] = options[name] and Path(options[name]).name
        made = {"command": "av_envs.agents.localization.train", "options": options}
        path = self.args.out / "best.safetensors"
        save_localizer(self.localizer, path, {**made, "val": _json_safe(row)})


def source_of(args: Args) -> SequenceSource:
    """Where the sequences of a run come from."""
    if args.data != "simulated":
        folder = user_path(args.data, "--data")
        kept = args.out / "features"
        return Recordings(folder, args.features, args.tracks, args.seconds, kept)
    shared = {"sounds": args.sounds, "seconds": args.seconds, "tracks": args.tracks}
    train = TakeConfig(split="train", houses=args.houses, **shared)
    val = TakeConfig(split="val", houses=args.val_houses, **shared)
    return Simulated(args.features, train, val, args.val_sequences, args.towards)


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    source = source_of(args)
    run = Run(args)

    def drawn(update: int) -> Sequences:
        return source.batch(np.random.default_rng([args.seed, update]), args.batch_size)

    if not begin(run, args, OF_THE_RUN, LAST):
        scaling = source.batch(np.random.default_rng([args.seed, run.last, 1]), FOR_SCALE)
        run.localizer.fit_scale(torch.from_numpy(scaling.maps))
    run.held_out = source.held_out()
    fit(run, drawn, between=-(-args.val_every // args.batch_size), saved_every=SAVED_EVERY)


def _json_safe(row: dict[str, float]) -> dict[str, float | None]:
    """NaN, for what there was nothing of, as None."""
    return {name: value if math.isfinite(value) else None for name, value in row.items()}


def main(argv: list[str] | None = None) -> int:
    return run_command(train, Args, "av_envs.agents.localization.train", __doc__, argv, LAST)


if __name__ == "__main__":
    sys.exit(main())
