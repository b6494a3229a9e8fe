"""How far a long piece of work is: a bar on a terminal, elsewhere a line a minute.

A log file or a pipe gets whole lines, and none of work that is done within a minute.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from tqdm import tqdm

SECONDS_PER_LINE = 60.0


class ProgressLines:
    """Stands in for the bar where nobody sees it move; has the methods of it that are in use.

    seconds_now  clock that never goes back
    """

    def __init__(
        self,
        iterable: Iterable[Any] | None = None,
        *,
        seconds_now: Callable[[], float] = time.monotonic,
        **options: Any,
    ):
        total = options.pop("total", None)
        if total is None and hasattr(iterable, "__len__"):
            total = len(iterable)
        self.n = self._initial = options.pop("initial", 0)
        self.total, self._iterable, self._options = total, iterable, options
        self._postfix = ""
        self._now = seconds_now
        self._begun = self._said = seconds_now()

    def __iter__(self) -> Iterator[Any]:
        if self._iterable is None:
            raise TypeError("these progress lines were made without an iterable")
        with self:
            for one in self._iterable:
                yield one
                self.update()

    def __enter__(self) -> "ProgressLines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, n: float = 1) -> None:
        """So much more is done."""
        self.n += n
        if self._now() - self._said >= SECONDS_PER_LINE:
            self._say()

    def set_postfix(self, refresh: bool = True, **values: Any) -> None:
        """What is told at the end of the next line."""
        self._postfix = ", ".join(f"{name}={value}" for name, value in values.items())

    def write(self, text: str, file: Any = None) -> None:
        """A line of something else; on standard output unless told otherwise."""
        print(text, file=file or sys.stdout, flush=True)

    def close(self) -> None:
        """The last line, if there were others."""
        if self._said > self._begun:
            self._say()
            self._begun = self._said  # closed

    def _say(self) -> None:
        self._said = self._now()
        elapsed = self._said - self._begun
        meter = tqdm.format_meter(
            self.n,
            self.total,
            elapsed,
            ncols=0,
            prefix=self._options.get("desc") or "",
            unit=self._options.get("unit", "it"),
            unit_scale=self._options.get("unit_scale", False),
            postfix=self._postfix or None,
            initial=self._initial,
        )
        print(meter, file=sys.stderr, flush=True)


Bar: TypeAlias = tqdm | ProgressLines


def progress_bar(
    iterable: Iterable[Any] | None = None,
    desc: str | None = None,
    *,
    shown: bool = True,
    **options: Any,
) -> Bar:
    """A bar on standard error, to iterate over or to update by hand; see `tqdm` for the options.

    shown  nothing at all if not
    """
    if not shown or sys.stderr.isatty():
        return tqdm(iterable, desc=desc, disable=not shown, **options)
    return ProgressLines(iterable, desc=desc, **options)
