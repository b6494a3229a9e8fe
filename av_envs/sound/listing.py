"""The files below a folder, through links to files and folders, but hidden ones."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from av_envs.sound_files import SUFFIXES

Number = tuple[int, int]  # of a folder: device and inode


class Listing(NamedTuple):
    """Result of a recursive listing.

    files   sorted by path
    faults  links that lead nowhere, back up, or to files that are there already, a line each
    """

    files: list[Path]
    faults: list[str]


def files_below(root: Path) -> Listing:
    """All files below `root`, also those that links lead to; no folder is entered twice."""
    listing = Listing([], [])
    _enter(root, root, {_number(root): root}, (_number(root),), listing)
    listing.files.sort()
    return listing


def folders_in(root: Path) -> set[str]:
    """Names of the folders in `root`, links to folders included, hidden ones not."""
    return {path.name for path in _entries(root) if path.is_dir()}


def sound_files(root: Path) -> Iterator[Path]:
    """All sound files below a folder by name; an error if none is there or a link is faulty."""
    if not root.is_dir():
        raise ValueError(f"{root} is not a directory")
    files, faults = files_below(root)
    if faults:
        raise ValueError("\n  ".join([f"cannot use {root}:", *faults]))
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(f"{root} holds no {', '.join(SUFFIXES)} file")
    yield from found


def _enter(
    root: Path,
    folder: Path,
    entered: dict[Number, Path],
    above: tuple[Number, ...],
    listing: Listing,
) -> None:
    """Add what is in a folder; `above` are the folders that lead to it, itself the last."""
    for path in _entries(folder):
        name = path.relative_to(root)
        if path.is_file():
            listing.files.append(path)
        elif path.is_dir():
            number = _number(path)
            if number in above:
                back = entered[number].relative_to(root).as_posix()
                listing.faults.append(f"{name}: this link leads back to {back!r} above it")
            elif number in entered:
                other = entered[number].relative_to(root)
                listing.faults.append(f"{name}: by a link this is the same folder as {other}")
            else:
                entered[number] = path
                _enter(root, path, entered, (*above, number), listing)
        elif path.is_symlink():
            there = os.readlink(path)
            listing.faults.append(f"{name}: this link leads to {there}, which does not exist")


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _number(folder: Path) -> Number:
    status = folder.stat()
    return status.st_dev, status.st_ino
