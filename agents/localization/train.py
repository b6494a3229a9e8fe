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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from av_envs.agents.curve import write_rows
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
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.agents.states import load_state, save_state
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument, user_path
from av_envs.whole_files import write_whole

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


class Run:
    """One training run: localiser, optimiser, and the files that it keeps."""

    def __init__(self, args: Args):
        self.args = args
        torch.manual_seed(args.seed)
        heads = {"activity": not args.no_activity, "bounded": args.bounded}
        self.localizer = Localizer(localizer_config(args.features, args.size, args.tracks, **heads))
        self.objective = LossConfig(args.association)
        self.hnet = load_hnet(args.hnet) if args.association == "hnet" else None
        if self.hnet is not None and self.hnet.config.tracks != args.tracks:
            raise ValueError(
                f"the Hnet assigns {self.hnet.config.tracks} tracks, the run has {args.tracks}"
            )
        self.optimiser = torch.optim.Adam(self.localizer.parameters(), lr=args.learning_rate)
        self.updates, self.best = 0, math.inf
        self.rows: list[dict[str, float]] = []

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / "last.pt"

    @property
    def last(self) -> int:
        """The number of updates of the whole run."""
        return -(-self.args.sequences // self.args.batch_size)

    def update(self, batch: Sequences) -> float:
        """One step of the optimiser; the loss before it."""
        self.localizer.train()
        for group in self.optimiser.param_groups:
            decay = 0.5 * (1 + math.cos(math.pi * self.updates / self.last))
            group["lr"] = self.args.learning_rate * decay
        maps, truth, active, _ = map(torch.from_numpy, batch)
        value = loss(self.objective, *self.localizer(maps), truth, active, self.hnet)
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()
        largest = self.args.clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.localizer.parameters(), largest)
        if not torch.isfinite(value + norm):  # or the weights would be NaN in a checkpoint
            raise FloatingPointError(
                f"loss {value.item():g} and gradient {norm.item():g} of update {self.updates} are "
                "not finite; a new run with a smaller --learning-rate may get further"
            )
        self.optimiser.step()
        self.updates += 1
        return value.item()

    def validate(self, held_out: list[Sequences]) -> dict[str, float]:
        """A row of the curve; the best localiser so far is kept."""
        found = [found_in(self.localizer, one) for one in held_out]
        seen = float(self.updates * self.args.batch_size)
        row = {"sequences": seen, **scores(found, not self.args.no_activity)}
        self.rows.append(row)
        if row["le"] < self.best:
            self.best = row["le"]
            options = json.loads(kept_options(self.args, OF_THE_RUN))
            for name in ("hnet", "data", "sounds"):  # no path of the machine that trained
                options[name] = options[name] and Path(options[name]).name
            made = {"command": "av_envs.agents.localization.train", "options": options}
            path = self.args.out / "best.safetensors"
            save_localizer(self.localizer, path, {**made, "val": _json_safe(row)})
        return row

    def save(self) -> None:
        """Write `last.pt` and `curve.csv`."""
        state = {
            "localizer": self.localizer.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "updates": self.updates,
            "best": self.best,
            "rows": self.rows,
        }
        save_state(self.path, state)
        if self.rows:
            write_rows(self.args.out / "curve.csv", self.rows)

    def load(self) -> None:
        """Go on from `last.pt`; ValueError with its name if it is damaged or of another run."""
        state = load_state(self.path)
        try:
            self.localizer.load_state_dict(state["localizer"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.updates, self.best, self.rows = state["updates"], state["best"], state["rows"]
        except MALFORMED as error:
            told = one_line(error)
            raise ValueError(f"{self.path}: is no checkpoint of this run: {told}") from error


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
    run, source = Run(args), source_of(args)

    def drawn(update: int) -> Sequences:
        return source.batch(np.random.default_rng([args.seed, update]), args.batch_size)

    if can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, "last.pt"):
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))
        scaling = source.batch(np.random.default_rng([args.seed, run.last, 1]), FOR_SCALE)
        run.localizer.fit_scale(torch.from_numpy(scaling.maps))
    held_out = source.held_out()
    weights = sum(parameter.numel() for parameter in run.localizer.parameters())
    print(f"{weights:,} weights, {run.updates:,} of {run.last:,} updates", flush=True)
    between = -(-args.val_every // args.batch_size)  # updates from one validation to the next
    with (
        ThreadPoolExecutor(1) as ahead,
        SummaryWriter(str(args.out), purge_step=run.updates + 1) as board,
        tqdm(total=run.last, initial=run.updates, unit="update", smoothing=0.02) as bar,
    ):
        coming = ahead.submit(drawn, run.updates)
        while run.updates < run.last:
            batch, coming = coming.result(), ahead.submit(drawn, run.updates + 1)
            board.add_scalar("loss", run.update(batch), run.updates)
            bar.update()
            if run.updates % between == 0 or run.updates == run.last:
                row = run.validate(held_out)
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.updates)
                bar.write(", ".join(f"{name} {value:.2f}" for name, value in row.items()))
            if run.updates % SAVED_EVERY == 0 or run.updates == run.last:
                run.save()


def _json_safe(row: dict[str, float]) -> dict[str, float | None]:
    """NaN, for what there was nothing of, as None."""
    return {name: value if math.isfinite(value) else None for name, value in row.items()}


def main(argv: list[str] | None = None) -> int:
    return run_command(train, Args, "av_envs.agents.localization.train", __doc__, argv, "last.pt")


if __name__ == "__main__":
    sys.exit(main())
