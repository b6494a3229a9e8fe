"""Robots that measure a dwelling's impulse responses, as a PettingZoo environment."""

from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.seeding import np_random
from pettingzoo import ParallelEnv

from av_envs.replay import replay_log
from av_envs.rir_measure.actions import (
    Action,
    action_space,
    checked_actions,
    checked_prediction,
    pose_after,
)
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.copying import play_on, state_to_keep
from av_envs.rir_measure.episode import draw_in_pool, pool_of
from av_envs.rir_measure.hull import hull_perimeter_and_area
from av_envs.rir_measure.measurement import Measurement, TrueResponses, measure
from av_envs.rir_measure.metrics.episode import coverage_ratio
from av_envs.rir_measure.observation import (
    MEMORY,
    action_mask,
    observation,
    observation_space,
    remembered,
)
from av_envs.rir_measure.predictors import RIRPredictor, context_for, open_predictor
from av_envs.rir_measure.privileged import PRIVILEGED
from av_envs.rir_measure.queries import budgets, draw_queries
from av_envs.rir_measure.rewards import Components, Quantities, RewardWeights, components, shares
from av_envs.rir_measure.schedule import SubStep, links, owner, robot_name, sub_steps
from av_envs.rir_measure.scoring import Judge
from av_envs.rir_measure.state import state_of, state_space
from av_envs.rir_measure.trajectories import hull_nodes
from av_envs.scene import Scene


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
        self.possible_agents = [robot_name(k) for k in range(config.robots)]
        self.agents: list[str] = []
        self.links = links(
            config.robots,
            config.emitting,
            config.listening,
            config.fixed_sources,
            config.fixed_receivers,
            config.directions,
        )
        self._weights = RewardWeights(
            config.alpha_xi, config.alpha_zeta, config.alpha_psi, config.alpha_phi
        )
        self._shares = shares(config.rho, config.robots)
        self.make_spaces()
        self._judge = Judge(config.room_errors, config.wcr_lambda)
        self.use_predictor(config.predictor)
        self.np_random: np.random.Generator | None = None
        self.t: int | None = None

    def make_spaces(self) -> None:
        owners = [owner(link, self.config.robots) for link in self.links]
        heard = [link.receiver for link in self.links]
        predicts = self.config.prediction == "action"
        self.owned_links, self._heard, self.observation_spaces, self.action_spaces = {}, {}, {}, {}
        for k, robot in enumerate(self.possible_agents):
            self.owned_links[robot] = [p for p, mine in enumerate(owners) if mine == k]
            self._heard[robot] = [p for p, mine in enumerate(heard) if mine == k]
            n_predicted = len(self.owned_links[robot]) if predicts else None
            self.observation_spaces[robot] = observation_space(self.config, len(self._heard[robot]))
            self.action_spaces[robot] = action_space(n_predicted)
        self.state_space = state_space(self.config.robots)

    __getstate__, __setstate__ = state_to_keep, play_on

    def observation_space(self, agent: str) -> spaces.Dict:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        return self.action_spaces[agent]

    def use_predictor(self, predictor: str | RIRPredictor) -> None:
        """Let somebody else predict from the next episode on: a name, import path or object."""
        self.predictor = open_predictor(predictor)

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None):
        if seed is not None or self.np_random is None:
            self.np_random, _ = np_random(seed)
        config = self.config
        self.house, self.dwelling, self._episode = draw_in_pool(config, options, self.np_random)
        graph = self.scene.graph
        starts = zip(self._episode.start_nodes, self._episode.start_headings, strict=True)
        self.agents = list(self.possible_agents)
        self.trajectories = {robot: [pose] for robot, pose in zip(self.agents, starts, strict=True)}
        self.visited = np.zeros(len(graph), bool)
        self.visited[list(self._episode.start_nodes)] = True
        self._moves = dict.fromkeys(self.agents, "")
        self._stopped = dict.fromkeys(self.agents, False)
        self._collided = dict.fromkeys(self.agents, False)
        self._new_nodes = dict.fromkeys(self.agents, 0)
        self.t, self._ended = 0, False
        self._history: deque = deque(maxlen=MEMORY)
        self._submitted = self.predicted = None
        self._judge.reset(self._draw_queries())
        self._open_predictor()
        self._measure()
        observations = self._observe()
        if config.timing == "post_move":
            self._predict(counts=False)
        self._ask_queries()
        self._quantities = self._measured_quantities()
        return observations, self._infos(
            components(self._quantities, self._quantities, self._weights)
        )

    def step(self, actions: Mapping[str, Any]):
        self._require_running()
        moves, predicted = checked_actions(actions, self.agents, self.config.prediction == "action")
        for robot, move in zip(self.agents, moves, strict=True):
            self._moves[robot] += move.name[0]
        before = self._quantities
        if self.config.timing == "pre_move":
            self._predict(counts=True, handed_in=predicted)
        self._move(moves)
        self.t += 1
        self._measure()
        observations = self._observe()
        if self.config.timing == "post_move":
            self._predict(counts=True)
        self._ask_queries()
        self._quantities = self._measured_quantities()
        gained = components(before, self._quantities, self._weights)
        self.team_reward = float(gained.total)
        terminated, truncated = self._ending(moves)
        living, self._ended = self.agents, terminated or truncated
        rewards = {
            robot: float(share * self.team_reward)
            for robot, share in zip(living, self._shares, strict=True)
        }
        infos = self._infos(gained)
        if self._ended:
            self.agents = []
        return (
            observations,
            rewards,
            dict.fromkeys(living, terminated),
            dict.fromkeys(living, truncated),
            infos,
        )

    def submit_prediction(self, rirs: np.ndarray) -> None:
        """Hand in the responses (P, 2, 16000) of the pairs at the present poses, in order of
        `links`; the next step scores them. With prediction="submit" only.
        """
        if self.config.prediction != "submit":
            raise ValueError(
                f"submit_prediction() needs prediction='submit', not {self.config.prediction!r}"
            )
        self._require_running()
        if self._submitted is not None:
            raise ValueError("a prediction was already submitted for this step")
        self._submitted = checked_prediction(rirs, len(self.links), "submit_prediction()")

    def state(self) -> np.ndarray:
        """The global state, (8 robots + 5,) float32 in -1..1; see `av_envs.rir_measure.state`."""
        self._require_reset()
        return state_of(
            self.scene,
            self.trajectories.values(),
            self._stopped.values(),
            self.t / self.config.steps,
            self._quantities,
            self._judge.delta,
        )

    def render(self) -> np.ndarray | None:
        """The plan with the walks, what the robots see and what they measured, (H, W, 3) uint8."""
        if self.render_mode is None:
            gym.logger.warn("render() needs render_mode='rgb_array'")
            return None
        from av_envs.rir_measure.rendering.frame import episode_frame

        self._require_reset()
        return episode_frame(self, self.config.render_levels)

    def replay_log(self) -> dict[str, Any]:
        """The actions and poses of the episode so far, see `av_envs.replay`."""
        paths = zip(self.trajectories.values(), self._moves.values(), strict=True)
        nodes, poses = self.fixed_source_nodes, self.fixed_receiver_poses
        return replay_log("rir_measure", self.scene, paths, sources=nodes, receivers=poses)

    def close(self) -> None:
        """Nothing to close."""

    @property
    def scene(self) -> Scene:
        """The dwelling of this episode."""
        return self.dwelling.scene

    @property
    def schedule(self) -> tuple[SubStep, ...]:
        """Who emits and who listens, in the order of `measurement`."""
        return sub_steps(self.links, self.config.robots)

    @property
    def fixed_source_nodes(self) -> tuple[int, ...]:
        return self._episode.fixed_sources

    @property
    def fixed_receiver_poses(self) -> tuple[tuple[int, int], ...]:
        """(node, heading) of every dummy head that stands still."""
        return self._episode.fixed_receivers

    def scores(self) -> dict[str, float]:
        """The metrics of the episode so far, as in the info."""
        return self._judge.scores(self._quantities.zeta)

    def privileged(self, key: str) -> np.ndarray:
        """What no fair team knows, for oracles and trainers.

        "neighbours"  (nodes, 4) int32, the navigation graph: -1 where no step leads
        "positions"   (nodes, 3) float32 metres, of all nodes
        "visited"     (nodes,) bool
        "nodes"       (robots,) int, where the robots are
        "headings"    (robots,) int, quarter turns from east
        "rirs"        (P, 2, 16000) float32, what was just measured
        """
        if key not in PRIVILEGED:
            raise ValueError(f"{key!r} is not privileged; choose from {', '.join(PRIVILEGED)}")
        self._require_reset()
        poses = np.array([path[-1] for path in self.trajectories.values()])
        return PRIVILEGED[key](self.scene.graph, self.visited, poses, self.measurement).copy()

    def action_masks(self) -> np.ndarray:
        """(robots, 4) bool: what each robot may do."""
        self._require_reset()
        return np.array([self._mask_of(robot) for robot in self.possible_agents], bool)

    def _require_reset(self) -> None:
        if self.t is None:
            raise ResetNeeded("call reset() first")

    def _require_running(self) -> None:
        self._require_reset()
        if self._ended:
            raise ResetNeeded(f"the episode ended after {self.t} steps; call reset()")

    def _draw_queries(self) -> Measurement | None:
        """Held-out pairs; their true responses take a while where nothing is traced yet."""
        if not self.config.queries:
            return None
        graph = self.scene.graph
        nodes = draw_queries(self.config.queries, graph, self.np_random)
        return measure(self.dwelling.acoustics, graph, nodes)

    def _open_predictor(self) -> None:
        if self.config.prediction == "env":
            robots, grid, steps = tuple(self.possible_agents), self.config.grid, self.config.steps
            truth = TrueResponses(self.dwelling)
            self.predictor.reset(context_for(self.predictor, robots, grid, steps, truth))

    def _move(self, moves: list[Action]) -> None:
        """All robots at once; they do not stand in each other's way."""
        for robot, move in zip(self.agents, moves, strict=True):
            if move is Action.STOP and self.config.stop_mode != "mask":
                self._stopped[robot] = True
            if self._stopped[robot]:
                move = Action.STOP
            pose, collided = pose_after(
                self.trajectories[robot][-1], move, self.scene.graph.neighbours
            )
            self._collided[robot] = collided
            self._new_nodes[robot] = int(not self.visited[pose[0]])
            self.visited[pose[0]] = True
            self.trajectories[robot].append(pose)

    def _measure(self) -> None:
        """All links of the schedule at the present poses."""
        poses = [path[-1] for path in self.trajectories.values()]
        sources = [*(node for node, _ in poses), *self.fixed_source_nodes]
        receivers = [*poses, *self.fixed_receiver_poses]
        nodes = [(sources[link.emitter], *receivers[link.receiver]) for link in self.links]
        self.measurement = measure(self.dwelling.acoustics, self.scene.graph, np.array(nodes))

    def _observe(self) -> dict[str, dict[str, np.ndarray]]:
        observations = {robot: self._observation_of(robot) for robot in self.agents}
        self._history.append(remembered(observations))
        return observations

    def _observation_of(self, robot: str) -> dict[str, np.ndarray]:
        mine = self.possible_agents.index(robot)
        heard = self.measurement.rirs[self._heard[robot]]
        mask, time = self._mask_of(robot), self.t / self.config.steps
        walks = list(self.trajectories.values())
        return observation(self.config, self.dwelling, walks, mine, heard, mask, time)

    def _mask_of(self, robot: str) -> np.ndarray:
        is_last = self.t >= self.config.steps - 1
        return action_mask(self.config.stop_mode, self._stopped[robot], is_last)

    def _predict(self, counts: bool, handed_in: list[np.ndarray] | None = None) -> None:
        """Score whatever prediction there is of the present measurement."""
        route, measurement = self.config.prediction, self.measurement
        if route == "env":
            answer = self.predictor.predict(measurement.pairs, self._history)
            answer = checked_prediction(answer, len(self.links), "the predictor")
        elif route == "action":
            answer = self._put_together(handed_in)
        else:
            answer, self._submitted = self._submitted, None
        self.predicted = answer
        self._judge.score(measurement, answer, counts)
        if route == "env":
            self.predictor.observe(measurement.pairs, measurement.rirs)

    def _put_together(self, handed_in: list[np.ndarray]) -> np.ndarray:
        """The robots' own predictions in the order of the links."""
        answer = np.empty_like(self.measurement.rirs)
        for robot, rirs in zip(self.agents, handed_in, strict=True):
            mine = self.owned_links[robot]
            answer[mine] = checked_prediction(rirs, len(mine), f"the action of {robot}")
        return answer

    def _ask_queries(self) -> None:
        if self.config.queries and self.t in budgets(self.config.steps):
            self._judge.score_queries(self.t, self.predictor, self._history)

    def _measured_quantities(self) -> Quantities:
        """What the reward is made of, at the present poses."""
        points = self.scene.graph.positions[hull_nodes(self.trajectories.values()), :2]
        perimeter, area = hull_perimeter_and_area(points)
        return Quantities(self._judge.xi, coverage_ratio(self.visited), perimeter, area)

    def _ending(self, moves: list[Action]) -> tuple[bool, bool]:
        """Terminated and truncated, the same for all robots."""
        stop = self.config.stop_mode
        terminated = (
            (stop == "latch" and all(self._stopped.values()))
            or (stop == "any" and Action.STOP in moves)
            or (self.config.terminate_on_full_coverage and bool(self.visited.all()))
        )
        return terminated, not terminated and self.t >= self.config.steps

    def _infos(self, gained: Components) -> dict[str, dict[str, Any]]:
        team = {
            **{f"r_{key}": value for key, value in gained._asdict().items()},
            **self._quantities._asdict(),
            **self.scores(),
            "t": self.t,
            "house": self.house,
        }
        infos = {}
        for robot in self.agents:
            node, heading = self.trajectories[robot][-1]
            own = {
                "collision": self._collided[robot],
                "stopped": self._stopped[robot],
                "new_nodes": self._new_nodes[robot],
                "node": node,
                "heading": heading,
            }
            # adding zero makes 0.0 of -0.0
            infos[robot] = {key: np.float32(value) + 0 for key, value in {**team, **own}.items()}
            infos[robot] |= self._arrays_for_trainers(robot)
        return infos

    def _arrays_for_trainers(self, robot: str) -> dict[str, Any]:
        """What does not fit into scalars."""
        arrays = {}
        if self.config.prediction == "none" or self.config.expose_rir:
            arrays["rir_nodes"] = self.measurement.nodes.copy()
        if self.config.expose_rir:
            arrays["rir"] = self.measurement.rirs.copy()
        if self.config.prediction == "action":
            arrays["action_mask"] = {"move": self._mask_of(robot), "rir": None}
        return arrays
