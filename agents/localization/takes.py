"""Takes: a listener who turns or walks in a house while sounds begin and end, and their labels.

A take lasts whole seconds, in each of which the listener stands somewhere; before it there is a
second more, whose reverberation is still heard. Time is counted in frames of 100 ms.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.response import DIRECTION_GROUP, ENERGY_OF_CODE, N_AZIMUTHS
from av_envs.agents.localization.directions import seen_from, unit_vectors
from av_envs.agents.localization.features import LABEL_SECONDS
from av_envs.conventions import N_HEADINGS, SAMPLE_RATE
from av_envs.scene import occluded
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SPLITS
from av_envs.sound.clips import CLIP_RMS
from av_envs.worlds.base import Dwelling, open_pool, world_settings

PER_SECOND = round(1 / LABEL_SECONDS)  # frames
FRAME = SAMPLE_RATE // PER_SECOND  # samples
RAMP = 80  # samples over which an event fades in and out
SOUNDING = 1e-3 * CLIP_RMS**2  # mean power of a dry frame from which on a source is active
KEPT_CLIPS = 400  # in memory: 0.5 GB of the embedded corpus


@dataclass(frozen=True)
class TakeConfig:
    """What takes are drawn from."""

    split: str = "train"  # of the separation task: of houses and of clips
    houses: int = 48  # of that split
    sounds: str = "embedded"
    grid: float = 1.0  # m between nodes
    seconds: int = 5
    tracks: int = 1  # most sources at a time
    near: float = 6.0  # m of walking from the first pose to sources that are near it
    share_near: float = 0.75  # of takes; in the others sources are anywhere in the house
    share_turning: float = 0.5  # of takes in which the listener turns on the spot
    share_walking: float = 0.25  # in which the listener walks, too; otherwise it stands still
    event_seconds: tuple[float, float] = (1.0, 6.0)  # shortest and longest sound
    pause_seconds: tuple[float, float] = (0.2, 2.0)  # between two sounds of one track
    level_db: float = 6.0  # by which a sound may be louder or softer
    snr_db: tuple[float, float] = (6.0, 40.0)  # over the noise of the microphones


class Event(NamedTuple):
    """A sound at a place.

    track   slot of its labels; no two events of a track overlap
    node    of the source
    label   class in the corpus
    dry     (16000 * (1 + seconds),) float32, what it plays from a second before the take on
    active  (frames,) bool, when it sounds in the take
    """

    track: int
    node: int
    label: int
    dry: np.ndarray
    active: np.ndarray


class Take(NamedTuple):
    """A drawn take.

    node, heading  (seconds,) int, of the listener
    snr_db         over the noise of the microphones, which `noise_seed` draws
    """

    dwelling: Dwelling
    node: np.ndarray
    heading: np.ndarray
    events: list[Event]
    snr_db: float
    noise_seed: int


class Labels(NamedTuple):
    """What is true in L frames of N tracks, in the frame of the listener.

    direction  (L, N, 3) float32 unit vector along the straight line to the source; 0 without one
    arrival    (L, N, 3) float32 unit vector the strongest path of its sound arrives from
    active     (L, N) bool, whether it sounds
    sight      (L, N) bool, whether nothing stands between listener and source
    label      (L, N) int64, class of the sound; -1 without one
    """

    direction: np.ndarray
    arrival: np.ndarray
    active: np.ndarray
    sight: np.ndarray
    label: np.ndarray


class TakeSampler:
    """Draws takes; a take is a function of the random generator alone."""

    def __init__(self, config: TakeConfig):
        self.config = config
        world = world_settings("traced", None, grid=config.grid, hrtf="kemar")
        self._pool = open_pool(world, SPLITS[config.split][0], config.houses)
        self._corpus = corpus_of(config.sounds)
        self._samples = lru_cache(KEPT_CLIPS)(self._corpus.samples)

    def draw(self, rng: np.random.Generator, house: int | None = None) -> Take:
        """A take, in that house of the pool or a random one."""
        house = int(rng.integers(self._pool.size)) if house is None else house
        dwelling = self._pool.open(self._pool.names[house])
        node, heading = self._walk(dwelling, rng)
        places = self._places(dwelling, node, rng)
        events: list[Event] = []
        for track in range(self.config.tracks):
            for first, last in self._spans(rng):
                place = int(places[len(events) % len(places)])
                events.append(self._event(track, place, first, last, rng))
        snr = float(rng.uniform(*self.config.snr_db))
        return Take(dwelling, node, heading, events, snr, int(rng.integers(2**63)))

    def _walk(self, dwelling: Dwelling, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Node and heading of the listener in every second."""
        config, neighbours = self.config, dwelling.scene.graph.neighbours
        node, heading = int(rng.integers(len(neighbours))), int(rng.integers(N_HEADINGS))
        kind = rng.random()
        walks = kind < config.share_walking
        turns = walks or kind < config.share_walking + config.share_turning
        poses = [(node, heading)]
        for _ in range(config.seconds - 1):
            ahead = int(neighbours[node, heading])
            if walks and ahead >= 0 and rng.random() < 0.7:
                node = ahead
            elif turns and rng.random() < 0.7:
                heading = (heading + int(rng.choice([1, 3]))) % N_HEADINGS
            poses.append((node, heading))
        nodes, headings = np.array(poses).T
        return nodes, headings

    def _places(
        self, dwelling: Dwelling, walked: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Nodes for sources in a random order, none where the listener stands."""
        graph = dwelling.scene.graph
        free = np.ones(len(graph), bool)
        free[walked] = False
        close = free & (graph.walking_distances[walked[0]] <= self.config.near)
        is_near = rng.random() < self.config.share_near
        return rng.permutation(np.flatnonzero(close if is_near and close.any() else free))

    def _spans(self, rng: np.random.Generator) -> list[tuple[int, int]]:
        """First frame and end of the events of a track, from a second before the take on."""
        end, spans = PER_SECOND * (1 + self.config.seconds), []
        at = 0 if rng.random() < 0.5 else self._frames(self.config.pause_seconds, rng)
        while at < end:
            last = min(at + self._frames(self.config.event_seconds, rng), end)
            spans.append((at, last))
            at = last + self._frames(self.config.pause_seconds, rng)
        return spans

    def _frames(self, seconds: tuple[float, float], rng: np.random.Generator) -> int:
        return max(1, round(float(rng.uniform(*seconds)) * PER_SECOND))

    def _event(
        self, track: int, node: int, first: int, last: int, rng: np.random.Generator
    ) -> Event:
        label = int(rng.integers(len(self._corpus.classes)))
        clips = self._corpus.clips(SPLITS[self.config.split][1], self._corpus.classes[label])
        samples = self._samples(clips[rng.integers(len(clips))])
        n = (last - first) * FRAME
        start = int(rng.integers(len(samples)))
        played = np.take(samples, np.arange(start, start + n), mode="wrap")
        played = played * np.float32(10 ** (rng.uniform(-1, 1) * self.config.level_db / 20))
        ramp = np.linspace(0, 1, RAMP, dtype=np.float32)
        played[:RAMP] *= ramp
        played[-RAMP:] *= ramp[::-1]
        dry = np.zeros((1 + self.config.seconds) * SAMPLE_RATE, np.float32)
        dry[first * FRAME : last * FRAME] = played
        power = np.square(dry[SAMPLE_RATE:]).reshape(-1, FRAME).mean(axis=1)
        return Event(track, node, label, dry, power > SOUNDING)


def labels_of(take: Take, tracks: int) -> Labels:
    """What is true in a take."""
    length = PER_SECOND * len(take.node)
    shape = (length, tracks)
    directions = np.zeros((2, *shape, 3), np.float32)
    active, sight = np.zeros(shape, bool), np.zeros(shape, bool)
    label = np.full(shape, -1)
    heads, bvh = take.dwelling.scene.graph.heads, take.dwelling.scene.bvh
    for event in take.events:
        on = event.active
        straight = heads[event.node] - heads[take.node]
        hidden = occluded(bvh, heads[take.node], np.broadcast_to(heads[event.node], straight.shape))
        row = take.dwelling.acoustics.bank.row(event.node)
        arrival = np.stack([strongest_arrival(row[node]) for node in take.node])
        for k, world in enumerate((straight, arrival)):
            unit = world / np.linalg.norm(world, axis=1, keepdims=True)
            seen = np.repeat(seen_from(take.heading, unit), PER_SECOND, axis=0)
            directions[k, on, event.track] = seen[on]
        active[on, event.track] = True
        sight[on, event.track] = np.repeat(~hidden, PER_SECOND)[on]
        label[on, event.track] = event.label
    return Labels(*directions, active, sight, label)


def strongest_arrival(response: np.ndarray) -> np.ndarray:
    """(3,) towards what arrives strongest, world frame, of a () RESPONSE; not of unit length.

    That is the strongest early path, or without one the sector with the most energy.
    """
    if response["n_paths"] > 0:
        return response["path_direction"][0].astype(np.float32)
    energy = ENERGY_OF_CODE[response["energy"]].sum(axis=1)
    per_group = np.bincount(DIRECTION_GROUP, energy, len(response["direction"]))
    share = response["direction"] / response["direction"].sum(axis=1, keepdims=True)
    sector = int((per_group @ share).argmax())
    if sector >= N_AZIMUTHS:
        return np.array([0, 0, 1 if sector == N_AZIMUTHS else -1], np.float32)
    return unit_vectors(np.array(2 * np.pi * sector / N_AZIMUTHS), np.array(0.0))
