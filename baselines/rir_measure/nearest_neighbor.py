"""Walk as another team does, and predict what has been measured nearest.

"Nearest neighbor" in Yu et al., "Measuring Acoustics with Collaborative Multiple Agents",
IJCAI 2023, section 4. They retrieve over features of a trained network, by the divergence of
their softmax; that is `av_envs.rir_measure.predictors.NearestNeighbor`, for which one gives
the features and names it here as `predictor="module:Factory"`. Without a network it is the
response measured nearest in this episode. How their robots move is not stated.
"""

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.coverage_oracle import CoverageOracle
from av_envs.baselines.rir_measure.curiosity import Curiosity
from av_envs.baselines.rir_measure.entry import team_card
from av_envs.baselines.rir_measure.frontier import Frontier
from av_envs.baselines.rir_measure.occupancy import Occupancy
from av_envs.baselines.rir_measure.random import Random
from av_envs.baselines.rir_measure.spread_out import SpreadOut

RETRIEVAL = "nearest_measured"
MOTIONS = {
    team.__name__: team
    for team in (Random, Occupancy, Curiosity, Frontier, SpreadOut, CoverageOracle)
}


class NearestNeighbor:
    """Any other baseline's motion with retrieval; privileged if that motion is."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        motion: str = "Random",
        predictor: str = RETRIEVAL,
    ):
        if motion not in MOTIONS:
            raise ValueError(f"unknown motion {motion!r}; choose from {sorted(MOTIONS)}")
        name = "NearestNeighbor" if motion == "Random" else f"NearestNeighbor, {motion} motion"
        self.predictor, self.card = predictor, team_card(name, predictor, usual=RETRIEVAL)
        self._team = MOTIONS[motion](observation_space, action_space, seed=seed)
        self.privileged: tuple[str, ...] = getattr(self._team, "privileged", ())

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode of the motion."""
        self._team.reset(seed=seed)

    def act(
        self, observation: dict[str, np.ndarray], *privileged: dict[str, np.ndarray]
    ) -> np.ndarray:
        """(robots,) actions of the motion, from what the motion needs."""
        return self._team.act(observation, *privileged)
