"""Speed of vector environments, in each vectorisation mode of Gymnasium.

One core per process or thread, all cores in all. Meant for a process of its own.
"""

import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces

import av_envs  # noqa: F401  (registers the environments)
from av_envs.benchmarks.speed.timings import Pool, random_action
from av_envs.separation.estimators import Answer, PlugIn, Question

WAYS = ("async", "sync", "native", "single")  # workers are forked before there are threads
ONE_BY_ONE = "1 by 1"  # as native, but a plugged-in estimator is asked once for every second
SEPARATED_WAYS = ("sync", ONE_BY_ONE, "native", "single")  # workers would have a network each
ROUNDS = 5  # the ways take turns, so that all meet the same load
STEPS = 640  # of all environments together, in a turn
EPISODES = 2  # played before memory is looked at
SECONDS_ON_DEVICE = 40  # of each environment in a turn, at least

NATIVE = "vector_entry_point"  # Gymnasium's name for it


def ways_of(pool: Pool) -> tuple[str, ...]:
    """In which ways environments of a pool are timed."""
    return WAYS if pool.estimator is None else SEPARATED_WAYS


def arrange(pool: Pool, way: str, num_envs: int) -> gym.Env | gym.vector.VectorEnv:
    """Environments of a pool, or one alone."""
    if way == "single":
        return pool.make()
    mode = NATIVE if way in ("native", ONE_BY_ONE) else way
    envs = gym.make_vec(pool.env_id, num_envs, vectorization_mode=mode, **pool.options)
    if way == ONE_BY_ONE:
        first = envs.unwrapped.envs[0].core  # it asks for all
        first.plug_in = AskedOneByOne(first.plug_in)
    return envs


class AskedOneByOne:
    """A plug-in that separates one second after the other, whatever it could do at once."""

    def __init__(self, plug_in: PlugIn):
        self._plug_in = plug_in

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plug_in, name)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        return [answer for one in questions for answer in self._plug_in.ask([one])]


class OnDevice(NamedTuple):
    """How many environments step on a device, such as "cuda", in torch."""

    device: str
    num_envs: int

    def make(self, pool: Pool) -> gym.vector.VectorEnv:
        return gym.make_vec(pool.env_id, self.num_envs, device=self.device, **pool.options)


def steps_per_s(pool: Pool, num_envs: int, there: OnDevice | None = None) -> dict[str, float]:
    """Median over turns for each of the ways, resets included; a reset does not count as a step.

    there  also time environments on a device, the way "device"
    """
    arranged = {way: arrange(pool, way, num_envs) for way in ways_of(pool)}
    if there is not None:
        arranged["device"] = there.make(pool)
    for envs in arranged.values():  # trace, compile, load
        for turn in range(ROUNDS):
            play(envs, seed=turn)
    rates = {way: [] for way in arranged}
    for turn in range(ROUNDS):
        for way, envs in arranged.items():
            start = time.perf_counter()
            n_steps = play(envs, seed=turn)
            rates[way].append(n_steps / (time.perf_counter() - start))
    for envs in arranged.values():
        envs.close()
    return {way: float(np.median(values)) for way, values in rates.items()}


def play(envs: gym.Env | gym.vector.VectorEnv, seed: int, steps: int = 0) -> int:
    """Random actions in random episodes of the pool, the same ones for a seed.

    returns  the steps made, at least `steps` (0: STEPS), resets not among them
    """
    if not isinstance(envs, gym.vector.VectorEnv):
        return _play_one(envs, seed, steps or STEPS)
    on_device = hasattr(envs.unwrapped, "device")
    return (_play_on_device if on_device else _play_many)(envs, seed, steps or STEPS)


def _play_many(envs: gym.vector.VectorEnv, seed: int, steps: int) -> int:
    rng, made = np.random.default_rng(seed), 0
    over = np.zeros(envs.num_envs, bool)
    envs.reset(seed=1000 * seed)
    while made < steps:
        _, _, terminated, truncated, _ = envs.step(_actions(envs, rng))
        made += int(np.sum(~over))  # an environment whose episode was over has been reset
        over = terminated | truncated
    return made


def _play_on_device(envs: gym.vector.VectorEnv, seed: int, steps: int) -> int:
    """As `_play_many`, but the steps are counted on the device and read once, at the end."""
    rng = np.random.default_rng(seed)
    n_rounds = max(-(-steps // envs.num_envs), SECONDS_ON_DEVICE)
    envs.reset(seed=1000 * seed)
    n_over = 0
    for _ in range(n_rounds):
        truncated = envs.step(_actions(envs, rng))[3]
        n_over = n_over + truncated.sum()
    return n_rounds * envs.num_envs - int(n_over - truncated.sum())  # each cost a reset


def _actions(envs: gym.vector.VectorEnv, rng: np.random.Generator) -> np.ndarray:
    one = envs.single_action_space
    if isinstance(one, spaces.MultiDiscrete):  # of a team; no robot stops, as in `random_action`
        return rng.integers(1, one.nvec, size=(envs.num_envs, len(one.nvec)))
    return rng.integers(one.n, size=envs.num_envs)


def _play_one(env: gym.Env, seed: int, steps: int) -> int:
    rng, made, over = np.random.default_rng(seed), 0, True
    while made < steps:
        if over:
            env.reset(seed=1000 * seed + made)
        _, _, terminated, truncated, _ = env.step(random_action(env, rng))
        made, over = made + 1, terminated or truncated
    return made


def memory_mb(pool: Pool, way: str, num_envs: int) -> float | None:
    """MB that this process and its workers have for themselves; None where the system does not say.

    Files that are mapped, which hold the tables that all share, do not count.
    """
    envs = arrange(pool, way, num_envs)
    for house in range(pool.houses):  # opened ones are shared by all environments of a process
        envs.reset(seed=house, options={"house": house})
    play(envs, 0, EPISODES * pool.make().unwrapped.config.steps * num_envs)
    workers = [process.pid for process in multiprocessing.active_children()]
    sizes = [_own_mb(pid) for pid in ("self", *workers)]
    envs.close()
    return None if None in sizes else sum(sizes)


def _own_mb(pid: int | str) -> float | None:
    """Proportional share of anonymous memory, MB; on Linux only."""
    path = Path(f"/proc/{pid}/smaps_rollup")
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def mb_per_added(few: float | None, many: float | None, added: int) -> float | None:
    """MB for each environment more."""
    return None if few is None or many is None else (many - few) / added


def table(figures: dict[str, Any]) -> str:
    """The figures for a terminal."""
    lines = [
        f"{figures['cpu']}, {figures['cores']} cores, load before: {figures['load_before']}",
        f"{figures['env_id']}, {figures['num_envs']} environments, "
        f"pool of {figures['houses']} houses"
        + (f", reward {figures['reward']}" if figures.get("reward") else "")
        + (f", estimator {figures['estimator']}" if figures.get("estimator") else ""),
        *([_of_device(figures["on_device"])] if figures.get("on_device") else []),
        "",
        "            steps/s  of single  MB per added environment",
    ]
    single = figures["steps_per_s"]["single"]
    for way, rate in sorted(figures["steps_per_s"].items(), key=lambda item: item[1]):
        mb = figures["mb_per_added_env"].get(way)
        memory = "" if mb is None else f"{mb:10.2f}"
        lines.append(f"{way:>9} {rate:9.0f} {rate / single:10.2f}{memory}")
    return "\n".join(lines)


def _of_device(figures: dict[str, Any]) -> str:
    return f"device: {figures['num_envs']} environments on {figures['device']}"
