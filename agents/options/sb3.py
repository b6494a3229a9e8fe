"""Train with Stable-Baselines3: `python -m av_envs.agents.train_sb3 --env ID --out DIR`.

PPO or RecurrentPPO learns over the native batch from downsampled observations; in the measuring
task one policy plays every robot. DIR gets `config.json`, `curve.csv` (a row per evaluation on
houses of the split "val"), `last.zip` and `best.safetensors`, which `SB3Agent` plays on any
suite. An interrupted run goes on with the same command and --resume, from the last evaluation,
and ends as if it had not been interrupted.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from av_envs.agents.options.choices import TRAINED
from av_envs.agents.runs import json_object, option, run_command
from av_envs.options import positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    env: str = option("AVDynamicSep-v0", "id of an environment")
    env_kwargs: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "JSON object of its options", "type": json_object}
    )
    observations: list[str] | None = field(
        default=None, metadata={"help": "keys of its observations; rgb is never read", "nargs": "+"}
    )
    algorithm: str = option("recurrent_ppo", choices=TRAINED)
    told: bool = option(False, "observe where the target is: an ablation")
    map: bool = option(False, "observe a map of where the team has been")
    own_finds: bool = option(False, "pay every robot for the nodes it finds")
    steps: int = option(1_000_000, "of all environments together", type=positive_int)
    num_envs: int = option(64, "or teams", type=positive_int)
    val_envs: int = option(128, "episodes of an evaluation", type=positive_int)
    val_every: int = option(25_000, "steps between evaluations", type=positive_int)
    drawn: bool = option(False, "evaluate drawn actions, not the likeliest")
    rollout: int = option(60, "steps of each environment per update", type=positive_int)
    batch_size: int = option(480, type=positive_int)
    epochs: int = option(5, type=positive_int)
    features: int = option(128, "width of all layers", type=positive_int)
    learning_rate: float = option(5e-4, "falls to a tenth")
    gamma: float = option(0.93)
    gae_lambda: float = option(0.9)
    entropy: float = option(0.01, "weight of the entropy")
    reward_scale: float = option(0.2, "factor of the rewards")
    seed: int = option(0)
    resume: bool = option(False, "go on with the run in --out")


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.train_sb3:train",
        Args,
        "av_envs.agents.train_sb3",
        __doc__,
        argv,
        "last.zip",
    )
