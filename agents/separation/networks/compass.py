"""A recurrent core that remembers directions as somebody with a compass does.

What the ears tell is relative to the head: a voice on the left is ahead after a turn. A network
would have to learn to turn all that it remembers with every turn of the head. Here pairs of
numbers are vectors which are turned into the frame of the start before they are remembered, and
back to the head before something is made of them, so directions that were heard in different
headings add up.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.ppo.policy import GRUCore


class CompassCore(nn.Module):
    """A `GRUCore` between two turns.

    input_size   numbers that are sensed
    state_size   of the unit
    n_vectors    that are made of what is sensed, and again of what is remembered
    plain_size   numbers of both that are not turned
    output_size  of what comes out
    """

    def __init__(
        self,
        input_size: int,
        state_size: int,
        n_vectors: int = 64,
        plain_size: int = 128,
        output_size: int = 128,
    ):
        super().__init__()
        self.heard = nn.Linear(input_size, 2 * n_vectors)
        self.plain = nn.Linear(input_size, plain_size)
        self.core = GRUCore(2 * n_vectors + plain_size, state_size)
        self.remembered = nn.Linear(state_size, 2 * n_vectors)
        self.output = nn.Linear(2 * n_vectors + state_size, output_size)
        self.output_size = output_size
        for layer in (self.heard, self.plain, self.remembered, self.output):
            start_he_normal(layer)

    def initial_state(self, n: int) -> Tensor:
        """(n, state_size) zeros."""
        return self.core.initial_state(n)

    def forward(
        self, inputs: Tensor, headings: Tensor, state: Tensor, starts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Outputs (T, N, output_size) and the state after the last step.

        inputs    (T, N, input_size)
        headings  (T, N) radians, counter-clockwise, against that of the start
        state     (N, state_size)
        starts    (T, N) bool
        """
        vectors = turned(self.heard(inputs), headings)
        kept = torch.cat([vectors, relu(self.plain(inputs))], dim=-1)
        hidden, state = self.core(kept, state, starts)
        vectors = turned(self.remembered(hidden), -headings)
        return relu(self.output(torch.cat([vectors, hidden], dim=-1))), state


def turned(vectors: Tensor, angles: Tensor) -> Tensor:
    """Vectors (..., 2 K), x and y of one after the other, turned by angles (...) in radians."""
    x, y = vectors.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = angles.cos()[..., None], angles.sin()[..., None]
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=-1).flatten(-2)
