"""What a task adds to PPO, all of it optional."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.ppo.rollout import Minibatch, Rollout

Features = dict[str, Tensor]


class Stateful(Protocol):
    """What a checkpoint can keep: a module, an optimiser or an object of your own.

    Its state is made of dicts, lists, tuples, tensors, texts, numbers and None.
    """

    def state_dict(self) -> Mapping[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Plugins:
    """Calls at the places where tasks differ.

    perceive        (observation, starts) -> features, name -> (N, ...): what the policy sees of
                    an observation of all environments. `starts` (N,) bool, on the device of the
                    policy, says where an episode begins. Called once for each observation in
                    turn, so it may remember; then it must have a method `peek(observation,
                    rows)`, see `collect.Collector`. By default the arrays of the observation as
                    float32, under their keys or "observation".
    answer          (moves) -> actions of the environments; moves (N,) int64 on the device of the
                    policy, (N, R) of teams. By default the moves as an array of the host.
    reward          (rewards, output) -> rewards to learn from, of the form of the values: what the
                    environments gave, (N,) float32, and what the policy had said, of one step.
                    By default as they are; for a team all of it to every robot.
    label           (observation, infos) -> labels, name -> (N, ...): what losses may see beside
                    the features, such as truths about the target. By default nothing.
    auxiliary_loss  (output, minibatch) -> scalar, a mean over the minibatch, weighted by itself:
                    is added to the loss. By default nothing.
    after_update    (rollout, number of the update) -> scalars to log or None: may learn from the
                    rollout, too. By default nothing.
    at_checkpoint   (number of the update) -> scalars to log or None: called on the first rank
                    before a checkpoint is written, to validate; draws no random numbers of the
                    run. By default nothing.
    """

    perceive: Callable[[Any, Tensor], Features] | None = None
    answer: Callable[[Tensor], Any] | None = None
    reward: Callable[[Tensor, PolicyOutput], Tensor] | None = None
    label: Callable[[Any, Mapping[str, Any]], Features] | None = None
    auxiliary_loss: Callable[[PolicyOutput, Minibatch], Tensor] | None = None
    after_update: Callable[[Rollout, int], Mapping[str, float] | None] | None = None
    at_checkpoint: Callable[[int], Mapping[str, float] | None] | None = None


Peek = Callable[[Any, np.ndarray], Features]  # (K observations, their rows) -> (K, ...)
