"""The passive separator: what the target sounds like at the ears, and what it sounds like dry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from av_envs.agents.separation.networks.tcn import TCNConfig, TCNConverter, TCNExtractor
from av_envs.agents.separation.networks.unet import WIDTHS, UNetConverter, UNetExtractor
from av_envs.options import check_choice
from av_envs.separation.metrics import TARGET_POWER

FLOOR = 1e-4  # of a normalised error: beyond 40 dB nothing more is asked for
EPSILON = 1e-8


@dataclass(frozen=True)
class SeparatorConfig:
    """How a separator is built and what it is trained for."""

    n_classes: int
    extractor: str = "tcn"  # one of NETWORKS
    converter: str = "tcn"  # likewise
    loss: str = "log_nmse"  # one of LOSSES
    detached: bool = False  # the converter's loss teaches the converter only, as in the paper
    tcn: TCNConfig = field(default_factory=TCNConfig)
    widths: tuple[int, ...] = WIDTHS["paper"]  # of the levels of a U-Net
    class_input: str = "film"  # of a U-Net: or "plane", as in the paper
    output: str = "mask"  # of a U-Net's extractor: or "direct"

    def __post_init__(self):
        object.__setattr__(self, "widths", tuple(self.widths))  # a list in JSON
        check_choice("extractor", self.extractor, NETWORKS)
        check_choice("converter", self.converter, NETWORKS)
        check_choice("loss", self.loss, LOSSES)


class Separator(nn.Module):
    """An extractor of the target's image at both ears, and a converter of it to dry sound.

    Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022,
    section 4.1. Its networks are the U-Nets of the size "paper"; those of the default, "small",
    learn more from as many pairs (docs/agents/passive.md).
    """

    def __init__(self, config: SeparatorConfig):
        super().__init__()
        self.config = config
        self.extractor: nn.Module
        self.converter: nn.Module
        if config.extractor == "tcn":
            self.extractor = TCNExtractor(config.n_classes, config.tcn)
        else:
            self.extractor = UNetExtractor(
                config.n_classes, config.widths, config.class_input, config.output
            )
        if config.converter == "tcn":
            self.converter = TCNConverter(config.n_classes, config.tcn)
        else:
            self.converter = UNetConverter(config.widths)

    def forward(
        self, mixture: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (B, 2, 512, 32) and dry magnitude (B, 512, 32), linear.

        mixture  (B, 2, 512, 32) linear magnitude at the ears
        label    (B,) int64 class of the target

        Those of a TCN are not negative; those of a U-Net may be and are clamped by who uses them.
        """
        image, hidden = self._extracted(mixture, label)
        heard = image.detach() if self.config.detached else image
        if self.config.converter == "unet":
            return image, self.converter(heard)
        if hidden is not None and self.config.detached:
            hidden = hidden.detach()
        return image, self.converter(heard.clamp(min=0), hidden, label)

    def image(self, mixture: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """The image alone, see `forward`."""
        return self._extracted(mixture, label)[0]

    def _extracted(
        self, mixture: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The image, and what a TCN knows beside it."""
        if self.config.extractor == "tcn":
            return self.extractor(mixture, label)
        return self.extractor(mixture, label), None

    def loss(
        self,
        mixture: torch.Tensor,
        label: torch.Tensor,
        image: torch.Tensor,
        truth: torch.Tensor,
    ) -> torch.Tensor:
        """The loss of the image plus that of the dry magnitude, means over a batch of pairs."""
        distance = LOSSES[self.config.loss]
        guessed_image, guessed_truth = self(mixture, label)
        return distance(guessed_image, image) + distance(guessed_truth, truth)


def log_nmse(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean over a batch (B, ...) of the logarithm, to the base 10, of the normalised error.

    The logarithm makes every pair count alike, near or far: a decibel is a decibel.
    """
    error = (estimate - truth).square().flatten(1).mean(dim=1)
    power = truth.square().flatten(1).mean(dim=1)
    return torch.log10(error / (power + EPSILON) + FLOOR).mean()


def l1(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference, the paper's."""
    return (estimate - truth).abs().mean()


def minus_si_sdr(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Minus the scale-invariant ratio of two magnitudes (B, ...), in units of 10 dB.

    A little of the normalised error fixes the level, which the ratio leaves open.
    """
    flat, reference = estimate.flatten(1), truth.flatten(1)
    along = (flat * reference).sum(dim=1) / (reference.square().sum(dim=1) + EPSILON)
    kept = along[:, None] * reference
    lost = (flat - kept).square().sum(dim=1)
    ratio = kept.square().sum(dim=1) / (lost + EPSILON)
    level = (flat - reference).square().mean(dim=1) / TARGET_POWER
    return (0.1 * level - torch.log10(ratio + FLOOR)).mean()


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "log_nmse": log_nmse,
    "l1": l1,
    "si_sdr": minus_si_sdr,
}

NETWORKS = ("tcn", "unet")
SIZES: dict[str, dict[str, Any]] = {
    "small": {"tcn": TCNConfig(width=192)},
    "paper": {
        "extractor": "unet",
        "converter": "unet",
        "loss": "l1",
        "detached": True,
        "class_input": "plane",
    },
}


def separator_config(size: str, n_classes: int, loss: str | None = None) -> SeparatorConfig:
    """The configuration of that size.

    loss  one of LOSSES; None: that of the size
    """
    check_choice("size", size, SIZES)
    chosen = SIZES[size] if loss is None else {**SIZES[size], "loss": loss}
    return SeparatorConfig(n_classes, **chosen)


def config_from(kept: dict[str, Any]) -> SeparatorConfig:
    """The configuration that `dataclasses.asdict` made this of."""
    return SeparatorConfig(**{**kept, "tcn": TCNConfig(**kept["tcn"])})
