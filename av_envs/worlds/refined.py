"""Any world with refined acoustics: `backend="refined"` of both tasks.

    gymnasium.make("AVDynamicSep-v0", backend="refined", base="traced",
                   refiner="av_envs.agents.refinement:Refined",
                   refiner_options={"checkpoint": "best.safetensors"})

The dwellings, their views and their splits are those of the base world.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from inspect import signature
from typing import Any

from av_envs import plugins
from av_envs.acoustics.refined import RefinedAcoustics, Refiner, check_refiner
from av_envs.worlds.base import (
    OPEN_AT_ONCE,
    Dwelling,
    open_world,
    world_settings,
)


class RefinedWorld:
    """The dwellings of another world, with refined responses.

    base             backend of that world, key of BACKENDS
    base_options     its keyword arguments, JSON-safe
    refiner          import path "module:Factory"; None: responses stay as they are
    refiner_options  keyword arguments of the factory, JSON-safe
    """

    def __init__(
        self,
        *,
        grid: float,
        hrtf: str = "kemar",
        kind: str = "house",
        base: str = "traced",
        base_options: Mapping[str, Any] | None = None,
        refiner: str | None = None,
        refiner_options: Mapping[str, Any] | None = None,
    ):
        settings = world_settings(base, base_options, grid=grid, hrtf=hrtf, kind=kind)
        self._base = open_world(settings)
        self._refiner = _made(refiner, refiner_options)
        self.open = lru_cache(maxsize=OPEN_AT_ONCE)(self._open)

    def names(self, split: str) -> Sequence[str]:
        """Names of the dwellings of a split."""
        return self._base.names(split)

    def _open(self, name: str) -> Dwelling:
        found = self._base.open(name)
        acoustics = RefinedAcoustics(found.acoustics, self._refiner, found.scene)
        return Dwelling(found.scene, acoustics, found.views)


def _made(path: str | None, options: Mapping[str, Any] | None) -> Refiner | None:
    """The refiner of an import path, called with these options; ValueError if it cannot be."""
    if not isinstance(options, Mapping | None):
        raise ValueError(f"refiner_options must be a dict or None, got {options!r}")
    if path is None:
        if options:
            raise ValueError(f"there is no refiner to take the options {dict(options)}")
        return None
    make = _bound(path, options or {})
    made = make()
    check_refiner(made, f"refiner {path!r}")
    return made


def _bound(path: str, options: Mapping[str, Any]) -> Callable[[], Refiner]:
    factory = plugins.load(path, "refiner")
    try:
        signature(factory).bind(**options)
    except TypeError as error:
        raise ValueError(
            f"refiner {path!r} cannot be called with the options {dict(options)}: {error}"
        ) from error
    return partial(factory, **options)
