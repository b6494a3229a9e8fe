"""A temporal convolutional network that separates one class from a second of binaural sound.

Frames are positions, frequencies are channels, and the class of the target scales and shifts
the channels of every block (FiLM: Perez et al., "FiLM: Visual Reasoning with a General
Conditioning Layer", AAAI 2018). The blocks are those of Conv-TasNet (Luo and Mesgarani,
IEEE/ACM TASLP 2019) with full convolutions: over 32 frames they are faster than separable ones.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

N_FREQUENCIES = 512
COMPRESSION = 30.0  # magnitudes m are read as log(1 + COMPRESSION m) / 2
MASK_LIMIT = 4.0  # the largest value of a mask; with S sources a perfect one is about 1


@dataclass(frozen=True)
class TCNConfig:
    """Sizes of `TCNExtractor` and `TCNConverter`."""

    width: int = 256  # channels of the blocks
    class_width: int = 64  # of the embedding of a class
    extractor_blocks: int = 4
    converter_blocks: int = 3
    kernel: int = 3  # frames


class FilmBlock(nn.Module):
    """x + convolutions of the normalised x, which the class scales and shifts."""

    def __init__(self, width: int, class_width: int, kernel: int, dilation: int):
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.normalise = nn.GroupNorm(1, width)
        self.modulate = nn.Linear(class_width, 2 * width)
        self.over_time = nn.Conv1d(width, width, kernel, padding=padding, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """(B, C, T) from x of that shape and the embedding (B, E) of the class."""
        scale, shift = self.modulate(embedding)[..., None].chunk(2, dim=1)
        hidden = self.normalise(x) * (1 + scale) + shift
        return x + self.mix(functional.gelu(self.over_time(hidden)))


class TCNExtractor(nn.Module):
    """The magnitude of the target's image at both ears, by a mask over the mixture."""

    def __init__(self, n_classes: int, config: TCNConfig):
        super().__init__()
        self.embedding = nn.Embedding(n_classes, config.class_width)
        self.read = nn.Conv1d(2 * N_FREQUENCIES, config.width, 1)
        self.blocks = _blocks(config, config.extractor_blocks)
        self.mask = nn.Conv1d(config.width, 2 * N_FREQUENCIES, 1)

    def forward(
        self, mixture: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (B, 2, 512, T) and hidden features (B, C, T), which the converter reads.

        mixture  (B, 2, 512, T) linear magnitude
        label    (B,) int64 class of the target
        """
        hidden = self.features(mixture, label)
        mask = MASK_LIMIT * torch.sigmoid(self.mask(functional.gelu(hidden)) - 1)
        return mask.reshape(mixture.shape) * mixture, hidden

    def features(self, mixture: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """(B, C, T) hidden features, of which `forward` makes the mask."""
        embedding = self.embedding(label)
        left, right = compressed(mixture).unbind(dim=1)
        hidden = self.read(torch.cat([left + right, left - right], dim=1))
        for block in self.blocks:
            hidden = block(hidden, embedding)
        return hidden


class TCNConverter(nn.Module):
    """The magnitude of the target's dry sound, from its image at the ears."""

    def __init__(self, n_classes: int, config: TCNConfig):
        super().__init__()
        self.embedding = nn.Embedding(n_classes, config.class_width)
        self.read = nn.Conv1d(2 * N_FREQUENCIES, config.width, 1)
        self.blocks = _blocks(config, config.converter_blocks)
        self.write = nn.Conv1d(config.width, N_FREQUENCIES, 1)

    def forward(
        self, binaural: torch.Tensor, hidden: torch.Tensor | None, label: torch.Tensor
    ) -> torch.Tensor:
        """(B, 512, T) linear magnitude, not negative.

        binaural  (B, 2, 512, T) image at both ears
        hidden    (B, C, T) features of a `TCNExtractor`; None: of another extractor
        label     (B,) int64 class of the target
        """
        embedding = self.embedding(label)
        read = self.read(compressed(binaural).flatten(1, 2))
        hidden = read if hidden is None else hidden + read
        for block in self.blocks:
            hidden = block(hidden, embedding)
        return functional.softplus(self.write(functional.gelu(hidden)))


def compressed(magnitude: torch.Tensor) -> torch.Tensor:
    """Linear magnitudes on a scale on which quiet and loud ones are told apart."""
    return torch.log1p(COMPRESSION * magnitude) / 2


def _blocks(config: TCNConfig, n: int) -> nn.ModuleList:
    return nn.ModuleList(
        FilmBlock(config.width, config.class_width, config.kernel, dilation=2 ** (k % 4))
        for k in range(n)
    )
