"""Reading sound files, for every room: what is cut short, empty or absurd is refused by name.

Nothing is read before the sizes that the header declares are known to be sane, and what was
read is compared with them.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from av_envs.conventions import SAMPLE_RATE

SUFFIXES = (".wav", ".flac", ".ogg")  # of what is looked for in folders
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000  # Hz
MOST_CHANNELS = 256
CONTAINERS = ("WAV", "WAVEX", "RF64", "AIFF", "FLAC", "OGG")  # that tell whether they are whole
CHUNKS = {  # how sizes are written in a file of chunks, and which chunk holds the samples
    b"RIFF": ("<I", b"data"),
    b"RF64": ("<I", b"data"),
    b"BW64": ("<I", b"data"),
    b"RIFX": (">I", b"data"),
    b"FORM": (">I", b"SSND"),
}
CHUNK_HEADER = 8  # bytes that its size does not count
UNKNOWN_SIZES = (  # of streams that had no end yet when their header was written
    range(0x7FFF_F000, 0x8000_1000),
    range(0xFFFF_F000, 0x1_0000_0000),
)
OGG_PAGE = 65_307  # bytes, the most
OGG_HEADER = 27  # bytes before the table of segments
OGG_END = 4  # flag of the last page of a stream


class Kind(NamedTuple):
    """What a file is taken for.

    name          what errors call it
    most_samples  that it may hold, of all channels together, at its own rate and at 16 kHz
    """

    name: str
    most_samples: int


RECORDING = Kind("a recording", 2**28)  # 1 GiB as float32: 4.6 h of one channel at 16 kHz
RESPONSE = Kind("a response", 2**26)  # 256 MiB: 64 channels of 20 s at 48 kHz


class Header(NamedTuple):
    """What the beginning of a sound file says."""

    frames: int
    channels: int
    rate: int  # Hz


class SoundFileError(ValueError):
    """A sound file that cannot be used."""

    def __init__(self, path: Path, reason: str):
        super().__init__(path, reason)  # as they are, so that processes can hand the error on
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class EmptySoundError(SoundFileError):
    """A sound file without a sample."""


def read_sound(path: Path, kind: Kind, dtype: str = "float32") -> tuple[np.ndarray, int]:
    """All samples (n, channels), full scale, all finite, and their rate in Hz.

    A file that cannot be used is a `SoundFileError` that names it.
    """
    _check_whole(path)
    with _opened(path) as file:
        header = _checked_header(path, file, kind)
        try:
            samples = file.read(dtype=dtype, always_2d=True)
        except soundfile.LibsndfileError as error:
            raise SoundFileError(path, f"is damaged: {error.error_string}") from None
    if len(samples) < header.frames:
        raise SoundFileError(path, f"ends after {len(samples)} of {header.frames} samples")
    if not np.isfinite(samples).all():
        raise SoundFileError(path, "has samples that are no numbers")
    return samples, header.rate


def read_header(path: Path, kind: Kind) -> Header:
    """What a sound file declares, if that is sane; its samples are not read."""
    _check_whole(path)
    with _opened(path) as file:
        return _checked_header(path, file, kind)


def check_rate(rate: float, what: str) -> int:
    """A sample rate as whole Hz; a ValueError that begins with `what` if it is none to work with.

    Rates are whole: resampling by the ratio of two odd numbers would take gigabytes.
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ValueError(
            f"{what} has a sample rate of {rate:g} Hz; rates are {LOWEST_RATE} to {HIGHEST_RATE} Hz"
        )
    if rate != round(rate):
        raise ValueError(f"{what} has a sample rate of {rate!r} Hz; rates are whole numbers of Hz")
    return round(rate)


