"""Visit all nodes as early as two robots can that know the graph.

Two ideas were tried. Greedy, each robot takes the nearest unvisited node that is not another's
goal; that leaves holes and lets the robots finish far apart. Better is to rehearse: the world
holds no surprise once the graph is known, so the team simulates the episode before it starts,
greedily but with whims that make it prefer some nodes, changes a few of the whims, simulates
again and keeps what was better. No proof of optimality: it is a good score to aim at, not
an upper bound.

Privileged: it knows the navigation graph.
"""

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, count_robots, may_stop, team_card
from av_envs.baselines.rir_measure.moves import LEFT, STOP
from av_envs.baselines.rir_measure.rehearsal import rehearse

OPENNESS = 0.5  # actions that each unvisited neighbour of a goal is worth
FRESH_STARTS = 20  # rehearsals with nothing but new whims
WHIM, STRONGEST_WHIM = 1.0, 3.0  # actions, at most: of a fresh start, and of a change
CHANGED_SHARE = 0.03  # of the nodes, from one rehearsal to the next
LATE_WEIGHT = 2.0  # steps of the end that a mean step of waiting for a node is worth

Truth = dict[str, np.ndarray]


class CoverageOracle:
    """Follows the best of `rehearsals` rehearsed episodes. Privileged."""

    privileged = ("neighbours", "visited", "nodes", "headings")

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
        rehearsals: int = 500,
    ):
        if isinstance(rehearsals, bool) or not isinstance(rehearsals, int) or rehearsals < 1:
            raise ValueError(f"rehearsals must be a positive number, got {rehearsals!r}")
        self.predictor, self.card = predictor, team_card("CoverageOracle", predictor)
        self._n_robots = count_robots(observation_space, action_space, ())
        self._rehearsals = rehearsals
        self._rng = np.random.default_rng(seed)
        self.reset()

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode: forget the plan; without a seed the whims go on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._plan: np.ndarray | None = None

    def act(self, observation: dict[str, np.ndarray], privileged: Truth) -> np.ndarray:
        """(robots,) actions; once all is visited it stops where that is allowed, or turns.

        privileged["neighbours"]  (N,4) int32, node one step away by heading, -1 if blocked
        privileged["visited"]     (N,) bool
        privileged["nodes"]       (robots,) int
        privileged["headings"]    (robots,) int, quarter turns from east
        """
        if self._plan is None:
            self._plan, self._step = self._rehearse(privileged), 0
        if self._step == len(self._plan):
            return np.where(may_stop(observation, self._n_robots), STOP, LEFT)
        self._step += 1
        return self._plan[self._step - 1].astype(np.int64)

    def _rehearse(self, truth: Truth) -> np.ndarray:
        """The best plan, (steps,robots) int8."""
        n_nodes, rng = len(truth["visited"]), self._rng
        best, lowest, best_whims = None, np.inf, np.zeros(n_nodes)
        for number in range(self._rehearsals):
            if number < FRESH_STARTS:
                whims = rng.uniform(0, WHIM, n_nodes)
            else:
                changed = rng.random(n_nodes) < CHANGED_SHARE
                whims = np.where(changed, rng.uniform(0, STRONGEST_WHIM, n_nodes), best_whims)
            plan, waiting = rehearse(
                truth["neighbours"],
                truth["visited"],
                np.asarray(truth["nodes"], np.int64),
                np.asarray(truth["headings"], np.int64),
                OPENNESS,
                whims,
            )
            cost = len(plan) + LATE_WEIGHT * waiting / n_nodes
            if cost <= lowest:
                best, lowest, best_whims = plan, cost, whims
        return best
