"""Train the locator of targets."""

import json
import math
import sys
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.options.houses import OF_THE_RUN
from av_envs.agents.options.locator import Args, main
from av_envs.agents.runs import can_go_on, kept_options
from av_envs.agents.separation.agent import SEPARATOR, load_separator
from av_envs.agents.separation.checkpoints import Header, check_classes, save_network
from av_envs.agents.separation.networks.locator import (
    AZIMUTHS,
    LocatorConfig,
    TargetLocator,
    phases_of,
    ranges_of,
)
from av_envs.agents.separation.pairs import MixtureSampler, PairConfig, batched
from av_envs.whole_files import write_whole

SPREAD = math.radians(8)  # of the answer that is asked for: places are known to a cell of a grid
BEGUN_SLOWER = 0.5  # learning rate of what the separator knows already, against that of the rest
WEIGHT_DECAY = 1e-2
OF_DISTANCE = 0.3  # weight of its loss, that of the direction being 1
NEAREST = 0.1  # metres: nearer than that a source has no direction
VAL_BATCH = 64


class Seconds(NamedTuple):
    """A batch of B seconds heard, each with one of its sources asked for.

    spectra  (B, 2, 512, 32) complex64 at both ears
    label    (B,) int64 class of the target
    offset   (B, 2) metres to it, along the heading and to the left
    """

    spectra: np.ndarray
    label: np.ndarray
    offset: np.ndarray


class SecondSampler(MixtureSampler):
    """Draws batches of seconds, half of them seen in a mirror."""

    def batch(self, rng: np.random.Generator, size: int) -> Seconds:
        """`size` of them, rendered on all cores."""
        return Seconds(*batched(self._seconds, rng, size))

    def _seconds(self, rng: np.random.Generator) -> Seconds:
        heard = self.mixture(rng)
        spectra, sides = heard.images.sum(axis=0), np.array([1, 1])
        if rng.random() < 0.5:
            spectra, sides = spectra[::-1], np.array([1, -1])
        apart = np.linalg.norm(heard.offsets, axis=1) > NEAREST
        asked = heard.asked & apart
        return Seconds(
            np.broadcast_to(spectra, (int(asked.sum()), *spectra.shape)),
            heard.labels[asked],
            (heard.offsets[asked] * sides).astype(np.float32),
        )


class Run(Fitting):
    """Locators that learn from seconds."""

    def __init__(self, args: Args, heard: list[Seconds]):
        self.args, self.heard = args, heard
        separator, header = load_separator(args.separator)
        self.classes = header.classes
        torch.manual_seed(args.seed)
        self.config = LocatorConfig(len(self.classes), separator.config.tcn)
        self.locator = TargetLocator(self.config)
        self.locator.begin_with(separator.extractor)
        known = list(self.locator.extractor.parameters())
        others = [
            weights
            for name, weights in self.locator.named_parameters()
            if not name.startswith("extractor.")
        ]
        rate = args.learning_rate
        groups = [{"params": known, "lr": BEGUN_SLOWER * rate}, {"params": others, "lr": rate}]
        optimiser = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
        super().__init__(self.locator, optimiser, args.out, -(-args.seconds // args.batch_size))

    def loss(self, batch: Seconds) -> Tensor:
        """Cross entropies of direction and distance."""
        azimuth, distance = self._told(batch)
        direction, far = losses(azimuth, distance, torch.from_numpy(batch.offset))
        return direction.mean() + OF_DISTANCE * far.mean()

    def _told(self, batch: Seconds) -> tuple[Tensor, Tensor]:
        spectra = torch.from_numpy(batch.spectra)
        label = torch.from_numpy(batch.label)
        mixture = torch.from_numpy(np.abs(batch.spectra))
        return self.locator(mixture, phases_of(spectra), label)

    @torch.no_grad()
    def scores(self) -> tuple[dict[str, float], float]:
        """Losses, and how often the quarter, and the direction within 30 degrees, is right."""
        self.locator.eval()
        found = []
        for batch in self.heard:
            azimuth, distance = self._told(batch)
            offset = torch.from_numpy(batch.offset)
            found.append([*losses(azimuth, distance, offset), *right(azimuth, offset)])
        direction, far, quarter, near = (
            float(torch.cat(part).mean()) for part in zip(*found, strict=True)
        )
        row = {"seconds": float(self.updates * self.args.batch_size), "direction": direction}
        row |= {"distance": far, "quarter_right": quarter, "within_30_degrees": near}
        return row, -direction

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        kept = json.loads(kept_options(self.args, OF_THE_RUN))
        made = {"command": "av_envs.agents.separation.locate", "options": kept, "val": row}
        header = Header("locator", asdict(self.config), self.classes, made)
        save_network(self.locator, self.args.out / "best.safetensors", header)


def losses(azimuth: Tensor, distance: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) cross entropies of direction, asked for with a spread of 8 degrees, and of distance.

    azimuth   (B, 36) log probabilities
    distance  (B, 7) log probabilities
    offset    (B, 2) metres to the target, along the heading and to the left
    """
    apart = _apart(offset, torch.arange(AZIMUTHS) * (2 * math.pi / AZIMUTHS))
    wanted = torch.exp(-0.5 * (apart / SPREAD).square())
    wanted = wanted / wanted.sum(dim=1, keepdim=True)
    reached = ranges_of(offset.norm(dim=1))
    return -(wanted * azimuth).sum(dim=1), -distance.gather(1, reached[:, None])[:, 0]


def right(azimuth: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) 1 where the likeliest quarter turn, and the likeliest direction +-30 degrees, is right.

    azimuth, offset  as of `losses`
    """
    chances, quarter = azimuth.exp(), AZIMUTHS // 4
    turns = [
        chances.roll(quarter // 2 - turn * quarter, dims=1)[:, :quarter].sum(dim=1)
        for turn in range(4)
    ]
    bearing = torch.atan2(offset[:, 1], offset[:, 0])
    wanted = torch.round(bearing / (math.pi / 2)).long() % 4
    angles = azimuth.argmax(dim=1) * (2 * math.pi / AZIMUTHS)
    near = _apart(offset, angles[:, None])[:, 0].abs() < math.radians(30)
    return (torch.stack(turns, dim=1).argmax(dim=1) == wanted).float(), near.float()


def _apart(offset: Tensor, angles: Tensor) -> Tensor:
    """(B, K) radians in [-pi, pi) from the direction of offsets (B, 2) to angles (K,) or (B, K)."""
    bearing = torch.atan2(offset[:, 1], offset[:, 0])[:, None]
    return torch.remainder(angles - bearing + math.pi, 2 * math.pi) - math.pi


def locate(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    pairs = PairConfig("train", args.houses, args.sounds, more_sources=0.1, share_near=0.9)
    sampler = SecondSampler(pairs)
    unheard = PairConfig("val", args.val_houses, args.sounds, more_sources=0.0, share_near=0.95)
    goes_on = can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, LAST)
    _, header = load_separator(args.separator)
    check_classes(args.separator or SEPARATOR, header, sampler.classes)
    others = SecondSampler(unheard)
    heard = [
        others.batch(np.random.default_rng([args.seed, 0, first]), VAL_BATCH)
        for first in range(0, args.val_seconds, VAL_BATCH)
    ]
    run = Run(args, heard)
    if goes_on:
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))

    def drawn(update: int) -> Seconds:
        return sampler.batch(np.random.default_rng([args.seed, 1, update]), args.batch_size)

    fit(run, drawn, between=-(-args.val_every // args.batch_size))


if __name__ == "__main__":
    sys.exit(main())
