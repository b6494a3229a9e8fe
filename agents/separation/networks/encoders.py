"""What the policy senses, turned to vectors: F^V, F^B and F^M of the papers, and small ones.

Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022: three
convolutions and a dense layer each. The small encoder of sounds reads 32 bands by eight parts of
the second, see `bands`.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.separation.networks.slicing import (
    BANDS,
    BINS,
    N_FRAMES,
    N_FREQUENCIES,
    checked_shape,
    sliced,
)

IMAGE_SIDE = 128  # pixels
PAPER_CHANNELS = (32, 64, 32)  # of the three convolutions
VIEW_LAYERS = ((8, 4), (4, 2), (3, 1))  # kernel, stride
SOUND_LAYERS = ((8, 4), (4, 2), (2, 1))

MEL_BANDS, PARTS = 32, 8  # of `bands`: evenly wide on the mel scale, by parts of a second
CHANNELS = {1: 1, 2: 3}  # of `bands`, by ears
TOP_HZ = 8000  # of the highest bin
FAINTEST = 1e-6  # mean squared magnitude that counts as silence; a room's quiet end is 1e-5
LEVEL_RANGE = (-6.0, 3.0)  # log10 of the mean squared magnitude
COLUMNS = 16  # of `walls`
HORIZON = slice(40, 80)  # rows of a view
DIFFERENCE = 2.0  # log10 of the ratio between the ears that becomes 1


def _band_weights() -> Tensor:
    """(32, 512): row k averages the bins of band k."""
    mel = np.linspace(0, np.log10(1 + TOP_HZ / 700), MEL_BANDS + 1)
    edges = np.round((10**mel - 1) * 700 / TOP_HZ * N_FREQUENCIES).astype(int)
    bins = np.arange(N_FREQUENCIES)
    inside = (bins >= edges[:-1, np.newaxis]) & (bins < edges[1:, np.newaxis])
    return torch.from_numpy(inside / inside.sum(axis=1, keepdims=True)).float()


_BAND_WEIGHTS = _band_weights()


def bands(spectrogram: Tensor) -> Tensor:
    """(..., C, 32, 8) levels of 32 bands and eight parts of the second; C is 1 or, of two ears, 3.

    spectrogram  (..., 1 or 2, 512, 32) magnitude; what is negative counts as silence

    Channel 0 is the level, 0..1 on a scale of 90 dB, of two ears the mean of their levels. With
    two ears channel 1 says by how much the left one is louder, 1 being 20 dB: where the sound
    comes from is worth a few dB, which a network does not see on the scale of levels. Channel 2 is
    the same weighted with the amplitude against that of the loudest band and part: in what a
    separator leaves over of a mixture, the loud parts are the target's, and the others are not.
    """
    ears = spectrogram.shape[-3] if spectrogram.ndim >= 3 else None
    if ears not in (1, 2) or spectrogram.shape[-2:] != (N_FREQUENCIES, N_FRAMES):
        raise ValueError(
            f"spectrogram must be (..., 1 or 2, 512, 32); got {tuple(spectrogram.shape)}"
        )
    energy = _BAND_WEIGHTS.to(spectrogram.device) @ spectrogram.float().clamp(min=0).square()
    energy = energy.unflatten(-1, (PARTS, N_FRAMES // PARTS)).mean(dim=-1)  # (..., C, 32, 8)
    levels = energy.clamp(min=FAINTEST).log10()
    low, high = LEVEL_RANGE
    level = ((levels.mean(dim=-3, keepdim=True) - low) / (high - low)).clamp(0, 1)
    if ears == 1:
        return level
    left, right = levels.split(1, dim=-3)
    difference = ((left - right) / DIFFERENCE).clamp(-1, 1)
    amplitude = energy.mean(dim=-3, keepdim=True).sqrt()
    loudest = amplitude.amax(dim=(-2, -1), keepdim=True).clamp(min=FAINTEST**0.5)
    return torch.cat([level, difference, difference * amplitude / loudest], dim=-3)


def walls(depth: Tensor) -> Tensor:
    """(B, 16) how near what is ahead is, from left to right, 1 at the eye and 0 from 10 m on.

    depth  (B, 128, 128, 1) of the view; rows about the horizon count, and of each column of 8
           pixels the nearest one
    """
    if tuple(depth.shape[1:]) != (IMAGE_SIDE, IMAGE_SIDE, 1):
        raise ValueError(f"depth must be (B, 128, 128, 1); got {tuple(depth.shape)}")
    about = depth[:, HORIZON, :, 0].unflatten(-1, (COLUMNS, IMAGE_SIDE // COLUMNS))
    return 1 - about.amin(dim=(1, 3))


class ViewEncoder(nn.Module):
    """A picture to a vector: F^V of the paper with its channels and 512 features."""

    def __init__(self, channels: tuple[int, int, int] = PAPER_CHANNELS, features: int = 512):
        super().__init__()
        self.convolutions, side = _convolutions(3, channels, VIEW_LAYERS, IMAGE_SIDE)
        self.dense = nn.Linear(channels[-1] * side * side, features)
        start_he_normal(self)

    def forward(self, rgb: Tensor) -> Tensor:
        """(B, features) of (B, 128, 128, 3) uint8."""
        if tuple(rgb.shape[1:]) != (IMAGE_SIDE, IMAGE_SIDE, 3) or rgb.dtype != torch.uint8:
            raise ValueError(
                f"rgb must be (B, 128, 128, 3) uint8; got {tuple(rgb.shape)} {rgb.dtype}"
            )
        first, second, third = self.convolutions
        pictures = rgb.movedim(-1, 1).to(self.dense.weight.dtype) / 255
        # no ReLU after the third, as in the paper's code
        return relu(self.dense(third(relu(second(relu(first(pictures))))).flatten(1)))


class SpectrogramEncoder(nn.Module):
    """Spectrograms to a vector: F^B of the paper with two ears, F^M with one channel.

    inputs  spectrograms side by side, such as two ears
    """

    def __init__(
        self,
        inputs: int,
        channels: tuple[int, int, int] = PAPER_CHANNELS,
        features: int = 512,
    ):
        super().__init__()
        self.inputs = inputs
        self.convolutions, side = _convolutions(inputs * BANDS, channels, SOUND_LAYERS, BINS)
        self.dense = nn.Linear(channels[-1] * side * side, features)
        start_he_normal(self)

    def forward(self, spectrograms: Tensor) -> Tensor:
        """(B, features) of (B, inputs, 512, 32) magnitudes; what is negative counts as 0."""
        checked_shape(spectrograms, "spectrograms", (self.inputs,))
        planes = sliced(spectrograms.clamp(min=0).log1p())
        for layer in self.convolutions:
            planes = relu(layer(planes))
        return relu(self.dense(planes.flatten(1)))


class BandEncoder(nn.Module):
    """Levels of bands to a vector: one dense layer, for training on few cores.

    inputs  1 or 2 ears
    """

    def __init__(self, inputs: int, features: int = 128):
        super().__init__()
        self.inputs = inputs
        self.reduced = (CHANNELS[inputs], MEL_BANDS, PARTS)
        self.dense = nn.Linear(CHANNELS[inputs] * MEL_BANDS * PARTS, features)
        start_he_normal(self)

    def forward(self, sound: Tensor) -> Tensor:
        """(B, features) of (B, C, 32, 8) `bands`, or of (B, inputs, 512, 32) magnitudes."""
        if tuple(sound.shape[1:]) != self.reduced:
            sound = bands(checked_shape(sound, "sound that is not bands already", (self.inputs,)))
        return relu(self.dense(sound.flatten(1)))


class VectorEncoder(nn.Module):
    """Few numbers to a vector: one dense layer.

    inputs  how many numbers
    """

    def __init__(self, inputs: int, features: int = 128):
        super().__init__()
        self.dense = nn.Linear(inputs, features)
        start_he_normal(self)

    def forward(self, numbers: Tensor) -> Tensor:
        """(B, features) of (B, ...)."""
        return relu(self.dense(numbers.float().flatten(1)))


def _convolutions(
    inputs: int,
    channels: tuple[int, int, int],
    layers: tuple[tuple[int, int], ...],
    side: int,
) -> tuple[nn.ModuleList, int]:
    """The layers, and the side of what comes out of a square of `side`."""
    modules = nn.ModuleList()
    for after, (kernel, stride) in zip(channels, layers, strict=True):
        modules.append(nn.Conv2d(inputs, after, kernel, stride))
        inputs, side = after, (side - kernel) // stride + 1
    return modules, side
