"""Train a refiner: `python -m av_envs.agents.refinement.train --out DIR`.

Pairs of tiers (`tiers.py`) are rendered in training houses; what they are traced from is cached,
so the first run takes longer. DIR gets `config.json`, `curve.csv` (a row per validation in unseen
houses: the loss, and the error of the levels before and after refinement, dB), scalars for
tensorboard, `last.pt`, and `best.safetensors`, the refiner with the least error. An interrupted
run goes on with the same command and --resume, and ends with the same bits as if it had not been
interrupted.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.refinement.flow import OBJECTIVES, SIGMA, SOLVERS, objective_loss
from av_envs.agents.refinement.network import SIZES
from av_envs.agents.refinement.pairs import AT_ONCE, PairConfig, Pairs, ends_of, flow_pairs
from av_envs.agents.refinement.refiner import (
    POSES,
    REPRESENTATIONS,
    SOLVER,
    STEPS,
    FlowRefiner,
    refiner_config,
    save_refiner,
)
from av_envs.agents.refinement.tiers import TIERS
from av_envs.agents.runs import begin, kept_options, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument

OF_THE_RUN = ("out", "resume", "threads")


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    cheap: str = option("T2", "tier that is refined", choices=TIERS)
    truth: str = option("T3", "tier that it should sound like", choices=TIERS)
    objective: str = option("flow", "regression: one step, no flow", choices=OBJECTIVES)
    representation: str = option("levels", "what flows", choices=REPRESENTATIONS)
    size: str = option("small", choices=SIZES)
    pose: str = option("relative", "what the network is told of places", choices=POSES)
    told_start: bool = option(False, "tell the network where the flow began, all along")
    samples: int = option(0, "of a waveform; 0: all", type=non_negative_int)
    sigma: float = option(SIGMA, "of the noise around the path")
    solver: str = option(SOLVER, "of validations", choices=SOLVERS)
    steps: int = option(STEPS, "of validations", type=positive_int)
    updates: int = option(6000, type=positive_int)
    batch_size: int = option(32, "pairs of an update", type=positive_int)
    learning_rate: float = option(5e-4, "falls to zero on half a cosine")
    weight_decay: float = option(1e-4, "Adam's, as in the paper")
    houses: int = option(32, "of the split train", type=positive_int)
    sources: int = option(6, "in each house", type=positive_int)
    receivers: int = option(40, "of each source", type=positive_int)
    val_houses: int = option(6, "of the split val", type=positive_int)
    val_every: int = option(500, "updates between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


class Run(Fitting):
    """Refiners that learn from pairs."""

    def __init__(self, args: Args):
        self.args = args
        torch.manual_seed(args.seed)
        told = {"pose": args.pose, "is_told_start": args.told_start, "samples": args.samples}
        config = refiner_config(args.representation, args.size, **told)
        self.refiner = FlowRefiner(config, args.solver, args.steps)
        optimiser = torch.optim.Adam(
            self.refiner.parameters(),
            lr=args.learning_rate,
            weight_decay=args.weight_decay,
            fused=True,
        )
        super().__init__(self.refiner, optimiser, args.out, args.updates)
        self.train: Pairs | None = None
        self.held_out: Pairs | None = None

    def render(self) -> None:
        """The pairs of both splits."""
        tiers = {"cheap": self.args.cheap, "truth": self.args.truth}
        sizes = {"houses": self.args.houses, "sources": self.args.sources}
        config = PairConfig(**tiers, **sizes, receivers=self.args.receivers, seed=self.args.seed)
        self.train = flow_pairs(self.refiner, config, progress=True)
        val = PairConfig(**tiers, split="val", houses=self.args.val_houses, sources=2, receivers=20)
        self.held_out = flow_pairs(self.refiner, val, progress=True)

    def drawn(self, update: int) -> tuple[Pairs, torch.Generator]:
        """The pairs of an update, and where its random times come from."""
        rng = np.random.default_rng([self.args.seed, update])
        rows = torch.from_numpy(rng.integers(len(self.train.start), size=self.args.batch_size))
        return self.train.at(rows), torch.Generator().manual_seed(int(rng.integers(2**62)))

    def loss(self, batch: tuple[Pairs, torch.Generator]) -> torch.Tensor:
        """The objective of the run."""
        (start, end, pose), generator = batch

        def velocity(at: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
            return self.refiner.velocity(at, time, start, pose)

        return objective_loss(self.args.objective, velocity, start, end, generator, self.args.sigma)

    def scores(self) -> tuple[dict[str, float], float]:
        """Loss and errors on what is held out; the best has the least error."""
        self.refiner.eval()
        steps = 1 if self.args.objective == "regression" else self.args.steps
        losses = []
        with torch.inference_mode():
            for first in range(0, len(self.held_out.start), AT_ONCE):
                part = Pairs(*(rows[first : first + AT_ONCE] for rows in self.held_out))
                losses.append(self.loss((part, torch.Generator().manual_seed(first))).item())
        found, (start, end, _) = ends_of(self.refiner, self.held_out, steps=steps), self.held_out
        row = {"pairs": float(self.updates * self.args.batch_size), "loss": float(np.mean(losses))}
        row["error_before"] = float(self.refiner.error(start, end).mean())
        row["error"] = float(self.refiner.error(found, end).mean())
        return row, -row["error"]

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        options = json.loads(kept_options(self.args, OF_THE_RUN))
        made = {"command": "av_envs.agents.refinement.train", "options": options, "val": row}
        save_refiner(self.refiner, self.args.out / "best.safetensors", made)


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    begin(run, args, OF_THE_RUN, LAST)
    run.render()
    fit(run, run.drawn, between=args.val_every)


def main(argv: list[str] | None = None) -> int:
    return run_command(train, Args, "av_envs.agents.refinement.train", __doc__, argv, LAST)


if __name__ == "__main__":
    sys.exit(main())
