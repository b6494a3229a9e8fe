"""Networks that learn from batches made on the fly: a run that goes on where it was interrupted.

What is learned and how it is judged is for a subclass of `Fitting` to say; `fit` runs it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from av_envs.agents.curve import write_rows
from av_envs.agents.runs import LAST
from av_envs.agents.states import load_state, save_state
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.progress import progress_bar

WARM_UP = 200  # updates in which the learning rate rises
SAVED_EVERY = 500  # updates


class Fitting(ABC):
    """One training run: a network, its optimiser, and the files that it keeps.

    network        what learns
    optimiser      of it; the learning rates of its groups are what they fall to zero from, on half
                   a cosine
    out            directory of the run
    last           number of updates of the whole run
    max_norm       largest norm of a gradient
    warm_up        updates in which the learning rate rises
    """

    max_norm = 1.0
    warm_up = WARM_UP

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer, out: Path, last: int):
        self.network, self.optimiser, self.out, self.last = network, optimiser, out, last
        self._rates = [group["lr"] for group in optimiser.param_groups]
        self.updates, self.best = 0, -math.inf
        self.rows: list[dict[str, float]] = []
        self._saved: int | None = None  # updates of the last checkpoint

    @abstractmethod
    def loss(self, batch: Any) -> Tensor:
        """Of a batch, for the optimiser."""

    @abstractmethod
    def scores(self) -> tuple[dict[str, float], float]:
        """A row of the curve, and the score by which the best network is chosen, higher better."""

    @abstractmethod
    def keep(self, row: dict[str, float]) -> None:
        """Write the network of that row, the best so far."""

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.out / LAST

    def share(self) -> float:
        """Of the learning rates, in the next update."""
        decay = 0.5 * (1 + math.cos(math.pi * self.updates / self.last))
        return decay * min(1.0, (self.updates + 1) / self.warm_up)

    def update(self, batch: Any) -> float:
        """One step of the optimiser; the loss before it. FloatingPointError if it is not finite."""
        self.network.train()
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * self.share()
        loss = self.loss(batch)
        self._check_finite("loss", loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.max_norm)
        self._check_finite("gradient", norm)  # or the weights would be NaN in a checkpoint
        self.optimiser.step()
        self.updates += 1
        return loss.item()

    def _check_finite(self, what: str, value: Tensor) -> None:
        if torch.isfinite(value):
            return
        kept = "nothing was saved before"
        if self._saved is not None:
            kept = f"the last good checkpoint is {self.path}, after {self._saved} updates"
        raise FloatingPointError(
            f"the {what} of update {self.updates} is {value.item()}; {kept}; a new run with a "
            "smaller --learning-rate may get further"
        )

    def validate(self) -> dict[str, float]:
        """A row of the curve; the best network so far is kept."""
        row, score = self.scores()
        self.rows.append(row)
        if score > self.best:
            self.best = score
            self.keep(row)
        return row

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
        self._saved = self.updates
        if self.rows:
            write_rows(self.out / "curve.csv", self.rows)

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
        self._saved = self.updates


def fit(
    run: Fitting, drawn: Callable[[int], Any], between: int, saved_every: int | None = None
) -> None:
    """The run, or the rest of it.

    drawn        makes the batch of an update, which is a function of its number alone; the next one
                 is made while the network learns
    between      updates from one validation to the next
    saved_every  updates from one checkpoint to the next; None: SAVED_EVERY
    """
    saved_every = saved_every or SAVED_EVERY
    weights = sum(parameter.numel() for parameter in run.network.parameters())
    print(f"{weights:,} weights, {run.updates:,} of {run.last:,} updates", flush=True)
    with (
        ThreadPoolExecutor(1) as ahead,
        # What was logged after the checkpoint from which the run goes on is logged again.
        SummaryWriter(str(run.out), purge_step=run.updates + 1) as board,
        progress_bar(total=run.last, initial=run.updates, unit="update", smoothing=0.02) as bar,
    ):
        coming = ahead.submit(drawn, run.updates)
        while run.updates < run.last:
            batch, coming = coming.result(), ahead.submit(drawn, run.updates + 1)
            loss = run.update(batch)
            board.add_scalar("loss", loss, run.updates)
            bar.update()
            if run.updates % between == 0 or run.updates == run.last:
                row = run.validate()
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.updates)
                bar.write(", ".join(f"{name} {value:.4g}" for name, value in row.items()))
            if run.updates % saved_every == 0 or run.updates == run.last:
                run.save()
