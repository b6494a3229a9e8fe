"""Dwellings that can be seen and heard, and the worlds that they come from.

A world is a set of dwellings in splits. The built-in one, "traced", holds the procedural
houses; each line of BACKENDS brings another. The tasks know a world by `WorldSettings` and
never import one.

What a backend is: a factory in BACKENDS, "module:callable", imported when first asked for. It
is called with grid, hrtf and kind, which every task has, and with those of its own `options`
that the user gave, all as keywords; it returns a `World`. It raises ValueError about what it
cannot be or do (a root that does not exist, a grid or a head that its data do not have), at
once, since `gymnasium.make` calls it. `kind` tells procedural houses apart; others ignore it.

A world is opened once per process and shared by all environments and their threads. `open`
is called at every reset, so it keeps what it has opened. Everything in a `Dwelling` is read
by several threads at a time and gives the same bits to all of them.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, SupportsIndex

import numpy as np

from av_envs.acoustics import AcousticBackend, TraceConfig, TracedAcoustics
from av_envs.acoustics.binaural import ear_tables
from av_envs.paths import path_text, plain_paths
from av_envs.scene import Scene, load_scene, scene_name
from av_envs.scene.procedural.splits import SPLIT_SIZE
from av_envs.vision import IMAGE_SIZE, ViewCache

OPEN_AT_ONCE = 64  # dwellings per process; the others are opened again when needed
NO_PICTURE = 200  # the grey of a view that does not exist


class Backend(NamedTuple):
    """Where a world comes from.

    factory  "module:callable" that returns a `World`
    options  keyword arguments that it knows besides grid, hrtf and kind; JSON-safe
    """

    factory: str
    options: tuple[str, ...] = ()


BACKENDS: dict[str, Backend] = {
    "traced": Backend("av_envs.worlds.base:TracedWorld", ("tracer",)),
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
        ("root", "unit", "up", "materials", "default", "extra", "without"),
    ),
    "habitat": Backend(
        "av_envs.soundspaces.habitat.world:HabitatWorld",
        ("root", "scenes", "audio", "rays", "materials", "gpu"),
    ),
}


class Acoustics(AcousticBackend, Protocol):
    """How a dwelling sounds between its nodes."""

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        ...


class Views(Protocol):
    """How a dwelling looks from its nodes."""

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colours (128, 128, 3) uint8 and depth (128, 128, 1) float32 in units of 10 m.

        Both arrays belong to the caller.
        """
        ...

    def labels(self, node: int, heading: int) -> np.ndarray:
        """What each pixel shows: (128, 128) uint8, an index into `av_envs.scene.CATEGORIES`."""
        ...


class NoViews:
    """The views of a dwelling that nobody has pictures of."""

    def __init__(self, reason: str):
        self.reason = reason

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        raise ValueError(self.reason)

    def labels(self, node: int, heading: int) -> np.ndarray:
        raise ValueError(self.reason)


@dataclass(frozen=True, eq=False)
class Dwelling:
    """A scene with what is heard and seen in it.

    Nodes are those of `scene.graph`, whose spacing is the grid that was asked for. Whoever has
    no surfaces still needs a scene: floors and walls are what maps are drawn of.
    """

    scene: Scene
    acoustics: Acoustics
    views: Views
    address: "Address | None" = field(default=None, init=False)

    def at(self, address: "Address") -> "Dwelling":
        """The same dwelling, which knows where it is to be found again."""
        found = replace(self)
        object.__setattr__(found, "address", address)
        return found

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple:
        """A copy, in whatever process, is opened where this dwelling was found, if that is known.

        So it shares what it reads with all others, and hardly anything is written.
        """
        if self.address is None:
            return super().__reduce_ex__(protocol)
        return _reopened, (self.address, self.scene.fingerprint)

    def picture(self, node: int, heading: int) -> np.ndarray:
        """(128, 128, 3) uint8, the view for people: plain grey if there is none."""
        if isinstance(self.views, NoViews):
            return np.full((IMAGE_SIZE, IMAGE_SIZE, 3), NO_PICTURE, np.uint8)
        return self.views.view(node, heading)[0]


