"""How many pages a device gives to houses and clips."""

from collections.abc import Iterator
from itertools import islice

import torch

from av_envs.options import is_number
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.device.asset_cache import GB, clip_gb, house_gb
from av_envs.separation.device.page_pool import PAGE_BYTES
from av_envs.separation.episode import pool_of
from av_envs.sound import SAMPLE_RATE, Corpus

CPU_GB = 8.0  # unless `memory_gb` says else; what is never filled is never taken
GPU_HEADROOM = 0.3  # fraction of the free memory of a GPU left for the learner and for steps
LOOKED_AT = 4  # houses whose size is taken for that of all
SPARE = 1.3  # times what a whole pool is thought to need


def checked_memory_gb(memory_gb: float | None, device: torch.device) -> float:
    """GB that may be used for what is kept on the device."""
    if memory_gb is None:
        if device.type != "cuda":
            return CPU_GB
        return torch.cuda.mem_get_info(device)[0] * (1 - GPU_HEADROOM) / GB
    if not is_number(memory_gb) or memory_gb <= 0:
        raise ValueError(f"memory_gb must be a positive number of GB, got {memory_gb!r}")
    return float(memory_gb)


def pages_for(config: SeparationConfig, corpus: Corpus, with_views: bool, limit_gb: float) -> int:
    """Pages for all houses and clips of a split, or as many as `limit_gb` allows."""
    wanted_gb = SPARE * houses_gb(config, with_views)
    for gb in clips_gb(config, corpus):
        wanted_gb += gb
        if wanted_gb > limit_gb:
            break
    n_pages = int(min(wanted_gb, limit_gb) * GB / PAGE_BYTES)
    if n_pages < 1:
        raise ValueError(f"memory_gb={limit_gb:g} is less than a page of {PAGE_BYTES} bytes")
    return n_pages


def houses_gb(config: SeparationConfig, with_views: bool) -> float:
    """Memory of all houses of a pool, as if they were like the first ones."""
    pool = pool_of(config)
    names = list(islice(pool.names, min(pool.size, LOOKED_AT)))
    sizes = [house_gb(len(pool.world.open(name).scene.graph), with_views) for name in names]
    return pool.size * max(sizes)


def clips_gb(config: SeparationConfig, corpus: Corpus) -> Iterator[float]:
    for class_name in corpus.classes:
        for clip in corpus.clips(SPLITS[config.split][1], class_name):
            yield clip_gb(corpus.n_seconds(clip) * SAMPLE_RATE)
