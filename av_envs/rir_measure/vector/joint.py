"""Many teams at once for Gymnasium: `gymnasium.make_vec("AVRIRMeasure-v0", num_envs=N)`."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import iterate

from av_envs.options import checked_count
from av_envs.paths import PlainSpec
from av_envs.rir_measure.actions import check_moves, checked_prediction
from av_envs.rir_measure.joint import JointMeasureEnv
from av_envs.rir_measure.vector.players import Players
from av_envs.vector.actions import shaped
from av_envs.vector.copies import Copies
from av_envs.vector.infos import stacked_infos


class MeasureVectorEnv(Copies, gym.vector.VectorEnv):
    """`JointMeasureEnv` N times: the same arrays with one more axis in front.

    Environment i with seed s + i returns bit for bit what a single one with that seed does.

    num_envs           N
    max_episode_steps  truncates earlier than the option `steps`, as `gymnasium.make` does
    autoreset_mode     "NextStep", "SameStep" or "Disabled"
    workers            threads at most; None: one per core
    options            of `JointMeasureEnv`; a predictor that is an object is copied for each
    """

    envs: Sequence[JointMeasureEnv]
    spec = PlainSpec()
    metadata: ClassVar[dict] = {
        **JointMeasureEnv.metadata,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        workers: int | None = None,
        **options,
    ):
        envs = [
            JointMeasureEnv(render_mode=render_mode, **deepcopy(options))
            for _ in range(checked_count("num_envs", num_envs))
        ]
        self._players = Players(envs, autoreset_mode, workers, max_episode_steps)
        self.take(envs, render_mode, self._players.autoreset.mode)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None):
        begun = self._players.reset(seed, options)
        infos = {i: played.info for i, played in begun.items()}
        return self._observations(), stacked_infos(infos, self.num_envs)

    def step(self, actions: Any):
        made = self._players.step(self._split(actions))
        ended = made.terminated(), made.truncated()
        return self._observations(), made.rewards(), *ended, made.infos()

    def submit_predictions(self, rirs: np.ndarray) -> None:
        """(N, P, 2, 16000), see `MeasureEnv.submit_prediction`; teams that are about to start
        anew take none.
        """
        self._players.submit_predictions(rirs)

    def action_masks(self) -> np.ndarray:
        """(N, 4 robots) bool: what the robots of each team may do."""
        return np.stack([env.action_masks() for env in self.envs])

    def _split(self, actions: Any) -> list:
        """The action of each environment."""
        wanted = self.action_space
        if isinstance(wanted, spaces.Dict):
            if not isinstance(actions, Mapping) or set(actions) != set(wanted):
                raise ValueError(f"the actions must be a dict of 'move' and 'rir', got {actions!r}")
            parts = {
                key: shaped(actions[key], wanted[key].shape, f"the actions: {key!r}")
                for key in wanted
            }
        else:
            parts = {"move": shaped(actions, wanted.shape, "the actions: 'move'")}
        self._check(**parts)
        return list(iterate(wanted, parts if isinstance(wanted, spaces.Dict) else parts["move"]))

    def _check(self, move: np.ndarray, rir: np.ndarray | None = None) -> None:
        """Raise before any robot moves; actions that are ignored may be anything."""
        for i in self._players.acting:
            check_moves(move[i], f"environment {i}")
            if rir is not None:
                checked_prediction(rir[i], len(rir[i]), f"the action of environment {i}")

    def _observations(self) -> dict[str, np.ndarray]:
        rows = [played.observation for played in self._players.latest]
        return {key: np.stack([row[key] for row in rows]) for key in rows[0]}
