"""Splits of procedural dwellings: train, val and test."""

import re

from av_envs.scene.procedural.floorplan import KINDS
from av_envs.scene.procedural.house import House
from av_envs.scene.scene import Scene

SPLITS = ("train", "val", "test")
SPLIT_SIZE = 1_000_000  # dwellings of each kind per split
_NAME = re.compile(rf"({'|'.join(KINDS)})-(0|[1-9][0-9]*)")


def scene_name(split: str, index: int, kind: str = "house") -> str:
    """Name of dwelling `index` of a split; no two splits share a dwelling."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; choose from {SPLITS}")
    if kind not in KINDS:
        raise ValueError(f"unknown kind of dwelling {kind!r}; choose from {sorted(KINDS)}")
    if not 0 <= index < SPLIT_SIZE:
        raise ValueError(f"index must lie in 0..{SPLIT_SIZE - 1}, got {index}")
    return f"{kind}-{SPLITS.index(split) * SPLIT_SIZE + index}"


def split_of_dwelling(name: str) -> str | None:
    """The split that a procedural dwelling is drawn for; None if no split has that name."""
    match = _NAME.fullmatch(name)
    number = int(match[2]) // SPLIT_SIZE if match else len(SPLITS)
    return SPLITS[number] if number < len(SPLITS) else None


def load_scene(name: str, grid: float | None = None) -> Scene:
    """The scene of that name, e.g. "house-12" or "flat-7"; grid as in `House.scene`."""
    match = _NAME.fullmatch(name)
    if match is None:
        forms = " or ".join(f'"{kind}-<seed>"' for kind in KINDS)
        raise ValueError(f"unknown scene {name!r}; valid names are {forms}, the seed from 0 up")
    return House(int(match[2]), match[1]).scene(grid)
