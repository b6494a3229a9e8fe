"""Plays one short episode of a task and writes all that it returned: a process of its own.

python tests/one_episode.py separation out.npz

Which compiled kernels and which cached responses it finds is up to its environment.
"""

import sys
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  registers the environments

TASKS = {
    "separation": (
        "AVDynamicSep-v0",
        {
            "houses": 1,
            "num_sources": 3,
            "min_source_distance": 4.0,
            "noise_snr_db": 30.0,
            "observations": ("rgb", "depth", "mixture", "waveform", "target", "pose"),
        },
    ),
    "measuring": (
        "AVRIRMeasure-v0",
        {
            "houses": 1,
            "predictor": "interpolating",
            "queries": 2,
            "room_errors": True,
            "expose_rir": True,
            "observations": ("rgb", "depth", "azimuth", "position", "heard_rir"),
        },
    ),
}
STEPS = 4


def episode(task: str) -> Iterator[tuple]:
    """What `reset` and every step return, and the walking distances of the house at last."""
    env_id, options = TASKS[task]
    env = gym.make(env_id, steps=STEPS, **options)
    env.action_space.seed(0)
    yield env.reset(seed=0)
    for _ in range(STEPS):
        yield env.step(env.action_space.sample())
    yield ({"walking_distances": env.unwrapped.scene.graph.walking_distances},)


def flat(value: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """All arrays and numbers in nested dicts and tuples, each with where it was."""
    if isinstance(value, dict | tuple):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from flat(part, f"{name}/{key}")
    else:
        yield name, np.asarray(value)


if __name__ == "__main__":
    task, path = sys.argv[1:]
    np.savez(path, **dict(flat(tuple(episode(task)), task)))
