"""Teams that walk through dwellings without measuring: what paying for ground alone takes.

Where accuracy is not paid, no response need be known, which is most of what a step costs. Episodes
are drawn as in `av_envs.rir_measure`, robots move and are paid for coverage and the hull as there.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from av_envs.rir_measure.actions import Action, pose_after
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.episode import draw_in_pool
from av_envs.rir_measure.hull import hull_perimeter_and_area
from av_envs.rir_measure.observation import action_mask, azimuth_and_time, position_of

Pose = tuple[int, int]  # node, heading


class SilentTeam:
    """One team; `begin` comes first.

    dwelling  where the episode takes place
    poses     of the robots now
    visited   (nodes,) bool
    finds     (robots,) int, 1 where a robot has just visited a node first
    t         steps so far
    """

    def __init__(self, config: MeasureConfig):
        self.config = config

    def begin(self, rng: np.random.Generator, options: dict[str, Any] | None = None) -> None:
        """Draw an episode, see `av_envs.rir_measure.episode`."""
        _, self.dwelling, drawn = draw_in_pool(self.config, options, rng)
        self.poses: list[Pose] = list(zip(drawn.start_nodes, drawn.start_headings, strict=True))
        self.before, self.t = self.poses, 0
        self.finds = np.zeros(len(self.poses), int)
        self.visited = np.zeros(len(self.dwelling.scene.graph), bool)
        self.visited[list(drawn.start_nodes)] = True
        self.quantities = self._quantities()

    def step(self, moves: Sequence[int]) -> dict[str, float]:
        """Move all robots; changes of the quantities that are paid: zeta, psi and phi."""
        neighbours = self.dwelling.scene.graph.neighbours
        self.before, self.t = self.poses, self.t + 1
        self.poses = [
            pose_after(pose, Action(int(move)), neighbours)[0]
            for pose, move in zip(self.poses, moves, strict=True)
        ]
        for robot, (node, _) in enumerate(self.poses):
            self.finds[robot] = not self.visited[node]
            self.visited[node] = True
        earlier, self.quantities = self.quantities, self._quantities()
        return {name: self.quantities[name] - earlier[name] for name in earlier}

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.t >= self.config.steps

    @property
    def coverage(self) -> float:
        """CR"""
        return self.quantities["zeta"]

    def numbers(self) -> dict[str, np.ndarray]:
        """Of all robots: `azimuth` (R, 2), `position` (R, 3) and `action_mask` (R, 4)."""
        positions, share = self.dwelling.scene.graph.positions, self.t / self.config.steps
        mask = action_mask(self.config.stop_mode, False, self.t >= self.config.steps - 1)
        return {
            "azimuth": np.stack([azimuth_and_time(heading, share) for _, heading in self.poses]),
            "position": np.stack([position_of(positions, pose, None) for pose in self.poses]),
            "action_mask": np.stack([mask] * len(self.poses)),
        }

    def _quantities(self) -> dict[str, float]:
        nodes = [node for node, _ in (*self.poses, *self.before)]
        points = self.dwelling.scene.graph.positions[nodes][:, :2]
        perimeter, area = hull_perimeter_and_area(points)
        return {"zeta": float(self.visited.mean()), "psi": perimeter, "phi": area}


class SilentTeams(gym.vector.VectorEnv):
    """Many of them; what is observed and how robots move is up to a subclass.

    With autoreset "NextStep". `finds` (N, R) are those of the last step.
    """

    def __init__(self, config: MeasureConfig, count: int):
        if config.stop_mode != "mask" or config.position_frame != "scene":
            raise ValueError("silent teams never stop, and know positions in the frame 'scene'")
        self.num_envs, self.config = count, config
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.teams = [SilentTeam(config) for _ in range(count)]
        moves = spaces.MultiDiscrete([len(Action)] * config.robots)
        self.single_action_space = moves
        self.action_space = spaces.MultiDiscrete(np.tile(moves.nvec, (count, 1)))
        self.weights = {
            "zeta": config.alpha_zeta, "psi": config.alpha_psi, "phi": config.alpha_phi
        }  # fmt: skip

    def reset(
        self, *, seed: Sequence[int] | int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin with a seed for each, or one for all; `options`: "houses" (N,), where each is."""
        if seed is None:
            raise ValueError("silent teams begin with seeds: one for all, or one for each")
        seeds = range(seed, seed + self.num_envs) if isinstance(seed, int) else seed
        self._rngs = [np.random.default_rng(each) for each in seeds]
        self._over = np.zeros(self.num_envs, bool)
        for i, house in enumerate((options or {}).get("houses", [None] * self.num_envs)):
            self._begin(i, {} if house is None else {"house": house})
        self.finds = np.zeros((self.num_envs, self.config.robots))
        return self.observed(), {}

    def step(self, actions: Any) -> tuple[Any, ...]:
        rewards, over = np.zeros(self.num_envs), self._over
        self.finds = np.zeros((self.num_envs, self.config.robots))
        for i, team in enumerate(self.teams):
            if over[i]:
                self._begin(i)
                continue
            changes = team.step(self.moves_of(i, actions[i]))
            rewards[i] = sum(self.weights[name] * change for name, change in changes.items())
            self.finds[i] = team.finds
        self._over = np.array([team.is_over for team in self.teams])
        nothing = np.zeros(self.num_envs, bool)
        return self.observed(), rewards, nothing, self._over.copy(), {}

    def moves_of(self, i: int, action: np.ndarray) -> Sequence[int]:
        """What the robots of a team do."""
        return action

    def begun(self, i: int) -> None:
        """A team has begun an episode."""

    def observed(self) -> Any:
        """By all teams now."""
        raise NotImplementedError

    def _begin(self, i: int, options: dict[str, Any] | None = None) -> None:
        self.teams[i].begin(self._rngs[i], options)
        self.begun(i)
