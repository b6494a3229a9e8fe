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

    Environments need not be in step with each other: slots that hold nothing are masked.
    """

    def __init__(self, memory: TransformerMemory, capacity: int = 20):
        self.memory, self.capacity = memory, capacity
        self._estimates: Tensor | None = None  # (N, capacity, 512, 32), the newest last

    @torch.no_grad()
    def refine(self, estimates: Tensor, steps: Tensor, starts: Tensor) -> Tensor:
        """See `Refiner`."""
        n = len(estimates)
        if self._estimates is None or len(self._estimates) != n:
            self._estimates = estimates.new_zeros(n, self.capacity, *estimates.shape[1:])
            self._steps = steps.new_zeros(n, self.capacity)
            self._valid = starts.new_zeros(n, self.capacity)
        self._valid[starts] = False
        for kept, new in (
            (self._estimates, estimates),
            (self._steps, steps),
            (self._valid, torch.ones_like(starts)),
        ):
            kept[:, :-1] = kept[:, 1:].clone()
            kept[:, -1] = new
        return self.hindsight()[:, -1]

    @torch.no_grad()
    def hindsight(self) -> Tensor:
        """(N, K, 512, 32) of the last K seconds, the oldest first, refined with all of them.

        K is as long as the longest of the episodes, at most `capacity`; what was before an episode
        is zero.
        """
        used = int(self._valid.any(dim=0).sum())
        part = slice(self.capacity - used, None)
        return self.memory(self._estimates[:, part], self._steps[:, part], self._valid[:, part])


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
