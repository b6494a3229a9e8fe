"""Dwellings that can be seen and heard, opened once per process."""

from dataclasses import dataclass
from functools import lru_cache

from av_envs.acoustics import TracedAcoustics
from av_envs.scene import Scene, load_scene
from av_envs.vision import ViewCache

OPEN_AT_ONCE = 64  # dwellings per process; the others are opened again when needed


@dataclass(frozen=True, eq=False)
class Dwelling:
    """A scene with what is heard and seen in it."""

    scene: Scene
    acoustics: TracedAcoustics
    views: ViewCache


@lru_cache(maxsize=OPEN_AT_ONCE)
def open_dwelling(name: str, grid: float, hrtf: str = "kemar") -> Dwelling:
    """The dwelling of that name (see `scene_name`); processes share its responses and views."""
    scene = load_scene(name, grid)
    return Dwelling(scene, TracedAcoustics(scene, hrtf=hrtf), ViewCache(scene))
