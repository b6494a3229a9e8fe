"""N teams as one PettingZoo-style environment: dicts by robot, filled with batches."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from av_envs.options import checked_count
from av_envs.rir_measure.actions import check_moves, checked_prediction
from av_envs.rir_measure.env import SPACES, MeasureEnv
from av_envs.rir_measure.measurement import Measurement
from av_envs.rir_measure.metrics.stft_distance import distance, spectra
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.rewards import shares
from av_envs.rir_measure.vector.players import Players
from av_envs.threads import in_threads
from av_envs.vector.actions import shaped
from av_envs.vector.autoreset import Transition

RobotArrays = dict[str, dict[str, Any]]  # robot -> key -> (N, ...)


class Ended(NamedTuple):
    """What E episodes ended with that were followed by new ones in the same step.

    teams         (E,) int, which
    observations  robot -> key -> (E, ...), of the last step
    infos         robot -> key -> (E, ...)
    states        (E, 8 robots + 5) float32
    measurement   of the last step, arrays (E, P, ...)
    """

    teams: np.ndarray
    observations: RobotArrays
    infos: RobotArrays
    states: np.ndarray
    measurement: Measurement


class ParallelVectorEnv:
    """N teams of `MeasureEnv`, stepped together; every array has one axis (N,) in front.

    Team i with seed s + i does bit for bit what a `MeasureEnv` with that seed does. Methods
    are those of a PettingZoo parallel environment: dicts with the robots as keys, of them
    `observations[robot][key]` (N, ...), `rewards[robot]` (N,) float64, `terminations[robot]`
    and `truncations[robot]` (N,) bool and `infos[robot][key]` (N, ...). No robot leaves
    `agents`: as in vector environments of Gymnasium, episodes start anew.

    | autoreset_mode | after the step that ends an episode                                    |
    |----------------|------------------------------------------------------------------------|
    | `"NextStep"`   | the next one ignores the actions, starts the next episode and pays 0;  |
    |                | `infos[robot]["t"]` is then 0                                          |
    | `"SameStep"`   | that step itself returns the start of the next episode, `ended` what   |
    |                | the old one ended with                                                 |
    | `"Disabled"`   | `reset(options={"reset_mask": mask})` must start it, mask (N,) bool    |

    For learners that predict by themselves there is `prediction="none"`: `measurement()` has
    what was measured, and `deferred_xi` says what a prediction of it is worth.

    num_envs  N
    workers   threads at most; None: one per core
    options   of `MeasureEnv`; a predictor that is an object is copied for each team
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        workers: int | None = None,
        **options,
    ):
        self.num_envs = checked_count("num_envs", num_envs)
        self.teams = [MeasureEnv(**deepcopy(options)) for _ in range(num_envs)]
        self._members = [_Team(team) for team in self.teams]
        self._players = Players(self._members, autoreset_mode, workers)
        self.autoreset_mode = self._players.autoreset.mode
        first = self.teams[0]
        self.metadata = {**first.metadata, "autoreset_mode": self.autoreset_mode}
        self.config, self.links = first.config, first.links
        self.possible_agents, self.agents = first.possible_agents, list(first.possible_agents)
        self._take_spaces()
        self.ended: Ended | None = None

    def _take_spaces(self) -> None:
        first = self.teams[0]
        self.observation_spaces, self.action_spaces = first.observation_spaces, first.action_spaces
        self.state_space = first.state_space

    def __getstate__(self) -> dict[str, Any]:
        """All but the spaces, which are those of the first team."""
        return {name: value for name, value in vars(self).items() if name not in SPACES}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._take_spaces()

    def observation_space(self, agent: str) -> gym.Space:
        """Of one robot in one team."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gym.Space:
        """Of one robot in one team."""
        return self.action_spaces[agent]

    def reset(
        self,
        seed: int | Sequence[int | None] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> tuple[RobotArrays, RobotArrays]:
        """Observations and infos of all teams; those that a mask leaves out show their last.

        seed     of team 0, the others count on from there; or one for each
        options  as of `MeasureEnv.reset`, the same for all, and "reset_mask"
        """
        self._players.reset(seed, options)
        self.ended = None
        return self._observations_and_infos()

    def step(self, actions: Mapping[str, Any]):
        """Observations, rewards, terminations, truncations and infos, each with robots as keys.

        actions  robot -> (N,) int, or with prediction="action" robot -> {"move": (N,) int,
                 "rir": (N, K, 2, 16000) float32}
        """
        made = self._players.step(self._split(actions))
        self.ended = self._ended(made)
        observations, infos = self._observations_and_infos()
        parts = zip(self.agents, shares(self.config.rho, len(self.agents)), strict=True)
        rewards = {robot: part * self.team_rewards() for robot, part in parts}
        terminations = {robot: made.terminated() for robot in self.agents}
        truncations = {robot: made.truncated() for robot in self.agents}
        return observations, rewards, terminations, truncations, infos

    def team_rewards(self) -> np.ndarray:
        """(N,) float64, of the last step, before the robots shared them."""
        return Transition(self._players.latest, {}).rewards()

    def states(self) -> np.ndarray:
        """(N, 8 robots + 5) float32, see `MeasureEnv.state`."""
        return np.stack([team.state() for team in self.teams])

    def measurement(self) -> Measurement:
        """What all teams have just measured: rirs (N, P, 2, 16000), nodes (N, P, 3), ..."""
        return _stacked_measurements([team.measurement for team in self.teams])

    def action_masks(self) -> np.ndarray:
        """(N, robots, 4) bool: what each robot may do."""
        return np.stack([team.action_masks() for team in self.teams])

    def submit_predictions(self, rirs: np.ndarray) -> None:
        """(N, P, 2, 16000), see `MeasureEnv.submit_prediction`; teams that are about to start
        anew take none.
        """
        self._players.submit_predictions(rirs)

    def render(self) -> tuple[np.ndarray | None, ...]:
        """One picture of each team, see `MeasureEnv.render`."""
        return tuple(team.render() for team in self.teams)

    def close(self) -> None:
        """Nothing to close."""

    def _split(self, actions: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The actions of each team."""
        if not isinstance(actions, Mapping) or set(actions) != set(self.agents):
            raise ValueError(f"actions must be a dict of {', '.join(self.agents)}, got {actions!r}")
        rows = {robot: self._rows(robot, actions[robot]) for robot in self.agents}
        return [{robot: rows[robot][i] for robot in rows} for i in range(self.num_envs)]

    def _rows(self, robot: str, action: Any) -> Sequence:
        """One robot's actions in each team."""
        if self.config.prediction != "action":
            return self._column(robot, "move", action)
        if not isinstance(action, Mapping) or set(action) != {"move", "rir"}:
            raise ValueError(f"the actions of {robot} must be a dict of 'move' and 'rir'")
        columns = [self._column(robot, key, action[key]) for key in ("move", "rir")]
        return [{"move": move, "rir": rir} for move, rir in zip(*columns, strict=True)]

    def _column(self, robot: str, key: str, values: Any) -> np.ndarray:
        space = self.action_spaces[robot]
        shape = (
            self.num_envs,
            *(space[key] if self.config.prediction == "action" else space).shape,
        )
        array = shaped(values, shape, f"the actions of {robot}: {key!r}")
        for i in self._players.acting:  # before any robot moves
            if key == "move":
                check_moves(array[i], f"{robot} in team {i}")
            else:
                checked_prediction(array[i], len(array[i]), f"the action of {robot} in team {i}")
        return array

    def _observations_and_infos(self) -> tuple[RobotArrays, RobotArrays]:
        latest = self._players.latest
        return (
            _stacked([played.observation for played in latest]),
            _stacked([played.info for played in latest]),
        )

    def _ended(self, made: Transition) -> Ended | None:
        if not made.finals:
            return None
        states, measurements = zip(*(self._members[i].left for i in made.finals), strict=True)
        observations, infos = zip(*made.finals.values(), strict=True)
        return Ended(
            np.array(list(made.finals)),
            _stacked(observations),
            _stacked(infos),
            np.stack(states),
            _stacked_measurements(measurements),
        )


