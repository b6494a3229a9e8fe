"""The verbs of `av_envs.separation.core` for many episodes at once, their state in tensors."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.profiler import record_function

from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.asset_cache import AssetCache
from av_envs.separation.device.episode_table import EpisodeTable, on_device
from av_envs.separation.device.motion import HeadingTables, pose_after
from av_envs.separation.device.observation import OBSERVATIONS, Sensed
from av_envs.separation.device.prefetch import EpisodePrefetcher
from av_envs.separation.device.rirs import BinauralRenderer, Poses
from av_envs.separation.device.scoring import Scores, rewards
from av_envs.sound import Corpus
from av_envs.vector.autoreset import Start

Tensors = dict[str, Tensor]


class DeviceCore:
    """N episodes on one device: `begin` and `transition` change them, `sense` tells of them.

    chunk  environments rendered at once

    place      (N,) int64, row of the agent's node in `assets.places`
    heading    (N,) int64, quarter turns
    t          (N,) int64, seconds since the start
    collision  (N,) bool, whether the last action was blocked
    """

    def __init__(
        self,
        config: SeparationConfig,
        corpus: Corpus,
        assets: AssetCache,
        num_envs: int,
        chunk: int,
    ):
        self.config, self.assets, self.num_envs, self.chunk = config, assets, num_envs, chunk
        self.device = assets.pages.data.device
        self.prefetcher = EpisodePrefetcher(config, corpus, assets, num_envs)
        self.episodes = EpisodeTable(config, num_envs, self.device)
        self.renderer = BinauralRenderer(config, assets, self.episodes, num_envs)
        self.headings = HeadingTables(self.device)
        self.place, self.heading, self.t = torch.zeros(
            (3, num_envs), dtype=torch.int64, device=self.device
        )
        self.collision = torch.zeros(num_envs, dtype=torch.bool, device=self.device)

    def begin(self, begin: Mapping[int, Start]) -> None:
        """Put environments at the starts of new episodes."""
        with record_function("av_envs: next episodes"):
            prepared = self.prefetcher.begin(begin)
        rows = on_device(np.array(list(begin)), self.device)
        with record_function("av_envs: their tables"):
            self.episodes.write(rows, prepared)
        self.place[rows] = self.episodes.fact("start_place")[rows]
        self.heading[rows] = self.episodes.fact("start_heading")[rows]
        self.t[rows] = 0
        self.collision[rows] = False

    def transition(self, actions: Tensor) -> None:
        """Move every agent.

        actions  (N,) int64
        """
        blocked = None if self.config.start == "target" else self.episodes.source_places
        ahead = self.assets.places.neighbours[self.place, self.heading]
        self.place, self.heading, self.collision = pose_after(
            actions, self.place, self.heading, ahead, blocked, self.headings
        )
        self.t = self.t + 1

    def sense(self, rows: Tensor | None, some_begin: bool) -> tuple[Tensors, Scores]:
        """Observations and info of the second that has just passed, rendered in chunks.

        rows        (n,) int64, of which environments; None: of all
        some_begin  whether any of them is at its start
        """
        n = self.num_envs if rows is None else len(rows)
        observations: Tensors = {}
        info: Scores = {}
        for part in _chunks(n, self.chunk):
            sensed = self.render(part if rows is None else rows[part], some_begin)
            with record_function("av_envs: observations"):
                _keep(observations, self.observe(sensed), part, n)
            with record_function("av_envs: infos"):
                _keep(info, self.info(sensed), part, n)
        return observations, info

    def render(self, rows: slice | Tensor, some_begin: bool) -> Sensed:
        """The sound of this second in some environments, and its scores."""
        poses = Poses(self.place[rows], self.heading[rows], self.t[rows])
        audio = self.renderer.render(rows, poses, some_begin)
        return Sensed(rows, poses, audio, self.assets, self.episodes, self.headings)

    def observe(self, sensed: Sensed) -> Tensors:
        """What the agents observe, keyed as the observation space."""
        return {key: OBSERVATIONS[key](sensed) for key in self.config.observations}

    def info(self, sensed: Sensed) -> Scores:
        """All scalars of this second, (R,) float32."""
        places, episodes, poses, rows = self.assets.places, self.episodes, sensed.poses, sensed.rows
        score = dict(sensed.audio.scores)
        if "si_sdr_gain" in score:  # where both are the same second they are the same to the bit
            start = episodes.fact("start_place")[rows], episodes.fact("start_heading")[rows]
            is_there = (poses.place == start[0]) & (poses.heading == start[1])
            score["si_sdr_start"] = torch.where(is_there, score["si_sdr"], score["si_sdr_start"])
            score["si_sdr_gain"] = score["si_sdr"] - score["si_sdr_start"]
        target = episodes.source_places[rows][:, 0]
        offset = places.position[target] - places.position[poses.place]
        return score | {
            "distance_to_target": offset.square().sum(1).sqrt(),
            "geodesic_to_target": self.renderer.metres_to_target(rows, poses.place),
            "collision": self.collision[rows].float(),
            "node": places.node[poses.place].float(),
            "heading": poses.heading.float(),
            "house": episodes.fact("house")[rows].float(),
        }

    def evaluate(self, info: Scores, before: Scores) -> Tensor:
        """(N,) float32, rewards of a step; zero for an episode that has just begun.

        before  the info of the step before
        """
        is_last = self.t >= self.config.steps
        earned = rewards(self.config.reward, {**info, "is_last": is_last}, before)
        return torch.where(self.t > 0, earned, 0)


def _chunks(n: int, size: int) -> Iterator[slice]:
    return (slice(first, min(first + size, n)) for first in range(0, n, size))


def _keep(made: Tensors, parts: Tensors, chunk: slice, n: int) -> None:
    """Put the part of a chunk into tensors of n rows."""
    for key, part in parts.items():
        if key not in made:
            made[key] = part.new_empty((n, *part.shape[1:]))
        made[key][chunk] = part
