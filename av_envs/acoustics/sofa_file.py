"""Reader of binaural SOFA files (AES69), converted to the conventions of this package.

All fields that affect positions or timing are read: coordinate types and units, the order of
the ears, orientations of heads and loudspeakers, delays beside the responses, the order of
dimensions. Unknown values raise an error.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.fft import next_fast_len

from av_envs.sound_files import Kind, check_rate, check_size

N_EARS = 2
FINITE_TYPES = ("FIR", "FIRE", "FIR-E")  # of data: impulse responses
SAMPLES_BEFORE_EMITTERS = "FIR-E"  # whose axes are M, R, N, E instead of M, R, E, N
DEGREES, METRES = {"degree", "degrees"}, {"m", "metre", "metres", "meter", "meters"}
UNITS = {  # {coordinate type: spellings of the units of its three axes}
    "cartesian": (METRES, METRES, METRES),
    "spherical": (DEGREES, DEGREES, METRES),
}
HERTZ = {"hertz", "hz"}
SAMPLES = {"", "sample", "samples"}
MOST_NUMBERS = 2**22  # in a field beside the responses
LONGEST_DELAY = 1.0  # s
WIDEST_HEAD = 0.5  # m from ear to ear
SAME_PLACE = 0.001  # m
RINGING = 64  # samples that a move by parts of a sample is given on either side


class Measurements(NamedTuple):
    """M measurements with E loudspeakers each.

    rate       Hz of the responses
    responses  (M,2,E,n) float64, left ear first, delays included
    sources    (M,E,3) metres, where the loudspeakers are
    heads      (M,3) metres
    frames     (M,3,3) unit vectors of a head: ahead, to the left, up
    """

    rate: int
    responses: np.ndarray
    sources: np.ndarray
    heads: np.ndarray
    frames: np.ndarray


def read_measurements(
    path: Path, conventions: Sequence[str], kind: Kind, clockwise: bool = False
) -> Measurements:
    """Everything of a file of one of the `conventions`; needs h5py (extra [sofa]).

    clockwise  spherical azimuths count to the right, against the standard
    """
    with open_sofa(path) as file:
        convention = _text(file.attrs.get("SOFAConventions", "none"))
        if convention not in conventions:
            raise ValueError(f"the convention is {convention!r}, read are {', '.join(conventions)}")
        reader = _Reader(file, clockwise)
        rate, responses = reader.rate(), reader.responses(kind)
        n, n_emitters = len(responses), responses.shape[2]
        responses = _delayed(responses, reader.delays(n, n_emitters), rate)
        sources, heads = reader.vectors("SourcePosition", n), reader.vectors("ListenerPosition", n)
        emitters = reader.emitters(n, n_emitters)
        if np.abs(emitters).max() > SAME_PLACE:
            emitters = emitters @ reader.frames("Source", n)
        frames = reader.frames("Listener", n)
        if reader.is_right_first():
            responses = responses[:, ::-1]
    silent = ~responses.any(axis=-1)
    if silent.any():
        row, ear, _ = np.argwhere(silent)[0]
        raise ValueError(f"{path}: measurement {row} is silent at the {('left', 'right')[ear]} ear")
    return Measurements(rate, responses, sources[:, None] + emitters, heads, frames)


@contextmanager
def open_sofa(path: Path) -> Iterator[Any]:
    """The file, opened with h5py; errors in its content are ValueErrors that name it."""
    try:
        import h5py
    except ImportError:
        raise ImportError("SOFA files need h5py: pip install -e '.[sofa]'") from None
    if not path.exists():
        raise FileNotFoundError(f"no SOFA file at {path}")
    try:
        with h5py.File(path) as file:
            yield file
    except KeyError as error:
        raise ValueError(f"{path} is not a SOFA file of impulse responses: {error}") from None
    except OSError as error:
        raise ValueError(f"{path} is not a readable SOFA file: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


class _Reader:
    """Fields of an opened file. Errors name the field; `open_sofa` adds the file."""

    def __init__(self, file: Any, clockwise: bool):
        self._file, self._clockwise = file, clockwise
        if clockwise and _type_of(file["SourcePosition"], "SourcePosition") != "spherical":
            raise ValueError("it has no azimuths that could count clockwise")

    def rate(self) -> int:
        rates = self._numbers("Data.SamplingRate")
        units = _text(self._file["Data.SamplingRate"].attrs.get("Units", "hertz")).lower()
        if units not in HERTZ:
            raise ValueError(f"Data.SamplingRate is in {units!r}, read are hertz")
        if np.ptp(rates) > 0:
            raise ValueError(f"Data.SamplingRate differs: {np.unique(rates)[:9]}")
        return check_rate(float(rates.flat[0]), "Data.IR")

    def responses(self, kind: Kind) -> np.ndarray:
        """(M,2,E,n) as they are stored, but for the order of the axes."""
        data_type = _text(self._file.attrs.get("DataType", "FIR"))
        if data_type not in FINITE_TYPES:
            raise ValueError(f"the data are {data_type!r}, read are {', '.join(FINITE_TYPES)}")
        field = self._field("Data.IR")
        check_size(int(np.prod(field.shape, dtype=object)), self.rate(), kind, "Data.IR")
        if field.ndim not in (3, 4) or field.shape[1] != N_EARS or 0 in field.shape:
            raise ValueError(f"responses {field.shape}; two ears need (measurements, 2, samples)")
        responses = _finite("Data.IR", field[...])
        if responses.ndim == 3:
            return responses[:, :, None]
        return np.moveaxis(responses, 3, 2) if data_type == SAMPLES_BEFORE_EMITTERS else responses

    def delays(self, n: int, n_emitters: int) -> np.ndarray:
        """(M,2,E) samples, before ears are put into order."""
        if "Data.Delay" not in self._file:
            return np.zeros((n, N_EARS, n_emitters))
        delays = self._numbers("Data.Delay")
        units = _text(self._file["Data.Delay"].attrs.get("Units", "")).lower()
        if units not in SAMPLES:
            raise ValueError(f"Data.Delay is in {units!r}, read are samples")
        if delays.ndim == 1:
            delays = delays[None]
        if delays.ndim == 2:
            delays = delays[..., None]
        shape = (n, N_EARS, n_emitters)
        if delays.ndim != 3 or any(
            found not in (1, full) for found, full in zip(delays.shape, shape, strict=True)
        ):
            raise ValueError(f"Data.Delay is {delays.shape} for responses {shape}")
        return np.broadcast_to(delays, shape)

    def vectors(self, name: str, n: int) -> np.ndarray:
        """(n,3) metres, cartesian, of a field with a row for each measurement or one for all."""
        return _rows(name, self._cartesian(name), n)

    def emitters(self, n: int, n_emitters: int) -> np.ndarray:
        """(n,E,3) metres beside the source."""
        found = self._cartesian("EmitterPosition")
        found = found[..., None] if found.ndim == 2 else found
        if len(found) != n_emitters:
            raise ValueError(f"EmitterPosition has {len(found)} rows for {n_emitters} emitters")
        return _rows("EmitterPosition", np.moveaxis(found, 2, 0), n)

    def frames(self, who: str, n: int) -> np.ndarray:
        """(n,3,3) rows ahead, left, up of the "Listener" or "Source"; a source may not say."""
        if who == "Source" and "SourceView" not in self._file:
            return np.broadcast_to(np.eye(3), (n, 3, 3))
        view, up_name = f"{who}View", f"{who}Up"
        kind = _type_of(self._file[view], view)
        ahead = self.vectors(view, n)
        if up_name in self._file:
            up = _rows(up_name, self._cartesian(up_name, kind), n)
        else:
            up = np.broadcast_to([0.0, 0.0, 1.0], (n, 3))
        left = np.cross(up, ahead)
        lengths = [np.linalg.norm(one, axis=1, keepdims=True) for one in (ahead, left)]
        if min(length.min() for length in lengths) < 1e-6:
            raise ValueError(f"{view} and {up_name} give no direction: one is zero, or both agree")
        ahead, left = ahead / lengths[0], left / lengths[1]
        return np.stack([ahead, left, np.cross(ahead, left)], axis=1)

    def is_right_first(self) -> bool:
        """Whether the first receiver is the right ear, by the positions in the frame of the head.

        Where both are in the middle, the left ear comes first.
        """
        ears = self._cartesian("ReceiverPosition")
        ears = ears[..., None] if ears.ndim == 2 else ears
        if len(ears) != N_EARS or np.ptp(ears, axis=2).max() > SAME_PLACE:
            raise ValueError(f"ReceiverPosition {ears.shape}: two ears that stay where they are")
        apart = ears[0, :, 0] - ears[1, :, 0]
        if np.linalg.norm(apart) > WIDEST_HEAD:
            raise ValueError(f"ReceiverPosition: ears are {np.linalg.norm(apart):.3g} m apart")
        return bool(apart[1] < -SAME_PLACE)

    def _cartesian(self, name: str, kind: str | None = None) -> np.ndarray:
        """(n,3) or (n,3,k) metres of a field of positions or directions."""
        values = self._numbers(name)
        if values.ndim not in (2, 3) or values.shape[1] != 3 or 0 in values.shape:
            raise ValueError(f"{name} is {values.shape}, expected rows of three coordinates")
        field = self._file[name]
        kind = kind if kind is not None and "Type" not in field.attrs else _type_of(field, name)
        _check_units(name, field, kind)
        if kind == "cartesian":
            return values
        degrees, radius = values[:, :2], values[:, 2]
        if np.abs(degrees[:, 1]).max() > 90:
            raise ValueError(f"{name}: an elevation of {np.abs(degrees[:, 1]).max():g} degrees")
        azimuth, elevation = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
        azimuth = -azimuth if self._clockwise else azimuth
        around = radius * np.cos(elevation)
        axes = [around * np.cos(azimuth), around * np.sin(azimuth), radius * np.sin(elevation)]
        return np.stack(axes, axis=1)

    def _numbers(self, name: str) -> np.ndarray:
        field = self._field(name)
        n = int(np.prod(field.shape, dtype=object))
        if not 0 < n <= MOST_NUMBERS:
            raise ValueError(f"{name} declares {n} numbers; 1 to {MOST_NUMBERS} are read")
        return _finite(name, field[...])

    def _field(self, name: str) -> Any:
        """A field of numbers that lie in the file itself."""
        field = self._file[name]
        if getattr(field, "shape", None) is None or field.dtype.kind not in "fiu":
            raise ValueError(f"{name} is no array of numbers")
        if field.file.filename != self._file.filename or field.is_virtual or field.external:
            raise ValueError(f"{name} lies in another file")
        return field


def _finite(name: str, values: Any) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are no numbers or not finite")
    return values


def _rows(name: str, values: np.ndarray, n: int) -> np.ndarray:
    if len(values) not in (1, n):
        raise ValueError(f"{name} has {len(values)} rows for {n} measurements")
    return np.broadcast_to(values, (n, *values.shape[1:]))


def _text(attribute: bytes | str) -> str:
    """An attribute as text, whichever way it was written."""
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def _type_of(field: Any, name: str) -> str:
    kind = _text(field.attrs.get("Type", "none")).lower()
    if kind not in UNITS:
        raise ValueError(f"{name} has {kind!r} coordinates, read are {', '.join(UNITS)}")
    return kind


def _check_units(name: str, field: Any, kind: str) -> None:
    """Refuse units that are not those of the type; a field may leave them out."""
    if "Units" not in field.attrs:
        return
    told = _text(field.attrs["Units"]).lower()
    units = [unit.strip() for unit in told.replace(",", " ").split()]
    units = units * 3 if len(units) == 1 and kind == "cartesian" else units
    known = UNITS[kind]
    if len(units) != 3 or any(one not in some for one, some in zip(units, known, strict=True)):
        right = {"cartesian": "metre", "spherical": "degree, degree, metre"}[kind]
        raise ValueError(f"{name} is {kind} in {told!r}, read is {right!r}")


def _delayed(responses: np.ndarray, delays: np.ndarray, rate: int) -> np.ndarray:
    """Responses (M,2,E,n) later by delays (M,2,E) in samples, whole ones or not."""
    if not delays.any():
        return responses
    if not 0 <= delays.min() <= delays.max() <= LONGEST_DELAY * rate:
        raise ValueError(
            f"Data.Delay lies in {delays.min():g} to {delays.max():g} samples, read are 0 to "
            f"{LONGEST_DELAY * rate:g}"
        )
    whole = np.floor(delays).astype(int)
    part = delays - whole
    n = responses.shape[-1]
    if part.any():
        length = next_fast_len(n + 2 * RINGING, real=True)
        turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length) * part[..., None])
        moved = np.fft.irfft(np.fft.rfft(responses, length) * turn, length)
        responses, n = moved[..., : n + RINGING], n + RINGING
    out = np.zeros((*delays.shape, n + whole.max()))
    for place in np.ndindex(delays.shape):
        out[place][whole[place] : whole[place] + n] = responses[place]
    return out
