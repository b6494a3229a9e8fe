"""Teach a policy by imitation: `python -m av_envs.agents.separation.imitate --out DIR`.

In rounds, the policy walks in training houses, an expert that knows where the target is says
what it should have done at every step, and the policy learns from all walks so far: each walk is
learned from many times, which a policy that learns by reward alone cannot do. Ross et al., "A
Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning", AISTATS
2011. In the first round the expert takes half of the steps, later none.

DIR gets `config.json`, `walks_*.pt` of every round, `last.pt`, `curve.csv` (a row per validation
on unseen houses) and `best.safetensors`, a memoryless agent from which any other kind can start:
`python -m av_envs.agents.separation.train --policy DIR/best.safetensors ...`. Walks cost more than
learning from them: --walks takes those of other runs, too. An interrupted run goes on with the
same command and --resume, and ends with the same bits.
"""

from dataclasses import dataclass, field
from pathlib import Path

from av_envs.agents.options.choices import SENSES
from av_envs.agents.options.task import AgentOptions
from av_envs.agents.runs import LAST, option, run_command
from av_envs.options import positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args(AgentOptions):
    """A run: every field is an option of the command line."""

    features: list[str] | None = field(
        default=None,
        metadata={"help": "of the policy; default: by size", "nargs": "+", "choices": SENSES},
    )
    walks: list[Path] | None = field(
        default=None,
        metadata={
            "help": "runs whose walks are learned from, too",
            "nargs": "+",
            "type": path_argument,
        },
    )
    rounds: int = option(8, type=positive_int)
    episodes: int = option(640, "of each round", type=positive_int)
    houses: int = option(48, "of the split train", type=positive_int)
    val_episodes: int = option(100, "of a validation", type=positive_int)
    val_every: int = option(2, "rounds between validations", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    weight_decay: float = option(0.05, "of AdamW")
    dropout: float = option(0.5, "share of what is sensed that is dropped")
    epochs: int = option(2, "of each round, over all walks so far", type=positive_int)
    batch_size: int = option(32, "walks", type=positive_int)
    locating: float = option(0.2, "weight of the error about the target's place")


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.separation.imitate:imitate",
        Args,
        "av_envs.agents.separation.imitate",
        __doc__,
        argv,
        LAST,
    )
