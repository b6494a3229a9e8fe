"""Robots that measure a dwelling's impulse responses, as a PettingZoo environment."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.seeding import np_random
from pettingzoo import ParallelEnv

from av_envs.replay import replay_log
from av_envs.rir_measure import core
from av_envs.rir_measure.actions import action_space, checked_actions, checked_prediction
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.copying import packed, unpacked
from av_envs.rir_measure.episode import pool_of
from av_envs.rir_measure.global_state import global_state, global_state_space
from av_envs.rir_measure.measurement import Measurement, TrueResponses
from av_envs.rir_measure.observation import mask_of, observation_space
from av_envs.rir_measure.predictors import RIRPredictor, context_for, open_predictor
from av_envs.rir_measure.privileged import PRIVILEGED
from av_envs.rir_measure.rewards import shares
from av_envs.rir_measure.schedule import Roster, SubStep, sub_steps
from av_envs.rir_measure.state import EpisodeState, Pose
from av_envs.scene import Scene
from av_envs.space_generators import generator_states, go_on
from av_envs.worlds.base import Dwelling

SPACES = "observation_spaces", "action_spaces", "state_space"


class MeasureEnv(ParallelEnv):
    """Robots emit, listen and move until the time is up; one scalar reward for the team.

    The PettingZoo side of `AVRIRMeasure-v0`; observations, actions, rewards, options and
    infos are described in `av_envs.rir_measure.joint.JointMeasureEnv`, whose arrays are
    those of this class stacked over the robots. All dicts have the living robots as keys,
    `robot_0` first; all robots leave together.
    """

    metadata: ClassVar[dict] = {
        "name": "av_rir_measure_v0",
        "render_modes": ["rgb_array"],
        "is_parallelizable": True,
        "render_fps": 4,
    }

    def __init__(self, *, render_mode: str | None = None, **options):
        self.config = config = MeasureConfig.from_keywords(**options)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode {render_mode!r} does not exist; choose rgb_array")
        self.render_mode = render_mode
        pool_of(config)  # raises if there is none
        self.max_cycles = config.steps
        self.roster = Roster(config)
        self.links, self.owned_links = self.roster.links, self.roster.owned
        self.possible_agents = list(self.roster.names)
        self.agents: list[str] = []
        self._shares = shares(config.rho, config.robots)
        self.make_spaces()
        self.use_predictor(config.predictor)
        self.np_random: np.random.Generator | None = None
        self.episode: EpisodeState | None = None

    def make_spaces(self) -> None:
        """Of every robot, and of the global state."""
        predicts, robots = self.config.prediction == "action", self.possible_agents
        self.observation_spaces = {robot: observation_space(self.roster, robot) for robot in robots}
        self.action_spaces = {
            robot: action_space(len(self.owned_links[robot]) if predicts else None)
            for robot in robots
        }
        self.state_space = global_state_space(len(robots))

    def __getstate__(self) -> dict[str, Any]:
        """All that a copy cannot make anew, see `av_envs.rir_measure.copying`."""
        kept = {name: value for name, value in vars(self).items() if name not in SPACES}
        episode = None if self.episode is None else packed(self.episode)
        return {**kept, "episode": episode, "of_spaces": generator_states(*self._spaces())}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        of_spaces = kept.pop("of_spaces")
        vars(self).update(kept)
        self.make_spaces()
        go_on(of_spaces, *self._spaces())
        if self.episode is not None:
            self.episode = unpacked(kept["episode"])

    def _spaces(self) -> Iterator[spaces.Space]:
        yield from self.observation_spaces.values()
        yield from self.action_spaces.values()
        yield self.state_space

    def observation_space(self, agent: str) -> spaces.Dict:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        return self.action_spaces[agent]

    def use_predictor(self, predictor: str | RIRPredictor) -> None:
        """Change the predictor from the next episode on: a name, import path or object."""
        self.predictor = open_predictor(predictor)

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None):
        if seed is not None or self.np_random is None:
            self.np_random, _ = np_random(seed)
        self.agents = list(self.possible_agents)
        self.episode = state = core.begin(self.roster, options, self.np_random)
        self._open_predictor()
        core.measure(state)
        observations = core.observe(state)
        if self.config.timing == "post_move":
            core.score(state, self.predictor, counts=False)
        return observations, core.infos(state, core.evaluate(state, self.predictor))

    def step(self, actions: Mapping[str, Any]):
        state = self._running()
        predicts, timing = self.config.prediction == "action", self.config.timing
        moves, predicted = checked_actions(actions, self.agents, predicts)
        if timing == "pre_move":
            core.score(state, self.predictor, counts=True, handed_in=predicted)
        core.transition(state, moves)
        core.measure(state)
        observations = core.observe(state)
        if timing == "post_move":
            core.score(state, self.predictor, counts=True)
        gained = core.evaluate(state, self.predictor)
        self.team_reward = float(sum(gained.values()))
        terminated, truncated = core.ending(state, moves)
        living = self.agents
        if state.is_over:
            self.agents = []
        rewards = {
            robot: float(share * self.team_reward)
            for robot, share in zip(living, self._shares, strict=True)
        }
        return (
            observations,
            rewards,
            dict.fromkeys(living, terminated),
            dict.fromkeys(living, truncated),
            core.infos(state, gained),
        )

    def submit_prediction(self, rirs: np.ndarray) -> None:
        """Hand in the responses (P, 2, 16000) of the pairs at the present poses, in order of
        `links`; the next step scores them. With prediction="submit" only.
        """
        if self.config.prediction != "submit":
            raise ValueError(
                f"submit_prediction() needs prediction='submit', not {self.config.prediction!r}"
            )
        state = self._running()
        if state.submitted is not None:
            raise ValueError("a prediction was already submitted for this step")
        state.submitted = checked_prediction(rirs, len(self.links), "submit_prediction()")

    def state(self) -> np.ndarray:
        """(8 robots + 5,) float32 in -1..1, see `av_envs.rir_measure.global_state`."""
        return global_state(self._begun())

    def render(self) -> np.ndarray | None:
        """The plan with the walks, what the robots see and what they measured, (H, W, 3) uint8."""
        if self.render_mode is None:
            gym.logger.warn("render() needs render_mode='rgb_array'")
            return None
        from av_envs.rir_measure.rendering.frame import episode_frame

        return episode_frame(self._begun(), self.config.render_levels)

    def replay_log(self) -> dict[str, Any]:
        """The actions and poses of the episode so far, see `av_envs.replay`."""
        state = self._begun()
        paths = [(robot.trajectory, robot.moves) for robot in state.robots.values()]
        nodes, poses = self.fixed_source_nodes, self.fixed_receiver_poses
        return replay_log("rir_measure", state.scene, paths, sources=nodes, receivers=poses)

    @property
    def has_views(self) -> bool:
        """Whether one can `see` in this dwelling."""
        return self.dwelling.has_views

    def see(self) -> np.ndarray:
        """(robots, 128, 128, 3) uint8, what the robots see, whatever they observe.

        A ValueError in a dwelling without views.
        """
        state = self._begun()
        return np.stack([state.dwelling.views.view(*pose)[0] for pose in state.poses])

    def close(self) -> None:
        """Nothing to close."""

    @property
    def t(self) -> int | None:
        """Steps of this episode so far; None before the first."""
        return None if self.episode is None else self.episode.t

    @property
    def house(self) -> int:
        """Number of the dwelling in its pool, -1 for a named scene."""
        return self._begun().house

    @property
    def dwelling(self) -> Dwelling:
        """Where this episode takes place."""
        return self._begun().dwelling

    @property
    def scene(self) -> Scene:
        """The geometry of the dwelling."""
        return self._begun().scene

    @property
    def trajectories(self) -> dict[str, list[Pose]]:
        """(node, heading) of every step so far, by robot."""
        return self._begun().trajectories

    @property
    def visited(self) -> np.ndarray:
        """(nodes,) bool, where a robot has been."""
        return self._begun().visited

    @property
    def measurement(self) -> Measurement:
        """What was just measured."""
        return self._begun().measurement

    @property
    def predicted(self) -> np.ndarray | None:
        """(P, 2, 16000) the prediction that was scored last; None if there was none."""
        return self._begun().predicted

    @property
    def schedule(self) -> tuple[SubStep, ...]:
        """Emitters and their receivers, in the order of `measurement`."""
        return sub_steps(self.links, self.config.robots)

    @property
    def fixed_source_nodes(self) -> tuple[int, ...]:
        return self._begun().drawn.fixed_sources

    @property
    def fixed_receiver_poses(self) -> tuple[tuple[int, int], ...]:
        """(node, heading) of every dummy head that stands still."""
        return self._begun().drawn.fixed_receivers

    def scores(self) -> dict[str, float]:
        """The metrics of the episode so far, as in the info."""
        return core.scores(self._begun())

    def privileged(self, key: str) -> np.ndarray:
        """True values that fair teams are not told, for oracles and trainers.

        "neighbours"  (nodes, 4) int32, the navigation graph: -1 where no step leads
        "positions"   (nodes, 3) float32 metres, of all nodes
        "visited"     (nodes,) bool
        "nodes"       (robots,) int, where the robots are
        "headings"    (robots,) int, quarter turns from east
        "rirs"        (P, 2, 16000) float32, what was just measured
        """
        if key not in PRIVILEGED:
            raise ValueError(f"{key!r} is not privileged; choose from {', '.join(PRIVILEGED)}")
        return PRIVILEGED[key](self._begun()).copy()

    def action_masks(self) -> np.ndarray:
        """(robots, 4) bool: what each robot may do."""
        state = self._begun()
        return np.array([mask_of(state, robot) for robot in state.robots.values()], bool)

    def _begun(self) -> EpisodeState:
        if self.episode is None:
            raise ResetNeeded("call reset() first")
        return self.episode

    def _running(self) -> EpisodeState:
        state = self._begun()
        if state.is_over:
            raise ResetNeeded(f"the episode ended after {state.t} steps; call reset()")
        return state

    def _open_predictor(self) -> None:
        if self.config.prediction == "env":
            grid, steps = self.config.grid, self.config.steps
            truth = TrueResponses(self.dwelling)
            self.predictor.reset(context_for(self.predictor, self.roster.names, grid, steps, truth))
