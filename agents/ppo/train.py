"""The run: play, learn, log and keep, until all updates are done.

    with joined_ranks() as ranks:  # alone, unless started by torchrun
        train(envs, policy, PPOConfig(updates=1000), agent="my agent", seed=0, out=out, ranks=ranks)

A run that ended for whatever reason goes on from its last checkpoint with `resume=True`, and
learns to the bit what it would have learned without the interruption. For that, a checkpoint
keeps no environment. Instead, whenever one is due, whether or not the run is ever interrupted,
all environments begin new episodes with seeds drawn from (seed of the run, number of the update,
number of the environment). So it holds for environments that a seed determines, for plug-ins
that start anew with the episodes or are `kept`, on the same machine and threads, and unless
rollouts are cut short (`short_rollout_threshold`), which depends on time.

Errors are one line long, for a command to print: ValueError and FileNotFoundError for what
cannot be, FloatingPointError for a loss that is not finite, `distributed.RankLostError`, OSError.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from av_envs.agents.ppo.checkpoint import (
    Checkpoint,
    load_checkpoint,
    random_states,
    restore_random_states,
    save_checkpoint,
    seed_everything,
)
from av_envs.agents.ppo.collect import Collector
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import ALONE, RankLostError, Ranks
from av_envs.agents.ppo.plugins import Plugins, Stateful
from av_envs.agents.ppo.update import PPO
from av_envs.agents.runs import CHECKPOINT
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.options import check_whole
from av_envs.progress import progress_bar

FILE = CHECKPOINT  # beside the events for tensorboard
NO_PLUGINS = Plugins()
LARGEST_SEED = 2**32 - 1


def train(
    envs: gym.vector.VectorEnv,
    policy: nn.Module,
    config: PPOConfig,
    plugins: Plugins = NO_PLUGINS,
    *,
    agent: str,
    seed: int,
    out: Path,
    options: Mapping[str, Any] | None = None,
    kept: Mapping[str, Stateful] | None = None,
    resume: bool = False,
    ranks: Ranks = ALONE,
    shows_progress: bool = True,
) -> Path:
    """Train a policy; the path of the last checkpoint, see `load_policy`.

    envs            of this rank; all ranks have equally many
    policy          see `policy.Policy`, on the device where it is to learn
    plugins         what the task adds
    agent           name of what is trained: its checkpoints are for no other
    seed            of the run: all global random numbers of this process begin with it
    out             directory of the run; all ranks must be able to read it
    options         plain values by name that the run keeps, beside `config`, when it goes on
    kept            what else a checkpoint keeps, by name: a memory, its optimiser, best scores
    resume          go on with the run in `out`
    shows_progress  a bar, if the error output is a terminal
    """
    check_whole("seed", seed, 0, LARGEST_SEED)
    n = envs.num_envs
    if n % config.minibatches:
        raise ValueError(f"minibatches must divide the {n} environments, got {config.minibatches}")
    device = next(policy.parameters()).device
    collector = Collector(envs, policy, config, plugins, device)
    ppo = PPO(policy, config, ranks, plugins.auxiliary_loss)
    of_the_run = {"seed": seed, "num_envs": n, "ranks": ranks.count}
    everything = {**config.what_is_learned(), **of_the_run, **(options or {})}
    keeper = _Keeper(Path(out) / FILE, agent, everything, ppo, dict(kept or {}), device)
    done = keeper.go_on() if resume else keeper.begin(seed)
    logging = _logging(Path(out), done, config.updates, ranks, shows_progress)
    with logging as log, _failures_named(keeper):
        _learn(collector, ppo, plugins, keeper, done, seed, log)
    return keeper.path


def load_policy(path: Path, policy: nn.Module, agent: str) -> None:
    """Give a policy the weights in the checkpoint of a run of that agent, whatever its options.

    Raises FileNotFoundError or ValueError, see `checkpoint.load_checkpoint`.
    """
    _load("policy", policy, load_checkpoint(path, agent).policy, path)


@dataclass
class _Done:
    """How far a run is: updates, steps of all environments together, and seconds of training."""

    update: int = 0
    steps: int = 0
    seconds: float = 0.0


@dataclass
class _Keeper:
    """Writes checkpoints and goes on from them.

    saved  the update after which the last one was written
    """

    path: Path
    agent: str
    options: dict[str, Any]
    ppo: PPO
    kept: dict[str, Stateful]
    device: torch.device
    saved: int | None = None

    def begin(self, seed: int) -> _Done:
        """A new run: everybody has the weights of the first rank and random numbers of his own."""
        ranks = self.ppo.ranks
        # Asked of all before anybody writes.
        if any(ranks.gather(self.path.exists())):
            raise ValueError(f"{self.path} holds a run already; choose another out or resume it")
        for module in (self.ppo.policy, *self.kept.values()):
            if isinstance(module, nn.Module):
                ranks.share_weights(module)
        of_rank = np.random.SeedSequence(seed, spawn_key=(ranks.rank,))
        seed_everything(int(of_rank.generate_state(1)[0]))
        return _Done()

    def go_on(self) -> _Done:
        """The run in the file."""
        found, ranks = load_checkpoint(self.path, self.agent, self.options), self.ppo.ranks
        missing = sorted(self.kept.keys() ^ found.kept.keys())
        if missing:
            raise ValueError(f"{self.path}: {', '.join(missing)} is kept either there or here only")
        _load("policy", self.ppo.policy, found.policy, self.path)
        _load("optimiser", self.ppo.optimiser, found.optimiser, self.path)
        for name, each in self.kept.items():
            _load(name, each, found.kept[name], self.path)
        restore_random_states(found.random[ranks.rank], self.device)
        if len(set(ranks.gather(found.update))) > 1:
            raise ValueError(f"{self.path} is not the same file on all ranks")
        self.saved = found.update
        return _Done(found.update, found.steps, found.seconds)

    def save(self, done: _Done) -> None:
        random = self.ppo.ranks.gather(random_states(self.device))
        if self.ppo.ranks.is_first:
            checkpoint = Checkpoint(
                self.agent, self.options, done.update, done.steps, done.seconds,
                self.ppo.policy.state_dict(), self.ppo.optimiser.state_dict(), random,
                {name: each.state_dict() for name, each in self.kept.items()},
            )  # fmt: skip
            save_checkpoint(self.path, checkpoint)
        self.saved = done.update


Log = Callable[[Mapping[str, float | None], _Done], None]


def _learn(
    collector: Collector,
    ppo: PPO,
    plugins: Plugins,
    keeper: _Keeper,
    done: _Done,
    seed: int,
    log: Log,
) -> None:
    """The updates that are left; `done` follows."""
    config, ranks = ppo.config, ppo.ranks
    n = collector.envs.num_envs
    while True:
        is_last = done.update == config.updates
        if is_last or done.update % config.checkpoint_every == 0 or done.update == keeper.saved:
            if done.update != keeper.saved:
                _validate(plugins, keeper, done, log)
                keeper.save(done)
            if is_last:
                return
            collector.reset(_seeds(seed, done.update, ranks, n))
        began = time.perf_counter()
        rollout = collector.collect(cut_short(config, ranks, done.update))
        ranks.tell_finished(done.update)
        played = time.perf_counter() - began
        scalars = ppo.update(rollout, done.update)
        added = plugins.after_update(rollout, done.update) if plugins.after_update else None
        totals = torch.cat([rollout.valid.sum()[None].double(), collector.episodes]).cpu()
        ranks.add_up([totals])
        steps, *episodes = totals.tolist()
        seconds = time.perf_counter() - began
        done.update, done.steps = done.update + 1, done.steps + int(steps)
        done.seconds += seconds
        speed = {"steps_per_second": steps / seconds, "share_of_playing": played / seconds}
        log({**_of_episodes(*episodes), **scalars, **speed, **(added or {})}, done)


def _seeds(seed: int, update: int, ranks: Ranks, n: int) -> list[int]:
    """Of the n environments of this rank; all together they are the same however dealt out."""
    drawn = np.random.SeedSequence([seed, update]).generate_state(ranks.count * n)
    return drawn[ranks.rank * n :][:n].tolist()


def cut_short(config: PPOConfig, ranks: Ranks, update: int) -> Callable[[int], bool] | None:
    """Whether so many steps are enough, since enough ranks have played theirs; None: never."""
    if ranks.count == 1 or config.short_rollout_threshold == 1:
        return None
    fewest = config.short_rollout_threshold * config.rollout
    return lambda t: t >= fewest and ranks.share_finished(update) >= config.sync_frac


def _validate(plugins: Plugins, keeper: _Keeper, done: _Done, log: Log) -> None:
    if plugins.at_checkpoint is None or not keeper.ppo.ranks.is_first:
        return
    # Whoever validates may draw numbers, too; the run goes on with its own.
    before = random_states(keeper.device)
    log(plugins.at_checkpoint(done.update) or {}, done)
    restore_random_states(before, keeper.device)


def _of_episodes(count: float, rewards: float, steps: float) -> dict[str, float]:
    if not count:
        return {}
    return {"episode_reward": rewards / count, "episode_steps": steps / count}


@contextmanager
def _logging(
    out: Path, done: _Done, updates: int, ranks: Ranks, shows_progress: bool
) -> Iterator[Log]:
    """Scalars by the steps of all environments, for tensorboard, and a bar; of the first rank."""
    if not ranks.is_first:
        yield lambda scalars, done: None
        return
    # What was logged after the checkpoint from which a run goes on is logged again.
    writer = SummaryWriter(str(out), purge_step=done.steps + 1)
    bar = progress_bar(total=updates, initial=done.update, unit="update", shown=shows_progress)

    def log(scalars: Mapping[str, float | None], done: _Done) -> None:
        for name, value in scalars.items():
            writer.add_scalar(name, value, done.steps)
        bar.update(done.update - bar.n)
        if "episode_reward" in scalars:
            bar.set_postfix(reward=f"{scalars['episode_reward']:.2f}", refresh=False)

    with writer, bar:
        yield log


@contextmanager
def _failures_named(keeper: _Keeper) -> Iterator[None]:
    """Errors that end a run say from where it can go on."""
    try:
        yield
    except (FloatingPointError, RankLostError) as error:
        where = "nothing was saved before"
        if keeper.saved is not None:
            where = (
                f"the last good checkpoint is {keeper.path}, after {keeper.saved} updates; "
                "resume goes on from it"
            )
        raise type(error)(f"{error}; {where}") from error


def _load(name: str, into: Any, state: Mapping[str, Tensor], path: Path) -> None:
    try:
        into.load_state_dict(state)
    except MALFORMED as error:
        raise ValueError(f"{path}: its {name} does not fit: {one_line(error)}") from error
