"""SoundSpaces 1.0: its files read without its software, and worlds made of them."""

from av_envs.soundspaces.errors import SoundSpacesError
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset, SoundSpacesScene

__all__ = ["SoundSpacesDataset", "SoundSpacesError", "SoundSpacesScene"]
