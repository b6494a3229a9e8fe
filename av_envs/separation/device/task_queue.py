"""A queue of tasks for one thread, which can be closed after the current task."""

import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import Any


class TaskQueue:
    """Like an executor of one thread, but what waits is dropped when the interpreter ends.

    A `ThreadPoolExecutor` would first do all that waits, which may be minutes of loading.
    """

    def __init__(self, name: str):
        self._waiting: deque[tuple[Future, Callable, tuple]] = deque()
        self._lock, self._is_busy = Lock(), False
        self._thread = ThreadPoolExecutor(1, name)
        self._finalize = weakref.finalize(self, self._thread.shutdown, wait=False)

    def submit(self, function: Callable, *arguments: Any, urgent: bool = False) -> Future:
        """Call a function after all that waits, or before it if that is urgent."""
        future: Future = Future()
        add = self._waiting.appendleft if urgent else self._waiting.append
        add((future, function, arguments))
        self._go_on()
        return future

    def close(self) -> None:
        """Drop what waits, and wait for what is being done."""
        with self._lock:
            while self._waiting:
                self._waiting.popleft()[0].cancel()
        self._thread.shutdown()
        self._finalize.detach()

    def _go_on(self) -> None:
        """Have the next thing done, unless one is being done, which then sees to it."""
        with self._lock:
            if self._is_busy or not self._waiting:
                return
            self._is_busy = True
            next_one = self._waiting.popleft()
        try:
            self._thread.submit(self._do, *next_one)
        except RuntimeError:  # closed, or the interpreter ends
            next_one[0].cancel()
            self._is_busy = False
            raise

    def _do(self, future: Future, function: Callable, arguments: tuple) -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # it is raised where the result is wanted
                future.set_exception(error)
        with self._lock:
            self._is_busy = False
        with suppress(RuntimeError):
            self._go_on()
