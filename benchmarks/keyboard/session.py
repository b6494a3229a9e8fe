"""One episode of a suite that a person plays: what was seen and heard so far, and its score."""

from typing import Any

import numpy as np

from av_envs.benchmarks.board.film import Recording
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.episodes import make_env, reduce_steps
from av_envs.benchmarks.suites.suite import Suite
from av_envs.registration import MEASURING, SEPARATION, VARIANTS

MOVES = {  # the numbers of the actions by task
    SEPARATION: {"forward": 0, "left": 1, "right": 2, "stay": 3},
    MEASURING: {"stay": 0, "forward": 1, "left": 2, "right": 3},
}


class Session:
    """An episode that goes on with every move; in a team one robot moves, the others stay.

    frames, sounds  of every step so far, the first before the first move: as a film has them
    robot           number of the robot that moves next
    map_seen        whether the player has looked at the map, which agents cannot
    """

    def __init__(self, suite: Suite, index: int):
        entry_point = VARIANTS.get(suite.env_id, (None,))[0]
        if entry_point not in MOVES or suite.env_kwargs.get("estimator", "mixture") == "agent":
            raise UserError(f"{suite.name} cannot be played by keys: its actions are not moves")
        self.suite, self.index = suite, index
        group, seed, options = suite.episodes[index]
        self.env = make_env(suite, group, render_mode="rgb_array")
        self._moves = MOVES[entry_point]
        self.env.reset(seed=seed, options=options)
        self.frames, self.sounds = [self.env.render()], [self.env.unwrapped.hear()]
        self._rewards: list[float] = []
        self._infos: list[dict[str, Any]] = []
        self.robot, self.done, self.map_seen = 0, False, False

    @property
    def robots(self) -> int:
        """How many there are to move; 1 where the agent is alone."""
        return int(np.prod(self.env.action_space.shape, dtype=int))

    @property
    def is_team(self) -> bool:
        return self.env.action_space.shape != ()

    @property
    def steps(self) -> int:
        """Of the whole episode."""
        return self.env.unwrapped.config.steps

    @property
    def step(self) -> int:
        return len(self._rewards)

    def move(self, name: str) -> None:
        """One step: "forward", "left", "right" or "stay"."""
        moves = np.full(self.env.action_space.shape, self._moves["stay"])
        if self.is_team:
            moves[self.robot] = self._moves[name]
        action = moves if self.is_team else self._moves[name]
        _, reward, terminated, truncated, info = self.env.step(action)
        self._rewards.append(float(reward))
        self._infos.append(info)
        self.frames.append(self.env.render())
        self.sounds.append(self.env.unwrapped.hear())
        self.done = terminated or truncated

    def switch(self) -> None:
        """The next robot is the one that moves."""
        self.robot = (self.robot + 1) % self.robots

    def wait(self) -> None:
        """Stay until the episode ends."""
        while not self.done:
            self.move("stay")

    def view(self) -> np.ndarray:
        """(S, S, 3) uint8, what the robot sees that moves next."""
        env = self.env.unwrapped
        if not self.is_team:
            return env.state.dwelling.picture(*env.state.pose)
        pose = list(env.trajectories.values())[self.robot][-1]
        return env.team.episode.dwelling.picture(*pose)

    def wanted(self) -> str:
        """What the episode is about, in a few words."""
        if self.is_team:
            return "visit every place; every pair that you measure counts"
        env = self.env.unwrapped
        name = env.corpus.classes[env.state.target.label]
        return f"walk to where {name} is heard best"

    def wanted_sound(self) -> np.ndarray:
        """(2, n) float32, the target of this second alone and dry; a clap's echo in a team."""
        if self.is_team:
            return self.sounds[-1]
        return np.tile(self.env.unwrapped.target_second(), (2, 1))

    def score(self) -> float:
        """The suite's score of the episode so far."""
        return reduce_steps(self.suite.primary_metric, self._rewards, self._infos)

    def recording(self) -> Recording:
        """The film of what was played."""
        sound = np.concatenate(self.sounds, axis=1)
        return Recording(self.frames, sound, self.env.metadata["render_fps"])
