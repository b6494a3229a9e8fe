"""The README's pictures: `python -m docs.picture` plays an episode per task and draws a step."""

from pathlib import Path

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the suite)
from av_envs.baselines.rir_measure import SpreadOut
from av_envs.baselines.separation import Oracle

HERE = Path(__file__).parent
SEPARATION = {"name": "episode.png", "seed": 65, "steps": 13}
MEASURING = {"name": "measure.png", "seed": 3, "steps": 60}


def main() -> None:
    _save(separation(**SEPARATION))
    _save(measuring(**MEASURING))


def separation(name: str, seed: int, steps: int) -> tuple[str, np.ndarray]:
    """An oracle walks towards the target."""
    env = gym.make("AVDynamicSep-v0", split="test_unheard", render_mode="rgb_array")
    oracle = Oracle(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=seed)
    for _ in range(steps):
        gains = env.unwrapped.privileged("action_gains")
        observation, *_ = env.step(oracle.act(observation, {"action_gains": gains}))
    return name, np.asarray(env.render())


def measuring(name: str, seed: int, steps: int) -> tuple[str, np.ndarray]:
    """Two robots share the nodes of a flat between them."""
    env = gym.make("AVRIRMeasure-v0", split="test", render_mode="rgb_array")
    robots = SpreadOut(env.observation_space, env.action_space, seed=0)
    env.unwrapped.use_predictor(robots.predictor)
    observation, _ = env.reset(seed=seed)
    robots.reset(seed=seed)
    for _ in range(steps):
        observation, *_ = env.step(robots.act(observation))
    return name, np.asarray(env.render())


def _save(named_picture: tuple[str, np.ndarray]) -> None:
    from PIL import Image  # extra [test]

    name, picture = named_picture
    Image.fromarray(picture).quantize(256).save(HERE / name, optimize=True)
    print(HERE / name)


if __name__ == "__main__":
    main()
