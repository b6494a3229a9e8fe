"""What is known in training only: where the target is, and what somebody who knew it would do."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.ppo.rollout import Minibatch
from av_envs.agents.separation.networks.belief import belief_loss
from av_envs.agents.separation.networks.policy import locating_loss
from av_envs.agents.separation.senses import Senses
from av_envs.conventions import N_HEADINGS
from av_envs.separation.actions import Action
from av_envs.separation.audio import ground_truth

# What is ahead, on the left, behind, on the right.
TOWARDS = (Action.FORWARD, Action.LEFT, Action.RIGHT, Action.RIGHT)
UNKNOWN = -100  # what cross entropy does not count


def expert_moves(ways: np.ndarray, quarters: np.ndarray) -> np.ndarray:
    """(N,) int64: walk the shortest way beside the target, face it, and stay.

    ways      (N,) `privileged("route_heading")`
    quarters  (N,) `privileged("bearing_quarters")`
    """
    turn = np.where(quarters == 0, Action.STAY, np.take(TOWARDS, quarters % N_HEADINGS))
    return np.where(ways >= 0, np.take(TOWARDS, ways % N_HEADINGS), turn).astype(np.int64)


class Truths:
    """`label` of `agents.ppo.plugins`: what losses may know about N environments.

    expert  (N,) int64, the move of `expert_moves`
    offset  (N, 2) float32 metres from the agent to the target, along its heading and to its left

    all on the `device` of the policy. With `senses`, whose estimates a memory learns to refine,
    also:

    passive  (N, 512, 32) float32, estimate of the passive separator
    truth    (N, 512, 32) float32, magnitude of the target's dry second
    """

    def __init__(
        self,
        envs: gym.vector.VectorEnv,
        senses: Senses | None = None,
        device: torch.device | str = "cpu",
    ):
        self.envs, self.senses, self.device = envs, senses, torch.device(device)

    def __call__(self, observation: Any, infos: Mapping[str, Any]) -> dict[str, Tensor]:
        """The truths of what is observed now."""
        bearing, quarters, ways = (
            np.array(self.envs.call("privileged", key))
            for key in ("target_bearing", "bearing_quarters", "route_heading")
        )
        metres = np.asarray(infos["distance_to_target"])
        offset = metres[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], axis=1)
        labels = {
            "expert": torch.from_numpy(expert_moves(ways, quarters)),
            "offset": torch.from_numpy(offset.astype(np.float32)),
        }
        if self.senses is not None:
            dry = np.stack(self.envs.call("target_second"))
            labels["truth"] = torch.from_numpy(ground_truth(dry).magnitude)
            labels["passive"] = self.senses.passive
        return {name: label.to(self.device) for name, label in labels.items()}


class Teaching:
    """`auxiliary_loss` of `agents.ppo.plugins`: where the target is, and what an expert does.

    A checkpoint keeps it, so that a run that goes on imitates as much as before.

    locating   weight of the error about the target's place
    imitating  weight of the cross entropy with the expert's moves in the first update
    until      share of the updates after which nothing is imitated any more
    updates    of the run

    Ross et al., "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online
    Learning", AISTATS 2011: the policy moves, the expert says what it should have done.
    """

    def __init__(self, locating: float, imitating: float, until: float, updates: int):
        self.locating, self.imitating = locating, imitating
        self.last = until * updates
        self.weight = imitating

    def at(self, update: int) -> None:
        """Set the weight of imitation for the update with that number."""
        left = max(0.0, 1.0 - update / self.last) if self.last else 0.0
        self.weight = self.imitating * left

    def state_dict(self) -> dict[str, float]:
        """The weight of imitation."""
        return {"weight": self.weight}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on with that weight."""
        self.weight = float(state["weight"])

    def __call__(self, output: PolicyOutput, minibatch: Minibatch) -> Tensor:
        """A mean over the steps that count."""
        moves = minibatch.labels["expert"].masked_fill(~minibatch.valid, UNKNOWN)
        labels = {"expert": moves, "offset": minibatch.labels["offset"]}
        return taught(output, labels, imitating=self.weight, locating=self.locating)


def taught(
    output: PolicyOutput, labels: Mapping[str, Tensor], *, imitating: float, locating: float
) -> Tensor:
    """What a teacher finds wrong with a policy, a mean over T steps of N environments.

    labels     of `Truths`, (T, N, ...); moves that are UNKNOWN do not count
    imitating  weight of the cross entropy with the expert's moves
    locating   weight of `locating_loss` and of `belief_loss`
    """
    loss = output.values.new_zeros(())
    if imitating > 0:
        moves = labels["expert"].flatten()
        loss = imitating * cross_entropy(output.logits.flatten(0, 1), moves)
    if locating > 0 and "bearing" in output.extra:
        loss = loss + locating * locating_loss(output.extra, labels["offset"])
    if locating > 0 and "belief" in output.extra:
        loss = loss + locating * belief_loss(output.extra["belief"], labels["offset"])
    return loss
