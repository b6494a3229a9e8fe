"""The passive separator of the papers: two U-Nets over sliced spectrograms.

Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022, and
"Move2Hear: Active Audio-Visual Source Separation", ICCV 2021. A level of the encoder is
[convolution k4 s2 p1 -> batch norm -> leaky ReLU 0.2], one of the decoder [transposed convolution
k4 s2 p1 -> batch norm -> ReLU]; 32 x 32 becomes 1 x 1 and comes back. In training a batch needs at
least two rows, because the innermost batch norm sees one value of each.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.separation.networks.slicing import BANDS, checked_shape, joined, sliced

WIDTHS = {"paper": (64, 128, 256, 512, 512), "small": (20, 40, 80, 160, 160)}
LEVELS = 5  # halvings from 32 x 32 to 1 x 1
EARS = 2
SLOPE = 0.2  # of the encoder's leaky ReLU
CLASS_INPUTS = ("plane", "film")
OUTPUTS = ("mask", "direct")
EMBEDDING_SIZE = 64  # numbers that stand for a class, with "film"
MODULATION = 0.5  # standard deviation of a level's first scales and shifts over classes


class UNetExtractor(nn.Module):
    """The target as both ears hear it, out of the mixture: f^B of the papers.

    n_classes    labels run from 0 to n_classes - 1
    widths       channels of the five levels of the encoder
    class_input  "plane", the paper's: one more channel, label + 1 everywhere; or "film": a learned
                 embedding of the class scales and shifts every level (Perez et al., "FiLM: Visual
                 Reasoning with a General Conditioning Layer", AAAI 2018)
    output       "mask", the paper's: a ratio by which the mixture is multiplied; or "direct": the
                 magnitude itself

    Neither output is bounded, so the estimate is negative where the mask is. The loss of the paper
    is taken on it as it is; only `UNetConverter` cuts it off at 0.
    """

    def __init__(
        self,
        n_classes: int,
        widths: tuple[int, ...] = WIDTHS["paper"],
        class_input: str = "plane",
        output: str = "mask",
    ):
        super().__init__()
        if n_classes < 1:
            raise ValueError(f"n_classes must be at least 1; got {n_classes}")
        _check_choice("class_input", class_input, CLASS_INPUTS)
        _check_choice("output", output, OUTPUTS)
        self.n_classes, self.class_input, self.output = n_classes, class_input, output
        is_film = class_input == "film"
        self.embedding = nn.Embedding(n_classes, EMBEDDING_SIZE) if is_film else None
        channels = EARS * BANDS
        self.unet = _UNet(
            channels + (not is_film), channels, widths, EMBEDDING_SIZE if is_film else None
        )

    def forward(self, mixture: Tensor, label: Tensor) -> Tensor:
        """(B, 2, 512, 32) magnitude of the target's image at both ears, unbounded.

        mixture  (B, 2, 512, 32) magnitude >= 0
        label    (B,) int64, class of the target
        """
        checked_shape(mixture, "mixture", (EARS,))
        if label.shape != mixture.shape[:1]:
            raise ValueError(f"label must be ({len(mixture)},); got {tuple(label.shape)}")
        if len(label) and not 0 <= int(label.min()) <= int(label.max()) < self.n_classes:
            raise ValueError(
                f"labels must be 0..{self.n_classes - 1}; got {int(label.min())}.."
                f"{int(label.max())}"
            )
        planes = sliced(mixture.log1p())  # (B, 32, 32, 32)
        if self.embedding is None:
            plane = (label + 1).to(planes.dtype).view(-1, 1, 1, 1).expand(-1, 1, *planes.shape[2:])
            found = self.unet(torch.cat([planes, plane], dim=1), None)
        else:
            found = self.unet(planes, self.embedding(label))
        found = joined(found)  # (B, 2, 512, 32)
        return found * mixture if self.output == "mask" else found


class UNetConverter(nn.Module):
    """The target's dry monaural sound, out of its image at both ears: f^M of the papers.

    widths  channels of the five levels of the encoder
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS["paper"]):
        super().__init__()
        self.unet = _UNet(EARS * BANDS, BANDS, widths, None)

    def forward(self, binaural: Tensor) -> Tensor:
        """(B, 512, 32) magnitude of about RMS 1.2, unbounded: no activation, as in the papers.

        binaural  (B, 2, 512, 32) an extractor's estimate; what is negative counts as 0
        """
        checked_shape(binaural, "binaural", (EARS,))
        return joined(self.unet(sliced(binaural.clamp(min=0).log1p()), None)).squeeze(1)


class _UNet(nn.Module):
    """(B, inputs, 32, 32) -> (B, outputs, 32, 32).

    condition  length of the vector that scales and shifts every level; None for no such vector
    """

    def __init__(
        self, inputs: int, outputs: int, widths: tuple[int, ...], condition: int | None
    ) -> None:
        super().__init__()
        if len(widths) != LEVELS or min(widths) < 1:
            raise ValueError(f"widths must be {LEVELS} numbers of channels; got {widths}")
        into = (inputs, *widths[:-1])
        # every level but the innermost also reads what the encoder had at its size
        back_in = (widths[-1], *(2 * width for width in widths[-2::-1]))
        back_out = (*widths[-2::-1], outputs)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in zip(into, widths, strict=True)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)
            for a, b in zip(back_in, back_out, strict=True)
        )
        self.down_norms = nn.ModuleList(map(nn.BatchNorm2d, widths))
        self.up_norms = nn.ModuleList(map(nn.BatchNorm2d, back_out))
        self.last = nn.Conv2d(outputs, outputs, 1)
        start_he_normal(self)
        self.films = None
        if condition is not None:
            sizes = (*widths, *back_out)
            self.films = nn.ModuleList(nn.Linear(condition, 2 * size) for size in sizes)
            for film in self.films:
                nn.init.normal_(film.weight, std=MODULATION / condition**0.5)
                nn.init.zeros_(film.bias)

    def forward(self, planes: Tensor, condition: Tensor | None) -> Tensor:
        skips = []
        for k in range(LEVELS):
            planes = self.down_norms[k](self.down[k](planes))
            planes = leaky_relu(self._modulated(planes, k, condition), SLOPE)
            skips.append(planes)
        skips.pop()
        for k in range(LEVELS):
            planes = self.up_norms[k](self.up[k](planes))
            planes = relu(self._modulated(planes, LEVELS + k, condition))
            if skips:
                planes = torch.cat([planes, skips.pop()], dim=1)
        return self.last(planes)

    def _modulated(self, planes: Tensor, level: int, condition: Tensor | None) -> Tensor:
        if self.films is None:
            return planes
        scale, shift = self.films[level](condition)[..., None, None].chunk(2, dim=1)
        return planes * (1 + scale) + shift


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
