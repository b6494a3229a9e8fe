"""Learn where to go next: `python -m av_envs.agents.rir_measure.choosing.train --out DIR`.

The robots draw the map of the rules and walk on it as these do; PPO learns which unvisited place
each one goes to. Robots are paid for the nodes that they visit first, and nothing is measured. With
--queries they do measure, and are paid for how far the error of a predictor on so many held-out
pairs falls, too, or with --finds 0 for that alone.

DIR gets `config.json`, scalars for tensorboard, `checkpoint.pt`, `curve.csv` (a row per validation
in unseen dwellings: coverage, mean over the steps and at the end, and with --queries `xi_query`,
minus the error on held-out pairs over an episode) and `best.safetensors`, the best by the latter or
else by mean coverage, which `av_envs.agents.rir_measure:PlaceChooser` plays. An interrupted run
goes on with the same command and --resume.
"""

from dataclasses import dataclass, field
from pathlib import Path

from av_envs.agents.options.choices import ENVIRONMENTS
from av_envs.agents.runs import CHECKPOINT, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    env: str = option("flats", choices=ENVIRONMENTS)
    robots: int = option(2, type=positive_int)
    policy: Path | None = field(
        default=None,
        metadata={"help": "file to begin with, of `choosing.imitate`", "type": path_argument},
    )
    hidden: int = option(64, "width of the layers of a new one", type=positive_int)
    finds: float = option(1.0, "what a node is worth to the robot that visits it first")
    shared: float = option(0.5, "of what a robot finds, to each of the others")
    queries: int = option(0, "held-out pairs of each episode", type=non_negative_int)
    asked: float = option(100.0, "what a fall by 1 of the error on them is worth")
    predictor: str = option("interpolating", "that is asked")
    steps: int = option(200_000, "of all teams together", type=positive_int)
    num_envs: int = option(16, "teams", type=positive_int)
    rollout: int = option(64, "steps of each team per update", type=positive_int)
    epochs: int = option(4, type=positive_int)
    minibatches: int = option(4, type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero")
    clip: float = option(0.2, "falls to zero")
    gamma: float = option(0.97)
    gae_lambda: float = option(0.9)
    entropy: float = option(0.003, "weight of the entropy")
    houses: int = option(32, "dwellings of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val, an episode in each", type=positive_int)
    val_every: int = option(20_000, "steps between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.rir_measure.choosing.train:train",
        Args,
        "av_envs.agents.rir_measure.choosing.train",
        __doc__,
        argv,
        CHECKPOINT,
    )
