"""Several processes that learn one policy: ranks, as `torchrun` starts them.

DD-PPO: Wijmans et al., "DD-PPO: Learning Near-Perfect PointGoal Navigators from 2.5 Billion
Frames", ICLR 2020. Every rank plays its own environments; gradients are averaged; ranks that
are slow to play are cut short.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from av_envs.options import check_choice

BACKENDS = {"gloo": "gloo", "nccl": "cpu:gloo,cuda:nccl"}  # name: as torch has it
JOINING_SECONDS = 300.0  # until all ranks must have come up
WAITING_SECONDS = 1800.0  # that one rank waits for what the others compute
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")  # by torchrun


class RankLostError(RuntimeError):
    """Another rank has ended, so that this one cannot go on."""


class Ranks:
    """The processes of a run, seen from one of them; with one alone nothing is exchanged.

    rank   of this process, 0..count-1; 0 is the one that writes files
    count  of processes
    local  number of this process on its machine, and so of its GPU

    What needs the others raises RankLostError if one of them is gone.
    """

    def __init__(self, rank: int = 0, count: int = 1, local: int = 0, store: Any = None):
        self.rank, self.count, self.local = rank, count, local
        self._store = store

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and shows the progress."""
        return self.rank == 0

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Make each of these the sum of itself over all ranks, in place.

        tensors  of one type, on one device, of the same shapes on all ranks
        """
        if self.count == 1:
            return
        everything = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _losses_named():
            dist.all_reduce(everything)
        parts = everything.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def average_gradients(self, module: nn.Module) -> None:
        """Make the gradients of a module their means over all ranks."""
        gradients = [each.grad for each in module.parameters() if each.grad is not None]
        self.add_up(gradients)
        for gradient in gradients:
            gradient /= self.count

    def share_weights(self, module: nn.Module) -> None:
        """Give every rank the weights and buffers of the first."""
        if self.count == 1:
            return
        with torch.no_grad(), _losses_named():
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, 0)

    def gather(self, value: Any) -> list:
        """The values of all ranks, in their order."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        with _losses_named():
            dist.all_gather_object(values, value)
        return values

    def tell_finished(self, update: int) -> None:
        """Say that this rank has played its rollout for that update."""
        if self.count > 1:
            with _losses_named():
                self._store.add(_finished(update), 1)
                if self.is_first and update > 1:  # nobody looks back further than one
                    self._store.delete_key(_finished(update - 2))

    def share_finished(self, update: int) -> float:
        """Which part of the ranks has played its rollout for that update, 0..1."""
        if self.count == 1:
            return 0.0
        with _losses_named():
            return self._store.add(_finished(update), 0) / self.count


ALONE = Ranks()


@contextmanager
def joined_ranks(
    backend: str = "gloo",
    joining_seconds: float = JOINING_SECONDS,
    waiting_seconds: float = WAITING_SECONDS,
) -> Iterator[Ranks]:
    """Join the ranks that `torchrun` has started; alone if it has not.

    backend          "gloo", or "nccl" for policies on GPUs: exchanges gradients
    joining_seconds  until all ranks must have come up
    waiting_seconds  that a rank waits for another, at most: longer than any rollout, checkpoint
                     and validation takes

    Raises ValueError if the environment variables are not those of torchrun, TimeoutError with
    the address if a rank does not come up. Meanwhile SIGTERM, which torchrun sends when another
    rank has ended, raises RankLostError.
    """
    check_choice("backend", backend, BACKENDS)
    if "WORLD_SIZE" not in os.environ:
        yield ALONE
        return
    rank, count, local, address = _from_environment()
    if backend == "nccl":
        torch.cuda.set_device(local)
    store = _joined_store(rank, count, address, joining_seconds)
    dist.init_process_group(
        BACKENDS[backend],
        store=dist.PrefixStore("group", store),
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=waiting_seconds),
    )
    with _terminations_named():
        yield Ranks(rank, count, local, dist.PrefixStore("ranks", store))
        # Only when all went well: after the loss of a rank it could wait for it.
        dist.destroy_process_group()


def _from_environment() -> tuple[int, int, int, str]:
    """Rank, count, rank on this machine and the address where they meet."""
    missing = [name for name in VARIABLES if name not in os.environ]
    if missing:
        raise ValueError(f"WORLD_SIZE is set but {', '.join(missing)} not: start with torchrun")
    numbers = {}
    for name in VARIABLES:
        if name != "MASTER_ADDR":
            if not os.environ[name].isdecimal():
                raise ValueError(f"{name} must be a whole number, got {os.environ[name]!r}")
            numbers[name] = int(os.environ[name])
    rank, count = numbers["RANK"], numbers["WORLD_SIZE"]
    if rank >= count:
        raise ValueError(f"RANK must lie in 0..{count - 1}, got {rank}")
    address = f"{os.environ['MASTER_ADDR']}:{numbers['MASTER_PORT']}"
    return rank, count, numbers["LOCAL_RANK"], address


def _joined_store(rank: int, count: int, address: str, seconds: float) -> Any:
    """The store that all ranks share, once all of them are there."""
    limit = timedelta(seconds=seconds)
    here = f"rank {rank} of {count} found"
    try:
        store, _, _ = next(dist.rendezvous("env://", timeout=limit))
        store = dist.PrefixStore("av_envs", store)
        store.set(f"here/{rank}", "")
        store.wait([f"here/{other}" for other in range(count)], limit)
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise TimeoutError(
            f"{here} not all ranks at {address} within {seconds:g} s; "
            f"see whether every one was started and reaches that address ({reason:.200})"
        ) from None
    return store


@contextmanager
def _losses_named() -> Iterator[None]:
    """What torch raises in an exchange means that another rank is gone or silent."""
    try:
        yield
    except RankLostError:
        raise
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise RankLostError(f"another rank has ended or is silent ({reason:.200})") from error


@contextmanager
def _terminations_named() -> Iterator[None]:
    """Meanwhile SIGTERM raises RankLostError; only a main thread can be told of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise RankLostError("told to end, as torchrun does when another rank has ended")

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _finished(update: int) -> str:
    return f"finished/{update}"
