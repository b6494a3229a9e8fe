"""Train a team: `python -m av_envs.agents.rir_measure.train --preset macma --out DIR`.

PPO learns where robots go, and a generator, from the same rollouts, how what they measure will
sound: Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023. DIR gets
`config.json`, scalars for tensorboard, `checkpoint.pt`, `curve.csv` (a row per validation in
unseen dwellings) and `best.safetensors`, which the entries of `av_envs.agents.rir_measure` play.
An interrupted run goes on with the same command and --resume. A generator to begin with comes from
`python -m av_envs.agents.rir_measure.pretrain`. Several ranks:
`torchrun --nproc-per-node 2 -m -- av_envs.agents.rir_measure.train ...`
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from av_envs.agents.options.choices import (
    BACKENDS,
    CRITICS,
    ENVIRONMENTS,
    PRESETS,
    SHARING_LOSSES,
    SIZES,
    VISIONS,
    WEIGHTS,
)
from av_envs.agents.runs import CHECKPOINT, json_object, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument

if TYPE_CHECKING:
    from av_envs.agents.rir_measure.recipes import Recipe


BY_SIZE = "; default: by size"


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    preset: str = option("macma", "what the team is paid for", choices=PRESETS)
    size: str = option("small", choices=SIZES)
    env: str = option("flats", choices=ENVIRONMENTS)
    env_kwargs: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "JSON object of its options", "type": json_object}
    )
    generator: Path | None = field(
        default=None, metadata={"help": "file to begin with, of pretrain", "type": path_argument}
    )
    policy: Path | None = field(
        default=None,
        metadata={"help": "file of a team to begin with, of this preset", "type": path_argument},
    )
    silent: bool = option(
        False, "nothing is measured: accuracy is not paid, the generator does not learn"
    )
    vision: str = option("rgbd", choices=VISIONS)
    kappa: int = option(2, "moments that the generator remembers", type=non_negative_int)
    rho: float | None = option(None, "-1: no shares; default: by preset", type=float)
    alpha_psi: float | None = option(
        None, "weight of the perimeter; default: by preset", type=float
    )
    assign_loss: str = option("weights", "of the network that shares out", choices=SHARING_LOSSES)
    weights: str = option("separate", "of the robots' networks", choices=WEIGHTS)
    critic: str = option("central", choices=CRITICS)
    map: bool = option(False, "robots see on a map where the team has been")
    steps: int | None = option(None, f"of all teams together{BY_SIZE}", type=positive_int)
    num_envs: int | None = option(None, f"teams of this rank{BY_SIZE}", type=positive_int)
    houses: int = option(32, "dwellings of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val", type=positive_int)
    val_episodes: int = option(40, "of a validation", type=positive_int)
    val_every: int = option(100_000, "steps between validations", type=positive_int)
    rollout: int | None = option(None, f"steps of each team per update{BY_SIZE}", type=positive_int)
    epochs: int | None = option(None, BY_SIZE[2:], type=positive_int)
    minibatches: int | None = option(None, BY_SIZE[2:], type=positive_int)
    learning_rate: float | None = option(None, BY_SIZE[2:], type=float)
    clip: float | None = option(None, BY_SIZE[2:], type=float)
    gamma: float | None = option(None, BY_SIZE[2:], type=float)
    gae_lambda: float | None = option(None, BY_SIZE[2:], type=float)
    entropy: float | None = option(None, f"weight of the entropy{BY_SIZE}", type=float)
    mse_share: float | None = option(None, f"w^MSE of the generator's loss{BY_SIZE}", type=float)
    generator_steps: int | None = option(
        None, f"of its optimiser per update{BY_SIZE}", type=positive_int
    )
    generator_teams: int | None = option(
        None, f"moments of teams in each; 0: all of the rollout{BY_SIZE}", type=non_negative_int
    )
    scales: list[float] | None = field(
        default=None,
        metadata={
            "help": f"factors of the rewards xi, zeta, psi and phi{BY_SIZE}",
            "type": float,
            "nargs": 4,
        },
    )
    device: str | None = option(None, "of torch; default: cuda if there is one", type=str)
    backend: str = option("gloo", "of several ranks; nccl: a GPU for each", choices=BACKENDS)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")

    @property
    def recipe(self) -> "Recipe":
        """How it learns; raises ValueError for what cannot be."""
        from av_envs.agents.rir_measure.recipes import Recipe, recipe

        known = {each.name for each in fields(Recipe)}
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name in known}
        return recipe(self.size, self.env, own)

    @property
    def env_options(self) -> dict[str, Any]:
        """Of the environments of training and validation alike."""
        from av_envs.agents.rir_measure.presets import PRESETS as PAID

        paid = PAID[self.preset].env_options
        if self.alpha_psi is not None:
            paid["alpha_psi"] = self.alpha_psi
        return {**paid, **self.env_kwargs}


def main(argv: list[str] | None = None) -> int:
    return run_command(
        "av_envs.agents.rir_measure.train:train_on_ranks",
        Args,
        "av_envs.agents.rir_measure.train",
        __doc__,
        argv,
        CHECKPOINT,
    )
