"""Folders laid out as the data of DCASE 2020 Task 3: their names, sound files and metadata.

    FOLDER/foa_dev/fold1_room1_mix001_ov1.wav     4 channels, 24 kHz, first-order ambisonics
    FOLDER/mic_dev/fold1_room1_mix001_ov1.wav     the same take by four microphones
    FOLDER/metadata_dev/fold1_room1_mix001_ov1.csv

`ov` is how many sources sound at a time at most. A row of the metadata is a source in a frame of
100 ms: frame, class, track, azimuth, elevation (whole degrees, azimuth counter-clockwise), or
frame, class, track, x, y, z. Frames without a source have no row.
"""

import csv
import re
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from av_envs.agents.localization.directions import angles_of, unit_vectors
from av_envs.agents.localization.features import KINDS
from av_envs.agents.localization.takes import Labels
from av_envs.options import check_choice
from av_envs.sound_files import RECORDING, SoundFileError, read_sound
from av_envs.whole_files import replacing, write_whole

FORMATS = ("foa", "mic")
SPLITS = {"test": (1,), "val": (2,), "train": (3, 4, 5, 6)}  # folds
NAME = re.compile(r"fold(\d+)_room(\d+)_(?:mix(\d{3})|aug(\d{3})(\d{3}))_ov([1-9])")
DITHER = 1e-8  # added to samples, so that none is silent
QUIET = 1e-8  # amplitude of the noise after the end of a recording that is too short


class Name(NamedTuple):
    """What the name of a recording says.

    mixes  numbers of the recordings it was mixed from: one of itself, two of an augmented one
    """

    fold: int
    room: int
    mixes: tuple[int, ...]
    overlap: int

    def __str__(self) -> str:
        kind = "mix" if len(self.mixes) == 1 else "aug"
        number = "".join(f"{mix:03d}" for mix in self.mixes)
        return f"fold{self.fold}_room{self.room}_{kind}{number}_ov{self.overlap}"


class Rows(NamedTuple):
    """Metadata of a recording, R rows in the order of the file.

    frame, label, track  (R,) int64
    direction            (R, 3) float32 unit vectors
    """

    frame: np.ndarray
    label: np.ndarray
    track: np.ndarray
    direction: np.ndarray


def name_of(path: Path) -> Name:
    """What a file is called; ValueError if it is called otherwise."""
    found = NAME.fullmatch(path.stem)
    if not found:
        raise ValueError(
            f"{path}: is not called like fold1_room1_mix001_ov1 or fold1_room1_aug001002_ov1"
        )
    fold, room, mix, one, other, overlap = found.groups()
    mixes = (int(mix),) if mix else (int(one), int(other))
    return Name(int(fold), int(room), mixes, int(overlap))


def recordings_in(folder: Path, form: str, folds: tuple[int, ...]) -> list[Name]:
    """The recordings of these folds, by name; ValueError if there are none."""
    check_choice("format", form, FORMATS)
    sounds = folder / f"{form}_dev"
    names = sorted((name_of(path) for path in sounds.glob("*.wav")), key=str)
    kept = [name for name in names if name.fold in folds]
    if not kept:
        raise ValueError(f"{sounds}: has no .wav file of the folds {', '.join(map(str, folds))}")
    return kept


def sound_path(folder: Path, form: str, name: Name) -> Path:
    """Where a recording is."""
    return folder / f"{form}_dev" / f"{name}.wav"


def metadata_path(folder: Path, name: Name) -> Path:
    """Where its metadata are."""
    return folder / "metadata_dev" / f"{name}.csv"


