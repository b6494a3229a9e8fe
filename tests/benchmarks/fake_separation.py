"""A stand-in for AVDynamicSep-v0: same keys, no physics; and agents that misbehave."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from benchmarks.suites import SEPARATION_METRICS, Suite

EFFECT = np.array([2.0, 1.0, -1.0, 0.0])  # dB that each action brings


class FakeScene:
    def __init__(self, name):
        self.name = name


class FakeSeparation(gym.Env):
    """Each action adds its effect to the SI-SDR; actions are permuted anew every step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012

    def __init__(self, split="test_unheard", houses=3, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = spaces.Dict(target=spaces.Discrete(12))
        self.action_space = spaces.Discrete(4)
        self.houses = houses

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        house = (options or {}).get("house", self.np_random.integers(self.houses))
        self.scene = FakeScene(f"house-{house}")
        self.base = float(self.np_random.normal())
        self.gain, self.steps = 0.0, 0
        self.effect = self.np_random.permutation(EFFECT)
        return {"target": np.int64(1)}, self._info()

    def step(self, action):
        self.gain += float(self.effect[action])
        self.effect = np.append(self.np_random.permutation(EFFECT[:3]), 0.0)
        self.steps += 1
        return {"target": np.int64(1)}, self.gain, False, self.steps >= 20, self._info()

    def render(self):
        return np.full((64, 96, 3), 10 * self.steps, np.uint8)

    def hear(self):
        return np.full((2, 16000), self.steps / 100, np.float32)

    def privileged(self, key):
        if key != "action_gains":
            raise ValueError(f"unknown privileged key {key!r}; there is action_gains")
        return self.effect.astype(np.float32)

    def _info(self):
        undefined = self.steps % 5 == 4  # as when the target pauses
        numbers = {
            "si_sdr": np.nan if undefined else self.base + self.gain,
            "si_sdr_gain": np.nan if undefined else self.gain,
            "stft_distance": 0.3,
            "collision": 1.0,
            "geodesic_to_target": 3.0,
        }
        return {key: np.float32(value) for key, value in numbers.items()}


gym.register("FakeSep-v0", entry_point="fake_separation:FakeSeparation")

FAKE_SUITE = Suite(
    name="fake-v1",
    version=1,
    env_id="fake_separation:FakeSep-v0",
    env_kwargs={"houses": 3},
    split="test_unheard",
    seeds=tuple(range(100, 112)),
    options=tuple({"house": k % 3} for k in range(12)),
    metrics=SEPARATION_METRICS,
    primary="si_sdr_gain",
)


class Quiet:
    def __init__(self, observation_space, action_space, *, seed, **kwargs):
        self.kwargs = kwargs

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


class NoActor:
    def __init__(self, observation_space, action_space, *, seed):
        pass

    def reset(self, *, seed=None):
        pass


NOT_CALLABLE = 7
