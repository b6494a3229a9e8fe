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


class FrameConv(nn.Conv1d):
    """A convolution over the frames of (B, T, C), as one product of matrices.

    For one second at a time that is three times as fast as `nn.Conv1d`, for many no slower.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C of the output) from x (B, T, C)."""
        (kernel,), (padding,), (dilation,) = self.kernel_size, self.padding, self.dilation
        if kernel == 1:
            return functional.linear(x, self.weight[..., 0], self.bias)
        n_frames = x.shape[1]
        padded = functional.pad(x, (0, 0, padding, padding))
        shifted = [padded[:, k * dilation : k * dilation + n_frames] for k in range(kernel)]
        seen = torch.stack(shifted, dim=3).flatten(2)  # in the order of the weights
        return functional.linear(seen, self.weight.flatten(1), self.bias)


class FilmBlock(nn.Module):
    """x + convolutions of the normalised x, which the class scales and shifts."""

    def __init__(self, width: int, class_width: int, kernel: int, dilation: int):
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.normalise = nn.GroupNorm(1, width)
        self.modulate = nn.Linear(class_width, 2 * width)
        self.over_time = FrameConv(width, width, kernel, padding=padding, dilation=dilation)
        self.mix = FrameConv(width, width, 1)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """(B, T, C) from x of that shape and the embedding (B, E) of the class."""
        scale, shift = self.modulate(embedding)[:, None].chunk(2, dim=2)
        hidden = functional.layer_norm(x, x.shape[1:], eps=self.normalise.eps)
        hidden = (hidden * self.normalise.weight + self.normalise.bias) * (1 + scale) + shift
        return x + self.mix(functional.gelu(self.over_time(hidden)))


class TCNExtractor(nn.Module):
    """The magnitude of the target's image at both ears, by a mask over the mixture."""

    def __init__(self, n_classes: int, config: TCNConfig):
        super().__init__()
        self.embedding = nn.Embedding(n_classes, config.class_width)
        self.read = FrameConv(2 * N_FREQUENCIES, config.width, 1)
        self.blocks = _blocks(config, config.extractor_blocks)
        self.mask = FrameConv(config.width, 2 * N_FREQUENCIES, 1)

    def forward(
        self, mixture: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (B, 2, 512, T) and hidden features (B, T, C), which the converter reads.

        mixture  (B, 2, 512, T) linear magnitude
        label    (B,) int64 class of the target
        """
        hidden = self.features(mixture, label)
        mask = MASK_LIMIT * torch.sigmoid(self.mask(functional.gelu(hidden)) - 1)
        return mask.transpose(1, 2).reshape(mixture.shape) * mixture, hidden

    def features(self, mixture: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """(B, T, C) hidden features, of which `forward` makes the mask."""
        embedding = self.embedding(label)
        left, right = compressed(mixture).unbind(dim=1)
        sides = torch.cat([left + right, left - right], dim=1)
        hidden = self.read(sides.transpose(1, 2))
        for block in self.blocks:
            hidden = block(hidden, embedding)
        return hidden


class TCNConverter(nn.Module):
    """The magnitude of the target's dry sound, from its image at the ears."""

    def __init__(self, n_classes: int, config: TCNConfig):
        super().__init__()
        self.embedding = nn.Embedding(n_classes, config.class_width)
        self.read = FrameConv(2 * N_FREQUENCIES, config.width, 1)
        self.blocks = _blocks(config, config.converter_blocks)
        self.write = FrameConv(config.width, N_FREQUENCIES, 1)

    def forward(
        self, binaural: torch.Tensor, hidden: torch.Tensor | None, label: torch.Tensor
    ) -> torch.Tensor:
        """(B, 512, T) linear magnitude, not negative.

        binaural  (B, 2, 512, T) image at both ears
        hidden    (B, T, C) features of a `TCNExtractor`; None: of another extractor
        label     (B,) int64 class of the target
        """
        embedding = self.embedding(label)
        read = self.read(compressed(binaural).flatten(1, 2).transpose(1, 2))
        hidden = read if hidden is None else hidden + read
        for block in self.blocks:
            hidden = block(hidden, embedding)
        return functional.softplus(self.write(functional.gelu(hidden))).transpose(1, 2)


def compressed(magnitude: torch.Tensor) -> torch.Tensor:
    """Linear magnitudes on a scale on which quiet and loud ones are told apart."""
    return torch.log1p(COMPRESSION * magnitude) / 2


def _blocks(config: TCNConfig, n: int) -> nn.ModuleList:
    return nn.ModuleList(
        FilmBlock(config.width, config.class_width, config.kernel, dilation=2 ** (k % 4))
        for k in range(n)
    )
