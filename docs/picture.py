"""The README's picture: `python -m docs.picture` walks an episode and draws its last second."""

from pathlib import Path

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the suite)
from baselines.separation import Oracle

SEED = 77
STEPS = 13
PICTURE = Path(__file__).parent / "episode.png"


def main() -> None:
    from PIL import Image  # extra [test]

    env = gym.make("AVDynamicSep-v0", split="test_unheard", render_mode="rgb_array")
    oracle = Oracle(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=SEED)
    for _ in range(STEPS):
        gains = env.unwrapped.privileged("action_gains")
        observation, *_ = env.step(oracle.act(observation, {"action_gains": gains}))
    picture = Image.fromarray(np.asarray(env.render()))
    picture.quantize(256).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