def check_size(n_samples: int, rate: int, kind: Kind, what: str) -> None:
    """Raise a ValueError that begins with `what` if so many samples are more than may be read."""
    n_samples = max(n_samples, n_samples * SAMPLE_RATE // rate)
    if n_samples > kind.most_samples:
        raise ValueError(
            f"{what} declares {n_samples:.3g} samples (at the higher of {rate} and {SAMPLE_RATE} "
            f"Hz); {kind.name} may have {kind.most_samples:.3g}"
        )


def _opened(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise SoundFileError(
            path, f"is no sound file that can be read: {error.error_string}"
        ) from None


def _checked_header(path: Path, file: soundfile.SoundFile, kind: Kind) -> Header:
    if file.format not in CONTAINERS:
        raise SoundFileError(path, f"is {file.format}; read are {', '.join(CONTAINERS)}")
    header = Header(file.frames, file.channels, file.samplerate)
    if header.frames == 0:
        raise EmptySoundError(path, "is empty, the file has no sample")
    if header.channels > MOST_CHANNELS:
        raise SoundFileError(path, f"has {header.channels} channels; {MOST_CHANNELS} are the most")
    try:
        check_rate(header.rate, "it")
        check_size(header.frames * header.channels, header.rate, kind, "it")
    except ValueError as error:
        raise SoundFileError(path, str(error)) from None
    return header


def _check_whole(path: Path) -> None:
    """Containers that say how long they are; others tell when they are read."""
    if not path.exists():
        raise SoundFileError(path, "is no sound file that can be read: it does not exist")
    if not path.is_file():
        raise SoundFileError(path, "is no sound file that can be read: it is no file")
    try:
        with path.open("rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            if n_bytes == 0:
                raise EmptySoundError(path, "is empty, the file has no byte")
            beginning = file.read(12)
            if beginning[:4] in CHUNKS and len(beginning) == 12:
                _check_chunks(path, file, n_bytes, beginning)
            elif beginning[:4] == b"OggS":
                _check_ogg(path, file, n_bytes)
    except OSError as error:
        raise SoundFileError(path, f"cannot be read: {error.strerror}") from None


def _check_chunks(path: Path, file: BinaryIO, n_bytes: int, beginning: bytes) -> None:
    """A file that ends early is read without a word by many readers, this library's too."""
    order, wanted = CHUNKS[beginning[:4]]
    long_size = None  # of the samples, in files that may exceed 4 GB
    _check_end(path, CHUNK_HEADER, struct.unpack(order, beginning[4:8])[0], n_bytes)
    at = 12
    while at + CHUNK_HEADER <= n_bytes:
        file.seek(at)
        name, size = file.read(4), struct.unpack(order, file.read(4))[0]
        at += CHUNK_HEADER
        if name == b"ds64" and n_bytes >= at + 16:
            long_size = struct.unpack("<Q", file.read(16)[8:])[0]
        if name == wanted:
            _check_end(path, at, size, n_bytes)
            if long_size is not None:
                _check_end(path, at, long_size, n_bytes)
            return
        at += size + size % 2


def _check_end(path: Path, start: int, size: int, n_bytes: int) -> None:
    is_known = not any(size in sizes for sizes in UNKNOWN_SIZES)
    end = start + size
    if is_known and end > n_bytes + 1:  # the byte may be missing that makes an odd size even
        raise SoundFileError(
            path, f"ends after {n_bytes} of {end} bytes; copy or download it again"
        )


def _check_ogg(path: Path, file: BinaryIO, n_bytes: int) -> None:
    """The last page of a stream is complete and says that it is the last one (RFC 3533)."""
    file.seek(max(n_bytes - 2 * OGG_PAGE, 0))
    tail = file.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    sizes = page[OGG_HEADER : OGG_HEADER + page[OGG_HEADER - 1]] if len(page) > OGG_HEADER else b""
    whole = OGG_HEADER + len(sizes) + sum(sizes)
    is_whole = len(sizes) > 0 and len(page) >= whole and len(sizes) == page[OGG_HEADER - 1]
    if not is_whole or not page[5] & OGG_END:
        raise SoundFileError(
            path, "ends before the last page of its stream; copy or download it again"
        )
