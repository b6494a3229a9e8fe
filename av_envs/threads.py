"""Threads for work in kernels that release the interpreter."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait

_pools: dict[tuple[int, str, int], ThreadPoolExecutor] = {}


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def in_threads(
    function: Callable, items: Iterable, workers: int | None = None, pool: str = "kernels"
) -> list:
    """`function` of every item, in order; the first error is re-raised after all are finished.

    workers  threads; None: one per core. With 1 there is no thread: the caller does the work
    pool     name of the pool. Work that itself waits for threads must do so in another pool,
             or all threads could wait for each other

    Pools belong to this process: a forked child makes its own.
    """
    workers = workers or available_cores()
    if workers == 1:
        return [function(item) for item in items]
    key = (os.getpid(), pool, workers)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(workers, f"av-envs-{pool}")
    futures = [_pools[key].submit(function, item) for item in items]
    wait(futures)
    return [future.result() for future in futures]
