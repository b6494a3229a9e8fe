"""What scores depend on: `python -m av_envs.agents.rir_measure.importance_rir --checkpoint FILE`.

The same episodes are played again and again, each time with one sense of one robot replaced by
noise all the while, for policy and generator alike: by how much PE and WCR change, as shares of the
sum over senses and robots. Equation 19 and table 8 of Yu et al., IJCAI 2023.
"""

import sys
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.rir_measure.importance import SENSES, shares, with_noise
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.team import TeamNetworks, load_team
from av_envs.agents.rir_measure.team_options import team_parser
from av_envs.agents.rir_measure.trials import Trials
from av_envs.options import positive_int

SCORES = ("pe", "wcr")


class Disturbed(gym.vector.VectorObservationWrapper):
    """Many teams, one sense of one robot of each replaced by noise at every step."""

    def __init__(self, envs: gym.vector.VectorEnv, robot: int, sense: str, seed: int):
        super().__init__(envs)
        self.robot, self.sense = robot, sense
        self._rng = np.random.default_rng(seed)

    def observations(self, observations: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = {key: np.array(value) for key, value in observations.items()}
        teams: Any = self.unwrapped
        for i, env in enumerate(teams.envs):
            seen = {key: value[i] for key, value in observations.items()}
            changed = with_noise(seen, self.sense, env.scene.bounds, self._rng)
            for key in SENSES[self.sense]:
                if key in found:
                    found[key][i, self.robot] = changed[key][self.robot]
        return found


def changes(
    networks: TeamNetworks, env: str, episodes: int, houses: int, options: dict[str, Any], seed: int
) -> np.ndarray:
    """(scores, robots, senses): how far each score is from that of undisturbed robots."""

    def scores(robot: int | None, sense: str) -> np.ndarray:
        def disturb(envs: gym.vector.VectorEnv) -> gym.vector.VectorEnv:
            return envs if robot is None else Disturbed(envs, robot, sense, seed)

        device = torch.device("cpu")
        trials = Trials(
            ENVIRONMENTS[env], networks, device, episodes, houses, options, disturb=disturb
        )
        found = trials.scores()
        return np.array([found[name] for name in SCORES])

    clean = scores(None, "")
    robots = range(networks.config.policy.robots)
    disturbed = [[scores(robot, sense) for sense in SENSES] for robot in robots]
    return np.moveaxis(np.abs(np.array(disturbed) - clean), -1, 0)


def main(argv: list[str] | None = None) -> int:
    parser = team_parser("importance_rir", __doc__)
    parser.add_argument("--episodes", type=positive_int, default=20)
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split val")
    given = parser.parse_args(argv)
    try:
        networks, _ = load_team(given.checkpoint, given.preset)
        options = {"steps": given.steps, "robots": networks.config.policy.robots}
        found = changes(networks, given.env, given.episodes, given.houses, options, given.seed)
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    columns = [f"{sense} of robot {robot}" for robot in range(found.shape[1]) for sense in SENSES]
    print("| score | " + " | ".join(columns) + " |\n" + "|---" * (1 + len(columns)) + "|")
    for name, row in zip(SCORES, shares(found.reshape(len(SCORES), -1)), strict=True):
        print(f"| {name.upper()} | " + " | ".join(f"{100 * share:.1f} %" for share in row) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
