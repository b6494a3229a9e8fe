"""What is remembered of the steps that an update learns from, and how it is dealt out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor


class Storage:
    """Named tensors (T, N, ...) that are written row by row and used again for every rollout.

    length  T, rows there is room for
    """

    def __init__(self, length: int):
        self.length = length
        self._columns: dict[str, Tensor] = {}

    def write(self, t: int, rows: Mapping[str, Tensor]) -> None:
        """Copy what belongs to step t, name -> (N, ...).

        Raises ValueError for names, shapes or types other than those of the first step.
        """
        if not self._columns:
            shapes = {name: (self.length, *row.shape) for name, row in rows.items()}
            self._columns = {name: rows[name].new_empty(shapes[name]) for name in rows}
        if rows.keys() != self._columns.keys():
            raise ValueError(
                f"every step must have {', '.join(self._columns)}; step {t} has {', '.join(rows)}"
            )
        for name, row in rows.items():
            column = self._columns[name]
            if (row.shape, row.dtype) != (column.shape[1:], column.dtype):
                raise ValueError(
                    f"{name!r} was {tuple(column.shape[1:])} of {column.dtype}, "
                    f"at step {t} it is {tuple(row.shape)} of {row.dtype}"
                )
            column[t] = row

    def rows(self, length: int) -> dict[str, Tensor]:
        """Views (length, N, ...) of the first rows; the next rollout writes over them."""
        return {name: column[:length] for name, column in self._columns.items()}


@dataclass(frozen=True)
class Rollout:
    """T steps of N environments; the tensors are written over by the next rollout.

    Where a policy plays teams of R robots, actions, log_probs, values, rewards and final_values
    have a last axis R more, and so has last_value.

    features      name -> (T, N, ...), what the policy saw
    labels        name -> (T, N, ...), what only losses see
    actions       (T, N) int64
    log_probs     (T, N) float32, nats, of the actions when they were taken
    values        (T, N) float32, expected before the step
    rewards       (T, N) float32
    starts        (T, N) bool, an episode began with what was seen at this step
    dones         (T, N) bool, the episode ended with this step
    final_values  (T, N) float32, value of what an episode was truncated at; elsewhere 0
    valid         (T, N) bool, False where the environment began an episode instead of moving
    last_value    (N,) float32, after the last step
    state         (N, S) float32, what the policy remembered before the first step
    """

    features: dict[str, Tensor]
    labels: dict[str, Tensor]
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    rewards: Tensor
    starts: Tensor
    dones: Tensor
    final_values: Tensor
    valid: Tensor
    last_value: Tensor
    state: Tensor


@dataclass(frozen=True)
class Minibatch:
    """All steps of some environments of a rollout, see `Rollout`; B of them.

    advantages  (T, B) float32, normalised if so configured
    returns     (T, B) float32, what the values should have been
    """

    features: dict[str, Tensor]
    labels: dict[str, Tensor]
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    starts: Tensor
    valid: Tensor
    advantages: Tensor
    returns: Tensor
    state: Tensor


# What a minibatch takes from the rollout as it is.
_SHARED = [each.name for each in fields(Minibatch) if each.name not in ("advantages", "returns")]


def minibatches(
    rollout: Rollout, advantages: Tensor, returns: Tensor, count: int
) -> Iterator[Minibatch]:
    """Deal the environments out at random, so many to each minibatch; sequences stay whole.

    Draws from torch's own random numbers. Raises ValueError if the minibatches cannot be equal.
    """
    n = rollout.actions.shape[1]
    if n % count:
        raise ValueError(f"{n} environments cannot be dealt out to {count} equal minibatches")
    given = {name: getattr(rollout, name) for name in _SHARED}
    whole = Minibatch(**given, advantages=advantages, returns=returns)
    if count == 1:
        yield whole
        return
    for chosen in torch.randperm(n).to(rollout.actions.device).chunk(count):
        yield environments_of(whole, chosen)


def environments_of(batch: Minibatch, chosen: Tensor) -> Minibatch:
    """What belongs to these environments, (B,) int64."""

    def pick(value: Tensor | dict[str, Tensor], axis: int) -> Tensor | dict[str, Tensor]:
        if isinstance(value, dict):
            return {name: pick(tensor, axis) for name, tensor in value.items()}
        return value.index_select(axis, chosen)

    axes = {each.name: 0 if each.name == "state" else 1 for each in fields(Minibatch)}
    return Minibatch(**{name: pick(getattr(batch, name), axis) for name, axis in axes.items()})
