"""Every knob of PPO, with its unit, in one place."""

from dataclasses import asdict, dataclass
from typing import Any

from av_envs.options import check_choice, check_flag, check_share, check_whole, is_number

TRUNCATIONS = ("bootstrap", "terminal")
MOST = 10**9  # of anything that is counted


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """Options of proximal policy optimisation; all are JSON-safe.

    The defaults are those of active separation: Majumder et al., "Active Audio-Visual Separation
    of Dynamic Sound Sources", ECCV 2022, with 8 ranks of 14 environments. Raises ValueError for
    values that cannot be.
    """

    updates: int = 67_142  # rollouts that are learned from, until the run is over
    rollout: int = 20  # steps of each environment per update
    epochs: int = 4  # passes over a rollout
    minibatches: int = 1  # of a pass; each has the whole rollout of num_envs / minibatches
    gamma: float = 0.99  # discount per step
    gae_lambda: float = 0.95
    clip: float = 0.1  # of the probability ratio, and in the reward's unit of the value
    clip_decay: bool = True  # linearly to 0 over the updates
    value_coef: float = 0.5  # on half the squared error
    clip_value: bool = True  # the value moves no more than `clip` in an update
    entropy_coef: float = 0.01  # per nat
    learning_rate: float = 1e-4  # of Adam
    learning_rate_decay: bool = True  # linearly to 0 over the updates
    adam_eps: float = 1e-5
    max_grad_norm: float = 0.5  # over all weights together
    normalise_advantages: bool = True  # to mean 0 and deviation 1, over all ranks
    truncation: str = "bootstrap"  # worth the value where it stopped; "terminal": worth nothing
    sync_frac: float = 0.6  # share of ranks with a whole rollout at which the others stop theirs
    short_rollout_threshold: float = 1.0  # share of a rollout that is never cut; 1: none is cut
    checkpoint_every: int = 90  # updates; episodes begin anew there, so it shapes what is learned

    def __post_init__(self):
        check_choice("truncation", self.truncation, TRUNCATIONS)
        for name in ("updates", "rollout", "epochs", "minibatches", "checkpoint_every"):
            check_whole(name, getattr(self, name), 1, MOST)
        for name in ("clip_decay", "clip_value", "learning_rate_decay", "normalise_advantages"):
            check_flag(name, getattr(self, name))
        for name in ("gamma", "gae_lambda", "sync_frac", "short_rollout_threshold"):
            check_share(name, getattr(self, name))
        for name in ("clip", "learning_rate", "adam_eps", "max_grad_norm"):
            value = getattr(self, name)
            if not is_number(value) or value <= 0:
                raise ValueError(f"{name} must be a positive number, got {value!r}")
        for name in ("value_coef", "entropy_coef"):
            value = getattr(self, name)
            if not is_number(value) or value < 0:
                raise ValueError(f"{name} must be a number and not negative, got {value!r}")

    def clip_at(self, update: int) -> float:
        """Of the update with that number, from 0 on."""
        return self.clip * (self._left(update) if self.clip_decay else 1.0)

    def learning_rate_at(self, update: int) -> float:
        """Of the update with that number, from 0 on."""
        return self.learning_rate * (self._left(update) if self.learning_rate_decay else 1.0)

    def what_is_learned(self) -> dict[str, Any]:
        """The options that a run must keep when it goes on: all, unless no decay has an end."""
        options = asdict(self)
        if not (self.clip_decay or self.learning_rate_decay):
            del options["updates"]
        return options

    def _left(self, update: int) -> float:
        return 1.0 - update / self.updates