class World(Protocol):
    """A set of dwellings."""

    def names(self, split: str) -> Sequence[str]:
        """The dwellings of a split (train, val or test) in an order that never changes."""
        ...

    def open(self, name: str) -> Dwelling:
        """The dwelling of that name, of whatever split."""
        ...


class WorldSettings(NamedTuple):
    """Which world it is: what a backend is called with.

    options  JSON of the backend's own keyword arguments
    """

    backend: str = "traced"
    grid: float = 1.0
    hrtf: str = "kemar"
    kind: str = "house"
    options: str = "{}"


class Address(NamedTuple):
    """Where a dwelling is found: its name in a world."""

    settings: WorldSettings
    name: str


class Pool(NamedTuple):
    """The dwellings that episodes draw from: the first `size` names of a split."""

    world: World
    names: Sequence[str]
    size: int
    settings: WorldSettings

    def open(self, name: str) -> Dwelling:
        """The dwelling of that name in this world, of whatever split."""
        return _opened_at(Address(self.settings, name))


def _opened_at(address: Address) -> Dwelling:
    dwelling = open_world(address.settings).open(address.name)
    return dwelling.at(address) if dwelling.address is None else dwelling


def _reopened(address: Address, fingerprint: str) -> Dwelling:
    """The dwelling at an address; a ValueError if it is another one by now."""
    dwelling = _opened_at(address)
    if dwelling.scene.fingerprint != fingerprint:
        raise ValueError(
            f"the dwelling {address.name!r} of backend {address.settings.backend!r} has changed "
            "since the environment in it was copied"
        )
    return dwelling


@lru_cache(maxsize=16)
def open_world(settings: WorldSettings) -> World:
    """The world of these settings, opened once per process."""
    module, _, name = BACKENDS[settings.backend].factory.partition(":")
    factory = getattr(importlib.import_module(module), name)
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
    """Settings of a world; an option that its backend does not have is an error.

    options  of the backend, JSON-safe; paths may be path objects
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
    """Keyword arguments of an environment, those of its backend moved into `backend_options`.

    known  options of the environment itself
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
    """Raise what opening the head raises, now; the built-in one needs no check."""
    if hrtf != "kemar":
        ear_tables(hrtf)


def open_dwelling(name: str, grid: float, hrtf: str = "kemar", tracer: str = "numba") -> Dwelling:
    """The procedural dwelling of that name (see `scene_name`); processes share what it caches.

    tracer  see `TraceConfig`
    """
    return _opened(name, grid, hrtf, tracer)


def forget_dwellings() -> None:
    """Close all procedural dwellings of this process; what is in the cache on disk stays."""
    _opened.cache_clear()


@lru_cache(maxsize=OPEN_AT_ONCE)
def _opened(name: str, grid: float, hrtf: str, tracer: str) -> Dwelling:
    scene = load_scene(name, grid)
    acoustics = TracedAcoustics(scene, TraceConfig(tracer=tracer), hrtf)
    options = {} if tracer == "numba" else {"tracer": tracer}
    address = Address(world_settings("traced", options, grid=grid, hrtf=hrtf), name)
    return Dwelling(scene, acoustics, ViewCache(scene)).at(address)


@dataclass(frozen=True)
class TracedWorld:
    """Procedural houses or flats, as many as there are seeds."""

    grid: float
    hrtf: str
    kind: str
    tracer: str = "numba"  # or warp, for graphics processors

    def __post_init__(self):
        TraceConfig(tracer=self.tracer)  # which says if there is none of that name
        check_head(self.hrtf)

    def names(self, split: str) -> Sequence[str]:
        return _SplitNames(split, self.kind)

    def open(self, name: str) -> Dwelling:
        return open_dwelling(name, self.grid, self.hrtf, self.tracer)


class _SplitNames(Sequence):
    """Names of a split, made when asked for: there are a million of them."""

    def __init__(self, split: str, kind: str):
        self._split, self._kind = split, kind

    def __len__(self) -> int:
        return SPLIT_SIZE

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # never sliced
        return scene_name(self._split, index, self._kind)
