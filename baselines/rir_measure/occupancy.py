"""Take the step that spans the largest area between where the robots were and where they will be.

"Occupancy" in Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI
2023, is their network trained with the reward of the area alone (alpha_phi = 1, alpha_zeta =
alpha_psi = 0; section 3, the hull of the positions now and before). This one does not learn:
it looks one step ahead and takes the joint action with the largest area. One robot alone spans
none and walks at random.
"""

import itertools

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, count_robots, team_card
from av_envs.baselines.rir_measure.moves import FORWARD, LEFT, RIGHT
from av_envs.baselines.rir_measure.survey import NEEDED, Survey
from av_envs.rir_measure.hull import hull_perimeter_and_area

TIE = 1e-6  # m2
MOST_ROBOTS = 4  # 3 to the power of their number joint actions are compared


class Occupancy:
    """Greedy on the area of the hull; tosses a coin between equals. Not privileged.

    A robot does not step to where its map says that the way is blocked.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
    ):
        self.predictor, self.card = predictor, team_card("Occupancy", predictor)
        n_robots = count_robots(observation_space, action_space, NEEDED)
        if n_robots > MOST_ROBOTS:
            raise ValueError(f"Occupancy is for 1 to {MOST_ROBOTS} robots, got {n_robots}")
        self._survey = Survey(n_robots)
        self._rng = np.random.default_rng(seed)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode: forget the map; without a seed the coin tosses go on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._survey.reset()

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) actions; observation as `survey.Survey.update` needs it."""
        self._survey.update(observation)
        here = [self._survey.map.position(place) for place in self._survey.places]
        ahead = self._ahead()
        choices = list(itertools.product(*[
            (FORWARD, LEFT, RIGHT) if place >= 0 else (LEFT, RIGHT) for place in ahead
        ]))  # fmt: skip
        areas = np.array([self._area(here, ahead, choice) for choice in choices])
        best = np.flatnonzero(areas >= areas.max() - TIE)
        moves = np.array(choices[int(self._rng.choice(best))], np.int64)
        self._survey.note(moves)
        return moves

    def _ahead(self) -> list[int]:
        """The place in front of every robot, -1 where the way is blocked."""
        known_map, survey = self._survey.map, self._survey
        return [
            int(known_map.neighbours[place, heading])
            for place, heading in zip(survey.places, survey.headings, strict=True)
        ]

    def _area(self, here: list[np.ndarray], ahead: list[int], choice: tuple[int, ...]) -> float:
        moved = [
            self._survey.map.position(place)
            for place, action in zip(ahead, choice, strict=True)
            if action == FORWARD
        ]
        return hull_perimeter_and_area(np.array(here + moved))[1]
