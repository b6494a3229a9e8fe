"""SoundSpaces 1.0: readers of its files without its software, and worlds of its scenes.

The readers are imported when they are asked for, so that the options of the export come at once.
"""

from typing import TYPE_CHECKING, Any

from av_envs.soundspaces.errors import SoundSpacesError

if TYPE_CHECKING:
    from av_envs.soundspaces.reading.dataset import SoundSpacesDataset, SoundSpacesScene

__all__ = ["SoundSpacesDataset", "SoundSpacesError", "SoundSpacesScene"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from av_envs.soundspaces.reading import dataset

    return getattr(dataset, name)
