"""Plugged-in estimators: their protocols, how they are loaded and asked, checks of an estimate."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from av_envs import plugins
from av_envs.acoustics.spectrogram import N_FREQUENCIES

BUILT_IN = ("mixture", "agent")
N_FRAMES = 32  # of one second
LARGEST = 1e6  # magnitude; a second at full scale stays below 600
ALONE = ("reset", "estimate")  # methods of an `Estimator`
TOGETHER = ("estimate_batch",)  # of a `BatchEstimator`


_for_batches: dict[str, tuple[Callable, Any]] = {}  # by path: the factory and what it made


class Estimator(Protocol):
    """Something that separates the target second by second, as `estimator="module:Factory"`.

    `Factory()` takes no arguments. One estimator hears every second of an episode in order,
    so it may keep a memory; the same calls after `reset` must give the same estimates. Every
    environment has its own, and where rewards compare with the start pose a second one.
    """

    def reset(self) -> None:
        """Forget the last episode."""
        ...

    def estimate(self, mixture: np.ndarray, label: int) -> np.ndarray:
        """(512, 32) magnitude of the target's dry second, finite and not negative.

        mixture  (2, 512, 32) float32, linear magnitude at the left and the right ear
        label    class of the target
        """
        ...


class BatchEstimator(Protocol):
    """The same for many environments at once: what a network is, and what is asked for first.

    `Factory()` takes no arguments. One object serves all environments of a process, which ask
    it once in a step, so it keeps nothing of an episode itself: what it wants to know of the
    seconds before it returns as a memory, and is given it with the next second. A memory is
    any value that can be copied and pickled, and is never changed, only replaced: several
    environments may go on from the same one. One that remembers nothing returns `memories`.

    Rows are separate questions. Where a row's estimate depends in its last bits on how many
    others there are, as matrix products of most libraries do, so do the scores: then a batch
    of environments does what single ones do up to rounding, and not bit for bit.
    """

    def estimate_batch(
        self, mixtures: np.ndarray, labels: np.ndarray, memories: Sequence[Any]
    ) -> tuple[np.ndarray, Sequence[Any]]:
        """(B, 512, 32) magnitudes, finite and not negative, and the B memories after them.

        mixtures  (B, 2, 512, 32) float32, linear magnitude at the left and the right ear
        labels    (B,) int64, classes of the targets
        memories  B; None where an episode begins
        """
        ...


class Question(NamedTuple):
    """A second to be separated.

    mixture  (2, 512, 32) float32, linear magnitude
    label    class of the target
    memory   of the seconds before: a value of a `BatchEstimator`, or an `Estimator` itself
    """

    mixture: np.ndarray
    label: int
    memory: Any


class Answer(NamedTuple):
    """The estimate (512, 32) float32, and the memory with which the next second is asked."""

    estimate: np.ndarray
    memory: Any


class PlugIn:
    """The estimator that an environment is given by its import path.

    path     "module:Factory"
    n_heard  how many seconds an environment hears at a time: 2 with one at the start pose

    A `BatchEstimator` is shared by all environments of a process and their copies, and a pickle
    holds its path only. Of an `Estimator` there are `n_heard` here, and they are the memories.
    """

    def __init__(self, path: str, n_heard: int):
        self.path = path
        made: Any = load_estimator(path)
        self._shared: BatchEstimator | None = made if _is_for_batches(made) else None
        others = [] if self._shared else [load_estimator(path) for _ in range(n_heard - 1)]
        self._own: list[Any] = [] if self._shared else [made, *others]

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_own": self._own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._shared = None if self._own else load_estimator(self.path)

    def new_memories(self) -> tuple[Any, Any]:
        """Of an episode that begins: at the agent's pose, and at the start pose."""
        for estimator in self._own:
            estimator.reset()
        return (self._own[0], self._own[-1]) if self._own else (None, None)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in order; the questions may be those of many environments with this plug-in."""
        memories = [question.memory for question in questions]
        if self._shared is None:
            made = [one.memory.estimate(one.mixture.copy(), one.label) for one in questions]
        else:
            mixtures = np.stack([question.mixture for question in questions])
            labels = np.array([question.label for question in questions], np.int64)
            returned = self._shared.estimate_batch(mixtures, labels, memories)
            made, memories = self._parts(returned, len(questions))
        whose = f"the estimate of {self.path!r}"
        estimates = [checked_estimate(estimate, whose) for estimate in made]
        return [Answer(*pair) for pair in zip(estimates, memories, strict=True)]

    def foresee(self, questions: Sequence[Question]) -> list[np.ndarray]:
        """(512, 32) each: what `ask` would answer, of which the estimators notice nothing."""
        if self._own:
            questions = [one._replace(memory=copy.deepcopy(one.memory)) for one in questions]
        return [answer.estimate for answer in self.ask(questions)]

    def _parts(self, returned: Any, count: int) -> tuple[Any, Any]:
        """The estimates and the memories, as many as there were questions."""
        whose = f"what {self.path!r} returned"
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise ValueError(
                f"{whose} must be a tuple of estimates and memories, "
                f"got {type(returned).__name__}; without a memory of its own an estimator "
                "returns the memories that it is given"
            )
        for part, name in zip(returned, ("estimates", "memories"), strict=True):
            n_rows = len(part) if hasattr(part, "__len__") else None
            if n_rows != count:
                raise ValueError(
                    f"{whose} must have {count} {name}, one for each mixture; got "
                    + (type(part).__name__ if n_rows is None else str(n_rows))
                )
        return returned


def check_estimator_name(name: str) -> None:
    """Raise a ValueError unless `name` is built in or looks like an import path."""
    if name not in BUILT_IN and not plugins.is_import_path(name):
        raise ValueError(
            f"estimator {name!r} does not exist; choose from {', '.join(BUILT_IN)} "
            "or an import path 'module:Factory'"
        )


def load_estimator(path: str) -> Estimator | BatchEstimator:
    """The estimator of an import path "module:Factory": a new one, unless it is for batches.

    A `BatchEstimator` is made once in a process, or anew if its module has been loaded again.
    """
    factory = plugins.load(path, "estimator")
    if path in _for_batches and _for_batches[path][0] is factory:
        return _for_batches[path][1]
    made = plugins.make(path, "estimator", ())
    is_for_batches = _is_for_batches(made)
    plugins.check_methods(made, f"estimator {path!r}", TOGETHER if is_for_batches else ALONE)
    if is_for_batches:
        _for_batches[path] = factory, made
    return made


def _is_for_batches(made: Any) -> bool:
    return hasattr(made, "estimate_batch")


def checked_estimate(estimate: np.ndarray, whose: str) -> np.ndarray:
    """The estimate as a new (512, 32) float32 array; a ValueError that starts with `whose`."""
    try:
        given = np.asarray(estimate)
    except ValueError as error:
        raise ValueError(f"{whose} is not an array: {error}") from error
    shape = (N_FREQUENCIES, N_FRAMES)
    if given.shape != shape or given.dtype.kind not in "fiu":
        raise ValueError(
            f"{whose} must be {shape} real magnitudes; got shape {given.shape} of {given.dtype}"
        )
    bad = ~((given >= 0) & (given <= LARGEST))
    if bad.any():
        frequency, frame = np.argwhere(bad)[0]
        raise ValueError(
            f"{whose} is {given[frequency, frame]} at frequency {frequency}, frame {frame} "
            f"({bad.sum()} such values); magnitudes lie in 0..{LARGEST:g}"
        )
    return given.astype(np.float32)
