"""Train the set predictor: `python -m av_envs.agents.rir_measure.set_predictor.train --out DIR`.

Two robots measure along a walk in each training dwelling; held-out pairs are asked after 2 to 200
steps, in half of the updates with a random part of what was measured. DIR gets `config.json`,
`curve.csv` (a row per validation: STFT distance of rendered responses to held-out pairs of
validation dwellings, by the number of steps), scalars for tensorboard, `last.pt`, and
`best.safetensors`, the network with the best validation. An interrupted run goes on with the same
command and --resume, and ends with the same bits as if it had not been interrupted.
"""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from av_envs.agents.curve import write_rows
from av_envs.agents.rir_measure.set_predictor.material import GRIDS, STEPS, Batch, Lesson, lesson
from av_envs.agents.rir_measure.set_predictor.network import NetworkConfig, SetNetwork
from av_envs.agents.rir_measure.set_predictor.objective import distance
from av_envs.agents.rir_measure.set_predictor.predictor import answer, save_set_network
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.agents.states import load_state, save_state
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.rir_measure.metrics.stft_distance import distance as rendered_distance
from av_envs.rir_measure.metrics.stft_distance import spectra
from av_envs.rir_measure.predictors.envelope import Decomposition, compose
from av_envs.whole_files import write_whole

WARM_UP = 50  # updates in which the learning rate rises
SAVED_EVERY = 100  # updates
VAL_QUERIES = 32  # held-out pairs of each validation dwelling
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")


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


class Run:
    """One training run: network, optimiser, and the files that it keeps."""

    def __init__(self, args: Args):
        self.args = args
        torch.manual_seed(args.seed)
        self.network = SetNetwork(NetworkConfig())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=args.learning_rate, weight_decay=args.weight_decay
        )
        self.updates, self.best = 0, math.inf
        self.saved: int | None = None  # updates of the last checkpoint
        self.rows: list[dict[str, float]] = []

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / "last.pt"

    def rate(self) -> float:
        """Learning rate of the next update."""
        decay = 0.5 * (1 + math.cos(math.pi * self.updates / self.args.updates))
        return self.args.learning_rate * decay * min(1.0, (self.updates + 1) / WARM_UP)

    def update(self, batch: Batch) -> float:
        """One step of the optimiser; the loss before it."""
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        loss = distance(self.network(**batch.question), batch.truth, batch.arrival).mean()
        self._check_finite("loss", loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
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

    def validate(self, lessons: list[Lesson]) -> dict[str, float]:
        """A row of the curve; the best network so far is kept."""
        self.network.eval()
        row: dict[str, float] = {"updates": self.updates}
        for kind in GRIDS:
            ours = [one for one in lessons if one.name.startswith(kind)]
            errors = np.mean([errors_of(self.network, one) for one in ours], axis=0)
            row |= {f"{kind}_{step}": float(e) for step, e in zip(STEPS, errors, strict=True)}
        self.rows.append(row)
        score = float(np.mean([value for name, value in row.items() if name != "updates"]))
        if score < self.best:
            self.best = score
            save_set_network(self.network, self.args.out / "best.safetensors", self.made(row))
        return row

    def made(self, scores: dict[str, float]) -> dict[str, Any]:
        """How `best.safetensors` was made; `scores` are the row of its validation."""
        kept = json.loads(kept_options(self.args, OF_THE_RUN))
        command = "av_envs.agents.rir_measure.set_predictor.train"
        return {"command": command, "options": kept, "val": scores}

    def save(self) -> None:
        """Write `last.pt` and `curve.csv`."""
        state = {
            "network": self.network.state_dict(),
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
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.updates, self.best, self.rows = state["updates"], state["best"], state["rows"]
        except MALFORMED as error:
            told = one_line(error)
            raise ValueError(f"{self.path}: is no checkpoint of this run: {told}") from error
        self.saved = self.updates


def errors_of(network: SetNetwork, heard: Lesson) -> list[float]:
    """Mean STFT distance of rendered responses after each of `STEPS`."""
    truth, errors = spectra(heard.queries.rirs), []
    for question in heard.questions:
        found = answer(network, question)
        parts = Decomposition(found.direct.numpy(), found.envelope.numpy())
        rirs = compose(heard.queries.pairs, parts, heard.queries.rirs.shape[-1])
        errors.append(float(rendered_distance(truth, spectra(rirs)).mean()))
    return errors


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    if can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, "last.pt"):
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))
    lessons = _lessons("train", dict.fromkeys(GRIDS, args.dwellings), args.queries)
    of_val = {"flat": args.val_flats, "house": args.val_houses}
    held_out = _lessons("val", of_val, VAL_QUERIES)
    weights = sum(parameter.numel() for parameter in run.network.parameters())
    print(f"{weights:,} weights, {run.updates:,} of {args.updates:,} updates", flush=True)
    with (
        # What was logged after the checkpoint from which the run goes on is logged again.
        SummaryWriter(str(args.out), purge_step=run.updates + 1) as board,
        tqdm(total=args.updates, initial=run.updates, unit="update", smoothing=0.02) as bar,
    ):
        while run.updates < args.updates:
            rng = np.random.default_rng([args.seed, run.updates])
            torch.manual_seed(int(rng.integers(2**31)))  # of dropout
            loss = run.update(lessons[rng.integers(len(lessons))].draw(rng, args.pairs))
            board.add_scalar("loss", loss, run.updates)
            bar.update()
            is_last = run.updates == args.updates
            if run.updates % args.val_every == 0 or is_last:
                row = run.validate(held_out)
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.updates)
                bar.write(", ".join(f"{name} {value:.3g}" for name, value in row.items()))
            if run.updates % SAVED_EVERY == 0 or is_last:
                run.save()


def _lessons(split: str, dwellings: dict[str, int], queries: int) -> list[Lesson]:
    """Walks in the first dwellings of each kind; those of val keep their true responses."""
    places = [(index, kind) for kind, n in dwellings.items() for index in range(n)]
    return [
        lesson(split, index, kind, queries, keeps_responses=split == "val")
        for index, kind in tqdm(places, f"measuring in dwellings of {split}")
    ]


def main(argv: list[str] | None = None) -> int:
    command = "av_envs.agents.rir_measure.set_predictor.train"
    return run_command(train, Args, command, __doc__, argv, "last.pt")


if __name__ == "__main__":
    sys.exit(main())
