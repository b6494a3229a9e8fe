"""Hnet, a network that imitates the Hungarian algorithm, so that assignment has a gradient.

Adavanne, Politis and Virtanen, "Differentiable Tracking-Based Training of Deep Learning Sound
Source Localizers", WASPAA 2021. The weights that ship are trained by `hnet.py`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from av_envs.agents.separation.checkpoints import Header, network_header, save_network
from av_envs.agents.weight_files import MALFORMED, load_weights, one_line

AGENT = "hnet"
SHIPPED = Path(__file__).parent.parent / "weights" / "hnet.safetensors"
PAD = 10.0  # every coordinate of a reference that does not exist
CUT_OFF = 4.0  # distance from which on all are alike; no two unit vectors are more than 2 apart


@dataclass(frozen=True)
class HnetConfig:
    """Size of an Hnet; 100,098 weights for two tracks."""

    tracks: int = 2  # N
    hidden: int = 128


class Hnet(nn.Module):
    """Distances (B, N, N) to logits of the association of row i with column j.

    A GRU reads the rows one after the other; attention with one head, no bias and no scaling
    lets each row know the others. Unlike in the authors' code, distances are cut off: what is
    absent is tens to hundreds away, which saturates the GRU and drowns what tells pairs apart.
    """

    def __init__(self, config: HnetConfig | None = None):
        super().__init__()
        self.config = config or HnetConfig()
        n, hidden = self.config.tracks, self.config.hidden
        self.gru = nn.GRU(n, hidden, batch_first=True)
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.value = nn.Linear(hidden, hidden, bias=False)
        self.head = nn.Linear(hidden, n)

    def forward(self, distance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the association (B, N, N), of rows (B, N) and of columns (B, N) with any."""
        read, _ = self.gru(distance.clamp(max=CUT_OFF))  # (B, N, H)
        weights = torch.softmax(self.query(read) @ self.key(read).transpose(1, 2), dim=-1)
        logits = self.head(torch.tanh(weights @ self.value(read)))  # (B, N, N)
        return logits, logits.amax(dim=2), logits.amax(dim=1)


def hnet_loss(outputs: tuple[Tensor, Tensor, Tensor], association: Tensor) -> Tensor:
    """Cross entropies of cells, rows and columns, summed over them; mean over matrices.

    association  (B, N, N) float, at most one 1 per row and column
    """
    truths = (association, association.sum(dim=2), association.sum(dim=1))
    pairs = zip(outputs, truths, strict=True)
    return sum(cross_entropy(o, t, reduction="sum") for o, t in pairs) / len(association)


def save_hnet(hnet: Hnet, path: str | Path, made: dict[str, Any]) -> None:
    """Write a network; `made` tells how it was trained."""
    save_network(hnet, path, Header(AGENT, asdict(hnet.config), (), made))


def load_hnet(path: str | Path | None = None) -> Hnet:
    """A trained Hnet, frozen; None: the one that ships. ValueError for a file that is none."""
    path = SHIPPED if path is None else path
    header = network_header(path, AGENT)
    try:
        hnet = Hnet(HnetConfig(**header.config))
    except MALFORMED as error:
        raise ValueError(f"{path}: does not describe an Hnet: {one_line(error)}") from error
    load_weights(hnet, path, "Hnet")
    return hnet.eval().requires_grad_(False)
