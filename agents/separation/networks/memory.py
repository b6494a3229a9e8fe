"""Memories that refine monaural estimates with what was heard in other seconds of the episode.

`TransformerMemory` is f^T of Majumder and Grauman, "Active Audio-Visual Separation of Dynamic
Sound Sources", ECCV 2022, `RecurrentRefiner` the memory of Majumder, Al-Halah and Grauman,
"Move2Hear: Active Audio-Visual Source Separation", ICCV 2021. Both read the passive separator's
estimates; the transformer never reads its own results.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.separation.networks.slicing import (
    BANDS,
    N_FRAMES,
    N_FREQUENCIES,
    checked_shape,
    joined,
    sliced,
)
from av_envs.options import check_whole
from av_envs.separation.metrics import TARGET_POWER

SLOPE = 0.2  # of the leaky ReLU between the convolutions of an item
SIDE = 8  # of an item: 32 x 32 halved twice
FLOOR = 1e-4  # of a normalised error: beyond 40 dB nothing more is asked for
LONGEST_PERIOD = 1e4  # of the code of time, in steps over 2 pi
OUTPUTS = ("direct", "residual")


@dataclass(frozen=True)
class MemoryConfig:
    """Size and form of a `TransformerMemory`; the defaults are the paper's."""

    channels: int = 16  # of an item, so that it is channels * 64 numbers long
    layers: int = 2
    heads: int = 8
    hidden: int = 1024  # units of the feed-forward layers
    causal: bool = False  # True: an item attends to itself and earlier ones only
    output: str = "direct"  # or "residual": what is added to the estimate, at first nothing
    polish: int = 0  # channels of convolutions that also see the estimate itself; 0: none

    def __post_init__(self):
        check_whole("polish", self.polish, 0, 4096)
        for name in ("channels", "layers", "heads", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if self.size % self.heads:
            raise ValueError(f"items of {self.size} numbers do not split into {self.heads} heads")
        if self.output not in OUTPUTS:
            raise ValueError(f"output must be one of {', '.join(OUTPUTS)}; got {self.output!r}")

    @property
    def size(self) -> int:
        """Numbers in an item."""
        return self.channels * SIDE * SIDE


PRESETS = {
    "paper": MemoryConfig(),
    "small": MemoryConfig(channels=4, heads=4, hidden=256, output="residual", polish=32),
}


class TransformerMemory(nn.Module):
    """Refines every estimate of an episode that it is given, each in the light of all others.

    The convolutions of an item keep what they saw at half size (the skip), which its own decoder
    concatenates; only the coded middle goes through the transformer (pre-norm, no dropout). With
    `polish`, which is not the paper's, convolutions see what comes out beside the estimate.
    """

    def __init__(self, config: MemoryConfig = PRESETS["paper"]):
        super().__init__()
        self.config = config
        channels = config.channels
        self.shrink = nn.ModuleList(
            [nn.Conv2d(BANDS, channels, 2, 2), nn.Conv2d(channels, channels, 2, 2)]
        )
        self.grow = nn.ModuleList(
            [
                nn.ConvTranspose2d(channels, channels, 2, 2),
                nn.ConvTranspose2d(2 * channels, BANDS, 2, 2),
            ]
        )
        layer = nn.TransformerEncoderLayer(
            config.size, config.heads, config.hidden, dropout=0.0, batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(
            layer, config.layers, norm=nn.LayerNorm(config.size), enable_nested_tensor=False
        )
        start_he_normal(self.shrink)
        start_he_normal(self.grow)
        self.polish = _polish(2 * BANDS, config.polish) if config.polish else None
        for weights in self.transformer.parameters():
            if weights.ndim > 1:
                nn.init.xavier_uniform_(weights)
        if config.output == "residual":
            nn.init.zeros_((self.polish[-1] if config.polish else self.grow[1]).weight)

    def forward(self, estimates: Tensor, steps: Tensor, valid: Tensor) -> Tensor:
        """(B, T, 512, 32) refined magnitudes, one of each slot; 0 in slots that hold nothing.

        estimates  (B, T, 512, 32) magnitudes by the passive separator, not refined; what slots
                   that hold nothing contain is never read
        steps      (B, T) int, absolute step of the episode in which a slot was heard; slots may
                   be in any order
        valid      (B, T) bool, False where a slot holds nothing
        """
        _check_slots(estimates, steps, valid)
        held = valid[..., None, None]
        estimates = estimates.masked_fill(~held, 0.0)
        items, skips = self.encoded(estimates, steps)
        found = self.attended(items, steps, valid)
        return self.decoded(found, skips, estimates).masked_fill(~held, 0.0)

    def encoded(self, estimates: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Items (B, T, size) with the code of their time, and skips (B T, c, 16, 16), of slots."""
        planes = sliced(estimates.flatten(0, 1)[:, None])  # (B T, 16, 32, 32)
        skips = leaky_relu(self.shrink[0](planes), SLOPE)
        items = self.shrink[1](skips).flatten(1).unflatten(0, steps.shape)
        return items + time_code(steps, self.config.size).to(items.dtype), skips

    def attended(self, items: Tensor, steps: Tensor, valid: Tensor) -> Tensor:
        """(B, T, size): the items in the light of each other."""
        hidden = _hidden(steps, valid, self.config.causal)
        return self.transformer(items, mask=hidden.repeat_interleave(self.config.heads, dim=0))

    def decoded(self, found: Tensor, skips: Tensor, estimates: Tensor) -> Tensor:
        """(B, T, 512, 32) of attended items (B, T, size), their skips, and what they refine."""
        planes = found.reshape(-1, self.config.channels, SIDE, SIDE)
        planes = leaky_relu(self.grow[0](planes), SLOPE)  # (B T, c, 16, 16)
        planes = self.grow[1](torch.cat([planes, skips], dim=1))  # (B T, 16, 32, 32)
        if self.polish is not None:
            own = sliced(estimates.flatten(0, 1)[:, None])
            planes = self.polish(torch.cat([own, planes], dim=1))
        refined = joined(planes).reshape(estimates.shape)
        if self.config.output == "residual":
            return estimates + refined
        return leaky_relu(refined, SLOPE)


class RecurrentRefiner(nn.Module):
    """The estimate of this second, refined with the refined one of the second before.

    Two convolutions over the sliced pair. Without the batch norm that Move2Hear's code has in one
    of its modes. `hidden` is the number of channels between them. With `residual` it says what is
    to be added to the estimate, nothing at first, so that little training does no harm.
    """

    def __init__(self, hidden: int = 32, *, residual: bool = False):
        super().__init__()
        self.residual = residual
        self.first = nn.Conv2d(2 * BANDS, hidden, 3, padding=1, bias=False)
        self.second = nn.Conv2d(hidden, BANDS, 3, padding=1)
        start_he_normal(self)
        if residual:
            nn.init.zeros_(self.second.weight)

    def forward(self, estimate: Tensor, previous: Tensor) -> Tensor:
        """(B, 512, 32) refined magnitude, unbounded.

        estimate  (B, 512, 32) magnitude by the passive separator
        previous  (B, 512, 32) what this returned a second ago; zeros at the start of an episode
        """
        checked_shape(estimate, "estimate", ())
        if previous.shape != estimate.shape:
            raise ValueError(
                f"previous must be {tuple(estimate.shape)}; got {tuple(previous.shape)}"
            )
        planes = sliced(torch.stack([estimate, previous], dim=1))  # (B, 32, 32, 32)
        refined = joined(self.second(self.first(planes).relu())).squeeze(1)
        return estimate + refined if self.residual else refined


def _polish(planes: int, hidden: int) -> nn.Sequential:
    """Two convolutions over planes of 32 by 32, from so many to BANDS."""
    made = nn.Sequential(
        nn.Conv2d(planes, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, BANDS, 3, padding=1)
    )
    start_he_normal(made)
    return made


def memory_loss(
    refined: Tensor,
    targets: Tensor,
    steps: Tensor,
    valid: Tensor,
    look_back: int,
    average_over: int | None = None,
    distance: str = "l1",
) -> Tensor:
    """Mean distance of the newest slot of each row and of those `look_back` steps before it.

    refined, targets  (B, T, 512, 32) magnitudes; each slot's target is that of its own second
    steps, valid      (B, T) as a memory takes them; the current slot is the valid one with the
                      highest step
    look_back         E of the paper; its 14 supervises min(14, t) + 1 slots at step t, 0 only the
                      current one
    average_over      None: the mean over supervised slots. A number, the paper's 40: the sum over
                      the supervised slots of a row by that number, so that early steps weigh less
    distance          one of DISTANCES

    Raises ValueError if no slot is valid.
    """
    _check_slots(refined, steps, valid)
    if targets.shape != refined.shape:
        raise ValueError(f"targets must be {tuple(refined.shape)}; got {tuple(targets.shape)}")
    supervised = supervised_slots(steps, valid, look_back)
    count = supervised.sum()
    if not count:
        raise ValueError("memory_loss needs at least one valid slot")
    total = DISTANCES[distance](refined, targets)[supervised].sum()
    return total / (count if average_over is None else len(steps) * average_over)


def absolute(refined: Tensor, targets: Tensor) -> Tensor:
    """(...) mean absolute errors of magnitudes (..., 512, 32), the paper's."""
    return (refined - targets).abs().mean(dim=(-2, -1))


def log_nmse(refined: Tensor, targets: Tensor) -> Tensor:
    """(...) logarithms to the base 10 of normalised errors of magnitudes (..., 512, 32).

    Every target that sounds has the power TARGET_POWER. A decibel is a decibel, as in the score.
    """
    error = (refined - targets).square().mean(dim=(-2, -1))
    return torch.log10(error / TARGET_POWER + FLOOR)


DISTANCES = {"l1": absolute, "log_nmse": log_nmse}


def supervised_slots(steps: Tensor, valid: Tensor, look_back: int) -> Tensor:
    """(B, T) bool: the valid slot of the highest step and those at most `look_back` before."""
    if look_back < 0:
        raise ValueError(f"look_back must be at least 0; got {look_back}")
    current = steps.masked_fill(~valid, -1).amax(dim=1, keepdim=True)
    return valid & (steps >= current - look_back)


def time_code(steps: Tensor, size: int) -> Tensor:
    """(..., size) float32: cosines in the even places, sines in the odd ones.

    steps  (...) int; place i turns by steps * 1e-4 ** (2 * (i // 2) / size) radians
    """
    pairs = torch.arange(size, device=steps.device) // 2
    angles = steps[..., None] * LONGEST_PERIOD ** (-2 * pairs / size)
    is_even = torch.arange(size, device=steps.device) % 2 == 0
    return torch.where(is_even, angles.cos(), angles.sin())


def _hidden(steps: Tensor, valid: Tensor, causal: bool) -> Tensor:
    """(B, T, T) bool: True where the first slot must not see the second.

    Every slot sees itself, or a slot that holds nothing would divide 0 by 0.
    """
    hidden = ~valid[:, None, :]
    if causal:
        hidden = hidden | (steps[:, None, :] > steps[:, :, None])
    itself = torch.eye(steps.shape[1], dtype=torch.bool, device=steps.device)
    return hidden & ~itself


def _check_slots(estimates: Tensor, steps: Tensor, valid: Tensor) -> None:
    expected = (*steps.shape, N_FREQUENCIES, N_FRAMES)
    if steps.ndim != 2 or tuple(estimates.shape) != expected:
        raise ValueError(
            f"needs spectrograms (B, T, 512, 32) and steps (B, T); got {tuple(estimates.shape)} "
            f"and {tuple(steps.shape)}"
        )
    if valid.shape != steps.shape or valid.dtype != torch.bool:
        raise ValueError(
            f"valid must be {tuple(steps.shape)} bool; got {tuple(valid.shape)} {valid.dtype}"
        )
