"""Where the target may be: what a `TargetLocator` says of every second, added up on a map.

A voice is taken for another one in some seconds and not in others, front sounds like back until
the head turns, and one bearing leaves the distance open until a second one crosses it. A Bayes
filter over places on a grid settles all three; how much one second counts is learned.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad, softplus

from av_envs.agents.separation.networks.locator import AZIMUTHS, RANGES, ranges_of

REACH = 12  # metres: the map ends so far from the start, in cells of one metre
SIDE = 2 * REACH + 1
AROUND = 8  # metres about the agent that are shown to it
SHOWN = 2 * AROUND + 1
NEVER = -30.0  # log probability that counts as none
SOLID = 0.5  # metres: nobody stands where a source is
UNKNOWN = -100  # cell that cross entropy does not count


class Belief(nn.Module):
    """A Bayes filter of the target's place, in the frame of the start of an episode.

    Its state are log probabilities, (N, 625): 25 by 25 cells, forward by left, those farther than
    12 m forgotten. What it learns: how much the direction and the distance of one second count
    (seconds of one voice err alike), how often a direction is wrong altogether, and how probable
    a distance is before anything is heard, of the agent and of the start.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust = nn.Parameter(torch.zeros(2))  # softplus; of direction and distance
        self.wrong = nn.Parameter(torch.tensor(-2.0))  # logit
        self.expected = nn.Parameter(torch.zeros(RANGES))  # log odds of distances told
        self.begun = nn.Parameter(torch.zeros(RANGES))  # of distances from the start
        along = torch.arange(SIDE) - REACH
        cells = torch.stack(torch.meshgrid(along, along, indexing="ij"), dim=-1).flatten(0, 1)
        self.register_buffer("cells", cells.float(), persistent=False)  # (625, 2)
        near = torch.arange(SHOWN) - AROUND
        shown = torch.stack(torch.meshgrid(near, near, indexing="ij"), dim=-1).flatten(0, 1)
        self.register_buffer("shown", shown.float(), persistent=False)  # (289, 2)

    def initial_state(self, n: int) -> Tensor:
        """(n, 625) zeros; what is probable at first is added with the start of an episode."""
        return self.trust.new_zeros(n, SIDE * SIDE)

    def forward(
        self, place: Tensor, pose: Tensor, state: Tensor, starts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log probabilities (T, N, 17, 17) about the agent, ahead by left, and the last state.

        place   (T, N, 43) of `TargetLocator.place`
        pose    (T, N, 4) metres forward and left of the start, radians, seconds
        state   (N, 625)
        starts  (T, N) bool
        """
        told = self.told(place, pose)
        first = self.begun[ranges_of(self.cells.norm(dim=-1))]
        maps = []
        for step, begins in zip(told, starts, strict=True):
            state = torch.where(begins[:, None], first, state) + step
            state = state - state.logsumexp(dim=1, keepdim=True)
            maps.append(state)
        return self.about(torch.stack(maps), pose), state

    def told(self, place: Tensor, pose: Tensor) -> Tensor:
        """(T, N, 625) what each second adds to the log probabilities, up to a constant."""
        offsets = self.cells - pose[..., None, :2]
        metres = offsets.norm(dim=-1)
        bearing = torch.atan2(offsets[..., 1], offsets[..., 0]) - pose[..., None, 2]
        azimuth, distance = place.split((AZIMUTHS, RANGES), dim=-1)
        chances = between(azimuth.exp() * AZIMUTHS, bearing)
        wrong = self.wrong.sigmoid()
        direction = (wrong + (1 - wrong) * chances).log()
        ratio = distance - self.expected.log_softmax(dim=0)
        trust = softplus(self.trust)
        told = trust[0] * direction + trust[1] * ratio.gather(-1, ranges_of(metres))
        return told.masked_fill(metres < SOLID, NEVER)

    def about(self, maps: Tensor, pose: Tensor) -> Tensor:
        """(T, N, 17, 17) of maps (T, N, 625), shifted and turned to the agent."""
        cosine, sine = pose[..., 2].cos()[..., None], pose[..., 2].sin()[..., None]
        ahead, left = self.shown.unbind(dim=-1)
        forward = pose[..., 0, None] + cosine * ahead - sine * left
        sideways = pose[..., 1, None] + sine * ahead + cosine * left
        row, column = ((axis.round().long() + REACH) for axis in (forward, sideways))
        inside = (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
        cell = torch.where(inside, row * SIDE + column, SIDE * SIDE)
        padded = pad(maps, (0, 1), value=NEVER)
        return padded.gather(-1, cell).unflatten(-1, (SHOWN, SHOWN))


def between(chances: Tensor, bearing: Tensor) -> Tensor:
    """(..., C) values at bearings (..., C) in radians, of chances (..., 36) on a circle."""
    places = bearing / (2 * torch.pi) * AZIMUTHS
    below = places.floor()
    share, first = places - below, below.long() % AZIMUTHS
    after = (first + 1) % AZIMUTHS
    return (1 - share) * chances.gather(-1, first) + share * chances.gather(-1, after)


def belief_loss(shown: Tensor, offset: Tensor) -> Tensor:
    """Cross entropy of the target's cell, a mean over T and N; 0 where it is not shown.

    shown   (T, N, 17, 17) of `Belief`
    offset  (T, N, 2) metres from the agent to the target, along its heading and to its left
    """
    cell = offset.round().long() + AROUND
    inside = ((cell >= 0) & (cell < SHOWN)).all(dim=-1)
    index = (cell[..., 0] * SHOWN + cell[..., 1]).masked_fill(~inside, UNKNOWN)
    counted = inside.sum().clamp(min=1)
    lost = cross_entropy(shown.flatten(0, 1).flatten(1), index.flatten(), reduction="sum")
    return lost / counted
