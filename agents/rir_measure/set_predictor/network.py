"""The network: heads of attention over measured pairs, and a correction of what they say.

It starts out as the interpolation of `av_envs.rir_measure.predictors.interpolating`: for pairs
that see each other and for pairs that do not, the mean of the training dwellings, made louder by
measured pairs of that sort, the nearer the more. What it learns is how near is near, what to do
about walls, and which levels to raise or lower.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from av_envs.agents.rir_measure.set_predictor.knowledge import (
    MEASURED_FEATURES,
    N_LEVELS,
    QUERY_FEATURES,
    RELATIONS,
)
from av_envs.conventions import N_BANDS
from av_envs.rir_measure.predictors.envelope import N_TIMES
from av_envs.rir_measure.predictors.mean import mean_table

REACHES = (1.2, 1.2, 4.0, 4.0)  # m over which heads look at first; even ones at pairs in sight
DOUBTS = (1.0, 1.0, 30.0, 30.0)  # weight of the mean of the train split at first
HEADS = len(REACHES)
OTHER_SORT = -12.0  # logit of a measured pair of the other sort
WALL = 3.0  # that the logit of a measured pair falls by at first, for each end behind a wall
ANCHOR = 0.05  # m: measured pairs that near are repeated
LINE, ODDS = 0, 3  # features of a pair that hold the log distance and the log odds of sight
ODDS_UNIT = 5.0
# At first. Too loud costs more than too quiet, so pairs are lowered about which little is known:
# direct sound by log odds, hidden pairs by nepers per squared log distance
CAUTION, LEAN = 2.0, 0.5


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes."""

    attention: int = 32  # hidden units that compare two pairs
    trunk: int = 128  # hidden units that correct
    patterns: int = 24  # of log energy over time and band from which corrections are made
    words: int = 16  # numbers that the trunk reads of what each head says
    dropout: float = 0.1  # of hidden units, in training


class Compact(NamedTuple):
    """Compact responses of P pairs.

    direct    (P,) amplitude of the direct sound over that of a free field
    envelope  (P, 2, N_TIMES, 7) natural log of energy per sample, left ear first
    """

    direct: Tensor
    envelope: Tensor


class SetNetwork(nn.Module):
    """From a `Question`, as tensors, to `Compact` responses; the order of the set is nothing."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        compared = RELATIONS + MEASURED_FEATURES + QUERY_FEATURES
        self.compare = _mlp(compared, config.attention, HEADS, config.dropout)
        self.log_reach = nn.Parameter(torch.tensor(REACHES).log())
        self.log_doubt = nn.Parameter(torch.tensor(DOUBTS).log())
        self.wall = nn.Parameter(torch.full((HEADS,), WALL))
        self.lean = nn.Parameter(torch.tensor(LEAN))
        self.read = nn.Linear(N_LEVELS, config.words)
        told = QUERY_FEATURES + HEADS * (config.words + 1)
        said = 2 + (HEADS + 2) * N_TIMES + config.patterns
        self.trunk = _mlp(told, config.trunk, said, config.dropout)
        self.patterns = nn.Parameter(0.3 * torch.randn(config.patterns, N_LEVELS))
        lateral = torch.from_numpy(np.array(mean_table().lateral))
        self.register_buffer("lateral", lateral, persistent=False)
        sorts = torch.tensor([1.0, 0.0] * (HEADS // 2))
        self.register_buffer("sorts", sorts, persistent=False)

    def forward(
        self,
        features: Tensor,
        seen: Tensor,
        hidden: Tensor,
        sides: Tensor,
        relation: Tensor,
        measured: Tensor,
        louder: Tensor,
        direct: Tensor,
    ) -> Compact:
        shares = self._shares(features, relation, measured)  # (P, M, H)
        said = torch.einsum("pmh,ml->phl", shares, louder)  # (P, H, L)
        told = [features, (self.read(said) / 5).flatten(1), shares.sum(dim=1)]
        out = self.trunk(torch.cat(told, dim=1))
        odds, gates, turns, weights = out.split(
            [2, HEADS * N_TIMES, 2 * N_TIMES, self.config.patterns], dim=1
        )
        sight = torch.sigmoid(ODDS_UNIT * features[:, ODDS, None] - CAUTION + 2 * odds)  # (P, 2)
        gates = gates.unflatten(1, (HEADS, N_TIMES, 1)) + self._first_gates()
        said = (said.unflatten(2, (N_TIMES, N_BANDS)) * gates).flatten(2)
        of_seen, of_hidden = seen + said[:, 0::2].sum(1), hidden + said[:, 1::2].sum(1)
        unsure = (1 - told[2][:, 1]) * features[:, LINE].clamp(min=0).square()
        of_hidden = of_hidden - self.lean * unsure[:, None]
        mean = of_hidden + sight[:, :1] * (of_seen - of_hidden) + weights @ self.patterns
        mean, amplitude = _anchored(
            mean, sight[:, 1], seen, hidden, relation, measured, louder, direct
        )
        mean = mean.unflatten(1, (N_TIMES, N_BANDS))
        turns = turns.unflatten(1, (2, N_TIMES)) + torch.tensor([[1.0], [0.0]])
        tilt = (turns * sides[:, :, None]).sum(1)[..., None] * self.lateral / 2
        return Compact(amplitude, torch.stack([mean + tilt, mean - tilt], dim=1))

    def _first_gates(self) -> Tensor:
        return torch.tensor([1.0, 1.0, 0.0, 0.0])[:, None, None]

    def _shares(self, features: Tensor, relation: Tensor, measured: Tensor) -> Tensor:
        """(P, M, H) of each measured pair in what a head says; doubt has the rest."""
        p, m = relation.shape[:2]
        both = [
            relation[..., :2] / 5,
            relation[..., 2:],
            measured.expand(p, m, -1),
            features[:, None].expand(p, m, -1),
        ]
        gap = relation[..., :2].square().sum(dim=2, keepdim=True)
        behind = relation[..., 2:].sum(dim=2, keepdim=True)
        logit = self.compare(torch.cat(both, dim=2)) - gap / (2 * (2 * self.log_reach).exp())
        logit = logit - behind * self.wall
        logit = logit + OTHER_SORT * (measured[:, :1] - self.sorts).abs()
        doubt = self.log_doubt.expand(p, 1, HEADS)
        return torch.cat([logit, doubt], dim=1).softmax(dim=1)[:, :-1]


def _anchored(
    mean: Tensor,
    amplitude: Tensor,
    seen: Tensor,
    hidden: Tensor,
    relation: Tensor,
    measured: Tensor,
    louder: Tensor,
    direct: Tensor,
) -> tuple[Tensor, Tensor]:
    """The same, but where a measured pair is that near it is repeated."""
    if relation.shape[1] == 0:
        return mean, amplitude
    gap, nearest = relation[..., :2].square().sum(dim=2).min(dim=1)
    share = torch.exp(-gap / (2 * ANCHOR**2))
    was_seen = measured[nearest, :1] > 0.5
    was = torch.where(was_seen, seen, hidden) + louder[nearest]
    mean = mean + share[:, None] * (was - mean)
    return mean, amplitude + share * (direct[nearest] - amplitude)


def _mlp(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """Two hidden layers; says zero at first."""
    last = nn.Linear(hidden, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    first, second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
    drop = nn.Dropout(dropout)
    return nn.Sequential(first, nn.GELU(), drop, second, nn.GELU(), drop, last)
