"""Reading measured rooms: SOFA files (AES69), or sound files listed in a CSV or JSON table."""

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import resample_poly

from av_envs.acoustics.measured import MeasuredRoom, check_sides, room_of
from av_envs.acoustics.sofa import open_sofa, sofa_text
from av_envs.conventions import N_HEADINGS, SAMPLE_RATE

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
    path = Path(path)
    if path.suffix.lower() == ".sofa":
        room = _read_sofa(path, clockwise)
    elif clockwise:
        raise ValueError(f"{path} has no azimuths that could count clockwise")
    else:
        room = _read_table(path)
    check_sides(room)
    return room


def _read_sofa(path: Path, clockwise: bool) -> MeasuredRoom:
    with open_sofa(path) as file:
        if clockwise and sofa_text(file["SourcePosition"].attrs["Type"]) != "spherical":
            raise ValueError(f"{path} has no azimuths that could count clockwise")
        responses = file["Data.IR"][:]
        rate = float(np.ravel(file["Data.SamplingRate"][:])[0])
        delays = file["Data.Delay"][:] if "Data.Delay" in file else np.zeros(1)
        sources = _vectors(file["SourcePosition"], clockwise)
        heads = _vectors(file["ListenerPosition"], clockwise)
        views = _vectors(file["ListenerView"], clockwise)
        emitters = _vectors(file["EmitterPosition"], clockwise)
    if np.ptp(delays) > 0:
        raise ValueError(f"{path}: delays beside the responses are not read, only within them")
    if responses.ndim == 3:
        responses = responses[:, :, None]
    if responses.ndim != 4 or responses.shape[1] != 2:
        raise ValueError(f"{path}: responses {responses.shape}; two ears need (measurements, 2, n)")
    if not rate > 0:
        raise ValueError(f"{path}: the sampling rate is {rate}")
    n, _, n_emitters, length = responses.shape
    heads, views = (np.broadcast_to(one, (n, 3)) for one in (heads, views))
    emitters = np.broadcast_to(emitters, (n_emitters, 3))
    sources = np.broadcast_to(sources, (n, 3))[:, None] + emitters
    degrees = np.degrees(np.arctan2(views[:, 1], views[:, 0]))
    turns = np.round(degrees / 90)
    kept = np.abs(degrees - 90 * turns) <= QUARTER_TURN
    if not kept.any():
        raise ValueError(f"{path}: no head looks along an axis; views are at {degrees[:9]} degrees")
    responses = np.moveaxis(responses, 2, 1)[kept].reshape(-1, 2, length)
    headings = np.repeat(turns[kept].astype(int) % N_HEADINGS, n_emitters)
    heads = np.repeat(heads[kept], n_emitters, axis=0)
    return room_of(
        path.name, sources[kept].reshape(-1, 3), heads, headings, _resampled(responses, rate)
    )


def _vectors(field: Any, clockwise: bool) -> np.ndarray:
    """(n,3) metres, of a field of positions or directions; an axis of emitters left out."""
    values = np.asarray(field[:], float)
    values = values[..., 0] if values.ndim == 3 else values
    if sofa_text(field.attrs.get("Type", "cartesian")) == "cartesian":
        return values
    azimuth, elevation = np.radians(values[:, :2]).T
    azimuth = -azimuth if clockwise else azimuth
    unit = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth)]
    return np.stack([*unit, np.sin(elevation)], axis=1) * values[:, 2:]


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
            file = path.parent / row["file"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, row {number}: expected {', '.join(COLUMNS)}, heading 0 to 3: {error!r}"
            ) from None
        read.append(_read_ears(file, channels))
    longest = max(response.shape[1] for response in read)
    responses = np.stack([np.pad(one, ((0, 0), (0, longest - one.shape[1]))) for one in read])
    sources, heads = np.split(np.array(places), 2, axis=1)
    return room_of(path.name, sources, heads, headings, responses)


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix.lower() == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    if path.suffix.lower() == ".json":
        try:
            return list(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
    raise ValueError(f"{path}: a measured room is a .sofa file or a .csv or .json table")


def _read_ears(path: Path, channels: list[int] | None) -> np.ndarray:
    """(2,n) float32, 16 kHz, of two channels of a sound file; None: it has no others."""
    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path} is no sound file that can be read: {error}") from None
    n = samples.shape[1]
    if channels is None and n != len(EARS):
        raise ValueError(
            f"{path} has the channels 0 to {n - 1}; the columns left and right must say which are "
            "the ears, also the same for both"
        )
    channels = [0, 1] if channels is None else channels
    if not 0 <= min(channels) <= max(channels) < n:
        raise ValueError(f"{path} has the channels 0 to {n - 1}, not {channels}")
    return _resampled(samples[:, channels].T, rate)


def _resampled(responses: np.ndarray, rate: float) -> np.ndarray:
    ratio = Fraction(SAMPLE_RATE) / Fraction(rate).limit_denominator(1000)
    if ratio == 1:
        return responses.astype(np.float32)
    moved = resample_poly(responses, ratio.numerator, ratio.denominator, axis=-1)
    return (moved / float(ratio)).astype(np.float32)  # an impulse keeps its spectrum
