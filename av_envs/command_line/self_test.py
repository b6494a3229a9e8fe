"""A few seconds of work whose result is known: whether this machine computes what others do."""

import time
from typing import NamedTuple

import gymnasium as gym
import numpy as np

ENV_ID = "AVDynamicSep-v0"
OPTIONS = {"split": "train", "houses": 1, "observations": ("mixture", "depth", "pose")}
SEED = 0
MOVES = (0, 1, 0, 0)
TOLERANCE = 1e-3  # relative; processors round differently


class Figures(NamedTuple):
    """What the moves above lead to.

    gains    dB won by moving, after each move
    loudness root mean square of the last mixture's log magnitudes
    depth    mean of the last depth image, in units of 10 m
    """

    gains: tuple[float, ...]
    loudness: float
    depth: float


EXPECTED = Figures((0.15186, -2.19923, -0.18548, 0.00352), loudness=0.15119, depth=0.04807)


def play() -> Figures:
    """Play the moves in the first training house; what is not in the cache is computed."""
    env = gym.make(ENV_ID, **OPTIONS)
    env.reset(seed=SEED)
    gains = []
    for move in MOVES:
        observation, gain, *_ = env.step(move)
        gains.append(float(gain))
    env.close()
    loudness = float(np.sqrt(np.mean(np.square(observation["mixture"], dtype=float))))
    return Figures(tuple(gains), loudness, float(observation["depth"].mean(dtype=float)))


def report() -> tuple[bool, list[str]]:
    """Whether the figures are the expected ones, and what there is to say."""
    start = time.perf_counter()
    found = play()
    seconds = time.perf_counter() - start
    work = "with opening and, if need be, compiling and tracing"
    lines = [f"{len(MOVES)} steps in {ENV_ID}: {seconds:.1f} s {work}"]
    rows = [
        *(
            (f"dB won after step {k}", *pair)
            for k, pair in enumerate(zip(found.gains, EXPECTED.gains, strict=True), 1)
        ),
        ("loudness of the mixture", found.loudness, EXPECTED.loudness),
        ("mean depth, 10 m", found.depth, EXPECTED.depth),
    ]
    good = True
    for name, value, expected in rows:
        same = bool(np.isclose(value, expected, rtol=TOLERANCE, atol=TOLERANCE))
        good &= same
        lines.append(
            f"{name:<24} {value:9.4f}, expected {expected:9.4f}  {'ok' if same else 'WRONG'}"
        )
    return good, lines
