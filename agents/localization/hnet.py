"""Train Hnet, which assigns: `python -m av_envs.agents.localization.hnet --out DIR`.

The samples are synthetic, so nothing else is needed. DIR gets `config.json`, `curve.csv` (a row
per validation on other synthetic samples: loss, F1, and the share of matrices that are right in
every cell, in all and by the number of associations), scalars for tensorboard, `last.pt`, and
`best.safetensors`, the network with the best F1. An interrupted run goes on with the same command
and --resume, and ends with the same bits as if it had not been interrupted.
"""

import json
import math
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.localization.hungarian import Hnet, HnetConfig, hnet_loss, save_hnet
from av_envs.agents.localization.hungarian_data import Matrices, draw_matrices, weighted_f1
from av_envs.agents.runs import begin, kept_options, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument

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


class Run(Fitting):
    """Networks that learn from synthetic matrices."""

    max_norm = math.inf  # not clipped, as in the paper's code

    def __init__(self, args: Args):
        self.args = args
        torch.manual_seed(args.seed)
        self.hnet = Hnet(HnetConfig(args.tracks))
        train, test = (np.random.default_rng([args.seed, part]) for part in (0, 1))
        self.train = draw_matrices(train, args.tracks, args.share)
        self.test = draw_matrices(test, args.tracks, args.share * TEST_SHARE)
        self.per_epoch = len(self.train.distance) // args.batch_size  # an incomplete batch is left
        if self.per_epoch == 0:
            raise ValueError(
                f"a batch of {args.batch_size} is more than the {len(self.train.distance)} samples"
            )
        optimiser = torch.optim.Adam(self.hnet.parameters(), lr=args.learning_rate)
        super().__init__(self.hnet, optimiser, args.out, args.epochs * self.per_epoch)

    @lru_cache(maxsize=2)  # noqa: B019 (a run lives as long as its command)
    def order(self, epoch: int) -> torch.Tensor:
        """The samples in the random order of an epoch."""
        rng = np.random.default_rng([self.args.seed, 2, epoch])
        return torch.from_numpy(rng.permutation(len(self.train.distance)))

    def drawn(self, update: int) -> torch.Tensor:
        """Indices of the samples of an update."""
        epoch, k = divmod(update, self.per_epoch)
        return self.order(epoch)[k * self.args.batch_size :][: self.args.batch_size]

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        """Of all three outputs."""
        return hnet_loss(self.hnet(self.train.distance[batch]), self.train.association[batch])

    def scores(self) -> tuple[dict[str, float], float]:
        """F1 and shares of matrices that are right, see `hnet_scores`."""
        found = hnet_scores(self.hnet, self.test, self.train.association.mean(dim=0).numpy())
        with torch.inference_mode():
            lost = hnet_loss(self.hnet(self.test.distance), self.test.association).item()
        row = {"epochs": self.updates / self.per_epoch, "loss": lost, **found}
        return row, found["f1"]

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        options = json.loads(kept_options(self.args, OF_THE_RUN))
        made = {"command": "av_envs.agents.localization.hnet", "options": options, "val": row}
        save_hnet(self.hnet, self.args.out / "best.safetensors", made)


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
    begin(run, args, OF_THE_RUN, LAST)
    every = args.val_every * run.per_epoch
    fit(run, run.drawn, between=every, saved_every=run.per_epoch)


def main(argv: list[str] | None = None) -> int:
    return run_command(train, Args, "av_envs.agents.localization.hnet", __doc__, argv, LAST)


if __name__ == "__main__":
    sys.exit(main())
