"""Observations of many environments in torch: a twin of `av_envs.separation.observation`."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from av_envs.separation.device.asset_cache import AssetCache
from av_envs.separation.device.episode_table import EpisodeTable
from av_envs.separation.device.motion import HeadingTables, pose_since
from av_envs.separation.device.rirs import BinauralAudio, Poses


class Sensed(NamedTuple):
    """One second of R environments, from which observations are made.

    rows  which environments
    """

    rows: slice | Tensor
    poses: Poses
    audio: BinauralAudio
    assets: AssetCache
    episodes: EpisodeTable
    headings: HeadingTables

    @property
    def view_page(self) -> Tensor:
        """(R,) int64, pages of the views."""
        return self.assets.places.view_page[self.poses.place, self.poses.heading]


def _pose(sensed: Sensed) -> Tensor:
    poses, position = sensed.poses, sensed.assets.places.position
    start = sensed.episodes.fact("start_place")[sensed.rows]
    first = sensed.episodes.fact("start_heading")[sensed.rows]
    offset = position[poses.place] - position[start]
    return pose_since(offset, first, poses.heading, poses.t, sensed.headings)


OBSERVATIONS: dict[str, Callable[[Sensed], Tensor]] = {
    "rgb": lambda sensed: sensed.assets.pages.rgb(sensed.view_page),
    "depth": lambda sensed: sensed.assets.pages.depth(sensed.view_page),
    "mixture": lambda sensed: sensed.audio.magnitude.log1p().mT,
    "target": lambda sensed: sensed.episodes.fact("label")[sensed.rows],
    "pose": _pose,
    "waveform": lambda sensed: sensed.audio.waveform,
}
