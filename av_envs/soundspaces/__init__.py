"""SoundSpaces 1.0: readers of its files without its software, and worlds of its scenes."""

from av_envs.soundspaces.errors import SoundSpacesError
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset, SoundSpacesScene

__all__ = ["SoundSpacesDataset", "SoundSpacesError", "SoundSpacesScene"]
