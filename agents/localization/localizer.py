"""A localiser: the scale of its features, its network, and its file.

localizer, _ = load_localizer()
directions, activity = localizer.hear(waveform)  # (2, n) at 16 kHz
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from av_envs.agents.localization.features import FRAMES_PER_LABEL, KINDS, N_MELS, features
from av_envs.agents.localization.network import SIZES, Crnn, CrnnConfig
from av_envs.agents.separation.checkpoints import Header, network_header, save_network
from av_envs.agents.weight_files import MALFORMED, load_weights, one_line
from av_envs.options import check_choice

AGENT = "localizer"
SHIPPED = Path(__file__).parent.parent / "weights" / "localizer.safetensors"
LEAST_SPREAD = 1e-4  # standard deviation of a column below which it is taken as constant


@dataclass(frozen=True)
class LocalizerConfig:
    """What a localiser is built from.

    kind     of features, key of `features.KINDS`
    network  its size and heads
    """

    kind: str
    network: CrnnConfig


def localizer_config(
    kind: str, size: str, tracks: int, activity: bool = True, bounded: bool = False
) -> LocalizerConfig:
    """The config of a size, key of `network.SIZES`."""
    check_choice("features", kind, KINDS)
    check_choice("size", size, SIZES)
    heads = {"tracks": tracks, "activity": activity, "bounded": bounded}
    return LocalizerConfig(kind, CrnnConfig(maps=KINDS[kind].maps, **heads, **SIZES[size]))


class Localizer(nn.Module):
    """Features of recordings to directions and activities of N tracks every 100 ms."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: LocalizerConfig):
        super().__init__()
        self.config = config
        self.network = Crnn(config.network)
        columns = (config.network.maps, 1, N_MELS)
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))

    def fit_scale(self, maps: Tensor) -> None:
        """Take mean and standard deviation of every column from training maps (B, C, T, 64)."""
        columns = maps.double().transpose(0, 1).flatten(1, 2)  # (C, B T, 64)
        spread, mean = torch.std_mean(columns, dim=1, keepdim=True, correction=0)
        self.mean.copy_(mean)
        self.spread.copy_(torch.where(spread < LEAST_SPREAD, 1.0, spread))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor | None]:
        """Unit vectors (B, L, N, 3) and logits of activity (B, L, N) or None.

        maps  (B, C, 5 L, 64), features as they are
        """
        return self.network((maps - self.mean) / self.spread)

    def hear(self, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (L, N, 3) and probabilities of activity (L, N), for every whole 100 ms.

        waveform  (channels, n) at the rate of its kind of features

        A localiser without a head for activity takes all tracks as active. Raises ValueError for
        another number of channels, or less than 100 ms.
        """
        maps = torch.from_numpy(features(self.config.kind, waveform))
        if maps.shape[1] < FRAMES_PER_LABEL:
            raise ValueError(f"a waveform lasts 100 ms at least, got the shape {waveform.shape}")
        was_training = self.training
        with torch.inference_mode():
            directions, logits = self.eval()(maps[None])
        self.train(was_training)
        active = torch.ones(directions.shape[:3]) if logits is None else torch.sigmoid(logits)
        return directions[0].numpy(), active[0].numpy()


def save_localizer(localizer: Localizer, path: str | Path, made: dict[str, Any]) -> None:
    """Write a localiser; `made` tells how it was trained."""
    save_network(localizer, path, Header(AGENT, asdict(localizer.config), (), made))


def load_localizer(path: str | Path | None = None) -> tuple[Localizer, Header]:
    """A trained localiser and the header of its file; None: the one that ships.

    ValueError with the file's name if it holds another thing or is damaged.
    """
    path = SHIPPED if path is None else path
    header = network_header(path, AGENT)
    try:
        network = CrnnConfig(**header.config["network"])
        localizer = Localizer(LocalizerConfig(header.config["kind"], network))
        if network.maps != KINDS[localizer.config.kind].maps:
            raise ValueError(f"{network.maps} maps are not those of {localizer.config.kind!r}")
    except MALFORMED as error:
        raise ValueError(f"{path}: does not describe a localiser: {one_line(error)}") from error
    load_weights(localizer, path, "localiser")
    return localizer.eval(), header
