"""Every knob of the separation task, with its unit, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from av_envs.acoustics.convolution import CONVOLUTIONS
from av_envs.options import check_choice, check_flag, check_whole, checked_names, is_number
from av_envs.paths import path_text, plain_paths
from av_envs.separation.estimators import check_estimator_name
from av_envs.separation.observation import OBSERVATIONS
from av_envs.separation.rewards import REWARDS
from av_envs.sound.corpora import EMBEDDED
from av_envs.worlds.base import WorldSettings, sorted_options, world_settings
from av_envs.worlds.facing import STARTS_FACING

SPLITS = {  # split: (split of the dwellings, split of the clips)
    "train": ("train", "train"),
    "val": ("val", "val"),
    "test_heard": ("test", "train"),  # never-seen houses, clips heard in training
    "test_unheard": ("test", "test"),  # never-seen houses, new clips of the same classes
}
STARTS = ("between", "near", "target", "far")
NEAR = (2.0, 5.0)  # m of walking, least and most, to what a start is near to
FAR = 8.0  # m of walking, least, to what a start is far from
SOURCE_DISTANCES = {"between": 4.0, "near": 8.0, "target": 8.0, "far": 8.0}  # m, by start
EXTRA_SCORES = ("si_sdr_ideal", "si_sdr_mixture_phase")
MAX_SOURCES = 8


@dataclass(frozen=True)
class SeparationConfig:
    """Options of the separation environments; all are JSON-safe keyword arguments."""

    split: str = "train"  # one of SPLITS
    houses: int = 32  # dwellings of the split that episodes draw from
    num_sources: int = 2  # the target included
    start: str = "between"  # between: as far from the target as from another; or of STARTS
    min_source_distance: float | None = None  # m between two sources; None: SOURCE_DISTANCES
    starts_facing: str = "any"  # or open: no wall just ahead, where the house allows it
    estimator: str = "mixture"  # whose estimate is scored: mixture, agent or "module:Factory"
    reward: str = "si_sdr_gain"  # one of REWARDS
    extra_scores: tuple[str, ...] = ()  # in the info beside the others, of EXTRA_SCORES
    dynamic: bool = True  # False: every source repeats its first second
    noise_snr_db: float | None = None  # microphone noise below the mixture at the start
    convolution: str = "causal"  # or legacy_same, what the paper's code does
    sounds: str = "embedded"  # or "embedded-2", or the path of a folder of clips
    grid: float = 1.0  # m between nodes
    steps: int = 20  # actions of an episode, one second each
    hrtf: str = "kemar"  # or the path of a SOFA file
    observations: tuple[str, ...] = (  # keys of an observation, of OBSERVATIONS
        "rgb",
        "depth",
        "mixture",
        "target",
        "pose",
    )
    backend: str = "traced"  # where the dwellings come from, one of av_envs.worlds.base.BACKENDS
    backend_options: Mapping[str, Any] | None = field(default=None, hash=False)  # of its own

    def __post_init__(self):
        check_choice("split", self.split, SPLITS)
        check_choice("start", self.start, STARTS)
        check_choice("starts_facing", self.starts_facing, STARTS_FACING)
        check_estimator_name(self.estimator)
        check_choice("reward", self.reward, REWARDS)
        check_choice("convolution", self.convolution, CONVOLUTIONS)
        check_flag("dynamic", self.dynamic)
        for option, built_in in (("sounds", EMBEDDED), ("hrtf", ("kemar",))):
            text = path_text(getattr(self, option), option, built_in)
            object.__setattr__(self, option, text)
        for option, valid in (("observations", OBSERVATIONS), ("extra_scores", EXTRA_SCORES)):
            names = checked_names(option, getattr(self, option), valid, "names")
            object.__setattr__(self, option, names)
        if not self.observations:
            listed = ", ".join(OBSERVATIONS)
            raise ValueError(f"observations must not be empty; choose from {listed}")
        for name, low, high in (
            ("houses", 1, 1_000_000),
            ("num_sources", 1, MAX_SOURCES),
            ("steps", 1, 100_000),
        ):
            check_whole(name, getattr(self, name), low, high)
        self._check_places()
        if not is_number(self.grid) or self.grid <= 0:
            raise ValueError(f"grid must be positive, got {self.grid!r}")
        if self.noise_snr_db is not None and not is_number(self.noise_snr_db):
            raise ValueError(f"noise_snr_db must be None or decibels, got {self.noise_snr_db!r}")
        object.__setattr__(self, "backend_options", plain_paths(self.backend_options))
        _ = self.world  # which raises

    def _check_places(self) -> None:
        distance = self.min_source_distance
        if distance is not None and (not is_number(distance) or distance < 0):
            raise ValueError(
                "min_source_distance must be a number of metres and not negative, or None; "
                f"got {distance!r}"
            )
        if self.start != "between":
            return
        if self.num_sources < 2:
            raise ValueError(
                f"start 'between' needs 2 sources or more, got num_sources={self.num_sources}; "
                f"choose start from {', '.join(STARTS[1:])}"
            )
        if self.source_distance > 2 * NEAR[1]:
            raise ValueError(
                f"start 'between' is at most {NEAR[1]:g} m from two sources, so "
                f"min_source_distance must be at most {2 * NEAR[1]:g}, got {distance!r}; "
                f"or choose start from {', '.join(STARTS[1:])}"
            )

    @property
    def source_distance(self) -> float:
        """Metres of walking between any two sources, at least."""
        if self.min_source_distance is None:
            return SOURCE_DISTANCES[self.start]
        return self.min_source_distance

    @cached_property
    def world(self) -> WorldSettings:
        """Which world the dwellings are of."""
        options = self.backend_options
        return world_settings(self.backend, options, grid=self.grid, hrtf=self.hrtf)

    @classmethod
    def from_keywords(cls, **options) -> "SeparationConfig":
        """The defaults with `options` changed; a name that does not exist is an error."""
        return cls(**sorted_options(options, [field.name for field in fields(cls)]))