def read_recording(path: Path, form: str, seconds: int | None = None) -> np.ndarray:
    """(4, n) float32, full scale.

    seconds  to which it is cut, or filled with very quiet noise; None: as long as it is

    Raises SoundFileError for another rate or number of channels, or a file that is damaged.
    """
    samples, rate = read_sound(path, RECORDING)
    needs = KINDS[form]
    if (rate, samples.shape[1]) != (needs.rate, needs.channels):
        raise SoundFileError(
            path,
            f"has {samples.shape[1]} channels at {rate} Hz; needed are {needs.channels} at "
            f"{needs.rate} Hz",
        )
    signals = samples.T + np.float32(DITHER)
    if seconds is None:
        return signals
    missing = seconds * rate - signals.shape[1]
    if missing <= 0:
        return signals[:, : seconds * rate]
    noise = np.random.default_rng(0).uniform(-QUIET, QUIET, (needs.channels, missing))
    return np.concatenate([signals, noise.astype(np.float32)], axis=1)


def write_recording(path: Path, form: str, signals: np.ndarray) -> None:
    """Write (4, n) float as 16-bit samples; ValueError if one is beyond full scale."""
    if np.abs(signals).max(initial=0) > 1:
        raise ValueError(f"{path}: would clip: the peak is {np.abs(signals).max():.3g}")
    with replacing(path) as draft:
        soundfile.write(draft, signals.T, KINDS[form].rate, "PCM_16", format="WAV")


def read_metadata(path: Path) -> Rows:
    """Metadata in either form; ValueError with file and line for a row that is neither."""
    numbers = []
    with path.open(newline="", encoding="utf-8") as file:
        for line, row in enumerate(csv.reader(file), start=1):
            try:
                values = [float(cell) for cell in row]
            except ValueError:
                values = []
            if len(values) not in (5, 6) or not np.isfinite(values).all():
                raise ValueError(f"{path}, line {line}: is not 5 or 6 numbers: {','.join(row)}")
            if numbers and len(numbers[0]) != len(values):
                raise ValueError(f"{path}, line {line}: has {len(values)} columns, others differ")
            numbers.append(values)
    table = np.array(numbers).reshape(len(numbers), len(numbers[0]) if numbers else 5)
    whole = table[:, :3].astype(int)
    return Rows(*whole.T, _directions(path, table))


def _directions(path: Path, table: np.ndarray) -> np.ndarray:
    if table.shape[1] == 5:
        return unit_vectors(*np.radians(table[:, 3:]).T).astype(np.float32)
    vectors = table[:, 3:].reshape(len(table), 3)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (length < 1e-6).any():
        raise ValueError(f"{path}, line {int(length.argmin()) + 1}: has a direction of length 0")
    return (vectors / length).astype(np.float32)


def write_metadata(path: Path, rows: Rows, cartesian: bool = False) -> None:
    """Write metadata, angles in whole degrees or else vectors."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    azimuth, elevation = (np.round(np.degrees(a)).astype(int) for a in angles_of(rows.direction))
    azimuth = (azimuth + 180) % 360 - 180  # -180..179, as in the data
    for k in range(len(rows.frame)):
        place = rows.direction[k].round(6) if cartesian else (azimuth[k], elevation[k])
        table.writerow([rows.frame[k], rows.label[k], rows.track[k], *place])
    write_whole(path, text.getvalue().encode())


def rows_of(labels: Labels) -> Rows:
    """Metadata of labels; the sources of a frame in the order of their tracks."""
    frame, track = np.nonzero(labels.active)
    return Rows(frame, labels.label[frame, track], track, labels.direction[frame, track])


def slots_of(rows: Rows, length: int, tracks: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Directions (length, tracks, 3) and activities (length, tracks) of the first frames.

    path  named in the ValueError for a frame with more sources than tracks

    The sources of a frame fill the tracks in the order of the file, as in the reference code:
    their own track numbers are not looked at, and a source may change its slot.
    """
    direction = np.zeros((length, tracks, 3), np.float32)
    active = np.zeros((length, tracks), bool)
    used = np.zeros(length, int)
    for frame, vector in zip(rows.frame, rows.direction, strict=True):
        if not 0 <= frame < length:
            continue
        if used[frame] == tracks:
            raise ValueError(f"{path}: frame {frame} has more than {tracks} sources")
        direction[frame, used[frame]] = vector
        active[frame, used[frame]] = True
        used[frame] += 1
    return direction, active
