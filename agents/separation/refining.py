"""Refiners of the passive estimate that remember the seconds before, for N environments."""

from typing import Protocol

import torch
from torch import Tensor

from av_envs.agents.separation.networks.memory import RecurrentRefiner, TransformerMemory


class Refiner(Protocol):
    """Refines the estimates of N environments, second by second."""

    def refine(self, estimates: Tensor, steps: Tensor, starts: Tensor) -> Tensor:
        """(N, 512, 32) refined estimates of this second.

        estimates  (N, 512, 32) by the passive separator
        steps      (N,) int, second of the episode
        starts     (N,) bool, where an episode begins: what came before is forgotten
        """
        ...


class RefinesWithTransformer:
    """A `TransformerMemory` over the last `capacity` seconds of each environment.

    Environments need not be in step with each other: slots that hold nothing are masked. Every
    second is encoded once, and only the present one is decoded, so the memory may not learn in the
    middle of an episode.
    """

    def __init__(self, memory: TransformerMemory, capacity: int = 20):
        self.memory, self.capacity = memory, capacity
        self._estimates: Tensor | None = None  # (N, capacity, 512, 32), written in a circle
        self._slot = -1  # of the present second

    @torch.no_grad()
    def refine(self, estimates: Tensor, steps: Tensor, starts: Tensor) -> Tensor:
        """See `Refiner`."""
        if self._estimates is None or len(self._estimates) != len(estimates):
            self._forget(estimates, steps)
        self._slot = (self._slot + 1) % self.capacity
        items, skips = self.memory.encoded(estimates[:, None], steps[:, None])
        self._valid[starts], self._items[starts] = False, 0.0
        self._valid[:, self._slot] = True
        self._steps[:, self._slot] = steps
        self._items[:, self._slot] = items[:, 0]
        self._estimates[:, self._slot] = estimates
        found = self.memory.attended(self._items, self._steps, self._valid)
        return self.memory.decoded(found[:, [self._slot]], skips, estimates[:, None])[:, 0]

    @torch.no_grad()
    def hindsight(self) -> Tensor:
        """(N, K, 512, 32) of the last K seconds, the oldest first, refined with all of them.

        K is as long as the longest of the episodes, at most `capacity`; what was before an episode
        is zero.
        """
        return self.memory(*self._seconds())

    @torch.no_grad()
    def hindsight_within(self, look_back: int) -> Tensor:
        """The same, each second refined with what was heard until `look_back` seconds after it."""
        estimates, steps, valid = self._seconds()
        estimates = estimates.masked_fill(~valid[..., None, None], 0.0)
        items, skips = self.memory.encoded(estimates, steps)
        skips, last = skips.unflatten(0, steps.shape), steps.shape[1] - 1
        refined = []
        for now in range(min(look_back, last), last + 1):  # what was known then
            known = slice(now + 1)
            found = self.memory.attended(items[:, known], steps[:, known], valid[:, known])
            due = slice(max(now - look_back, 0), now + 1 if now == last else now - look_back + 1)
            refined.append(
                self.memory.decoded(found[:, due], skips[:, due].flatten(0, 1), estimates[:, due])
            )
        return torch.cat(refined, dim=1).masked_fill(~valid[..., None, None], 0.0)

    def _seconds(self) -> tuple[Tensor, Tensor, Tensor]:
        """Estimates, steps and validity of the last K seconds, as the memory takes them."""
        used = int(self._valid.any(dim=0).sum())
        order = [(self._slot - k) % self.capacity for k in reversed(range(used))]
        return self._estimates[:, order], self._steps[:, order], self._valid[:, order]

    def _forget(self, estimates: Tensor, steps: Tensor) -> None:
        shape = (len(estimates), self.capacity)
        self._estimates = estimates.new_zeros(*shape, *estimates.shape[1:])
        self._items = estimates.new_zeros(*shape, self.memory.config.size)
        self._steps = steps.new_zeros(shape)
        self._valid = torch.zeros(shape, dtype=torch.bool, device=estimates.device)
        self._slot = -1


class RefinesRecurrently:
    """Move2Hear's `RecurrentRefiner`: reads the refined estimate of the second before."""

    def __init__(self, network: RecurrentRefiner):
        self.network = network
        self._before: Tensor | None = None  # (N, 512, 32) of the second before

    @torch.no_grad()
    def refine(self, estimates: Tensor, steps: Tensor, starts: Tensor) -> Tensor:
        """See `Refiner`."""
        if self._before is None or self._before.shape != estimates.shape:
            self._before = torch.zeros_like(estimates)
        before = self._before.masked_fill(starts[:, None, None], 0.0)
        self._before = self.network(estimates, before)
        return self._before
