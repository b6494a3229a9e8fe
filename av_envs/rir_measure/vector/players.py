"""Environments played in threads: what `MeasureVectorEnv` and `ParallelVectorEnv` share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from av_envs.options import checked_count
from av_envs.threads import available_cores, in_threads
from av_envs.vector.autoreset import Autoreset, Played, Start, Transition


class Players:
    """N environments with the methods `reset` and `step` of Gymnasium, played at once.

    Each has its own random numbers, so that it does what it does alone. Environments compute
    mostly in kernels that release the interpreter; therefore threads help.

    mode     when the next episode begins, see `gymnasium.vector.AutoresetMode`
    limit    steps after which an episode is truncated; None: its environment knows
    workers  threads at most; None: one per core
    latest   what the environments returned last; empty before the first reset
    """

    def __init__(
        self,
        envs: Sequence,
        mode: str | AutoresetMode,
        workers: int | None = None,
        limit: int | None = None,
    ):
        self.envs = list(envs)
        self.autoreset = Autoreset(len(self.envs), mode, limit)
        wanted = available_cores() if workers is None else checked_count("workers", workers)
        self.workers = min(wanted, len(self.envs))
        self.latest: list[Played] = []

    @property
    def acting(self) -> list[int]:
        """Environments that the next step moves: all but those whose episode is over."""
        is_over = self.autoreset.is_over
        return [i for i in range(len(self.envs)) if is_over is None or not is_over[i]]

    def reset(
        self, seed: int | Sequence[int | None] | None, options: Mapping[str, Any] | None
    ) -> dict[int, Played]:
        """Begin episodes, see `Autoreset.of_reset`; what those environments returned."""
        begun = self.autoreset.reset(seed, options, self._play)
        latest = dict(enumerate(self.latest)) | begun
        self.latest = [latest[i] for i in range(len(self.envs))]
        return begun

    def step(self, actions: Sequence) -> Transition:
        """One step of every environment."""
        transition = self.autoreset.step(actions, self._play)
        self.latest = transition.played
        return transition

    def submit_predictions(self, rirs: np.ndarray) -> None:
        """Hand in responses (N, P, 2, 16000); environments that wait for a reset take none."""
        if len(rirs) != len(self.envs):
            raise ValueError(
                f"predictions must be those of {len(self.envs)} teams, got {len(rirs)}"
            )
        for i in self.acting:
            self.envs[i].submit_prediction(rirs[i])

    def _play(self, begin: dict[int, Start], move: dict[int, Any]) -> dict[int, Played]:
        def play(i: int) -> Played:
            if i in move:
                return Played(*self.envs[i].step(move[i]))
            seed, options = begin[i]
            observation, info = self.envs[i].reset(seed=seed, options=options)
            return Played(observation, 0.0, False, False, info)

        numbers = sorted({*begin, *move})
        return dict(zip(numbers, in_threads(play, numbers, self.workers, "vector"), strict=True))
