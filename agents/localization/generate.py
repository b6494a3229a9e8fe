"""Write a data set laid out as DCASE 2020 Task 3: `python -m ...localization.generate --out DIR`.

Takes of the engine in unseen houses for every fold, as first-order ambisonics (ACN, SN3D) and by
a tetrahedral array on a rigid sphere, 24 kHz with nothing above 8 kHz, with metadata in whole
degrees. Half of the recordings have one source at a time (ov1), half up to two (ov2). The
listener of half of them turns on the spot, so that sounds seem to move.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from av_envs.agents.localization.dcase import (
    FORMATS,
    SPLITS,
    Name,
    metadata_path,
    rows_of,
    sound_path,
    write_metadata,
    write_recording,
)
from av_envs.agents.localization.rendering import heard_by
from av_envs.agents.localization.takes import TakeConfig, TakeSampler, labels_of
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.progress import progress_bar

PEAK = 0.9  # full scale, of the loudest channel of every recording
OF_FOLD = {fold: split for split, folds in SPLITS.items() for fold in folds}
HOUSES = {"train": "train", "val": "val", "test": "test_unheard"}  # split of takes, by folds


def generate(
    folder: Path, forms: tuple[str, ...], per_fold: int, rooms: int, seconds: int, seed: int
) -> int:
    """Write the data set; the number of recordings.

    rooms  houses of every fold; no house is in two folds
    """
    if any(folder.glob("*_dev")):
        raise ValueError(f"{folder} holds recordings already; choose another --out")
    for fold, split in progress_bar(sorted(OF_FOLD.items()), unit="fold"):
        first = SPLITS[split].index(fold) * rooms  # house of its first room
        for mix in range(per_fold):
            overlap, room = 1 + mix % 2, mix // 2 % rooms
            config = TakeConfig(
                split=HOUSES[split],
                houses=first + rooms,
                seconds=seconds,
                tracks=overlap,
                share_walking=0,
                snr_db=(6, 30),
            )
            rng = np.random.default_rng([seed, fold, mix])
            take = TakeSampler(config).draw(rng, first + room)
            name = Name(fold, room + 1, (mix + 1,), overlap)
            for form in forms:
                signals = heard_by(take, form)
                signals *= PEAK / np.abs(signals).max()
                write_recording(sound_path(folder, form, name), form, signals)
            write_metadata(metadata_path(folder, name), rows_of(labels_of(take, overlap)))
    return len(OF_FOLD) * per_fold


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.localization.generate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=path_argument, required=True, help="folder of the data set")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=FORMATS)
    parser.add_argument("--per-fold", type=positive_int, default=20, help="recordings; even")
    parser.add_argument("--rooms", type=positive_int, default=5, help="houses of every fold")
    parser.add_argument("--seconds", type=positive_int, default=60, help="of a recording")
    parser.add_argument("--seed", type=non_negative_int, default=0)
    given = parser.parse_args(argv)
    forms = tuple(given.formats)
    try:
        n = generate(given.out, forms, given.per_fold, given.rooms, given.seconds, given.seed)
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    print(f"{n} recordings in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
