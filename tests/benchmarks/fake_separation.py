"""A stand-in for AVDynamicSep-v0: same keys, no physics; and agents that misbehave."""

import contextlib
import gc
import importlib
import os
import struct
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from av_envs.benchmarks.suites.suite import Group, Metric, Suite
from av_envs.replay import replay_log

EFFECT = np.array([2.0, 1.0, -1.0, 0.0])  # dB that each action brings


SIDE = 5  # nodes along each side of the square that one can walk on
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # east and north, by heading


METRICS = (
    Metric("si_sdr_gain", "si_sdr_gain", "mean", higher_is_better=True, unit="dB"),
    Metric("si_sdr", "si_sdr", "mean", higher_is_better=True, unit="dB"),
    Metric("si_sdr_final", "si_sdr", "final", higher_is_better=True, unit="dB"),
    Metric("si_sdr_improvement", "si_sdr_improvement", "mean", higher_is_better=True, unit="dB"),
    Metric("stft_distance", "stft_distance", "mean", higher_is_better=False),
    Metric("return", "reward", "sum", higher_is_better=True),
    Metric("collisions", "collision", "sum", higher_is_better=False),
    Metric("distance_final", "geodesic_to_target", "final", higher_is_better=False, unit="m"),
)


class FakeScene:
    def __init__(self, name):
        self.name = name
        nodes = np.arange(SIDE * SIDE)
        places = np.stack([nodes % SIDE + 1.5, nodes // SIDE + 1.5, 0 * nodes], 1)
        self.graph = SimpleNamespace(positions=places.astype(np.float32), grid=1.0)


class FakeSeparation(gym.Env):
    """Each action adds its effect to the SI-SDR; actions are permuted anew every step.

    Forward walks as well, but walking has no effect of its own.
    """

    task = "separation"
    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012
    has_views = True
    corpus = SimpleNamespace(classes=tuple(f"voice {k}" for k in range(12)))

    def __init__(self, split="test_unheard", houses=3, offset=0.0, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = spaces.Dict(target=spaces.Discrete(12))
        self.action_space = spaces.Discrete(4)
        self.houses, self.offset = houses, offset
        self.config = SimpleNamespace(steps=20, estimator="mixture")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        house = (options or {}).get("house", self.np_random.integers(self.houses))
        self.scene = FakeScene(f"house-{house}")
        self.base = float(self.np_random.normal()) + self.offset
        self.gain, self.steps, self.moves = 0.0, 0, ""
        self.effect = self.np_random.permutation(EFFECT)
        self.source_nodes = self.np_random.choice(SIDE * SIDE, 2, replace=False)
        self.trajectory = [(12, int(self.np_random.integers(4)))]
        return {"target": np.int64(1)}, self._info()

    def step(self, action):
        self.gain += float(self.effect[action])
        self.effect = np.append(self.np_random.permutation(EFFECT[:3]), 0.0)
        self.steps += 1
        self.trajectory.append(self._pose_after(action))
        self.moves += "FLRS"[action]
        return {"target": np.int64(1)}, self.gain, False, self.steps >= 20, self._info()

    def _pose_after(self, action):
        node, heading = self.trajectory[-1]
        if action:
            return node, (heading + (0, 1, -1, 0)[action]) % 4
        column = node % SIDE + STEPS[heading][0]
        row = node // SIDE + STEPS[heading][1]
        inside = 0 <= column < SIDE and 0 <= row < SIDE
        return (row * SIDE + column if inside else node), heading

    def replay_log(self):
        walker = self.trajectory, self.moves
        sources, target = self.source_nodes, self.corpus.classes[1]
        return replay_log(self.task, self.scene, [walker], sources=sources, target=target)

    def render(self):
        return np.full((64, 96, 3), 10 * self.steps, np.uint8)

    def hear(self):
        return np.full((2, 16000), self.steps / 100, np.float32)

    def target_second(self):
        return np.full(16000, self.steps / 50, np.float32)

    def see(self):
        """Grey, lighter after every step, and another colour for every heading."""
        view = np.full((1, 128, 128, 3), 10 * self.steps, np.uint8)
        view[..., 0] = 60 * self.trajectory[-1][1]
        return view

    def privileged(self, key):
        if key != "action_gains":
            raise ValueError(f"unknown privileged key {key!r}; there is action_gains")
        return self.effect.astype(np.float32)

    def _info(self):
        undefined = self.steps % 5 == 4  # as when the target pauses
        numbers = {
            "si_sdr": np.nan if undefined else self.base + self.gain,
            "si_sdr_gain": np.nan if undefined else self.gain,
            "si_sdr_improvement": 0.0,
            "stft_distance": 0.3,
            "collision": 1.0,
            "geodesic_to_target": 3.0,
        }
        return {key: np.float32(value) for key, value in numbers.items()}


class FakeEstimation(FakeSeparation):
    """The same with an estimate in every action, whose mean beyond one counts."""

    def __init__(self, **options):
        super().__init__(**options)
        estimate = spaces.Box(0, np.inf, (4, 2), np.float32)
        self.action_space = spaces.Dict(move=spaces.Discrete(4), estimate=estimate)
        self.config.estimator = "agent"

    def reset(self, **how):
        self.said = 1.0
        return super().reset(**how)

    def step(self, action):
        self.said = float(action["estimate"].mean())
        return super().step(action["move"])

    def estimated_second(self):
        return np.full(16000, self.said, np.float32)

    def _info(self):
        info = super()._info()
        return {**info, "si_sdr_gain": info["si_sdr_gain"] + np.float32(self.said - 1)}


gym.register("FakeEst-v0", entry_point="fake_separation:FakeEstimation")
gym.register("FakeSep-v0", entry_point="fake_separation:FakeSeparation")


def group(name, seeds, **env_kwargs):
    return Group(name, env_kwargs, tuple(seeds), tuple({"house": k % 3} for k in range(len(seeds))))


FAKE_SUITE = Suite(
    name="fake-v1",
    version=1,
    env_id="fake_separation:FakeSep-v0",
    env_kwargs={"houses": 3},
    split="test_unheard",
    groups=(group("all", range(100, 112)),),
    metrics=METRICS,
    primary="si_sdr_gain",
)
GROUPED_SUITE = replace(
    FAKE_SUITE,
    name="fake-grouped-v1",
    groups=(group("quiet", range(6)), group("loud", range(6), offset=-5.0)),
)


class Quiet:
    """Stays; `says` are attributes to have."""

    def __init__(self, observation_space, action_space, *, seed, **kwargs):
        self.kwargs = kwargs
        for name, value in kwargs.get("says", {}).items():
            setattr(self, name, value)

    def reset(self, *, seed=None):
        self.seed = seed

    def act(self, observation):
        return 3


class RaisesOnOddSeeds(Quiet):
    def act(self, observation):
        if self.seed % 2:
            raise RuntimeError("lost my way")
        return 3


class AnswersNonsense(Quiet):
    def act(self, observation):
        return "forward"


class Estimates(Quiet):
    """Answers with an estimate, which may have a fault."""

    def act(self, observation):
        estimate = np.ones((4, 2), np.float32)
        if self.kwargs.get("fault") == "nan":
            estimate[1, 1] = np.nan
        return {"move": 3, "estimate": estimate}


class Counts(Quiet):
    """Estimates by the number of the second; may stray or say more when it is built again."""

    built = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        Counts.built += 1

    def reset(self, *, seed=None):
        self.second = 0

    def act(self, observation):
        again = Counts.built > 1
        says = self.second + (100 if again and self.kwargs.get("fault") == "score" else 0)
        self.second += 1
        move = 1 if again and self.kwargs.get("fault") == "way" and self.second == 5 else 3
        return {"move": move, "estimate": np.full((4, 2), says, np.float32)}


class GivesUp(Quiet):
    def act(self, observation):
        raise SystemExit("enough")


class AsksTooMuch(Quiet):
    privileged = ("the_answer",)

    def act(self, observation, privileged):
        return 3


class Peeks(Quiet):
    """Complains if it is shown more than it may see."""

    def act(self, observation, *more):
        assert not more
        assert set(observation) == {"target"}
        return 3


class Hangs(Quiet):
    def act(self, observation):
        time.sleep(60)


class Crashes(Quiet):
    """Its process dies without a word in every other episode."""

    def act(self, observation):
        if self.seed % 2:
            os._exit(3)
        return 3


class Fickle(Quiet):
    """Declares something else once it has been described."""

    asked = 0

    @property
    def privileged(self):
        Fickle.asked += 1
        return () if Fickle.asked <= 2 else ("action_gains",)

    def act(self, observation, *truth):
        return int(np.argmax(truth[0]["action_gains"])) if truth else 3


def _environments():
    return [thing for thing in gc.get_objects() if issubclass(type(thing), FakeSeparation)]


class Spies(Quiet):
    """Looks for the environment wherever a thing in the same process could be found."""

    def act(self, observation):
        frame, found = sys._getframe(), _environments()
        while frame is not None:
            found += [v for v in frame.f_locals.values() if isinstance(v, gym.Env)]
            frame = frame.f_back
        if found:
            return int(np.argmax(found[0].unwrapped.effect))
        return 3


class Patches(Quiet):
    """Changes the scorer that it can reach."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        episodes = importlib.import_module("av_envs.benchmarks.play.episodes")
        episodes.reduce_steps = lambda *step: 99.0


class Shouts(Quiet):
    """Writes into every pipe there is what no answer may hold."""

    def act(self, observation):
        for descriptor in range(3, 4096):
            with contextlib.suppress(OSError):
                os.write(descriptor, struct.pack("!i", 8) + b"\xff" * 8)
        return 3


class NoActor:
    def __init__(self, observation_space, action_space, *, seed):
        pass

    def reset(self, *, seed=None):
        pass


NOT_CALLABLE = 7
