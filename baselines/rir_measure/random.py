"""Draw every action blindly: what walking about at all is worth.

"Random" in Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023:
uniform over forward, left and right, and to stop only at the end.
"""

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, count_robots, may_stop, team_card
from av_envs.baselines.rir_measure.moves import FORWARD, RIGHT, STOP


class Random:
    """Uniform over the three actions that move, from its own generator. Not privileged.

    A robot stops as soon as that has become legal, which the action mask tells: in the last
    step. Where stopping is legal from the beginning it never does.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
    ):
        self.predictor, self.card = predictor, team_card("Random", predictor)
        self._n_robots = count_robots(observation_space, action_space, ())
        self._rng = np.random.default_rng(seed)
        self.reset()

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode; without a seed the sequence of draws goes on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._always_legal: np.ndarray | None = None

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) actions; observation["action_mask"] (robots,4), if there is one."""
        legal = may_stop(observation, self._n_robots)
        if self._always_legal is None:
            self._always_legal = legal
        moves = self._rng.integers(FORWARD, RIGHT + 1, self._n_robots)
        return np.where(legal & ~self._always_legal, STOP, moves)
