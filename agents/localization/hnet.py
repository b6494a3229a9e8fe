"""Train Hnet, which assigns: `python -m av_envs.agents.localization.hnet --out DIR`.

The samples are synthetic, so nothing else is needed. DIR gets `config.json`, `curve.csv` (a row
per validation: F1 on other synthetic samples, and the share of matrices that are right in every
cell, in all and by the number of associations), `last.pt`, and `best.safetensors`, the network
with the best F1. An interrupted run goes on with the same command and --resume, and ends with
the same bits as if it had not been interrupted.
"""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from av_envs.agents.curve import write_rows
from av_envs.agents.localization.hungarian import Hnet, HnetConfig, hnet_loss, save_hnet
from av_envs.agents.localization.hungarian_data import Matrices, draw_matrices, weighted_f1
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.agents.states import load_state, save_state
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.whole_files import write_whole

TEST_SHARE = 0.1  # samples to validate on, as a share of those to train on
AT_ONCE = 4096  # matrices judged together
OF_THE_RUN = ("out", "resume", "threads")


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    tracks: int = option(2, "N, references and predictions", type=int, choices=(1, 2, 3, 4))
    share: float = option(1.0, "of the 405,000 samples of the paper")
    epochs: int = option(100, type=positive_int)
    batch_size: int = option(256, "matrices of an update", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    val_every: int = option(5, "epochs between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


class Run:
    """One training run: network, optimiser, and the files that it keeps."""

    def __init__(self, args: Args):
        self.args = args
        torch.manual_seed(args.seed)
        self.hnet = Hnet(HnetConfig(args.tracks))
        self.optimiser = torch.optim.Adam(self.hnet.parameters(), lr=args.learning_rate)
        train, test = (np.random.default_rng([args.seed, part]) for part in (0, 1))
        self.train = draw_matrices(train, args.tracks, args.share)
        self.test = draw_matrices(test, args.tracks, args.share * TEST_SHARE)
        self.per_epoch = len(self.train.distance) // args.batch_size  # an incomplete batch is left
        if self.per_epoch == 0:
            raise ValueError(
                f"a batch of {args.batch_size} is more than the {len(self.train.distance)} samples"
            )
        self.epochs, self.best = 0, -math.inf
        self.rows: list[dict[str, float]] = []

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / "last.pt"

    def epoch(self) -> float:
        """One pass over the samples in a random order; mean loss."""
        args, total = self.args, 0.0
        order = np.random.default_rng([args.seed, 2, self.epochs]).permutation(
            len(self.train.distance)
        )
        batches = torch.from_numpy(order[: self.per_epoch * args.batch_size])
        for k, batch in enumerate(batches.split(args.batch_size)):
            done = (self.epochs + k / self.per_epoch) / args.epochs
            for group in self.optimiser.param_groups:
                group["lr"] = 0.5 * args.learning_rate * (1 + math.cos(math.pi * done))
            loss = hnet_loss(self.hnet(self.train.distance[batch]), self.train.association[batch])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            total += loss.item()
        if not math.isfinite(total):
            raise FloatingPointError(
                f"the loss of epoch {self.epochs} is {total}; a new run with a smaller "
                "--learning-rate may get further"
            )
        self.epochs += 1
        return total / self.per_epoch

    def validate(self, loss: float) -> dict[str, float]:
        """A row of the curve; the best network so far is kept."""
        scores = hnet_scores(self.hnet, self.test, self.train.association.mean(dim=0).numpy())
        row = {"epochs": float(self.epochs), "loss": loss, **scores}
        self.rows.append(row)
        if row["f1"] > self.best:
            self.best = row["f1"]
            options = json.loads(kept_options(self.args, OF_THE_RUN))
            made = {"command": "av_envs.agents.localization.hnet", "options": options, "val": row}
            save_hnet(self.hnet, self.args.out / "best.safetensors", made)
        return row

    def save(self) -> None:
        """Write `last.pt` and `curve.csv`."""
        state = {
            "hnet": self.hnet.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "epochs": self.epochs,
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
            self.hnet.load_state_dict(state["hnet"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.epochs, self.best, self.rows = state["epochs"], state["best"], state["rows"]
        except MALFORMED as error:
            told = one_line(error)
            raise ValueError(f"{self.path}: is no checkpoint of this run: {told}") from error


def hnet_scores(hnet: Hnet, matrices: Matrices, frequency: np.ndarray) -> dict[str, float]:
    """F1, and the share of matrices without a wrong cell, in all ("exact") and by associations.

    frequency  (N, N), see `weighted_f1`
    """
    with torch.inference_mode():
        logits = [hnet(part)[0] for part in matrices.distance.split(AT_ONCE)]
    predicted, truth = (torch.cat(logits) > 0).numpy(), matrices.association.bool().numpy()
    exact = (predicted == truth).all(axis=(1, 2))
    associations = truth.sum(axis=(1, 2))
    scores = {"f1": weighted_f1(predicted, truth, frequency), "exact": float(exact.mean())}
    for n in range(truth.shape[1] + 1):
        scores[f"exact_{n}"] = float(exact[associations == n].mean())
    return scores


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    if not 0 < args.share <= 1:
        raise ValueError(f"--share must lie above 0 and up to 1, got {args.share:g}")
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    if can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, "last.pt"):
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))
    with tqdm(total=args.epochs, initial=run.epochs, unit="epoch") as bar:
        while run.epochs < args.epochs:
            loss = run.epoch()
            bar.update()
            if run.epochs % args.val_every == 0 or run.epochs == args.epochs:
                row = run.validate(loss)
                bar.write(", ".join(f"{name} {value:.4f}" for name, value in row.items()))
            run.save()


def main(argv: list[str] | None = None) -> int:
    return run_command(train, Args, "av_envs.agents.localization.hnet", __doc__, argv, "last.pt")


if __name__ == "__main__":
    sys.exit(main())
