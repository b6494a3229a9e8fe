"""The network that gives the velocity of the flow: gated convolutions of growing dilation.

Liang, Song, Xu et al., "pi-AVAS: Can Physics-Integrated Audio-Visual Modeling Boost Neural
Acoustic Synthesis?", ICCV 2025, supplementary: 30 gated convolution blocks with dilations from
2^0 to 2^9. What it does not say (channels, kernels, embeddings, wiring) is here as in DiffWave
(Kong et al., ICLR 2021), which has as many blocks, and the inputs of its conditions as in
BinauralGrad (Leng et al., NeurIPS 2022).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

KERNEL = 3
TIME_FREQUENCIES, TIME_WIDTH = 64, 512
TIME_SCALE = 1000.0  # the flow's time 0..1 in the steps that the embedding of DiffWave expects
POSE_FREQUENCIES = 4  # octaves of the encoding of a pose: more of them learn houses by heart
LEAK = 0.4  # of the conditions' rectifiers
NARROW, WIDE, CONDITION = 20, 40, 80  # channels of the conditions

SIZES: dict[str, dict[str, int]] = {
    "tiny": {"channels": 16, "blocks": 8},
    "small": {"channels": 32, "blocks": 20},
    "paper": {"channels": 64, "blocks": 30},
}


@dataclass(frozen=True)
class FlowConfig:
    """What a network is built from.

    signals     channels that flow: 2 of a waveform
    channels    of its blocks
    blocks      number of them
    cycle       block i has the dilation 2^(i mod cycle)
    conditions  channels of signals that it is told, as long as those that flow; 0: none
    pose        values of a pose that it is told; 0: none
    view        features of what is seen; 0: none
    """

    signals: int = 2
    channels: int = 64
    blocks: int = 30
    cycle: int = 10
    conditions: int = 0
    pose: int = 0
    view: int = 0

    @property
    def dilations(self) -> tuple[int, ...]:
        return tuple(2 ** (block % self.cycle) for block in range(self.blocks))

    @property
    def receptive_field(self) -> int:
        """Samples of the input that one sample of the output depends on, conditions apart."""
        return 1 + (KERNEL - 1) * sum(self.dilations)


class FlowNetwork(nn.Module):
    """Velocity of a flow at a time, where it is, under conditions. Zero before it has learned."""

    def __init__(self, config: FlowConfig):
        super().__init__()
        self.config = config
        self.first = nn.Conv1d(config.signals, config.channels, 1)
        self.time = TimeEmbedding()
        self.told = Conditions(config) if _has_conditions(config) else None
        self.blocks = nn.ModuleList(
            GatedBlock(config.channels, dilation, self.told is not None)
            for dilation in config.dilations
        )
        self.skipped = nn.Conv1d(config.channels, config.channels, 1)
        self.last = nn.Conv1d(config.channels, config.signals, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self,
        at: Tensor,
        time: Tensor,
        conditions: Tensor | None = None,
        pose: Tensor | None = None,
        view: Tensor | None = None,
    ) -> Tensor:
        """Velocity (B, signals, n).

        at          (B, signals, n) where the flow is
        time        (B,) in 0..1
        conditions  (B, conditions, n)
        pose        (B, pose)
        view        (B, view)
        """
        told = None if self.told is None else self.told(at.shape[-1], conditions, pose, view)
        hidden, embedded = F.relu(self.first(at)), self.time(time)
        total = torch.zeros_like(hidden)
        for block in self.blocks:
            hidden, skip = block(hidden, embedded, told)
            total = total + skip
        return self.last(F.relu(self.skipped(total / math.sqrt(len(self.blocks)))))


class GatedBlock(nn.Module):
    """One dilated convolution behind a gate: what goes on, and what is skipped to the end."""

    def __init__(self, channels: int, dilation: int, is_told: bool):
        super().__init__()
        self.time = nn.Linear(TIME_WIDTH, channels)
        self.dilated = nn.Conv1d(
            channels, 2 * channels, KERNEL, padding=dilation, dilation=dilation
        )
        self.told = nn.Conv1d(CONDITION, 2 * channels, 1) if is_told else None
        self.out = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, hidden: Tensor, time: Tensor, told: Tensor | None) -> tuple[Tensor, Tensor]:
        """Two tensors (B, C, n) of hidden (B, C, n), time (B, 512) and told (B, 80, n)."""
        y = self.dilated(hidden + self.time(time)[..., None])
        if self.told is not None:
            y = y + self.told(told)
        gate, value = y.chunk(2, dim=1)
        residual, skip = self.out(torch.sigmoid(gate) * torch.tanh(value)).chunk(2, dim=1)
        return (hidden + residual) / math.sqrt(2), skip


class TimeEmbedding(nn.Module):
    """Sines and cosines of the flow's time, through two dense layers."""

    frequencies: Tensor

    def __init__(self):
        super().__init__()
        steps = torch.arange(TIME_FREQUENCIES) / (TIME_FREQUENCIES - 1)
        self.register_buffer("frequencies", 10 ** (4 * (steps - 1)), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * TIME_FREQUENCIES, TIME_WIDTH),
            nn.SiLU(),
            nn.Linear(TIME_WIDTH, TIME_WIDTH),
            nn.SiLU(),
        )

    def forward(self, time: Tensor) -> Tensor:
        """(B, 512) of times (B,)."""
        angle = TIME_SCALE * time[:, None] * self.frequencies
        return self.layers(torch.cat([angle.sin(), angle.cos()], dim=1))


class Conditions(nn.Module):
    """What a network is told besides where the flow is: (B, 80, n)."""

    def __init__(self, config: FlowConfig):
        super().__init__()
        self.config = config
        sizes = {
            "conditions": config.conditions,
            "pose": config.pose * (1 + 2 * POSE_FREQUENCIES),
            "view": config.view,
        }
        self.each = nn.ModuleDict({name: _narrow(size) for name, size in sizes.items() if size})
        self.join = _convolution(WIDE * len(self.each), CONDITION)

    def forward(
        self, n: int, conditions: Tensor | None, pose: Tensor | None, view: Tensor | None
    ) -> Tensor:
        given = {"conditions": conditions, "pose": pose, "view": view}
        parts = []
        for name, network in self.each.items():
            value, size = given[name], getattr(self.config, name)
            if value is None or value.shape[1] != size:
                got = "none" if value is None else str(value.shape[1])
                raise ValueError(f"this network is told {size} values of {name}, got {got}")
            if name == "pose":
                value = encoded_pose(value)
            parts.append(network(value if value.ndim == 3 else value[..., None].expand(-1, -1, n)))
        return F.leaky_relu(self.join(torch.cat(parts, dim=1)), LEAK)


def encoded_pose(pose: Tensor) -> Tensor:
    """(B, P (1 + 2 F)): the values, and sines and cosines of them at F octaves."""
    octaves = math.pi * 2.0 ** torch.arange(POSE_FREQUENCIES, device=pose.device)
    angle = (pose[..., None] * octaves).flatten(1)
    return torch.cat([pose, angle.sin(), angle.cos()], dim=1)


def _has_conditions(config: FlowConfig) -> bool:
    return bool(config.conditions or config.pose or config.view)


def _narrow(size: int) -> nn.Sequential:
    layers = (_convolution(size, NARROW), _convolution(NARROW, WIDE))
    return nn.Sequential(layers[0], nn.LeakyReLU(LEAK), layers[1], nn.LeakyReLU(LEAK))


def _convolution(size: int, channels: int) -> nn.Conv1d:
    return nn.Conv1d(size, channels, KERNEL, padding=KERNEL // 2)
