"""Precompute the caches of a pool of dwellings before training, see `bake_options`."""

from av_envs.worlds.bake_options import main

if __name__ == "__main__":  # help needs nothing of what follows
    main()
    raise SystemExit

import argparse
import shutil
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.registration import load_env_creator
from joblib import Parallel, delayed

from av_envs.acoustics import ResponseBank, TraceConfig
from av_envs.acoustics.response import RESPONSE
from av_envs.cache.rows import LIMIT_VARIABLE, cache_directory, cache_limit_bytes, make_room
from av_envs.conventions import N_HEADINGS
from av_envs.progress import progress_bar
from av_envs.registration import VARIANTS
from av_envs.scene import Scene, load_scene, scene_name
from av_envs.vision import ViewCache
from av_envs.vision.views import LOOKS, VIEW

NODES_PER_BLOCK = 8  # about a second's work
DWELLING_SPLITS = {"test_heard": "test", "test_unheard": "test"}  # they differ in clips only


class Pool(NamedTuple):
    """The dwellings that episodes draw from.

    names   as `load_scene` takes them
    grid    metres between nodes
    views   whether views are baked as well as responses
    tracer  see `TraceConfig`
    look    of the views
    """

    names: tuple[str, ...]
    grid: float
    views: bool = False
    tracer: str = "numba"
    look: str = LOOKS[0]


def pool_of(
    env_id: str,
    split: str,
    houses: int,
    views: bool = False,
    tracer: str = "numba",
    look: str = LOOKS[0],
) -> Pool:
    """The pool that the episodes of an environment draw from."""
    if env_id not in VARIANTS:
        raise ValueError(f"unknown environment {env_id!r}; choose from {', '.join(VARIANTS)}")
    entry_point, options = VARIANTS[env_id]
    environment: Any = load_env_creator(entry_point)  # the class
    config = environment.config_type(**{**options, "split": split, "houses": houses})
    kind = getattr(config, "kind", "house")  # sources are separated in houses only
    dwellings = DWELLING_SPLITS.get(split, split)
    names = tuple(scene_name(dwellings, index, kind) for index in range(houses))
    return Pool(names, config.grid, views, TraceConfig(tracer=tracer).tracer, look)


def pool_bytes(pool: Pool) -> tuple[int, int]:
    """Number of nodes in all dwellings and size of their complete caches in bytes."""
    counts = np.array([len(_scene(name, pool.grid).graph) for name in pool.names])
    views = N_HEADINGS * VIEW.itemsize if pool.views else 0
    return int(counts.sum()), int(RESPONSE.itemsize * (counts**2).sum() + views * counts.sum())


def missing_blocks(pool: Pool) -> list[tuple[str, np.ndarray]]:
    """(dwelling, nodes) blocks with missing responses or views."""
    return [(name, nodes) for name in pool.names for nodes in _missing(name, pool)]


def bake_block(pool: Pool, name: str, nodes: np.ndarray) -> int:
    """Compute what is missing at these nodes, on one core; returns the number of nodes.

    Raises OSError if the cache did not store it.
    """
    bank = _bank(name, pool.grid, pool.tracer)
    bank.bake(nodes, workers=1)
    kept = bank.filled()[nodes]
    if pool.views:
        views = ViewCache(_scene(name, pool.grid), pool.look)
        views.bake(nodes)
        kept &= views.filled()[nodes]
    if not kept.all():
        raise OSError(
            f"{cache_directory()} has not kept what was made for {name}: the disk is full or "
            "files were removed; run the command again when there is room"
        )
    return len(nodes)


def bake(pool: Pool, blocks: list[tuple[str, np.ndarray]], workers: int) -> None:
    """Bake all blocks in `workers` processes, with one progress bar over the nodes."""
    tasks = (delayed(bake_block)(pool, *block) for block in blocks)
    total = sum(len(nodes) for _, nodes in blocks)
    with progress_bar(total=total, desc="baking", unit="source", smoothing=0.05) as bar:
        for done in Parallel(workers, return_as="generator_unordered")(tasks):
            bar.update(done)


@lru_cache(maxsize=64)
def _scene(name: str, grid: float) -> Scene:
    return load_scene(name, grid)


@lru_cache(maxsize=2)
def _bank(name: str, grid: float, tracer: str) -> ResponseBank:
    return ResponseBank(_scene(name, grid), TraceConfig(tracer=tracer))


def _missing(name: str, pool: Pool) -> Iterator[np.ndarray]:
    complete = _bank(name, pool.grid, pool.tracer).filled()
    if pool.views:
        complete = complete & ViewCache(_scene(name, pool.grid), pool.look).filled()
    nodes = np.flatnonzero(~complete)
    return (nodes[k : k + NODES_PER_BLOCK] for k in range(0, len(nodes), NODES_PER_BLOCK))


def carry_out(options: argparse.Namespace) -> None:
    """What the command line asks for; OSError or ValueError where it cannot be."""
    pool = pool_of(
        options.env, options.split, options.houses, options.views, options.tracer, options.look
    )
    blocks = _plan(pool)
    if blocks:
        bake(pool, blocks, options.workers)


def _plan(pool: Pool) -> list[tuple[str, np.ndarray]]:
    """Blocks to bake; prints the total size, ValueError if cache or disk is too small."""
    directory, limit = _lasting_directory(), cache_limit_bytes()
    n_nodes, n_bytes = pool_bytes(pool)
    contents = "responses and views" if pool.views else "responses"
    print(
        f"{len(pool.names)} dwellings with {n_nodes} sources: {n_bytes / 1e9:.2f} GB of {contents} "
        f"in {directory}, which may hold {limit / 1e9:g} GB ({LIMIT_VARIABLE})"
    )
    if n_bytes > limit:
        raise ValueError(
            f"the cache cannot keep {n_bytes / 1e9:.2f} GB; "
            f"bake fewer --houses or set {LIMIT_VARIABLE}={int(n_bytes / 1e9) + 1} or more"
        )
    blocks = missing_blocks(pool)
    missing = sum(len(nodes) for _, nodes in blocks)
    needed, free = n_bytes * missing // n_nodes, shutil.disk_usage(directory).free
    if needed > free:
        raise ValueError(f"{needed / 1e9:.2f} GB are missing, the disk has {free / 1e9:.2f} GB")
    make_room(needed)  # at once: files that are still empty do not count when others are made
    print(f"{missing} sources are still to be baked")
    return blocks


def _lasting_directory() -> Path:
    """The cache directory; ValueError if only a temporary one could be used."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return cache_directory()
        except UserWarning as warning:
            raise ValueError(str(warning)) from None
