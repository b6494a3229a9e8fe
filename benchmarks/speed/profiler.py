"""A sampling profiler: reads the running function every half millisecond.

Unlike a tracing profiler it does not slow small functions down. The time since the last
sample is booked on the innermost function of the watched packages, so that library calls
count for their callers.
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import FrameType

PERIOD = 0.5e-3  # s of processor time between two looks


def profile(work: Callable[[], None], root: Path, packages: tuple[str, ...]) -> dict[str, float]:
    """Run `work` and return seconds per function, largest first.

    root      the directory that holds the packages
    packages  directories below it whose functions are told apart; all else is "elsewhere"

    Works in the main thread of a process on systems with interval timers.
    """
    prefixes = tuple(f"{root / package}{os.sep}" for package in packages)
    seconds: dict[str, float] = defaultdict(float)
    last = time.perf_counter()

    def look(_: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[_name(frame, prefixes, root)] += now - last
        last = now

    previous = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, PERIOD, PERIOD)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _name(frame: FrameType | None, prefixes: tuple[str, ...], root: Path) -> str:
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(prefixes):
            module = Path(file).relative_to(root).with_suffix("")
            return f"{'.'.join(module.parts)}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "elsewhere"
