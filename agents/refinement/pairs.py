"""Pairs of responses, cheap and true, of the same places in procedural dwellings."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from av_envs.acoustics import AcousticBackend
from av_envs.acoustics.refined import pose_of
from av_envs.agents.refinement.refiner import FlowRefiner
from av_envs.agents.refinement.tiers import TIERS, tier_acoustics
from av_envs.conventions import N_HEADINGS
from av_envs.options import check_choice, positive_int
from av_envs.progress import progress_bar
from av_envs.scene import Scene, load_scene, scene_name

AT_ONCE = 64  # pairs refined together
OF_SOURCES = 17  # of the seeds: which nodes of a dwelling sound
GRID = 1.0  # m between nodes
OTHER_RAYS = 1  # seed of the cheap tier: with the truth's rays it would share their noise


@dataclass(frozen=True)
class PairConfig:
    """Which pairs.

    cheap, truth  tiers
    split         of dwellings
    houses        of the split, from its first on
    sources       in each
    receivers     of each source, with one heading each
    seed          of receivers and headings; sources are the same for all seeds
    """

    cheap: str = "T2"
    truth: str = "T3"
    split: str = "train"
    houses: int = 32
    sources: int = 6
    receivers: int = 40
    kind: str = "house"
    seed: int = 0

    def __post_init__(self):
        check_choice("cheap", self.cheap, TIERS)
        check_choice("truth", self.truth, TIERS)
        if self.cheap == self.truth:
            raise ValueError(f"tier {self.truth} is like itself already: choose another truth")


def add_pair_options(parser: argparse.ArgumentParser) -> None:
    """Options that say which pairs are judged: tiers, split, and how many of what."""
    parser.add_argument("--cheap", default="T2", choices=TIERS)
    parser.add_argument("--truth", default="T3", choices=TIERS)
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    parser.add_argument("--houses", type=positive_int, default=8, help="of the split")
    parser.add_argument("--sources", type=positive_int, default=2, help="in each house")
    parser.add_argument("--receivers", type=positive_int, default=10, help="of each source")


class Place(NamedTuple):
    """Where a source sounds and who hears it: a house of the split, nodes, and a heading."""

    house: int
    source: int
    receiver: int
    heading: int


class Heard(NamedTuple):
    """One pair: the place, its pose (12,), and responses (2, 16000), cheap and true."""

    place: Place
    pose: np.ndarray
    cheap: np.ndarray
    truth: np.ndarray


class Pairs(NamedTuple):
    """Pairs as a flow has them.

    start, end  (P, signals, n) float32
    pose        (P, 12)
    """

    start: Tensor
    end: Tensor
    pose: Tensor

    def at(self, rows: Tensor) -> "Pairs":
        return Pairs(self.start[rows], self.end[rows], self.pose[rows])


def house_of(config: PairConfig, house: int) -> Scene:
    """A dwelling of the split."""
    return load_scene(scene_name(config.split, house, config.kind), GRID)


def places_in(config: PairConfig, house: int, n_nodes: int) -> list[Place]:
    """The places of one dwelling, source by source."""
    sources = np.random.default_rng([house, OF_SOURCES]).permutation(n_nodes)[: config.sources]
    rng = np.random.default_rng([config.seed, house])
    places = []
    for source in sources:
        others = np.setdiff1d(np.arange(n_nodes), source)
        for receiver in rng.permutation(others)[: config.receivers]:
            heading = int(rng.integers(N_HEADINGS))
            places.append(Place(house, int(source), int(receiver), heading))
    return places


def heard_pairs(config: PairConfig) -> Iterator[Heard]:
    """All pairs, dwelling by dwelling."""
    for house in range(config.houses):
        scene = house_of(config, house)
        cheap = tier_acoustics(scene, tier=config.cheap, seed=OTHER_RAYS)
        truth = tier_acoustics(scene, tier=config.truth)
        yield from pairs_of(scene, places_in(config, house, len(scene.graph)), cheap, truth)


def pairs_of(
    scene: Scene, places: list[Place], cheap: AcousticBackend, truth: AcousticBackend
) -> Iterator[Heard]:
    """The pairs of two backends at these places of a scene, without silent ones."""
    for place in places:
        _, source, receiver, heading = place
        simulated = cheap.rir(source, receiver, heading)
        if simulated.any():
            real = truth.rir(source, receiver, heading)
            yield Heard(place, pose_of(scene, source, receiver, heading), simulated, real)


def flow_pairs(refiner: FlowRefiner, config: PairConfig, progress: bool = False) -> Pairs:
    """All pairs, as this refiner has them."""
    starts, ends, poses = [], [], []
    total = config.houses * config.sources * config.receivers
    for heard in progress_bar(heard_pairs(config), "pairs", total=total, shown=progress):
        start = refiner.start(heard.cheap)
        starts.append(start.at)
        ends.append(refiner.end(heard.truth, start.scale))
        poses.append(heard.pose)
    return Pairs(*(torch.from_numpy(np.stack(rows)) for rows in (starts, ends, poses)))


def ends_of(
    refiner: FlowRefiner, pairs: Pairs, solver: str | None = None, steps: int | None = None
) -> Tensor:
    """(P, signals, n): where the flows of all pairs end, see `FlowRefiner.moved`."""
    refiner.eval()
    with torch.inference_mode():
        parts = zip(pairs.start.split(AT_ONCE), pairs.pose.split(AT_ONCE), strict=True)
        return torch.cat([refiner.moved(*part, solver=solver, steps=steps) for part in parts])
