"""One rank of several, as a program: `python -m tests.agents.ppo.one_rank TASK DIRECTORY`.

The environment variables are those of torchrun. Ends with 1 and a line for an error that is
foreseen, as a command should.
"""

import os
import sys
import time
from pathlib import Path

import torch
import torch._dynamo  # by the first step of Adam, too, and it takes seconds: ranks are forked

from av_envs.agents.ppo.collect import Collector
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import RankLostError, Ranks, joined_ranks
from av_envs.agents.ppo.plugins import Plugins
from av_envs.agents.ppo.policy import GRUPolicy
from av_envs.agents.ppo.train import cut_short, train
from av_envs.agents.ppo.update import PPO
from tests.agents.ppo.made_rollout import made_rollout, sliced
from tests.agents.ppo.small_envs import counting

ENVIRONMENTS = 8  # of all ranks together
FIRST = PPOConfig(epochs=1, max_grad_norm=1e9)
CPU = torch.device("cpu")


def small_policy() -> GRUPolicy:
    torch.manual_seed(3)
    return GRUPolicy(3, 2, hidden=8)


def first_gradient(ranks: Ranks) -> torch.Tensor:
    """Of one update from the environments of this rank, averaged over all."""
    policy, each = small_policy(), ENVIRONMENTS // ranks.count
    rollout = sliced(
        made_rollout(small_policy(), ENVIRONMENTS),
        slice(each * ranks.rank, each * (ranks.rank + 1)),
    )
    PPO(policy, FIRST, ranks).update(rollout, 0)
    return torch.cat([weight.grad.flatten() for weight in policy.parameters()])


def lengths_when_one_is_slow(ranks: Ranks, threshold: float) -> list[int]:
    """Steps of a rollout of all ranks, of which the last waits before each step."""
    config = PPOConfig(rollout=20, short_rollout_threshold=threshold, sync_frac=0.5)

    def answer(moves):
        time.sleep(0.05 if ranks.rank == ranks.count - 1 else 0.0)
        return moves.numpy()

    collector = Collector(counting(2), small_policy(), config, Plugins(answer=answer), CPU)
    found = []
    for update in range(3):
        collector.reset([0, 1])
        rollout = collector.collect(cut_short(config, ranks, update))
        ranks.tell_finished(update)
        PPO(collector.policy, config, ranks).update(rollout, update)
        found.append(ranks.gather(len(rollout.actions)))
    return found


def exchange(ranks: Ranks, out: Path) -> None:
    """Everything that needs no killing, in one go."""
    gradient = first_gradient(ranks)
    module = torch.nn.Linear(2, 1)
    torch.nn.init.constant_(module.weight, float(ranks.rank + 1))
    ranks.share_weights(module)
    found = {
        "gradient": gradient,
        "weights": ranks.gather(module.weight.detach()),
        "numbers": ranks.gather(ranks.rank),
        "short": lengths_when_one_is_slow(ranks, 0.25),
        "whole": lengths_when_one_is_slow(ranks, 1.0),
    }
    if ranks.is_first:
        torch.save(found, out / "found.pt")


def learn(ranks: Ranks, out: Path, resume: bool) -> None:
    """A small run that says how far each rank is; the file "slow" makes it last."""

    def after_update(rollout, number):
        (out / f"rank-{ranks.rank}").write_text(f"{os.getpid()} {number}")
        time.sleep(0.1 if (out / "slow").exists() else 0.0)

    policy = GRUPolicy(3, 2, hidden=8)  # of other weights on every rank
    config = PPOConfig(updates=20, rollout=4, epochs=1, checkpoint_every=4)
    train(
        counting(2, lengths=(3, 5), ends_by=("terminated", "truncated")), policy, config,
        Plugins(after_update=after_update), agent="counter", seed=1, out=out / "run",
        resume=resume, ranks=ranks,
    )  # fmt: skip


def main(task: str, out: Path) -> int:
    torch.set_num_threads(1)
    try:
        with joined_ranks("gloo", joining_seconds=2.0 if task == "join" else 60.0) as ranks:
            if task == "exchange":
                exchange(ranks, out)
            else:
                learn(ranks, out, resume=task == "resume")
    except (RankLostError, FloatingPointError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def forked(task: str, out: Path, variables: dict[str, str]) -> None:
    """The same as a process that was forked; its output goes to a file."""
    os.environ.update(variables)
    log = os.open(out / f"log-{variables['RANK']}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    sys.exit(main(task, out))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
