"""What PPO asks of a policy, and two small ones: a feed-forward and a recurrent one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor, nn

HIDDEN = 64  # width of the small policies


@dataclass(frozen=True)
class PolicyOutput:
    """What a policy says about T steps of N environments.

    logits  (T, N, A) float, of the actions; of a team (T, N, R, A), one row for each of R robots
    values  (T, N) float, expected discounted reward to come; of a team (T, N, R)
    state   (N, S) float, what is remembered after the last step
    extra   whatever an auxiliary loss wants to see
    """

    logits: Tensor
    values: Tensor
    state: Tensor
    extra: Mapping[str, Any] = field(default_factory=dict)


class Policy(Protocol):
    """A `torch.nn.Module` with these two; nobody needs to inherit from this class."""

    def initial_state(self, n: int) -> Tensor:
        """(n, S) float, what n environments remember before their first step."""
        ...

    def __call__(self, features: dict[str, Tensor], state: Tensor, starts: Tensor) -> PolicyOutput:
        """What it says, step after step, see `PolicyOutput`.

        features  name -> (T, N, ...)
        state     (N, S) float, before the first of the steps; is not changed in place
        starts    (T, N) bool, an episode begins with this step: what is remembered is reset
        """
        ...


def orthogonal(layer: nn.Linear, gain: float = math.sqrt(2)) -> nn.Linear:
    """The layer with orthogonal weights and no bias: Saxe et al., ICLR 2014."""
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class GRUCore(nn.Module):
    """A gated recurrent unit over sequences in which episodes begin anywhere.

    Its state is (N, hidden_size) float, zeros at the start of an episode.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.gru = nn.GRU(input_size, hidden_size)
        for name, weights in self.gru.named_parameters():
            if "bias" in name:
                nn.init.zeros_(weights)
            else:
                for gate in weights.chunk(3):
                    nn.init.orthogonal_(gate)

    def initial_state(self, n: int) -> Tensor:
        """(n, hidden_size) zeros."""
        return self.gru.weight_hh_l0.new_zeros(n, self.hidden_size)

    def forward(self, inputs: Tensor, state: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (T, N, hidden_size) and the state after the last step.

        inputs  (T, N, input_size)
        state   (N, hidden_size)
        starts  (T, N) bool
        """
        # Between two steps at which any episode begins, the unit runs over all at once.
        cuts = [0, *(starts[1:].any(1).nonzero().flatten() + 1).tolist(), len(inputs)]
        outputs = []
        for first, end in pairwise(cuts):
            kept = state.masked_fill(starts[first][:, None], 0.0)
            output, last = self.gru(inputs[first:end], kept[None])
            outputs.append(output)
            state = last[0]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs), state


def flat(features: Mapping[str, Tensor]) -> Tensor:
    """All features side by side, (T, N, sum of their sizes), in the order of their names."""
    return torch.cat([features[name].flatten(2) for name in sorted(features)], -1)


class MLPPolicy(nn.Module):
    """Remembers nothing: two layers for the actions, two for the value.

    size     numbers of all features of an environment
    actions  A
    """

    def __init__(self, size: int, actions: int, hidden: int = HIDDEN):
        super().__init__()
        self.actor = _two_layers(size, hidden, actions, gain=0.01)
        self.critic = _two_layers(size, hidden, 1, gain=1.0)

    def initial_state(self, n: int) -> Tensor:
        """(n, 0)"""
        return self.actor[0].weight.new_zeros(n, 0)

    def forward(self, features: dict[str, Tensor], state: Tensor, starts: Tensor) -> PolicyOutput:
        seen = flat(features)
        return PolicyOutput(self.actor(seen), self.critic(seen).squeeze(-1), state)


class GRUPolicy(nn.Module):
    """Remembers by a `GRUCore` behind one layer; one more layer for the actions and the value.

    size     numbers of all features of an environment
    actions  A
    """

    def __init__(self, size: int, actions: int, hidden: int = HIDDEN):
        super().__init__()
        self.encoder = nn.Sequential(orthogonal(nn.Linear(size, hidden)), nn.Tanh())
        self.core = GRUCore(hidden, hidden)
        self.actor = orthogonal(nn.Linear(hidden, actions), gain=0.01)
        self.critic = orthogonal(nn.Linear(hidden, 1), gain=1.0)

    def initial_state(self, n: int) -> Tensor:
        """(n, hidden) zeros."""
        return self.core.initial_state(n)

    def forward(self, features: dict[str, Tensor], state: Tensor, starts: Tensor) -> PolicyOutput:
        known, state = self.core(self.encoder(flat(features)), state, starts)
        return PolicyOutput(self.actor(known), self.critic(known).squeeze(-1), state)


def _two_layers(size: int, hidden: int, outputs: int, gain: float) -> nn.Sequential:
    return nn.Sequential(
        orthogonal(nn.Linear(size, hidden)),
        nn.Tanh(),
        orthogonal(nn.Linear(hidden, hidden)),
        nn.Tanh(),
        orthogonal(nn.Linear(hidden, outputs), gain),
    )
