"""Protocols of worlds, the table of world backends, and pools of dwellings.

A `World` is a set of dwellings in splits; a `Dwelling` is a scene with acoustics and views.
Tasks refer to a world by its `WorldSettings` and never import one.

A backend is a line of BACKENDS: a factory "module:callable", imported on first use. It is
called with the keywords grid, hrtf and kind, which every task has, and with those of its own
`options` that the user gave; it returns a `World`. It raises ValueError for arguments that its
data do not support (a missing root, another grid or head) when it is called, which is in
`gymnasium.make`. `kind` selects procedural houses or flats; other backends ignore it.

A world is opened once per process and shared by all environments and threads. `World.open` is
called at every reset, so it should cache. All methods of a `Dwelling` may be called from
several threads at a time and must return the same bits for the same arguments.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, SupportsIndex

import numpy as np

from av_envs import plugins
from av_envs.acoustics import AcousticBackend
from av_envs.acoustics.binaural import ear_tables
from av_envs.paths import path_text, plain_paths
from av_envs.scene import Scene
from av_envs.vision import IMAGE_SIZE

OPEN_AT_ONCE = 64  # dwellings per process; the others are opened again when needed
NO_PICTURE = 200  # the grey of a view that does not exist


class Backend(NamedTuple):
    """One line of BACKENDS.

    factory  import path "module:callable" of what returns a `World`
    options  its keyword arguments besides grid, hrtf and kind; JSON-safe
    """

    factory: str
    options: tuple[str, ...] = ()


BACKENDS: dict[str, Backend] = {
    "traced": Backend(
        "av_envs.worlds.traced:TracedWorld", ("tracer", "acoustics", "acoustics_options", "look")
    ),
    "soundspaces": Backend(
        "av_envs.soundspaces.world:SoundSpacesWorld",
        (
            "root",
            "dataset",
            "scenes",
            "missing",
            "rirs",
            "metadata",
            "observations",
            "kept_responses",
        ),
    ),
    "mesh": Backend(
        "av_envs.worlds.mesh:MeshWorld",
        ("root", "unit", "up", "materials", "default", "extra", "without", "look"),
    ),
    "habitat": Backend(
        "av_envs.soundspaces.habitat.world:HabitatWorld",
        ("root", "scenes", "audio", "rays", "materials", "gpu"),
    ),
    "refined": Backend(
        "av_envs.worlds.refined:RefinedWorld",
        ("base", "base_options", "refiner", "refiner_options"),
    ),
}


class Views(Protocol):
    """Views of a dwelling from its nodes."""

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colours (128, 128, 3) uint8 and depth (128, 128, 1) float32 in units of 10 m.

        Both arrays belong to the caller.
        """
        ...

    def labels(self, node: int, heading: int) -> np.ndarray:
        """Category of each pixel: (128, 128) uint8, an index into `av_envs.scene.CATEGORIES`."""
        ...


class NoViews:
    """Views of a dwelling without images; every method raises ValueError with `reason`."""

    def __init__(self, reason: str):
        self.reason = reason

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        raise ValueError(self.reason)

    def labels(self, node: int, heading: int) -> np.ndarray:
        raise ValueError(self.reason)


@dataclass(frozen=True, eq=False)
class Dwelling:
    """A scene with its acoustics and views.

    scene    its graph has the requested grid; needed for maps even if acoustics and views
             do not use its surfaces
    address  where a copy is reopened, None if unknown
    """

    scene: Scene
    acoustics: AcousticBackend
    views: Views
    address: "Address | None" = field(default=None, init=False)

    def at(self, address: "Address") -> "Dwelling":
        """The same dwelling with an address."""
        found = replace(self)
        object.__setattr__(found, "address", address)
        return found

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple:
        """Copies and pickles of a dwelling with an address are reopened there by name.

        So they share caches, and a pickle is small.
        """
        if self.address is None:
            return super().__reduce_ex__(protocol)
        return _reopened, (self.address, self.scene.fingerprint)

    @property
    def has_views(self) -> bool:
        """Whether there are images of it."""
        return not isinstance(self.views, NoViews)

    def picture(self, node: int, heading: int) -> np.ndarray:
        """(128, 128, 3) uint8, the view for rendering; plain grey if there are no views."""
        if not self.has_views:
            return np.full((IMAGE_SIZE, IMAGE_SIZE, 3), NO_PICTURE, np.uint8)
        return self.views.view(node, heading)[0]


class World(Protocol):
    """A set of dwellings in splits."""

    def names(self, split: str) -> Sequence[str]:
        """Names of the dwellings of a split (train, val or test), in a fixed order."""
        ...

    def open(self, name: str) -> Dwelling:
        """The dwelling of that name, from any split; ValueError if there is none."""
        ...


