"""The procedural houses and flats as a world: `backend="traced"`, the default of both tasks.

Views are rendered; responses come from an acoustic backend, by default the built-in tracer:

    gymnasium.make("AVDynamicSep-v0", acoustics="my_module:my_factory")
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, cast

from av_envs.acoustics import AcousticBackend, TraceConfig
from av_envs.acoustics.backend import acoustic_factory
from av_envs.options import check_choice
from av_envs.scene import Scene, load_scene, scene_name
from av_envs.scene.procedural.splits import SPLIT_SIZE
from av_envs.vision import ViewCache
from av_envs.vision.views import LOOKS
from av_envs.worlds.base import (
    OPEN_AT_ONCE,
    Address,
    Dwelling,
    WorldSettings,
    check_head,
    open_world,
    world_settings,
)


@dataclass(frozen=True)
class TracedWorld:
    """Procedural houses or flats, as many as there are seeds."""

    grid: float  # m between nodes
    hrtf: str
    kind: str  # of the dwellings: flat or house
    tracer: str = "numba"  # of acoustics="traced": numba, or warp for graphics processors
    acoustics: str = "traced"  # one of ACOUSTIC_BACKENDS, or the import path "module:factory"
    acoustics_options: Mapping[str, Any] | None = field(default=None, hash=False)  # of its factory
    look: str = LOOKS[0]  # of views: lit, with lamps, shadows and doors, or flat

    def __post_init__(self):
        if not isinstance(self.acoustics_options, Mapping | None):
            raise ValueError(
                f"acoustics_options must be a dict or None, got {self.acoustics_options!r}"
            )
        TraceConfig(tracer=self.tracer)  # raises ValueError unless there is such a tracer
        self.factory()  # likewise
        check_choice("look", self.look, LOOKS)
        check_head(self.hrtf)

    def factory(self) -> Callable[[Scene, str], AcousticBackend]:
        """Function of a scene and a head that returns its acoustics."""
        own = {} if self.tracer == "numba" else {"tracer": self.tracer}
        return acoustic_factory(self.acoustics, {**own, **(self.acoustics_options or {})})

    @cached_property
    def settings(self) -> WorldSettings:
        """Settings of a world with these dwellings; defaults are left out, the kind as well."""
        defaults = {
            "tracer": "numba", "acoustics": "traced", "acoustics_options": None, "look": LOOKS[0]
        }  # fmt: skip
        given = {name: getattr(self, name) for name in defaults}
        options = {name: value for name, value in given.items() if value != defaults[name]}
        return world_settings("traced", options, grid=self.grid, hrtf=self.hrtf)

    def names(self, split: str) -> Sequence[str]:
        """Names of the dwellings of a split, see `scene_name`."""
        return _SplitNames(split, self.kind)

    def open(self, name: str) -> Dwelling:
        """The dwelling of that name, opened once per process."""
        return _opened(name, self.settings)


def open_dwelling(name: str, grid: float, hrtf: str = "kemar", tracer: str = "numba") -> Dwelling:
    """The procedural dwelling of that name (see `scene_name`) in a world of these options."""
    return TracedWorld(grid, hrtf, "house", tracer).open(name)


def forget_dwellings() -> None:
    """Close all procedural dwellings of this process; what is in the cache on disk stays."""
    _opened.cache_clear()


@lru_cache(maxsize=OPEN_AT_ONCE)
def _opened(name: str, settings: WorldSettings) -> Dwelling:
    world = cast(TracedWorld, open_world(settings))
    scene = load_scene(name, settings.grid)
    acoustics = world.factory()(scene, settings.hrtf)
    dwelling = Dwelling(scene, acoustics, ViewCache(scene, world.look))
    return dwelling.at(Address(settings, name))


class _SplitNames(Sequence):
    """Names of a split, made when they are read: a split has a million dwellings."""

    def __init__(self, split: str, kind: str):
        self._split, self._kind = split, kind

    def __len__(self) -> int:
        return SPLIT_SIZE

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # never sliced
        return scene_name(self._split, index, self._kind)
