"""A rollout of numbers drawn at random, with episodes that end, and parts of it."""

from dataclasses import fields, replace

import torch

from av_envs.agents.ppo.losses import log_prob
from av_envs.agents.ppo.rollout import Rollout

T = 6


def made_rollout(policy: torch.nn.Module, n: int, seed: int = 4) -> Rollout:
    """What the policy, of three numbers and two actions, might have played."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    features, starts = {"seen": drawn(T, n, 3)}, drawn(T, n) > 1.0
    state = policy.initial_state(n) + drawn(*policy.initial_state(n).shape)
    actions = (drawn(T, n) > 0).long()
    dones = starts.roll(-1, 0)
    dones[-1] = False
    with torch.no_grad():
        output = policy(features, state, starts)
    return Rollout(
        features=features,
        labels={"truth": drawn(T, n)},
        actions=actions,
        log_probs=log_prob(output.logits, actions),
        values=output.values,
        rewards=drawn(T, n),
        starts=starts,
        dones=dones,
        final_values=drawn(T, n) * dones,
        valid=drawn(T, n) > -1.5,
        last_value=drawn(n),
        state=state,
    )


def sliced(rollout: Rollout, part: slice) -> Rollout:
    """These environments only."""

    def cut(name: str, value):
        if isinstance(value, dict):
            return {key: tensor[:, part] for key, tensor in value.items()}
        return value[part] if name in ("state", "last_value") else value[:, part]

    cuts = {each.name: cut(each.name, getattr(rollout, each.name)) for each in fields(rollout)}
    return replace(rollout, **cuts)