class _Team:
    """A team as one environment with one reward, for `Players`.

    left  global state and measurement at the end of the episode before the present one
    """

    def __init__(self, env: MeasureEnv):
        self._env = env
        self.left: tuple[np.ndarray, Measurement] | None = None

    def submit_prediction(self, rirs: np.ndarray) -> None:
        self._env.submit_prediction(rirs)

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None):
        if self._env.t is not None:
            self.left = self._env.state(), self._env.measurement
        return self._env.reset(seed, options)

    def step(self, actions: dict[str, Any]):
        observations, _, terminated, truncated, infos = self._env.step(actions)
        first = self._env.possible_agents[0]
        reward = self._env.team_reward
        return observations, reward, terminated[first], truncated[first], infos


def deferred_xi(
    truth: np.ndarray,
    predicted: np.ndarray,
    before: np.ndarray,
    alpha_xi: float = 1.0,
    workers: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """The reward for accuracy that an environment with prediction="none" leaves to the learner.

    truth      (N, P, 2, 16000) float32, what was measured
    predicted  the same, predicted
    before     (N,) xi one step earlier; nan at the start of an episode
    workers    threads
    returns    alpha_xi (xi' - xi) (N,) float64, 0 at the start of an episode, and xi' (N,)

    Equations 6, 8 and 9; the same numbers, bit for bit, as `MeasureEnv` makes of these predictions.
    """
    if truth.shape != predicted.shape or truth.ndim != 4:
        raise ValueError(f"responses must be (N, P, 2, n), got {truth.shape}, {predicted.shape}")

    def accuracy(team: int) -> float:
        return -float(distance(spectra(truth[team]), spectra(predicted[team])).mean())

    xi = np.array(in_threads(accuracy, range(len(truth)), workers), np.float64)
    reward = alpha_xi * (xi - np.asarray(before, np.float64))
    return np.where(np.isnan(reward), 0.0, reward), xi


def _stacked(values: Sequence) -> Any:
    """Numbers and arrays of all teams as one array, dicts key by key; None stays None."""
    first = values[0]
    if isinstance(first, Mapping):
        return {key: _stacked([value[key] for value in values]) for key in first}
    if isinstance(first, np.ndarray):
        return np.stack(values)
    return None if first is None else np.array(values)


def _stacked_measurements(found: Sequence[Measurement]) -> Measurement:
    pairs = Pairs(*(np.stack(part) for part in zip(*(one.pairs for one in found), strict=True)))
    nodes, rirs = (np.stack([getattr(one, key) for one in found]) for key in ("nodes", "rirs"))
    return Measurement(nodes, pairs, rirs)
