"""Readers of measured rooms: SOFA files (AES69), or sound files listed in a CSV or JSON table."""

import csv
import json
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from av_envs.acoustics.measured.rooms import MeasuredRoom, check_room_sides, room_of
from av_envs.acoustics.sofa_file import read_measurements
from av_envs.conventions import N_HEADINGS, SAMPLE_RATE
from av_envs.paths import suffix_of, user_path
from av_envs.sound_files import RESPONSE, Kind, SoundFileError, read_sound

CONVENTIONS = (  # of SOFA files that may be rooms
    "SingleRoomDRIR",
    "SingleRoomSRIR",
    "SingleRoomMIMOSRIR",
    "MultiSpeakerBRIR",
    "SimpleFreeFieldHRIR",
    "GeneralFIR",
    "GeneralFIRE",
    "GeneralFIR-E",
)
ROOM = Kind("a measured room", 2**27)  # 1 GiB as float64
QUARTER_TURN = 1.0  # degrees by which a head may be off a quarter turn
COLUMNS = (
    "file",
    *(f"{who}_{axis}" for who in ("source", "receiver") for axis in "xyz"),
    "heading",
)
EARS = ("left", "right")  # columns that may be left out where there are no other channels


def read_room(path: str | Path, clockwise: bool = False) -> MeasuredRoom:
    """The room in a SOFA file, or in the sound files that a CSV or JSON table lists.

    clockwise  azimuths of the SOFA file count to the right, against the standard

    A SOFA file has two receivers; of heads that were turned, those within a degree of a quarter
    turn are read. A table has the columns file (relative to it), source_x, source_y, source_z,
    receiver_x, receiver_y, receiver_z (metres), heading (0 to 3), and may have left and right,
    the channels of the ears. A room whose left is on its right is refused.
    """
    path = user_path(path)
    if suffix_of(path) == ".sofa":
        room = _read_sofa(path, clockwise)
    elif clockwise:
        raise ValueError(f"{path} has no azimuths that could count clockwise")
    else:
        room = _read_table(path)
    check_room_sides(room)
    return room


def _read_sofa(path: Path, clockwise: bool) -> MeasuredRoom:
    measured = read_measurements(path, CONVENTIONS, ROOM, clockwise)
    _, _, n_emitters, length = measured.responses.shape
    ahead, up = measured.frames[:, 0], measured.frames[:, 2]
    degrees = np.degrees(np.arctan2(ahead[:, 1], ahead[:, 0]))
    turns = np.round(degrees / 90)
    straight = np.cos(np.radians(QUARTER_TURN))
    kept = np.abs(degrees - 90 * turns) <= QUARTER_TURN
    kept &= (np.hypot(ahead[:, 0], ahead[:, 1]) >= straight) & (up[:, 2] >= straight)
    if not kept.any():
        raise ValueError(
            f"{path}: no head looks along an axis, upright; views are at {degrees[:9]} degrees"
        )
    responses = np.moveaxis(measured.responses, 2, 1)[kept].reshape(-1, 2, length)
    headings = np.repeat(turns[kept].astype(int) % N_HEADINGS, n_emitters)
    heads = np.repeat(measured.heads[kept], n_emitters, axis=0)
    sources = measured.sources[kept].reshape(-1, 3)
    return room_of(path.name, sources, heads, headings, _resampled(responses, measured.rate))


def _read_table(path: Path) -> MeasuredRoom:
    rows = _rows(path)
    if not rows:
        raise ValueError(f"{path} lists no response")
    places, headings, read = [], [], []
    for number, row in enumerate(rows, 1):
        try:
            places.append([float(row[name]) for name in COLUMNS[1:7]])
            headings.append(range(N_HEADINGS).index(int(row["heading"])))
            channels = [int(row[ear]) for ear in EARS] if set(EARS) <= set(row) else None
            file = path.parent / user_path(row["file"], "file")
            if not np.isfinite(places[-1]).all():
                raise ValueError(f"a place at {places[-1]}")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{path}, row {number}: expected {', '.join(COLUMNS)}, heading 0 to 3: {error!r}"
            ) from None
        read.append(_read_ears(file, channels))
    longest = max(response.shape[1] for response in read)
    responses = np.stack([np.pad(one, ((0, 0), (0, longest - one.shape[1]))) for one in read])
    sources, heads = np.split(np.array(places), 2, axis=1)
    return room_of(path.name, sources, heads, headings, responses)


def _rows(path: Path) -> list[dict[str, Any]]:
    if suffix_of(path) == ".csv":
        try:
            with path.open(newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no CSV: {error}") from None
    if suffix_of(path) == ".json":
        try:
            return list(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
    raise ValueError(f"{path}: a measured room is a .sofa file or a .csv or .json table")


def _read_ears(path: Path, channels: list[int] | None) -> np.ndarray:
    """(2,n) float32, 16 kHz, of two channels of a sound file; None: it has no others."""
    samples, rate = read_sound(path, RESPONSE, "float64")
    n = samples.shape[1]
    if channels is None and n != len(EARS):
        raise ValueError(
            f"{path} has the channels 0 to {n - 1}; the columns left and right must say which are "
            "the ears, also the same for both"
        )
    channels = [0, 1] if channels is None else channels
    if not 0 <= min(channels) <= max(channels) < n:
        raise ValueError(f"{path} has the channels 0 to {n - 1}, not {channels}")
    ears = samples[:, channels].T
    if not ears.any(axis=1).all() or (len(samples) > 1 and (np.ptp(ears, axis=1) == 0).any()):
        raise SoundFileError(path, "is silent at an ear, or nothing but a constant offset")
    return _resampled(ears, rate)


def _resampled(responses: np.ndarray, rate: int) -> np.ndarray:
    if rate == SAMPLE_RATE:
        return responses.astype(np.float32)
    common = gcd(SAMPLE_RATE, rate)
    moved = resample_poly(responses, SAMPLE_RATE // common, rate // common, axis=-1)
    return (moved * (rate / SAMPLE_RATE)).astype(np.float32)  # an impulse keeps its spectrum
