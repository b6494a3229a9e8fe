"""What a localiser reads: maps over time and 64 bands of what two ears or four channels hear.

Ambisonics and microphone arrays as in Adavanne et al., WASPAA 2021 (and the baseline of DCASE
2020 Task 3): windows of 40 ms every 20 ms, mel bands up to half the sampling rate. Two ears at
16 kHz have maps of their own. Frames are centred on multiples of the hop, zeros beyond both ends.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.signal import get_window

from av_envs.options import check_choice

N_FFT = 1024
N_MELS = 64
HOP_SECONDS = 0.02
FRAMES_PER_LABEL = 5  # a label covers 100 ms
LABEL_SECONDS = HOP_SECONDS * FRAMES_PER_LABEL
LOWEST_POWER = 1e-10
TOP_DB = 80.0  # below the loudest cell of a recording nothing is told apart
MOST_ILD = 30.0  # dB
TINY = 1e-8  # of the energy that intensities are divided by


@dataclass(frozen=True)
class Kind:
    """What a kind of recording needs.

    rate      Hz
    channels  of a recording
    maps      of its features
    """

    rate: int
    channels: int
    maps: int


KINDS = {
    "binaural": Kind(16_000, 2, 6),  # level at both ears, ILD, IPD as cosine and sine, GCC-PHAT
    "binaural_ild_ipd": Kind(16_000, 2, 5),  # without GCC-PHAT
    "binaural_gcc": Kind(16_000, 2, 3),  # without ILD and IPD
    "foa": Kind(24_000, 4, 7),  # levels and acoustic intensity
    "mic": Kind(24_000, 4, 10),  # levels and GCC-PHAT of the six pairs
}


def features(kind: str, signals: np.ndarray) -> np.ndarray:
    """Maps (maps, frames, 64) float32 of one recording (channels, samples).

    kind  key of KINDS; the sampling rate is that of the kind

    There is a frame for every whole 20 ms. Raises ValueError for another number of channels.
    """
    check_choice("features", kind, KINDS)
    needs = KINDS[kind]
    if signals.ndim != 2 or len(signals) != needs.channels:
        raise ValueError(
            f"features {kind!r} need signals ({needs.channels}, n), got {signals.shape}"
        )
    spectra = short_time_spectra(signals, needs.rate)
    if kind == "foa":
        return _foa_maps(spectra)
    if kind == "mic":
        return _mic_maps(spectra)
    maps = _binaural_maps(spectra)
    chosen = {"binaural": range(6), "binaural_ild_ipd": range(5), "binaural_gcc": (0, 1, 5)}
    return maps[list(chosen[kind])]


def short_time_spectra(signals: np.ndarray, rate: int) -> np.ndarray:
    """(channels, frames, 513) complex64 of (channels, samples)."""
    hop, length = round(rate * HOP_SECONDS), round(rate * 2 * HOP_SECONDS)
    n = signals.shape[-1] // hop
    window = np.zeros(N_FFT, np.float32)
    first = (N_FFT - length) // 2
    window[first : first + length] = get_window("hann", length)
    padded = np.pad(signals.astype(np.float32), [(0, 0), (N_FFT // 2, N_FFT // 2)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[:, ::hop][:, :n]
    return rfft(frames * window)


@cache
def mel_bank(rate: int) -> np.ndarray:
    """(64, 513) float32 triangles of equal area, linear up to 1 kHz and logarithmic above.

    The scale of Slaney, "Auditory Toolbox", 1998, and librosa's defaults.
    """
    edges = _hertz_of_mel(np.linspace(0, _mel_of_hertz(rate / 2), N_MELS + 2))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hertz = rfftfreq(N_FFT, 1 / rate)
    triangles = np.minimum((hertz - low) / (centre - low), (high - hertz) / (high - centre))
    return (np.maximum(triangles, 0) * 2 / (high - low)).astype(np.float32)


LINEAR_TO, PER_MEL, LOG_STEP = 1000.0, 200 / 3, np.log(6.4) / 27  # Hz, Hz, nepers per mel


def _mel_of_hertz(hertz: float) -> float:
    if hertz < LINEAR_TO:
        return hertz / PER_MEL
    return LINEAR_TO / PER_MEL + np.log(hertz / LINEAR_TO) / LOG_STEP


def _hertz_of_mel(mel: np.ndarray) -> np.ndarray:
    above = LINEAR_TO * np.exp(LOG_STEP * (mel - LINEAR_TO / PER_MEL))
    return np.where(mel < LINEAR_TO / PER_MEL, mel * PER_MEL, above)


def _power(spectra: np.ndarray) -> np.ndarray:
    return np.square(spectra.real) + np.square(spectra.imag)


def _level_db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, LOWEST_POWER))


def phat(one: np.ndarray, other: np.ndarray, finer: int = 1) -> np.ndarray:
    """(frames, 64) generalised cross-correlation with phase transform, of spectra (frames, 513).

    finer    lags per sample
    returns  lags -32..31; the peak is at a positive lag if `other` hears it later

    Knapp and Carter, "The generalized correlation method for estimation of time delay", 1976.
    """
    cross = np.conj(one) * other
    size = np.abs(cross)
    phase = np.where(size > 0, cross / np.maximum(size, np.finfo(np.float32).tiny), 1)
    lags = irfft(phase.astype(np.complex64), finer * N_FFT)
    return np.concatenate([lags[:, -N_MELS // 2 :], lags[:, : N_MELS // 2]], axis=1)


def _binaural_maps(spectra: np.ndarray) -> np.ndarray:
    """All six maps; their floors are fixed, so no frame depends on the rest of the recording."""
    left, right = spectra
    bank = mel_bank(KINDS["binaural"].rate).T
    power = _power(spectra) @ bank  # (2, frames, 64)
    ild = 10 * np.log10((power[0] + LOWEST_POWER) / (power[1] + LOWEST_POWER))
    cross = (left * np.conj(right)) @ bank
    coherence = cross / ((np.abs(left) * np.abs(right)) @ bank + LOWEST_POWER)
    maps = [*_level_db(power), np.clip(ild, -MOST_ILD, MOST_ILD), coherence.real, coherence.imag]
    return np.stack([*maps, phat(left, right, finer=2)]).astype(np.float32)


def _levels_of_recording(spectra: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """(channels, frames, 64) dB, at most TOP_DB below the loudest cell of each channel."""
    level = _level_db(_power(spectra) @ bank)
    return np.maximum(level, level.max(axis=(1, 2), keepdims=True) - TOP_DB)


def _foa_maps(spectra: np.ndarray) -> np.ndarray:
    bank = mel_bank(KINDS["foa"].rate).T
    pressure, velocity = spectra[0], spectra[1:]
    intensity = np.real(np.conj(pressure) * velocity)
    energy = TINY + _power(pressure) + _power(velocity).sum(axis=0) / 3
    maps = [_levels_of_recording(spectra, bank), (intensity / energy) @ bank]
    return np.concatenate(maps).astype(np.float32)


def _mic_maps(spectra: np.ndarray) -> np.ndarray:
    pairs = [phat(one, other) for one, other in combinations(spectra, 2)]
    levels = _levels_of_recording(spectra, mel_bank(KINDS["mic"].rate).T)
    return np.concatenate([levels, np.stack(pairs)]).astype(np.float32)
