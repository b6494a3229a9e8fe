"""Heads from SOFA files (AES69, convention SimpleFreeFieldHRIR), brought to 16 kHz.

`python -m av_envs.acoustics.sofa INPUT.sofa OUTPUT.npz` writes the compact table
that ships with the package.
"""

import argparse
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from av_envs.acoustics.hrtf import Hrtf
from av_envs.conventions import SAMPLE_RATE
from av_envs.paths import path_argument

TAPS = 96  # 6 ms at 16 kHz: the head, its pinnae and its shadow
ONSET_SHARE = 0.1  # of a response's peak
LEAD_GUARD = 4  # samples kept before the earliest onset
FADE = 16  # samples
CONVENTION = "SimpleFreeFieldHRIR"
MOST_CUT = 0.05  # of the energy, by the trimming to TAPS; a room has more


def read_sofa(path: str | Path) -> Hrtf:
    """The head measured in a SOFA file, resampled, trimmed to 96 taps and normalised.

    Needs h5py (extra [sofa]). Anything but a two-ear free-field table is an error.
    """
    responses, positions, rate = _read_fields(Path(path))
    directions = _directions(positions)
    return _normalised(Path(path).name, directions, _resampled(responses, rate))


@contextmanager
def open_sofa(path: Path):
    """The file, opened with h5py; what it lacks is a ValueError that names it."""
    try:
        import h5py
    except ImportError:
        raise ImportError("SOFA files need h5py: pip install 'av-envs[sofa]'") from None
    if not path.exists():
        raise FileNotFoundError(f"no SOFA file at {path}")
    try:
        with h5py.File(path) as file:
            yield file
    except KeyError as error:
        raise ValueError(f"{path} is not a SOFA file of impulse responses: {error}") from None
    except OSError as error:
        raise ValueError(f"{path} is not a readable SOFA file: {error}") from None


def _read_fields(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Responses (D, 2, n), positions (D, 3) as degrees and metres, and the sampling rate."""
    with open_sofa(path) as file:
        convention = sofa_text(file.attrs.get("SOFAConventions", "none"))
        kind = sofa_text(file["SourcePosition"].attrs.get("Type", "spherical"))
        delays = file["Data.Delay"][:] if "Data.Delay" in file else np.zeros(1)
        responses, positions = file["Data.IR"][:], file["SourcePosition"][:]
        rate = float(np.ravel(file["Data.SamplingRate"][:])[0])
    if convention != CONVENTION:
        raise ValueError(f"{path}: the convention is {convention!r}, only {CONVENTION!r} is read")
    if np.ptp(delays) > 0:
        raise ValueError(f"{path}: delays beside the responses are not read, only within them")
    if kind != "spherical":
        raise ValueError(f"{path}: source positions are {kind!r}, only 'spherical' is read")
    if responses.ndim != 3 or responses.shape[1] != 2 or len(responses) != len(positions):
        raise ValueError(
            f"{path}: responses {responses.shape} for {len(positions)} positions; "
            "a head has (positions, 2 ears, samples)"
        )
    if not np.isfinite(responses).all() or not responses.any() or not rate > 0:
        raise ValueError(f"{path}: the responses are silent or not finite, or the rate is {rate}")
    return responses, positions, rate


def sofa_text(attribute: bytes | str) -> str:
    """An attribute as text, whichever way it was written."""
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def _directions(positions: np.ndarray) -> np.ndarray:
    azimuth, elevation = np.radians(positions[:, :2]).T
    around = np.cos(elevation)
    vectors = [around * np.cos(azimuth), around * np.sin(azimuth), np.sin(elevation)]
    return np.stack(vectors, axis=1).astype(np.float32)


def _resampled(responses: np.ndarray, rate: float) -> np.ndarray:
    ratio = Fraction(SAMPLE_RATE) / Fraction(rate).limit_denominator(1000)
    return resample_poly(responses, ratio.numerator, ratio.denominator, axis=-1)


def _normalised(name: str, directions: np.ndarray, responses: np.ndarray) -> Hrtf:
    """Drop the common delay, keep `TAPS`, and set the mean energy of 300 Hz to 3 kHz to one."""
    onsets = _onsets(responses)
    start = max(int(onsets.min()) - LEAD_GUARD, 0)
    kept = np.zeros((*responses.shape[:2], TAPS))
    length = min(TAPS, responses.shape[-1] - start)
    kept[..., :length] = responses[..., start : start + length]
    kept[..., -FADE:] *= np.linspace(1, 0, FADE)
    cut = 1 - np.sum(kept**2) / np.sum(responses**2)
    if cut > MOST_CUT:
        raise ValueError(
            f"{name}: {cut:.0%} of the energy lies outside {TAPS} samples; "
            "a head in free field has next to none there"
        )
    spectrum = np.abs(np.fft.rfft(kept, 1024)) ** 2
    frequency = np.fft.rfftfreq(1024, 1 / SAMPLE_RATE)
    kept /= np.sqrt(spectrum[..., (frequency > 300) & (frequency < 3000)].mean())
    lead = round(float(onsets.mean())) - start  # ears average out around the head's centre
    return Hrtf(name, directions, kept.astype(np.float32), lead)


def _onsets(responses: np.ndarray) -> np.ndarray:
    level = np.abs(responses)
    return (level > ONSET_SHARE * level.max(axis=-1, keepdims=True)).argmax(axis=-1)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sofa", type=path_argument)
    parser.add_argument("table", type=path_argument)
    args = parser.parse_args(argv)
    head = read_sofa(args.sofa)
    scale = np.float32(np.abs(head.responses).max() / 32767)
    codes = np.round(head.responses / scale).astype(np.int16)
    fields = {"directions": head.directions, "responses": codes, "scale": scale, "lead": head.lead}
    np.savez_compressed(args.table, **fields)


if __name__ == "__main__":
    main()
