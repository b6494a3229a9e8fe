"""Every knob of the separation task, with its unit, in one place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from av_envs.acoustics.rendering import CONVOLUTIONS
from av_envs.dwelling import WorldSettings, sorted_options, world_settings
from av_envs.paths import path_text, plain_paths
from av_envs.separation.estimators import check_estimator_name

SPLITS = {  # split: (split of the dwellings, split of the clips)
    "train": ("train", "train"),
    "val": ("val", "val"),
    "test_heard": ("test", "train"),  # never-seen houses, clips heard in training
    "test_unheard": ("test", "test"),  # never-seen houses, new clips of the same classes
}
STARTS = ("near", "target", "far")
REWARDS = ("si_sdr_gain", "si_sdr", "neg_nmse", "improvement", "approach")
OBSERVATIONS = ("rgb", "depth", "mixture", "target", "pose", "waveform")
MAX_SOURCES = 8


@dataclass(frozen=True)
class SeparationConfig:
    """Options of the separation environments; all are JSON-safe keyword arguments."""

    split: str = "train"  # one of SPLITS
    houses: int = 32  # dwellings of the split that episodes draw from
    num_sources: int = 2  # the target included
    start: str = "near"  # near: 2-5 m walk to the target; target: on it; far: at least 8 m
    min_source_distance: float = 8.0  # m of walking between any two sources
    estimator: str = "mixture"  # whose estimate is scored: mixture, agent or "module:Factory"
    reward: str = "si_sdr_gain"  # one of REWARDS
    dynamic: bool = True  # False: every source repeats its first second
    noise_snr_db: float | None = None  # microphone noise below the mixture at the start
    convolution: str = "causal"  # or legacy_same, what the paper's code does
    sounds: str = "embedded"  # or the path of a folder of clips
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
    backend: str = "traced"  # where the dwellings come from, one of av_envs.dwelling.BACKENDS
    backend_options: Mapping[str, Any] | None = field(default=None, hash=False)  # of its own

    def __post_init__(self):
        _check("split", self.split, SPLITS)
        _check("start", self.start, STARTS)
        check_estimator_name(self.estimator)
        _check("reward", self.reward, REWARDS)
        _check("convolution", self.convolution, CONVOLUTIONS)
        if not isinstance(self.dynamic, bool):
            raise ValueError(f"dynamic must be True or False, got {self.dynamic!r}")
        for option, built_in in (("sounds", "embedded"), ("hrtf", "kemar")):
            text = path_text(getattr(self, option), option, [built_in])
            object.__setattr__(self, option, text)
        for name in self.observations:
            _check("observations", name, OBSERVATIONS)
        if not self.observations or len(set(self.observations)) < len(self.observations):
            raise ValueError(f"observations must be distinct and not empty: {self.observations}")
        object.__setattr__(self, "observations", tuple(self.observations))
        for name, low, high in (
            ("houses", 1, 1_000_000),
            ("num_sources", 1, MAX_SOURCES),
            ("steps", 1, 100_000),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be a whole number in {low}..{high}, got {value!r}")
        if not _is_number(self.min_source_distance) or self.min_source_distance < 0:
            raise ValueError(
                "min_source_distance must be a number of metres and not negative, "
                f"got {self.min_source_distance!r}"
            )
        if not _is_number(self.grid) or self.grid <= 0:
            raise ValueError(f"grid must be positive, got {self.grid!r}")
        if self.noise_snr_db is not None and not _is_number(self.noise_snr_db):
            raise ValueError(f"noise_snr_db must be None or decibels, got {self.noise_snr_db!r}")
        object.__setattr__(self, "backend_options", plain_paths(self.backend_options))
        _ = self.world  # which raises

    @cached_property
    def world(self) -> WorldSettings:
        """Which world the dwellings are of."""
        options = self.backend_options
        return world_settings(self.backend, options, grid=self.grid, hrtf=self.hrtf)

    @classmethod
    def from_keywords(cls, **options) -> "SeparationConfig":
        """The defaults with `options` changed; a name that does not exist is an error."""
        return cls(**sorted_options(options, [field.name for field in fields(cls)]))


def _check(option: str, value: str, valid) -> None:
    if value not in valid:
        raise ValueError(f"{option} {value!r} does not exist; choose from {', '.join(valid)}")


def _is_number(value) -> bool:
    """A finite real number that JSON can carry."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
