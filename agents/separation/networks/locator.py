"""Where the target is, by one second of binaural sound and its class.

The separator is taught what a target sounds like, not how sure it may be of it, nor where it is:
of two voices it often leaves over the wrong one. This network begins with the weights of its
extractor, hears by how much a sound comes earlier to one ear as well, and answers with a
distribution, so that seconds of doubt and seconds that settle it can be added up.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, log_softmax, relu

from av_envs.agents.separation.networks.delays import LAGS, lag_matrix, phase_differences
from av_envs.agents.separation.networks.tcn import (
    N_FREQUENCIES,
    FilmBlock,
    FrameConv,
    TCNConfig,
    TCNExtractor,
)

AZIMUTHS = 36  # directions, counter-clockwise from straight ahead, 10 degrees apart
EDGES = (1.5, 2.5, 3.5, 4.5, 6.0, 8.0)  # metres between two ranges of distance
RANGES = len(EDGES) + 1
PHASE_BINS = 256  # the lowest ones, up to 4 kHz
PLACE_SIZE = AZIMUTHS + RANGES
EPSILON = 1e-6


@dataclass(frozen=True)
class LocatorConfig:
    """Size of a `TargetLocator`."""

    n_classes: int
    tcn: TCNConfig = field(default_factory=lambda: TCNConfig(width=192))
    blocks: int = 2  # after those of the extractor
    hidden: int = 256


class TargetLocator(nn.Module):
    """Log probabilities of the target's direction and distance."""

    def __init__(self, config: LocatorConfig):
        super().__init__()
        self.config = config
        tcn = config.tcn
        self.extractor = TCNExtractor(config.n_classes, tcn)
        self.phases = FrameConv(2 * PHASE_BINS, tcn.width, 1)
        self.blocks = nn.ModuleList(
            FilmBlock(tcn.width, tcn.class_width, tcn.kernel, dilation=2**k)
            for k in range(config.blocks)
        )
        self.attention = FrameConv(tcn.width, 4, 1)
        self.shares = FrameConv(tcn.width, PHASE_BINS, 1)
        self.gcc = nn.Linear(2 * LAGS, 128)
        self.register_buffer("by_lag", lag_matrix(PHASE_BINS), persistent=False)
        self.dense = nn.Linear(4 * tcn.width + 128, config.hidden)
        self.azimuth = nn.Linear(config.hidden, AZIMUTHS)
        self.distance = nn.Linear(config.hidden, RANGES)

    def forward(self, mixture: Tensor, phases: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities (B, 36) of directions and (B, 7) of distances.

        mixture  (B, 2, 512, 32) linear magnitude at both ears
        phases   (B, 2 PHASE_BINS, 32) of `phases_of`
        label    (B,) int64 class of the target
        """
        hidden = self.extractor.features(mixture, label)
        shares = torch.sigmoid(self.shares(gelu(hidden))).transpose(1, 2)
        hidden = hidden + self.phases(phases.transpose(1, 2))
        embedding = self.extractor.embedding(label)
        for block in self.blocks:
            hidden = block(hidden, embedding)
        hidden = gelu(hidden)
        frames = self.attention(hidden).softmax(dim=1)  # (B, 32, 4): which of them count
        pooled = (frames.transpose(1, 2) @ hidden).flatten(1)
        lags = relu(self.gcc(self.correlations(phases, mixture, shares).flatten(1)))
        told = relu(self.dense(torch.cat([pooled, lags], dim=1)))
        return log_softmax(self.azimuth(told), dim=1), log_softmax(self.distance(told), dim=1)

    def begin_with(self, extractor: nn.Module) -> None:
        """Take over what a separator's extractor knows; ValueError unless it is a TCN as wide."""
        if not isinstance(extractor, TCNExtractor):
            raise ValueError(
                f"a locator begins with a TCNExtractor, got {type(extractor).__name__}"
            )
        self.extractor.load_state_dict(extractor.state_dict())
        mask = extractor.mask
        for mine, other in ((self.shares.weight, mask.weight), (self.shares.bias, mask.bias)):
            ears = other.detach().unflatten(0, (2, N_FREQUENCIES))[:, :PHASE_BINS]
            mine.data.copy_(ears.mean(dim=0))

    def place(self, mixture: Tensor, phases: Tensor, label: Tensor) -> Tensor:
        """(B, 43) both side by side."""
        return torch.cat(self(mixture, phases, label), dim=1)

    def correlations(self, phases: Tensor, mixture: Tensor, shares: Tensor) -> Tensor:
        """(B, 2, 33) generalised cross-correlations (PHAT) of the ears by lag.

        phases  (B, 2 PHASE_BINS, 32), cosines and sines
        shares  (B, PHASE_BINS, 32) of the target in each bin

        Of the bins of the target, and of all, each with the square root of its magnitude.
        """
        loud = mixture[:, :, :PHASE_BINS].prod(dim=1).sqrt().sqrt()
        ours = shares * loud
        both = phases.unflatten(1, (2, PHASE_BINS))
        rows = []
        for weight in (ours, loud):
            summed = (both * weight[:, None]).sum(dim=-1).flatten(1)  # (B, 2 PHASE_BINS)
            rows.append(summed @ self.by_lag / weight.sum(dim=(1, 2)).clamp(min=EPSILON)[:, None])
        return torch.stack(rows, dim=1)


def ranges_of(metres: Tensor) -> Tensor:
    """The range of each distance, int64: 0 up to EDGES[0], 6 beyond the last one."""
    return torch.bucketize(metres, metres.new_tensor(EDGES))


def phases_of(spectra: Tensor) -> Tensor:
    """(B, 2 PHASE_BINS, 32) cosines and sines of left times conjugate of right, silence 0.

    spectra  (B, 2, 512, 32) complex, at both ears
    """
    return phase_differences(spectra[:, :, :PHASE_BINS])[0].flatten(1, 2)
