"""Heads from SOFA files (AES69, convention SimpleFreeFieldHRIR), brought to 16 kHz.

`python -m av_envs.acoustics.sofa INPUT.sofa OUTPUT.npz` writes the compact table
that ships with the package.
"""

import argparse
from math import gcd
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from av_envs.acoustics.ears import check_sides, onsets
from av_envs.acoustics.hrtf import Hrtf
from av_envs.acoustics.sofa_file import read_measurements
from av_envs.conventions import SAMPLE_RATE
from av_envs.paths import path_argument, user_path
from av_envs.sound_files import Kind

TAPS = 96  # 6 ms at 16 kHz: the head, its pinnae and its shadow
LEAD_GUARD = 4  # samples kept before the earliest onset
FADE = 16  # samples
CONVENTIONS = ("SimpleFreeFieldHRIR",)
HEAD = Kind("a head", 2**26)  # 512 MiB as float64; 11,950 directions of 256 samples are 6e6
MOST_CUT = 0.05  # of the energy, by the trimming to TAPS; a room has more
FAR = 0.9  # of the greatest distance: what is measured nearer is left out
WIDEST_GAP = 45.0  # degrees from any direction to the nearest measurement
LOWEST = -30.0  # degrees of elevation, down to which there must be measurements


def read_sofa(path: str | Path, clockwise: bool = False) -> Hrtf:
    """The head measured in a SOFA file, resampled, trimmed to 96 taps and normalised.

    clockwise  azimuths count to the right, against the standard

    Needs h5py (extra [sofa]). Anything but a two-ear free-field table, left on its left, whose
    directions lie all around, is an error. Of several distances the greatest is read.
    """
    path = user_path(path)
    measured = read_measurements(path, CONVENTIONS, HEAD, clockwise)
    if measured.sources.shape[1] != 1:
        raise ValueError(f"{path}: a head is measured with one emitter at a time")
    offsets = measured.sources[:, 0] - measured.heads
    distances = np.linalg.norm(offsets, axis=1)
    if not distances.min() > 0:
        raise ValueError(f"{path}: measurement {distances.argmin()} has its source in the head")
    directions = np.einsum("mij,mj->mi", measured.frames, offsets / distances[:, None])
    far = distances >= FAR * distances.max()
    directions, responses = directions[far], measured.responses[far, :, 0]
    check_sides(str(path), directions[:, 1], responses)
    _check_coverage(path, directions)
    resampled = _resampled(responses, measured.rate)
    return _normalised(path.name, directions.astype(np.float32), resampled)


def _check_coverage(path: Path, directions: np.ndarray) -> None:
    """Raise a ValueError if sound may come from where nothing was measured."""
    azimuths, elevations = np.meshgrid(np.arange(0, 360, 10), np.arange(LOWEST, 91, 15))
    azimuth, elevation = np.radians(azimuths.ravel()), np.radians(elevations.ravel())
    around = np.cos(elevation)
    wanted = [around * np.cos(azimuth), around * np.sin(azimuth), np.sin(elevation)]
    nearest = (directions @ np.array(wanted)).max(axis=0)
    worst = nearest.argmin()
    if nearest[worst] < np.cos(np.radians(WIDEST_GAP)):
        raise ValueError(
            f"{path}: nothing was measured within {WIDEST_GAP:g} degrees of azimuth "
            f"{azimuths.flat[worst]:g}, elevation {elevations.flat[worst]:g}; sound comes from all "
            f"directions down to {LOWEST:g} degrees of elevation"
        )


def _resampled(responses: np.ndarray, rate: int) -> np.ndarray:
    common = gcd(SAMPLE_RATE, rate)
    return resample_poly(responses, SAMPLE_RATE // common, rate // common, axis=-1)


def _normalised(name: str, directions: np.ndarray, responses: np.ndarray) -> Hrtf:
    """Drop the common delay, keep `TAPS`, and set the mean energy of 300 Hz to 3 kHz to one."""
    first = onsets(responses)
    start = max(int(first.min()) - LEAD_GUARD, 0)
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
    lead = round(float(first.mean())) - start  # ears average out around the head's centre
    return Hrtf(name, directions, kept.astype(np.float32), lead)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sofa", type=path_argument)
    parser.add_argument("table", type=path_argument)
    parser.add_argument("--clockwise", action="store_true", help="azimuths count to the right")
    args = parser.parse_args(argv)
    head = read_sofa(args.sofa, args.clockwise)
    scale = np.float32(np.abs(head.responses).max() / 32767)
    codes = np.round(head.responses / scale).astype(np.int16)
    fields = {"directions": head.directions, "responses": codes, "scale": scale, "lead": head.lead}
    np.savez_compressed(args.table, **fields)


if __name__ == "__main__":
    main()
