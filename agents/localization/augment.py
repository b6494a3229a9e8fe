"""Add recordings two by two: `python -m av_envs.agents.localization.augment FOLDER`.

FOLDER is laid out as DCASE 2020 Task 3. Of each training fold and room, random pairs of
recordings with one source at a time are summed, one of them up to 6 dB louder than the other, in
every format that is there; their labels are those of both. The sums lie beside the recordings
and are called `aug` with both numbers.
"""

import argparse
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

from av_envs.agents.localization.dcase import (
    FORMATS,
    SPLITS,
    Name,
    Rows,
    metadata_path,
    read_metadata,
    read_recording,
    recordings_in,
    sound_path,
    write_metadata,
    write_recording,
)
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument

LOUDER_DB = 6.0


def augment(folder: Path, per_recording: int, rng: np.random.Generator) -> list[Name]:
    """The names of the sums that were made.

    per_recording  so many sums as there are recordings times this, or all pairs if those are fewer
    """
    forms = [form for form in FORMATS if (folder / f"{form}_dev").is_dir()]
    if not forms:
        raise ValueError(f"{folder}: has neither of {', '.join(f'{f}_dev' for f in FORMATS)}")
    rooms: dict[tuple[int, int], list[Name]] = defaultdict(list)
    for name in recordings_in(folder, forms[0], SPLITS["train"]):
        if len(name.mixes) == 1 and name.overlap == 1:
            rooms[name.fold, name.room].append(name)
    made = []
    for names in rooms.values():
        pairs = list(combinations(names, 2))
        wanted = min(per_recording * len(names), len(pairs))
        for k in rng.permutation(len(pairs))[:wanted]:
            gain = 10 ** (rng.uniform(-LOUDER_DB, LOUDER_DB) / 20)
            made.append(_add(folder, forms, *pairs[k], gain))
    return made


def _add(folder: Path, forms: list[str], one: Name, other: Name, gain: float) -> Name:
    """Sum two recordings, the second one times `gain`; both are scaled down to leave room."""
    name = Name(one.fold, one.room, one.mixes + other.mixes, one.overlap)
    scale = 1 / (1 + gain)
    for form in forms:
        first, second = (read_recording(sound_path(folder, form, n), form) for n in (one, other))
        if first.shape != second.shape:
            raise ValueError(
                f"{sound_path(folder, form, other)}: has {second.shape[1]} samples, {one} has "
                f"{first.shape[1]}; only recordings of one length can be added"
            )
        summed = scale * first + scale * gain * second
        write_recording(sound_path(folder, form, name), form, summed)
    write_metadata(
        metadata_path(folder, name),
        union(*(read_metadata(metadata_path(folder, n)) for n in (one, other))),
        cartesian=True,
    )
    return name


def union(one: Rows, other: Rows) -> Rows:
    """Rows of both by frame, those of the first one first; tracks of the second are renumbered."""
    free = int(one.track.max(initial=-1)) + 1
    both = Rows(
        *map(np.concatenate, zip(one, other._replace(track=other.track + free), strict=True))
    )
    order = np.argsort(both.frame, kind="stable")
    return Rows(*(column[order] for column in both))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.localization.augment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=path_argument, help="laid out as DCASE 2020 Task 3")
    parser.add_argument("--per-recording", type=positive_int, default=4, help="sums of each")
    parser.add_argument("--seed", type=non_negative_int, default=0)
    given = parser.parse_args(argv)
    try:
        made = augment(given.folder, given.per_recording, np.random.default_rng(given.seed))
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    print(f"{len(made)} sums in {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
