"""A stand-in for AVRIRMeasure-v0: same keys, no acoustics; and teams and predictors to play it."""

from dataclasses import replace
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
from fake_separation import SIDE, STEPS, FakeScene
from gymnasium import spaces

from av_envs.benchmarks.suites.suite import SUITES, Group, Suite
from av_envs.replay import replay_log
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import PredictionContext, open_predictor

ROOM = {"rte_ms", "rte_pct", "sisdr", "snr", "snr01", "edt_ms", "drr_db", "c50_db", "lr_db"}
N_SAMPLES = 16000


class FakeTeam:
    """Two robots on a square; the response of a step is the constant of its number."""

    possible_agents = ("robot_0", "robot_1")
    fixed_source_nodes = (3,)
    fixed_receiver_poses = ((4, 2),)

    def __init__(self, steps, predictor):
        self.config = SimpleNamespace(grid=1.0, steps=steps)
        self.predictor = open_predictor(predictor)

    def reset(self, house, rng):
        self.scene = FakeScene(f"flat-{house}")
        starts = rng.choice(SIDE * SIDE, 2, replace=False)
        self.trajectories = {
            robot: [(int(node), int(rng.integers(4)))]
            for robot, node in zip(self.possible_agents, starts, strict=True)
        }
        self.moves = dict.fromkeys(self.possible_agents, "")
        self.visited = np.zeros(SIDE * SIDE, bool)
        self.visited[starts] = True
        self.t, self.errors, self.bumps = 0, [], [0, 0]
        names, steps = self.possible_agents, self.config.steps
        self.predictor.reset(PredictionContext(names, 1.0, steps, lambda pairs: self.truth()))

    def truth(self):
        return np.full((2, 2, N_SAMPLES), self.t / 100, np.float32)

    def step(self, moves):
        self.t += 1
        for k, (robot, move) in enumerate(zip(self.possible_agents, moves, strict=True)):
            self.moves[robot] += "SFLR"[move]
            node, heading = self.trajectories[robot][-1]
            ahead = self._ahead(node, heading) if move == 1 else node
            self.bumps[k] = int(ahead < 0)
            node = node if ahead < 0 else ahead
            self.visited[node] = True
            self.trajectories[robot].append((node, (heading + (0, 0, 1, -1)[move]) % 4))
        pairs = Pairs(*np.zeros((2, 2, 3), np.float32), np.zeros(2, int))
        predicted = self.predictor.predict(pairs, [])
        self.errors.append(float(np.abs(predicted - self.truth()).mean()))
        self.predictor.observe(pairs, self.truth())

    def _ahead(self, node, heading):
        column, row = node % SIDE + STEPS[heading][0], node // SIDE + STEPS[heading][1]
        return row * SIDE + column if 0 <= column < SIDE and 0 <= row < SIDE else -1

    def info(self):
        cr, pe = float(self.visited.mean()), float(np.mean(self.errors or [np.nan]))
        numbers = dict.fromkeys(ROOM, 1.5) | {
            "cr": cr,
            "pe_mean": pe,
            "pes": np.tanh(pe / 2),
            "wcr": 0.9 * cr + 0.1 * (1 - np.tanh(pe / 2)),
            "pe_query": np.nan if self.t < self.config.steps else 0.5,  # asked at the end only
            "pe_query_auc": np.nan if self.t < self.config.steps else 0.5,
            **{f"collision_{k}": bumped for k, bumped in enumerate(self.bumps)},
        }
        return {key: np.float32(value) for key, value in numbers.items()}


class FakeMeasure(gym.Env):
    """The team as one agent."""

    task = "rir_measure"
    has_views = True

    def __init__(self, split="test", houses=3, steps=20, predictor="zero", **unused):
        self.houses = houses
        self.team = FakeTeam(steps, predictor)
        self.config = self.team.config
        self.observation_space = spaces.Dict(azimuth=spaces.Box(0, 1, (2, 2)))
        self.action_space = spaces.MultiDiscrete([4, 4])

    @property
    def scene(self):
        return self.team.scene

    def replay_log(self):
        team = self.team
        paths = zip(team.trajectories.values(), team.moves.values(), strict=True)
        nodes, poses = team.fixed_source_nodes, team.fixed_receiver_poses
        return replay_log(self.task, team.scene, paths, sources=nodes, receivers=poses)

    def hear(self):
        return self.team.truth()[0, :, :4000]

    def see(self):
        return np.full((2, 128, 128, 3), [[[[self.team.t % 256]]], [[[100]]]], np.uint8)

    def use_predictor(self, predictor):
        self.team.predictor = open_predictor(predictor)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        house = (options or {}).get("house", self.np_random.integers(self.houses))
        self.team.reset(house, self.np_random)
        return self._observation(), self.team.info()

    def step(self, action):
        self.team.step([int(move) for move in action])
        info = self.team.info()
        return self._observation(), 0.5, False, self.team.t >= self.config.steps, info

    def _observation(self):
        return {"azimuth": np.zeros((2, 2), np.float32)}


gym.register("FakeMeasure-v0", entry_point="fake_rir_measure:FakeMeasure")

TEAM_SUITE = Suite(
    name="fake-team-v1",
    version=1,
    env_id="fake_rir_measure:FakeMeasure-v0",
    env_kwargs={"houses": 3, "steps": 20, "wcr_lambda": 0.1, "predictor": "zero"},
    split="test",
    groups=(Group("all", {}, tuple(range(6)), tuple({"house": k % 3} for k in range(6))),),
    metrics=SUITES["rir-replica-like-v2"].metrics,
    primary="wcr_mean",
)
LONG_SUITE = replace(
    TEAM_SUITE,
    name="fake-long-v1",
    env_kwargs=TEAM_SUITE.env_kwargs | {"steps": 250},
    groups=(Group("all", {}, tuple(range(5)), tuple({"house": k} for k in range(5))),),
)


class Walkers:
    """Moves at random; brings the predictor it is given, if any."""

    def __init__(self, observation_space, action_space, *, seed, predictor=None, fault=None):
        if fault is not None:
            predictor = Faulty(fault)
        if predictor is not None:
            self.predictor = predictor

    def reset(self, *, seed=None):
        self._rng = np.random.default_rng(seed)

    def act(self, observation):
        return self._rng.integers(1, 4, 2)


class Half:
    """Predicts the half of what was measured last."""

    def reset(self, context):
        self._last = np.zeros((2, 2, N_SAMPLES), np.float32)

    def predict(self, pairs, history):
        return self._last / 2

    def observe(self, pairs, rirs):
        self._last = rirs


class Asks(Half):
    """Predicts what it is told on asking."""

    def reset(self, context):
        self._truth = context.truth

    def predict(self, pairs, history):
        return self._truth(pairs)


class Knows(Asks):
    privileged = ("truth",)


class Faulty(Half):
    """Goes wrong in every other episode."""

    def __init__(self, fault):
        self._fault, self._episodes = fault, 0

    def reset(self, context):
        super().reset(context)
        self._episodes += 1
        if self._is_bad("reset"):
            raise RuntimeError("forgot how to start")

    def predict(self, pairs, history):
        if self._is_bad("predict"):
            raise RuntimeError("no idea")
        answer = super().predict(pairs, history)
        if self._is_bad("nan"):
            answer = answer * np.nan
        return answer[:, :, :100] if self._is_bad("short") else answer

    def observe(self, pairs, rirs):
        super().observe(pairs, rirs)
        if self._is_bad("observe"):
            raise SystemExit("enough")

    def _is_bad(self, fault):
        return self._fault == fault and self._episodes % 2 == 0
