"""Train the passive separator: `python -m av_envs.agents.separation.pretrain --out DIR`.

Pairs of what is heard and what one source plays are rendered on the fly in training houses. DIR
gets `config.json`, `curve.csv` (a row per validation: SI-SDR where episodes of validation houses
begin, with unheard clips, dB), scalars for tensorboard, `last.pt`, and `best.safetensors`, the
separator with the best validation. An interrupted run goes on with the same command and
--resume, and ends with the same bits as if it had not been interrupted.
"""

import json
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from av_envs.agents.curve import write_rows
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.agents.separation.checkpoints import Header, save_network
from av_envs.agents.separation.pairs import PairConfig, Pairs, PairSampler
from av_envs.agents.separation.separator import LOSSES, SIZES, Separator, separator_config
from av_envs.agents.separation.validation import (
    HeardSeconds,
    heard_at_start,
    si_sdr_of,
    wrong_labels,
)
from av_envs.agents.states import load_state, save_state
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.whole_files import write_whole

WARM_UP = 200  # updates in which the learning rate rises
SAVED_EVERY = 500  # updates
VAL_STARTS = ("near", "between")
VAL_SECONDS = (3, 11)  # of every validation episode
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    size: str = option("small", choices=SIZES)
    loss: str | None = option(None, "default: that of the size", type=str, choices=LOSSES)
    pairs: int = option(600_000, "seen in all", type=positive_int)
    batch_size: int = option(32, "pairs of an update", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    sounds: str = option("embedded", "corpus: embedded, or a directory of recordings")
    houses: int = option(48, "of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val", type=positive_int)
    val_episodes: int = option(100, "of each start", type=positive_int)
    val_every: int = option(50_000, "pairs between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


class Run:
    """One training run: networks, optimiser, and the files that it keeps."""

    def __init__(self, args: Args):
        self.args = args
        self.classes = corpus_of(args.sounds).classes
        torch.manual_seed(args.seed)
        self.config = separator_config(args.size, len(self.classes), args.loss)
        self.separator = Separator(self.config)
        self.optimiser = torch.optim.AdamW(self.separator.parameters(), lr=args.learning_rate)
        self.updates, self.best = 0, -math.inf
        self.saved: int | None = None  # updates of the last checkpoint
        self.rows: list[dict[str, float]] = []

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / "last.pt"

    @property
    def last(self) -> int:
        """The number of updates of the whole run."""
        return -(-self.args.pairs // self.args.batch_size)

    def rate(self) -> float:
        """Learning rate of the next update."""
        decay = 0.5 * (1 + math.cos(math.pi * self.updates / self.last))
        return self.args.learning_rate * decay * min(1.0, (self.updates + 1) / WARM_UP)

    def update(self, pairs: Pairs) -> float:
        """One step of the optimiser; the loss before it."""
        self.separator.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        loss = self.separator.loss(*map(torch.from_numpy, pairs))
        self._check_finite("loss", loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.separator.parameters(), 1.0)
        self._check_finite("gradient", norm)  # or the weights would be NaN in a checkpoint
        self.optimiser.step()
        self.updates += 1
        return loss.item()

    def _check_finite(self, what: str, value: torch.Tensor) -> None:
        if torch.isfinite(value):
            return
        kept = "nothing was saved before"
        if self.saved is not None:
            kept = f"the last good checkpoint is {self.path}, after {self.saved} updates"
        raise FloatingPointError(
            f"the {what} of update {self.updates} is {value.item()}; {kept}; a new run with a "
            "smaller --learning-rate may get further"
        )

    def validate(self, heard: dict[str, HeardSeconds]) -> dict[str, float]:
        """A row of the curve; the best separator so far is kept."""
        row: dict[str, float] = {"pairs": self.updates * self.args.batch_size}
        for start, seconds in heard.items():
            ratio = si_sdr_of(self.separator, seconds, seconds.label)
            wrong = si_sdr_of(self.separator, seconds, wrong_labels(seconds, len(self.classes)))
            row[start] = float(ratio.mean())
            row[f"{start}_over_mixture"] = float((ratio - seconds.si_sdr_mixture).mean())
            row[f"{start}_wrong_class"] = float((ratio - wrong).mean())
        self.rows.append(row)
        score = float(np.mean([row[start] for start in heard]))
        if score > self.best:
            self.best = score
            save_network(self.separator, self.args.out / "best.safetensors", self.header(row))
        return row

    def header(self, scores: dict[str, float]) -> Header:
        """Of `best.safetensors`; `scores` are the row of its validation."""
        kept = json.loads(kept_options(self.args, OF_THE_RUN))
        made = {"command": "av_envs.agents.separation.pretrain", "options": kept, "val": scores}
        return Header("separator", asdict(self.config), self.classes, made)

    def save(self) -> None:
        """Write `last.pt` and `curve.csv`."""
        state = {
            "separator": self.separator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "updates": self.updates,
            "best": self.best,
            "rows": self.rows,
        }
        save_state(self.path, state)
        self.saved = self.updates
        if self.rows:
            write_rows(self.args.out / "curve.csv", self.rows)

    def load(self) -> None:
        """Go on from `last.pt`; ValueError with its name if it is damaged or of another run."""
        state = load_state(self.path)
        try:
            self.separator.load_state_dict(state["separator"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.updates, self.best, self.rows = state["updates"], state["best"], state["rows"]
        except MALFORMED as error:
            told = one_line(error)
            raise ValueError(f"{self.path}: is no checkpoint of this run: {told}") from error
        self.saved = self.updates


def pretrain(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    sampler = PairSampler(PairConfig("train", args.houses, args.sounds))
    tasks = {start: _val_task(args, start) for start in VAL_STARTS}
    if can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, "last.pt"):
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))
    heard = {start: heard_at_start(task, args.val_episodes, VAL_SECONDS)
             for start, task in tasks.items()}  # fmt: skip
    weights = sum(parameter.numel() for parameter in run.separator.parameters())
    print(f"{weights:,} weights, {run.updates:,} of {run.last:,} updates", flush=True)

    def drawn(update: int) -> Pairs:
        return sampler.batch(np.random.default_rng([args.seed, update]), args.batch_size)

    between = -(-args.val_every // args.batch_size)  # updates from one validation to the next
    with (
        ThreadPoolExecutor(1) as ahead,
        # What was logged after the checkpoint from which the run goes on is logged again.
        SummaryWriter(str(args.out), purge_step=run.updates + 1) as board,
        tqdm(total=run.last, initial=run.updates, unit="update", smoothing=0.02) as bar,
    ):
        coming = ahead.submit(drawn, run.updates)
        while run.updates < run.last:
            pairs, coming = coming.result(), ahead.submit(drawn, run.updates + 1)
            loss = run.update(pairs)
            board.add_scalar("loss", loss, run.updates)
            bar.update()
            if run.updates % between == 0 or run.updates == run.last:
                row = run.validate(heard)
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.updates)
                bar.write(", ".join(f"{name} {value:.2f}" for name, value in row.items()))
            if run.updates % SAVED_EVERY == 0 or run.updates == run.last:
                run.save()


def _val_task(args: Args, start: str) -> SeparationConfig:
    return SeparationConfig(split="val", houses=args.val_houses, start=start, sounds=args.sounds)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        pretrain,
        Args,
        "av_envs.agents.separation.pretrain",
        __doc__,
        argv,
        "last.pt",
    )


if __name__ == "__main__":
    sys.exit(main())
