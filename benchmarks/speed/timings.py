"""The measurements behind `av_envs.benchmarks.speed`. Each is meant for a process of its own."""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding

import av_envs  # noqa: F401  (registers the environments)
from av_envs.acoustics.bank import ResponseBank, TraceConfig
from av_envs.acoustics.binaural import binaural_response, ear_tables
from av_envs.benchmarks.speed import profiler, reference_step
from av_envs.cache.rows import CACHE_VARIABLE, cache_directory
from av_envs.conventions import N_HEADINGS
from av_envs.progress import progress_bar
from av_envs.scene import Scene
from av_envs.scene.procedural.splits import load_scene, scene_name
from av_envs.separation.episode import draw_in_pool
from av_envs.vision import ViewCache
from av_envs.worlds.traced import forget_dwellings

ROOT = Path(__file__).resolve().parents[2]
N_BATCHES = 5  # our steps and the reference steps take turns, so that both meet the same load
STEPS_PER_BATCH = 600  # about; of whole episodes
REFERENCE_STEPS = 100  # per batch
REFERENCE_FILES = 64
BREAKDOWN_LINES = 12
RESPONSES = 3000  # rendered to count responses per second
VIEWS = 200
WANTED_NODES = 100
HOUSES_TRIED = 60


@dataclass(frozen=True)
class Pool:
    """Which environment is timed: `houses` dwellings, random episodes and actions."""

    env_id: str = "AVDynamicSep-v0"
    houses: int = 32
    reward: str | None = None  # of separation; None: that of the environment
    estimator: str | None = None  # likewise, "module:Factory"

    @property
    def options(self) -> dict[str, Any]:
        chosen = {"reward": self.reward, "estimator": self.estimator}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        return {"split": "train", "houses": self.houses, **chosen}

    def make(self) -> gym.Env:
        return gym.make(self.env_id, disable_env_checker=True, **self.options)


def stay_on_one_core() -> None:
    """Where the system allows it, let this process use a single core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def open_houses(env: gym.Env, pool: Pool) -> None:
    """Visit every house of the pool, as a training run has after its first minutes."""
    for house in range(pool.houses):
        env.reset(seed=house, options={"house": house})


def play_batch(env: gym.Env, batch: int, progress: bool = False) -> tuple[list[float], list[float]]:
    """Play the episodes of a batch, the same ones whenever it is called.

    returns  seconds of each reset, seconds of each step
    """
    resets, steps = [], []
    n_episodes = max(1, STEPS_PER_BATCH // env.unwrapped.config.steps)
    episodes = range(batch * n_episodes, (batch + 1) * n_episodes)
    for episode in progress_bar(episodes, f"tracing the pool, part {batch + 1}", shown=progress):
        rng = np.random.default_rng(episode)
        start = time.perf_counter()
        env.reset(seed=episode)
        resets.append(time.perf_counter() - start)
        done = False
        while not done:
            action = random_action(env, rng)
            start = time.perf_counter()
            _, _, terminated, truncated, _ = env.step(action)
            steps.append(time.perf_counter() - start)
            done = terminated or truncated
    return resets, steps


def is_of_team(env: gym.Env) -> bool:
    """Whether robots measure responses; otherwise an agent separates sounds."""
    return env.unwrapped.task == "rir_measure"


def random_action(env: gym.Env, rng: np.random.Generator) -> Any:
    """Any action of one agent; of a team any moves, for none of its robots may stop."""
    if is_of_team(env):
        return rng.integers(1, env.action_space.nvec)
    return int(rng.integers(env.action_space.n))


def trace_pool(pool: Pool) -> None:
    """Play all batches once, so that every row, view and clip they need lies in the cache."""
    env = pool.make()
    open_houses(env, pool)
    for batch in range(N_BATCHES):
        play_batch(env, batch, progress=True)
    env.close()


def steady_state(pool: Pool) -> dict[str, Any]:
    """Steps per second on one core once the pool is traced.

    For separation beside the reference step, which has no counterpart for teams.
    """
    stay_on_one_core()
    env = pool.make()
    open_houses(env, pool)
    play_batch(env, 0)  # compiled kernels and library plans are loaded
    resets, steps, rates, bare_rates, reference_rates = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        reference = iter(()) if is_of_team(env) else reference_steps(Path(folder))
        for batch in range(N_BATCHES):
            batch_resets, batch_steps = play_batch(env, batch)
            resets += batch_resets
            steps += batch_steps
            rates.append(len(batch_steps) / (sum(batch_steps) + sum(batch_resets)))
            bare_rates.append(len(batch_steps) / sum(batch_steps))
            reference_rates += islice(reference, 1)
    rss_mb = peak_rss_mb()
    breakdown = step_breakdown(env)
    env.close()
    ours = float(np.median(rates))
    return {
        "env_steps_per_s": ours,
        "env_steps_per_s_without_resets": float(np.median(bare_rates)),
        **_against(ours, reference_rates),
        "step_ms": 1000 * float(np.median(steps)),
        "reset_warm_ms": 1000 * float(np.median(resets)),
        "breakdown_ms": breakdown,
        "rss_mb": rss_mb,
    }


def _against(ours: float, reference_rates: list[float]) -> dict[str, float]:
    if not reference_rates:
        return {}
    theirs = float(np.median(reference_rates))
    return {"reference_audio_steps_per_s": theirs, "ratio": ours / theirs}


def step_breakdown(env: gym.Env) -> dict[str, float]:
    """Milliseconds per step (resets included) in each function, the largest ones."""
    n_steps = 0

    def work() -> None:
        nonlocal n_steps
        for batch in range(N_BATCHES):
            n_steps += len(play_batch(env, batch)[1])

    seconds = profiler.profile(work, ROOT, ("av_envs",))
    shares = {name: 1000 * spent / n_steps for name, spent in seconds.items()}
    largest = dict(list(shares.items())[:BREAKDOWN_LINES])
    largest["all others"] = sum(shares.values()) - sum(largest.values())
    return largest


def reference_steps(folder: Path) -> Iterator[float]:
    """Steps per second of the papers' audio step, two sources, batch after batch."""
    files = reference_step.write_responses(folder, REFERENCE_FILES)
    rng = np.random.default_rng(0)
    seconds = (400 * rng.standard_normal((2, reference_step.SAMPLE_RATE))).astype(np.float32)
    reference_step.audio_step(files[:2], seconds)
    while True:
        chosen = rng.integers(len(files), size=(REFERENCE_STEPS, 2))
        start = time.perf_counter()
        for first, second in chosen:
            reference_step.audio_step([files[first], files[second]], seconds)
        yield REFERENCE_STEPS / (time.perf_counter() - start)


