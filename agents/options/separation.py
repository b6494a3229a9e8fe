"""Train a learned agent: `python -m av_envs.agents.separation.train --agent active --out DIR`.

PPO learns to move over a frozen separator, in training houses; a memory, if the agent has one,
learns from the same rollouts in turn. What only a teacher knows, where the target is, may help at
first: the policy also says where it believes the target to be, and imitates for a while an
expert that knows. DIR gets `config.json`, scalars for tensorboard, `checkpoint.pt`, `curve.csv`
(a row per validation on unseen houses) and `best.safetensors`, which the entries of
`av_envs.agents.separation` play. An interrupted run goes on with the same command and --resume.
Several ranks: `torchrun --nproc-per-node 2 -m -- av_envs.agents.separation.train ...`, where the
two dashes keep torchrun from taking --start for a short form of an option of its own.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from av_envs.agents.options.choices import BACKENDS, MEMORY_LOSSES, SENSES, SEPARATING
from av_envs.agents.options.task import AgentOptions
from av_envs.agents.runs import CHECKPOINT, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args(AgentOptions):
    """A run: every field is an option of the command line."""

    agent: str = option("active", choices=SEPARATING)
    features: list[str] | None = field(
        default=None,
        metadata={"help": "of the policy; default: by size", "nargs": "+", "choices": SENSES},
    )
    policy: Path | None = field(
        default=None,
        metadata={"help": "file of a memoryless agent to begin with", "type": path_argument},
    )
    reward: str | None = option(None, "default: that of the agent", type=str)
    reward_scale: float = option(0.2, "factor of the rewards")
    look_back: int | None = option(None, "E; default: the agent's", type=non_negative_int)
    memory_epochs: int = option(4, "of the memory, per update", type=positive_int)
    memory_loss: str = option("log_nmse", "the paper's is l1", choices=MEMORY_LOSSES)
    steps: int = option(500_000, "of all environments together", type=positive_int)
    houses: int = option(32, "of the split train", type=positive_int)
    val_episodes: int = option(100, "of a validation", type=positive_int)
    val_every: int = option(64_000, "steps between validations", type=positive_int)
    learning_rate: float = option(5e-4, "falls to zero")
    epochs: int = option(4, type=positive_int)
    minibatches: int = option(4, type=positive_int)
    clip: float = option(0.2)
    gamma: float = option(0.95)
    gae_lambda: float = option(0.9)
    entropy: float = option(0.01, "weight of the entropy")
    locating: float = option(0.1, "weight of the error about the target's place")
    imitating: float = option(1.0, "weight of imitation in the first update")
    imitate_until: float = option(0.4, "share of the run after which nothing is imitated")
    device: str | None = option(None, "of torch; default: cuda if there is one", type=str)
    backend: str = option("gloo", "of several ranks; nccl: a GPU for each", choices=BACKENDS)

    @property
    def env_options(self) -> dict[str, Any]:
        """What is scored is what the agent itself separates."""
        return {**super().env_options, "estimator": "agent"}


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.separation.train:train_on_ranks",
        Args,
        "av_envs.agents.separation.train",
        __doc__,
        argv,
        CHECKPOINT,
    )
