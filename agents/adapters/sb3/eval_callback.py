"""Evaluation of a policy during training, a row of a table at fixed intervals."""

import csv
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv
from torch.utils.tensorboard import SummaryWriter

from av_envs.agents.adapters.sb3.weights import save_policy
from av_envs.whole_files import write_whole

COLUMNS = ("steps", "seconds", "train_return", "val_return", "val_error", "actions")
TABLE = "curve_rows"  # attribute of a model
DOMAIN = (  # of the tasks' infos, what tensorboard is told of how episodes end
    "si_sdr", "si_sdr_gain", "target_to_rest_db", "geodesic_to_target", "cr", "pe_mean", "wcr",
)  # fmt: skip


class Evaluation(NamedTuple):
    """Episodes of one evaluation.

    returns  (num_envs,) of one episode each
    endings  {name: mean over them}, those of DOMAIN that the last infos have and that are finite
    """

    returns: np.ndarray
    endings: dict[str, float]


def evaluate(
    model: BaseAlgorithm, venv: VecEnv, seed: int, deterministic: bool = True
) -> Evaluation:
    """One episode of each environment.

    venv           a `PreprocessVecEnv`
    seed           of the first episode, the others count on
    deterministic  whether the likeliest actions are taken; else they are drawn
    """
    venv.seed(seed)
    observations, state = venv.reset(), None
    starts, running = np.ones(venv.num_envs, bool), np.ones(venv.num_envs, bool)
    returns, last = np.zeros(venv.num_envs), []
    while running.any():
        actions, state = model.predict(observations, state, starts, deterministic)
        observations, _, starts, infos = venv.step(actions)
        returns += running * [info["reward"] for info in infos]
        last += [infos[i] for i in np.flatnonzero(running & starts)]
        running &= ~starts
    return Evaluation(returns, _means(last))


def _means(infos: list[dict[str, Any]]) -> dict[str, float]:
    found = {}
    for name in DOMAIN:
        values = np.array([info.get(name, np.nan) for info in infos], float)
        if np.isfinite(values).any():
            found[name] = float(values[np.isfinite(values)].mean())
    return found


class EvalCallback(BaseCallback):
    """Evaluates the policy at fixed intervals, and keeps the last and the best one.

    Writes to a directory `last.zip`, `curve.csv`, `best.zip` and, the same without pickled code,
    `best.safetensors`. Every file is whole at any moment, and `last.zip`, which holds the table
    as well, comes after what must not be missing when a run that was killed goes on from it.
    After a row all episodes begin anew, and random numbers depend on the seed and the number of
    steps only: a run that was killed and resumed ends as one that was not, bit for bit.
    Tensorboard is told the same row, and how the episodes of `val` end (DOMAIN).

    Columns of the table:

    steps         of all environments together
    seconds       of wall time, those before a resumption included
    train_return  mean return of the episodes that ended since the row before, with drawn actions
    val_return    mean return of the same episodes of `val` every time
    val_error     its standard error over episodes
    actions       how often each was taken while learning, shares since the row before

    every          steps between two rows
    rows           of the run that this one resumes, see `rows_in`
    deterministic  how `val` is played, see `evaluate`
    """

    def __init__(
        self,
        directory: Path,
        val: VecEnv,
        every: int,
        rows: list[dict[str, str]],
        deterministic: bool = True,
    ):
        super().__init__()
        self._deterministic = deterministic
        self._directory, self._val, self._every = directory, val, every
        self._rows = list(rows)
        self._best = max((float(row["val_return"]) for row in rows), default=-np.inf)
        self._began = time.monotonic() - (float(rows[-1]["seconds"]) if rows else 0.0)
        self._next = int(rows[-1]["steps"]) + every if rows else 0

    def _on_training_start(self) -> None:
        # what was logged after the row from which a run goes on is logged again
        self._board = SummaryWriter(str(self._directory), purge_step=self.num_timesteps + 1)
        self._begin_row()
        if self._rows:
            self._write_table()  # the run may have been killed just before
            self._begin_anew()

    def _on_rollout_start(self) -> None:  # the update after the rollout before is done
        self._evaluate_if_due()

    def _on_step(self) -> bool:
        self._sums += [info["reward"] for info in self.locals["infos"]]
        self._taken += np.bincount(self.locals["actions"].ravel(), minlength=len(self._taken))
        over = self.locals["dones"]
        self._returns += self._sums[over].tolist()
        self._sums[over] = 0
        return True

    def _on_training_end(self) -> None:
        if not self._rows or int(self._rows[-1]["steps"]) < self.num_timesteps:
            self._evaluate()
        self._board.close()

    def _evaluate_if_due(self) -> None:
        if self.num_timesteps >= self._next:
            self._evaluate()
            self._begin_anew()

    def _evaluate(self) -> None:
        self._next = self.num_timesteps + self._every
        set_random_seed(self._seed())
        scores, endings = evaluate(self.model, self._val, 0, self._deterministic)
        shares = self._taken / max(self._taken.sum(), 1)
        row = {
            "steps": self.num_timesteps,
            "seconds": round(time.monotonic() - self._began),
            "train_return": round(float(np.mean(self._returns or [np.nan])), 4),
            "val_return": round(float(scores.mean()), 4),
            "val_error": round(float(scores.std() / len(scores) ** 0.5), 4),
            "actions": "/".join(f"{share:.2f}" for share in shares),
        }
        self._begin_row()
        self._keep(row)
        self._log(row, endings)
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)

    def _log(self, row: dict[str, Any], endings: Mapping[str, float]) -> None:
        scalars = {"train/return": row["train_return"], "val/return": row["val_return"]}
        scalars |= {f"val/{name}": value for name, value in endings.items()}
        for name, value in scalars.items():
            self._board.add_scalar(name, value, self.num_timesteps)
        self._board.flush()

    def _keep(self, row: dict) -> None:
        """Write all files; a resumed run repeats what a killed one has not written."""
        self._rows.append({key: str(value) for key, value in row.items()})
        setattr(self.model, TABLE, self._rows)  # which the model saves with itself
        file = io.BytesIO()
        self.model.save(file)
        if row["val_return"] > self._best:
            self._best = row["val_return"]
            write_whole(self._directory / "best.zip", file.getvalue())
            save_policy(self.model, self._directory / "best.safetensors")
        write_whole(self._directory / "last.zip", file.getvalue())
        self._write_table()

    def _begin_anew(self) -> None:
        """Start all episodes; what is drawn from here on depends on nothing before."""
        set_random_seed(self._seed())
        self.training_env.seed(self._seed())
        self.model._last_obs = self.training_env.reset()
        self.model._last_episode_starts = np.ones(self.training_env.num_envs, bool)
        self._sums = np.zeros(self.training_env.num_envs)

    def _seed(self) -> int:
        own = np.random.SeedSequence([self.model.seed or 0, self.num_timesteps])
        return int(own.generate_state(1)[0])

    def _begin_row(self) -> None:
        self._returns: list[float] = []
        self._taken = np.zeros(int(self.training_env.action_space.n), int)

    def _write_table(self) -> None:
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(self._rows)
        write_whole(self._directory / "curve.csv", file.getvalue().encode())


def rows_of(directory: Path) -> list[dict[str, str]]:
    """The table that a `EvalCallback` has written so far."""
    with (directory / "curve.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows_in(model: BaseAlgorithm) -> list[dict[str, str]]:
    """The same, out of a model that a `EvalCallback` has saved; none of another model."""
    return getattr(model, TABLE, [])
