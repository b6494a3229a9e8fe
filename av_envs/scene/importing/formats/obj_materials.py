"""Material libraries of OBJ files: diffuse colours and their pictures."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from av_envs.scene.importing.formats.pictures import read_picture

# Options of a picture and how many words follow; a trailing "?" is a number that may be absent.
OPTIONS = {"-blendu": 1, "-blendv": 1, "-cc": 1, "-boost": 1, "-bm": 1, "-texres": 1,
           "-s": 3, "-o": 3}  # fmt: skip
REFUSED_OPTIONS = ("-mm", "-t", "-clamp", "-imfchan")


class Look(NamedTuple):
    """Colour and picture of a material.

    colour         red, green, blue in 0..1, None where the library gives none
    picture        (height, width, 3) uint8 or None
    scale, offset  of texture coordinates
    """

    colour: tuple[float, float, float] | None = None
    picture: np.ndarray | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)


def read_materials(folder: Path, libraries: list[str]) -> tuple[dict[str, Look], list[str]]:
    """Looks by the name of the material, and notes on files that are missing."""
    looks: dict[str, Look] = {}
    notes: list[str] = []
    for stated in libraries:
        names = [stated] if (folder / stated).is_file() else stated.split()
        for name in names:
            if (folder / name).is_file():
                _read_library(folder / name, looks, notes)
            else:
                notes.append(f"the materials {name!r} are not there, so their colours are not")
    return looks, notes


def _read_library(path: Path, looks: dict[str, Look], notes: list[str]) -> None:
    name = None
    for number, line in enumerate(
        path.read_text(encoding="utf-8-sig", errors="replace").split("\n"), 1
    ):
        word, *rest = line.partition("#")[0].split() or [""]
        if word == "newmtl":
            name = " ".join(rest)
            looks[name] = Look()
        elif name is None:
            continue
        elif word == "Kd":
            looks[name] = looks[name]._replace(colour=_colour(path, number, rest, notes))
        elif word == "map_Kd":
            looks[name] = _with_picture(looks[name], path, number, rest, notes)


def _colour(
    path: Path, number: int, words: list[str], notes: list[str]
) -> tuple[float, float, float] | None:
    try:
        values = [float(word) for word in words]
    except ValueError:
        notes.append(f"{path.name}, line {number}: 'Kd {words[0]}' is not read")
        return None
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not np.isfinite(values).all():
        raise ValueError(f"{path.name}, line {number}: Kd needs 3 numbers, got {words}")
    return tuple(values)


def _with_picture(look: Look, path: Path, number: int, words: list[str], notes: list[str]) -> Look:
    """The look with its picture; options come before the name, which may hold spaces."""
    where, k = f"{path.name}, line {number}", 0
    numbers = {"-s": [1.0, 1.0], "-o": [0.0, 0.0]}
    while k < len(words) and words[k].startswith("-"):
        option = words[k]
        if option in REFUSED_OPTIONS or option not in OPTIONS:
            raise ValueError(f"{where}: the option {option!r} of map_Kd is not read")
        k += 1
        taken = 0
        while taken < OPTIONS[option] and k < len(words) - 1:
            if option in numbers:
                if not _is_number(words[k]):
                    break
                if taken < 2:
                    numbers[option][taken] = float(words[k])
            taken, k = taken + 1, k + 1
    name = " ".join(words[k:]).replace("\\", "/")
    file = path.parent / name
    picture = read_picture(file, name) if name and file.is_file() else None
    if picture is None:
        notes.append(f"the picture {name!r} is not there or cannot be read")
    return look._replace(picture=picture, scale=tuple(numbers["-s"]), offset=tuple(numbers["-o"]))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
