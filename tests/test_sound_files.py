"""Sound files are read whole or refused by name, and declared sizes are looked at first."""

import pickle
import struct

import numpy as np
import pytest
import soundfile

from av_envs.sound_files import (
    RECORDING,
    RESPONSE,
    EmptySoundError,
    Kind,
    SoundFileError,
    check_rate,
    check_size,
    read_header,
    read_sound,
)

RATE = 16_000
NOISE = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2))
WRITTEN = {  # {file: how it is written}
    "pcm.wav": {},
    "float.wav": {"subtype": "FLOAT"},
    "long.wav": {"format": "RF64"},
    "big_endian.wav": {"endian": "BIG"},
    "extensible.wav": {"format": "WAVEX"},
    "a.flac": {},
    "a.ogg": {},
    "opus.ogg": {"format": "OGG", "subtype": "OPUS"},
    "a.aiff": {},
}


def write(path, samples=NOISE, rate=RATE, **how):
    soundfile.write(path, samples, rate, **how)
    return path


def refused(path, told, kind=RECORDING, error=SoundFileError):
    with pytest.raises(error, match=rf"{path.name}: .*{told}") as caught:
        read_sound(path, kind)
    assert caught.value.path == path


@pytest.mark.parametrize("name", WRITTEN)
def test_whole_files_are_read_and_cut_ones_refused(tmp_path, name):
    path = write(tmp_path / name, **WRITTEN[name])
    samples, rate = read_sound(path, RECORDING)
    assert (samples.dtype, samples.shape, rate) == (np.float32, NOISE.shape, RATE)
    assert read_header(path, RECORDING) == (RATE, 2, RATE)
    data = path.read_bytes()
    for share in (0.99, 0.67, 0.33, 0.05):
        path.write_bytes(data[: int(share * len(data))])
        refused(path, "(ends|is damaged|is no sound)")


def test_a_container_that_does_not_say_how_long_it_is_is_refused(tmp_path):
    refused(write(tmp_path / "a.wav", format="W64"), "is W64; read are WAV")


def test_wholes_that_look_odd_are_read(tmp_path):
    """Streams have no length when their header is written; a last odd byte may be missing."""
    path = write(tmp_path / "a.wav")
    data = path.read_bytes()
    for size in (0xFFFFFFFF, 0x7FFFF000, 0x80000000):
        unknown = struct.pack("<I", size)
        path.write_bytes(data[:4] + unknown + data[8:40] + unknown + data[44:])
        np.testing.assert_allclose(read_sound(path, RECORDING)[0], NOISE, atol=1e-4)
    noted = data + b"LIST" + struct.pack("<I", 5) + b"notes"
    path.write_bytes(noted[:4] + struct.pack("<I", len(noted) - 7) + noted[8:])
    np.testing.assert_allclose(read_sound(path, RECORDING)[0], NOISE, atol=1e-4)


def test_numbers_that_are_none_are_found_anywhere(tmp_path):
    for value in (np.nan, np.inf, -np.inf):
        samples = np.tile(NOISE, (20, 1))
        samples[-1, 1] = value
        refused(write(tmp_path / "a.wav", samples, subtype="FLOAT"), "are no numbers")


def test_what_is_empty_or_absent_is_told(tmp_path):
    refused(write(tmp_path / "a.wav", NOISE[:0]), "no sample", error=EmptySoundError)
    (tmp_path / "b.wav").touch()
    refused(tmp_path / "b.wav", "no byte", error=EmptySoundError)
    refused(tmp_path / "c.wav", "it does not exist")
    (tmp_path / "d.wav").mkdir()
    refused(tmp_path / "d.wav", "it is no file")
    (tmp_path / "e.wav").write_bytes(b"no sound at all" * 9)
    refused(tmp_path / "e.wav", "is no sound file")


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2_147_483_647])
def test_absurd_rates_are_refused(tmp_path, rate):
    refused(write(tmp_path / "a.wav", rate=rate), "rates are 1000 to 768000 Hz")
    with pytest.raises(ValueError, match="head has a sample rate of"):
        check_rate(rate, "head")


@pytest.mark.parametrize("rate", [0.01, 44_100.123, np.nan, np.inf, -RATE])
def test_rates_that_are_no_whole_numbers_are_refused(rate):
    with pytest.raises(ValueError, match="head has a sample rate of"):
        check_rate(rate, "head")
    assert check_rate(np.float64(44_100), "head") == 44_100


def test_declared_sizes_are_looked_at_before_reading(tmp_path):
    """A FLAC file of a few hundred bytes that says it holds 2 to the power 35 samples."""
    path = write(tmp_path / "a.flac", NOISE[:, :1])
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # the upper four bits of STREAMINFO's count of samples
    path.write_bytes(data)
    for kind in (RECORDING, RESPONSE):
        refused(
            path,
            rf"declares .* samples .* may have {kind.most_samples:.3g}".replace("+", "."),
            kind,
        )
    small = Kind("a small one", 2 * RATE)
    path = write(tmp_path / "b.wav")
    read_sound(path, small)
    refused(write(path, NOISE, 8000), "declares 6.4e.04 .* a small one may have 3.2e.04", small)
    with pytest.raises(ValueError, match="head declares 8e"):
        check_size(8 * 10**9, RATE, RESPONSE, "head")


def test_too_many_channels_are_refused(tmp_path):
    refused(write(tmp_path / "a.wav", np.zeros((9, 300))), "has 300 channels; 256 are the most")


def test_an_error_can_be_handed_on_by_a_process(tmp_path):
    error = pickle.loads(pickle.dumps(EmptySoundError(tmp_path / "a.wav", "is empty")))
    assert type(error) is EmptySoundError
    assert str(error) == f"{tmp_path}/a.wav: is empty"
