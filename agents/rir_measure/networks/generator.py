"""The generator of impulse responses: E_r, E_m and D_r of the paper. It hears nothing.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023, section 3.4: from
what emitter and receiver see, their headings and positions, now and a moment before, to a
response. D_r follows the generator of Karras et al., "Progressive Growing of GANs", ICLR 2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import torch
from torch import Tensor, nn

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.rir_measure.networks.encoders import Encoder, SenseConfig
from av_envs.options import check_choice, check_whole
from av_envs.rir_measure.observation import MEMORY

EARS = 2
ENDS = 2  # of a pair: who emits and who receives
SIDE = 128  # of the picture whose rows, 8 ms each, are a response one after the other
FIRST_SIDE = 4
SLOPE = 0.2  # of leaky ReLUs
POSITION_SIZE = 64
PIXEL_EPS = 1e-8
# Most of a response is much quieter than its loudest sample: a step of the optimiser must not be
# louder than the response. And before it has learnt anything, the generator is nearly silent.
GAIN = 0.05  # between the last layer and what is drawn
QUIET = 2e-3  # factor of the first weights of the last layer
ACTIVATIONS = ("sigmoid_affine", "tanh")
AMPLITUDE = 2.0  # the loudest sample of training dwellings is 1.3: ears beside the loudspeaker


@dataclass(frozen=True)
class GeneratorConfig:
    """Of a `RIRGenerator`; the defaults are the paper's.

    channels  of pictures of 4, 8, 16, ... pixels; where the last is smaller than 128, every one of
              its pixels says a square of the response's picture
    """

    kappa: int = 2  # joint observations that are remembered, the present one included; 0: no E_m
    latent_size: int = 512
    channels: tuple[int, ...] = (512, 256, 256, 128, 64, 32)
    amplitude: float = AMPLITUDE  # A: responses lie within -A..A
    output: str = "sigmoid_affine"  # A (2 sigmoid(x) - 1); "tanh": A tanh(x)

    def __post_init__(self):
        object.__setattr__(self, "channels", tuple(self.channels))  # a list in JSON
        check_whole("kappa", self.kappa, 0, MEMORY)
        check_choice("output", self.output, ACTIVATIONS)
        most = int(log2(SIDE / FIRST_SIDE)) + 1
        if not 1 <= len(self.channels) <= most:
            raise ValueError(f"channels must be 1 to {most} numbers, got {self.channels}")
        if not self.amplitude > 0:
            raise ValueError(f"amplitude must be positive, got {self.amplitude!r}")


class PixelNorm(nn.Module):
    """Every pixel of (B, C, ...) divided by its root mean square over the channels."""

    def forward(self, picture: Tensor) -> Tensor:
        return picture * (picture.square().mean(dim=1, keepdim=True) + PIXEL_EPS).rsqrt()


class RIRDecoder(nn.Module):
    """D_r: latent vectors (B, latent_size) to responses (B, 2, 16000) within -A..A."""

    def __init__(self, config: GeneratorConfig):
        super().__init__()
        self.config = config
        first, *others = config.channels
        layers: list[nn.Module] = [
            PixelNorm(),
            nn.ConvTranspose2d(config.latent_size, first, FIRST_SIDE),
            *_after_convolution(),
        ]
        before = first
        for after in others:
            layers.append(nn.Upsample(scale_factor=2))
            layers += [nn.Conv2d(before, after, 3, padding=1), *_after_convolution()]
            layers += [nn.Conv2d(after, after, 3, padding=1), *_after_convolution()]
            before = after
        each = SIDE // (FIRST_SIDE * 2 ** len(others))  # pixels along a square
        layers += [nn.Conv2d(before, EARS * each**2, 1), nn.PixelShuffle(each)]
        self.layers = nn.Sequential(*layers)
        start_he_normal(self)
        with torch.no_grad():
            layers[-2].weight.mul_(QUIET)

    def forward(self, latent: Tensor) -> Tensor:
        picture = self.layers(latent[:, :, None, None])  # (B, 2, 128, 128)
        drawn = GAIN * picture.flatten(2)[..., :RIR_SAMPLES]
        inside = drawn.tanh() if self.config.output == "tanh" else 2 * drawn.sigmoid() - 1
        return self.config.amplitude * inside


class RIRGenerator(nn.Module):
    """What emitters and receivers observe to responses.

    Features are those of `encoders.Encoder` with 2 views, the emitter first, and an axis before it
    for the moments, kappa or 1 of them, the present one first: `pictures` is (B, moments, 2,
    channels, side, side).
    """

    def __init__(self, config: GeneratorConfig, senses: SenseConfig):
        super().__init__()
        self.config = config
        self.now = Encoder(senses, ENDS, POSITION_SIZE)
        self.remembered = None
        size = self.now.size
        if config.kappa:
            self.remembered = Encoder(senses, ENDS * config.kappa, POSITION_SIZE)
            size += self.remembered.size
        self.latent = nn.Linear(size, config.latent_size)
        self.decoder = RIRDecoder(config)
        start_he_normal(self.latent)

    @property
    def moments(self) -> int:
        """That it needs to know of."""
        return max(self.config.kappa, 1)

    def encoded(self, features: Mapping[str, Tensor]) -> Tensor:
        """(B, latent_size), what a nearest neighbour would be looked for with."""
        known = [self.now({key: value[:, 0] for key, value in features.items()})]
        if self.remembered is not None:
            side_by_side = {key: value.flatten(1, 2) for key, value in features.items()}
            known.append(self.remembered(side_by_side))
        return self.latent(torch.cat(known, dim=-1))

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """(B, 2, 16000) float32."""
        return self.decoder(self.encoded(features))


def _after_convolution() -> list[nn.Module]:
    return [nn.LeakyReLU(SLOPE), PixelNorm()]