@contextmanager
def empty_cache() -> Iterator[None]:
    """A new cache directory for the time of a measurement."""
    before = os.environ.get(CACHE_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = folder
        cache_directory.cache_clear()
        try:
            yield
        finally:
            if before is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = before
            cache_directory.cache_clear()


def reset_fresh_ms(env_id: str, n: int = 8) -> float:
    """Median milliseconds of a reset in a house that no cache knows.

    The cache directory is a new one; the first reset, which fills the tables that all
    houses share, is not counted. Neither are the clips, which belong to no house.
    """
    with empty_cache():
        env = Pool(env_id, houses=500).make()
        env.reset(seed=0)
        seen, times = {env.unwrapped.scene.name}, []
        seed = 0
        while len(times) < n:
            seed += 1
            if not is_of_team(env):
                _make_clips(env.unwrapped, seed)
            start = time.perf_counter()
            env.reset(seed=seed)
            spent = time.perf_counter() - start
            if env.unwrapped.scene.name not in seen:
                times.append(1000 * spent)
            seen.add(env.unwrapped.scene.name)
        env.close()
    return float(np.median(times))


def _make_clips(env: Any, seed: int) -> None:
    """Play what the episode of this seed will play, and forget the house it looked at."""
    rng, _ = seeding.np_random(seed)
    _, _, episode = draw_in_pool(env.config, {}, env.corpus, rng)
    for sound in episode.sounds:
        env.corpus.samples(sound.clip)
    forget_dwellings()


def responses_per_s(n: int = RESPONSES) -> float:
    """Binaural responses rendered from traced rows per second on one core."""
    bank = ResponseBank(load_scene(scene_name("train", 0)))
    row = bank.row(0)
    stay_on_one_core()
    tables = ear_tables()
    rng = np.random.default_rng(0)
    nodes, headings = rng.integers(len(row), size=n), rng.integers(N_HEADINGS, size=n)
    binaural_response(row[0], 0, 0, tables)
    start = time.perf_counter()
    for node, heading in zip(nodes, headings, strict=True):
        binaural_response(row[node], int(heading), int(node), tables)
    return n / (time.perf_counter() - start)


def views_ms(n: int = VIEWS) -> dict[str, float]:
    """Median milliseconds of a view in a house never seen, and of one that is kept; one core."""
    stay_on_one_core()
    with empty_cache():
        ViewCache(load_scene(scene_name("train", 1))).view(0, 0)  # which compiles
        views = ViewCache(load_scene(scene_name("train", 0)))
        rng = np.random.default_rng(0)
        poses = rng.permutation(N_HEADINGS * len(views.scene.graph))[:n].tolist()
        times: dict[str, list[float]] = {"view_fresh_ms": [], "view_kept_ms": []}
        for spent in times.values():
            for pose in poses:
                start = time.perf_counter()
                views.view(*divmod(pose, N_HEADINGS))
                spent.append(1000 * (time.perf_counter() - start))
    return {name: float(np.median(spent)) for name, spent in times.items()}


def house_of(n_nodes: int) -> Scene:
    """The training house whose number of nodes is nearest to this one."""
    scenes = (load_scene(scene_name("train", index)) for index in range(HOUSES_TRIED))
    return min(scenes, key=lambda s: abs(len(s.graph) - n_nodes))


def all_pairs(config: TraceConfig | None = None, n_nodes: int = WANTED_NODES) -> dict[str, float]:
    """Seconds to trace every pair of nodes in a house of about that many, all cores."""
    with empty_cache():
        scene = house_of(n_nodes)
        ResponseBank(scene, config).bake([0])
        bank = ResponseBank(scene, config)
        start = time.perf_counter()
        bank.bake(range(1, len(scene.graph)), progress=True)
        spent = time.perf_counter() - start
    n = len(scene.graph)
    return {"all_pairs_s": spent * n / (n - 1), "all_pairs_nodes": n}


def peak_rss_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
