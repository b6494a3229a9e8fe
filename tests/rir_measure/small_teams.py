"""Teams that are quick to test, and predictions that every route can hand in."""

import hashlib
from collections.abc import Sequence

import numpy as np

from av_envs.rir_measure import MeasureEnv
from av_envs.rir_measure.measurement import pairs_of
from av_envs.rir_measure.pairs import Pairs

STOP, FORWARD, LEFT, RIGHT = range(4)
SMALL = {
    "houses": 1,
    "steps": 6,
    "predictor": "zero",
    "observations": ("azimuth", "position", "action_mask"),
}


def team(**options) -> MeasureEnv:
    return MeasureEnv(**{**SMALL, **options})


def choose(env: MeasureEnv, *moves: int) -> dict[str, int]:
    """The actions of all robots, in order; one move alone is that of everybody."""
    robots = env.possible_agents
    return dict(zip(robots, moves if len(moves) > 1 else moves * len(robots), strict=True))


def random_walk(env: MeasureEnv, seed: int = 0, n_steps: int | None = None) -> np.ndarray:
    """(steps, robots) moves, forward more often than not."""
    shape = (n_steps or env.config.steps, len(env.possible_agents))
    return np.random.default_rng(seed).choice([FORWARD, FORWARD, LEFT, RIGHT], shape)


def play(env: MeasureEnv, walk: np.ndarray | None = None, seed: int = 0, **options) -> list[tuple]:
    """What reset and all steps of a walk return."""
    steps = [env.reset(seed=seed, **options)]
    for moves in random_walk(env) if walk is None else walk:
        steps.append(env.step(choose(env, *moves.tolist())))
    return steps


def told(steps: Sequence[tuple], key: str, robot: str = "robot_0") -> np.ndarray:
    """(len(steps),) float64, one value of every info; `steps` as from `play`."""
    return np.array([step[-1][robot][key] for step in steps], float)


def guess(pairs: Pairs) -> np.ndarray:
    """(P, 2, 16000) float32: decaying noise that depends on the pair and on nothing else."""
    decay = np.exp(-np.arange(16_000) / 1500)
    rows = []
    for emitter, receiver, heading in zip(*pairs, strict=True):
        place = np.round(np.concatenate([emitter, receiver, [heading]]) * 8).astype(int)
        noise = np.random.default_rng(np.abs(place)).standard_normal((2, 16_000))
        rows.append(0.02 * decay * noise)
    return np.array(rows, np.float32).reshape(-1, 2, 16_000)


class Guesser:
    """Hands in `guess`, by the route of the environment."""

    def reset(self, context):
        pass

    def predict(self, pairs, history):
        return guess(pairs)

    def observe(self, pairs, rirs):
        pass


def guess_here(env: MeasureEnv) -> np.ndarray:
    """`guess` for what is measured at the present poses, from the nodes alone."""
    return guess(pairs_of(env.scene.graph, env.measurement.nodes))


def digest(value, into=None) -> str:
    """SHA-256 over all bytes, types and keys of nested results, in whatever order keys stand."""
    into = into or hashlib.sha256()
    if isinstance(value, dict):
        for key in sorted(value):
            into.update(str(key).encode())
            digest(value[key], into)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        digest(value.tolist(), into)
    elif isinstance(value, tuple | list):
        for inner in value:
            digest(inner, into)
    elif isinstance(value, np.ndarray | np.generic):
        into.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    else:
        into.update(repr(value).encode())
    return into.hexdigest()


def arrays_of(value) -> list[np.ndarray]:
    """All arrays in nested results."""
    if isinstance(value, np.ndarray):
        return arrays_of(value.tolist()) if value.dtype == object else [value]
    inside = value.values() if isinstance(value, dict) else value
    is_nested = isinstance(value, dict | tuple | list)
    return [array for inner in inside for array in arrays_of(inner)] if is_nested else []