class WorldSettings(NamedTuple):
    """Arguments of a world backend, hashable.

    backend  key of BACKENDS
    options  JSON of the backend's own keyword arguments
    """

    backend: str = "traced"
    grid: float = 1.0
    hrtf: str = "kemar"
    kind: str = "house"
    options: str = "{}"


class Address(NamedTuple):
    """Identity of a dwelling: world and name."""

    settings: WorldSettings
    name: str


class Pool(NamedTuple):
    """The dwellings that episodes draw from: the first `size` names of a split."""

    world: World
    names: Sequence[str]
    size: int
    settings: WorldSettings

    def open(self, name: str) -> Dwelling:
        """The dwelling of that name in this world, from any split."""
        return _opened_at(Address(self.settings, name))


def _opened_at(address: Address) -> Dwelling:
    dwelling = open_world(address.settings).open(address.name)
    return dwelling.at(address) if dwelling.address is None else dwelling


def _reopened(address: Address, fingerprint: str) -> Dwelling:
    """The dwelling at an address; ValueError if its scene has another fingerprint."""
    dwelling = _opened_at(address)
    if dwelling.scene.fingerprint != fingerprint:
        raise ValueError(
            f"the dwelling {address.name!r} of backend {address.settings.backend!r} has changed "
            "since the environment in it was copied"
        )
    return dwelling


@lru_cache(maxsize=16)
def open_world(settings: WorldSettings) -> World:
    """The world of these settings, cached per process."""
    factory = plugins.load(BACKENDS[settings.backend].factory, "backend")
    grid, hrtf, kind = settings.grid, settings.hrtf, settings.kind
    return factory(grid=grid, hrtf=hrtf, kind=kind, **json.loads(settings.options))


def open_pool(settings: WorldSettings, split: str, houses: int) -> Pool:
    """The first `houses` dwellings of a split, or all of them if there are fewer."""
    world = open_world(settings)
    names = world.names(split)
    if len(names) == 0:
        raise ValueError(f"the split {split!r} of backend {settings.backend!r} has no dwelling")
    return Pool(world, names, min(houses, len(names)), settings)


def world_settings(
    backend: str, options: Mapping[str, Any] | None, *, grid: float, hrtf: str, kind: str = "house"
) -> WorldSettings:
    """Checked settings of a world.

    options  of the backend, JSON-safe; paths may be path objects

    Raises ValueError for an unknown backend and TypeError for an option that it does not have.
    """
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} does not exist; choose from {', '.join(BACKENDS)}")
    known, plain = BACKENDS[backend].options, {}
    for name, value in _checked_mapping(options).items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise TypeError(f"backend {backend!r} has no option {name!r}; {has}")
        plain[name] = plain_paths(value)
    try:
        text = json.dumps(plain, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"options of backend {backend!r} must be JSON-safe: {error}") from None
    return WorldSettings(backend, grid, path_text(hrtf, "hrtf", ["kemar"]), kind, text)


def sorted_options(options: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Keyword arguments of an environment with those of its backend in `backend_options`.

    known  options of the environment itself; TypeError for others that the backend lacks
    """
    own = {name: value for name, value in options.items() if name in known}
    others = {name: value for name, value in options.items() if name not in known}
    backend = own.get("backend", "traced")
    exists = isinstance(backend, str) and backend in BACKENDS  # `world_settings` says if not
    for name in others:
        if exists and name not in BACKENDS[backend].options:
            raise TypeError(_unknown(name, known, backend))
    if others:
        own["backend_options"] = {**_checked_mapping(own.get("backend_options")), **others}
    return own


def _checked_mapping(options: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not isinstance(options, Mapping | None):
        raise ValueError(f"backend_options must be a dict or None, got {options!r}")
    return options or {}


def _unknown(name: str, known: Sequence[str], backend: str) -> str:
    theirs = [repr(other) for other, brings in BACKENDS.items() if name in brings.options]
    listed = ", ".join([*known, *BACKENDS[backend].options])
    hint = f"; it needs backend={' or '.join(theirs)}" if theirs else ""
    # in Python's words too: TorchRL's GymEnv looks for them
    return (
        f"unknown option {name!r}; options are {listed}{hint} "
        f"(unexpected keyword argument {name!r})"
    )


def check_head(hrtf: str) -> None:
    """Raise ValueError or OSError now if the head of that name or path cannot be opened."""
    if hrtf != "kemar":
        ear_tables(hrtf)
