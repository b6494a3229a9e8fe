"""SoundSpaces 1.0: its files read without its software, and worlds made of them."""

from av_envs.soundspaces.dataset import SoundSpacesDataset, SoundSpacesScene
from av_envs.soundspaces.errors import SoundSpacesError

__all__ = ["SoundSpacesDataset", "SoundSpacesError", "SoundSpacesScene"]
