"""What is heard at a pose during one second, and how good the estimate made from it is."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.rendering import dry_spectra, heard_second, mix_spectra
from av_envs.acoustics.spectrogram import istft, stft
from av_envs.separation.episode import Sound
from av_envs.separation.metrics import TARGET_RMS, si_sdr
from av_envs.sound import Corpus, open_corpus, second, seconds, window

BLOCK = 4  # seconds transformed together: four rows fill the vector registers
KEPT_BLOCKS = 192  # per process; about 0.4 MB of spectra each
KEPT_TARGET_BLOCKS = 64  # about 1 MB each


class TargetSecond(NamedTuple):
    """The ground truth of one second.

    dry        (16000,) float32, as the clip plays
    magnitude  (512, 32) float32, RMS 1.2
    phase      (512, 32) complex64, unit phasors of the dry sound
    """

    dry: np.ndarray
    magnitude: np.ndarray
    phase: np.ndarray


@dataclass(frozen=True)
class Heard:
    """One second at one pose.

    waveform     (2, 16000) float32, mixture at the ears
    better_ear   the ear with more target per rest
    spectrogram  (2, 512, 32) float32, linear magnitude of the mixture
    """

    waveform: np.ndarray
    better_ear: int
    spectrogram: np.ndarray


@lru_cache(maxsize=4)
def corpus_of(sounds: str) -> Corpus:
    return open_corpus(sounds)


@lru_cache(maxsize=KEPT_BLOCKS)
def _dry_block(sounds: str, clip: str, block: int, convolution: str, n_fft: int) -> np.ndarray:
    samples = corpus_of(sounds).samples(clip)
    windows = np.stack([window(samples, block * BLOCK + k) for k in range(BLOCK)])
    return dry_spectra(windows, convolution, n_fft)


@lru_cache(maxsize=KEPT_TARGET_BLOCKS)
def _target_block(sounds: str, clip: str, block: int) -> TargetSecond:
    """Fields of `TargetSecond` with one more axis in front, for the seconds of a block."""
    samples = corpus_of(sounds).samples(clip)
    dry = np.stack([second(samples, block * BLOCK + k) for k in range(BLOCK)])
    spectra = stft(dry)
    size = np.abs(spectra)
    phase = spectra / np.maximum(size, np.finfo(np.float32).tiny)
    level = np.sqrt(np.mean(np.square(size), axis=(1, 2), keepdims=True))
    size *= TARGET_RMS / np.maximum(level, np.finfo(np.float32).tiny)
    return TargetSecond(dry, size, phase)


def dry_sounds(
    sounds: str, sources: tuple[Sound, ...], t: int, convolution: str, n_fft: int
) -> np.ndarray:
    """(S, F) complex64, spectra of what every source plays around second `t` of the episode."""
    rows = []
    for source in sources:
        block, k = divmod(_clip_second(sounds, source, t), BLOCK)
        rows.append(_dry_block(sounds, source.clip, block, convolution, n_fft)[k])
    return np.stack(rows)


def target_second(sounds: str, source: Sound, t: int) -> TargetSecond:
    """Ground truth of second `t` of the episode."""
    block, k = divmod(_clip_second(sounds, source, t), BLOCK)
    kept = _target_block(sounds, source.clip, block)
    return TargetSecond(kept.dry[k], kept.magnitude[k], kept.phase[k])


def _clip_second(sounds: str, source: Sound, t: int) -> int:
    return (source.first_second + t) % seconds(corpus_of(sounds).samples(source.clip))


def listen(dry: np.ndarray, responses: np.ndarray, convolution: str, n_fft: int) -> list[Heard]:
    """One second at one or two poses; of a second pose, only the better ear is filled in.

    dry        (S, F) complex64
    responses  (P, S, 2, F) complex64, the listener's own pose first

    The better ear has the larger ratio of target to rest, judged by everything that the
    sound of the window brings to that ear; without other sources, the louder target.
    """
    n_poses, n_bins = len(responses), dry.shape[-1]
    mixture = np.empty((n_poses, 2, n_bins), np.complex64)
    energy = np.empty((n_poses, 2, 2))
    mix_spectra(dry, responses, mixture, energy)
    if len(dry) > 1:
        better = np.argmax(energy[..., 0] / np.maximum(energy[..., 1], 1e-30), axis=1)
    else:
        better = np.argmax(energy[..., 0], axis=1)
    # four rows are transformed as fast as three: the fourth is not used
    rows = np.zeros((4, n_bins), np.complex64)
    rows[:2] = mixture[0]
    for pose in range(1, n_poses):
        rows[1 + pose] = mixture[pose, better[pose]]
    waveforms = heard_second(rows, convolution, n_fft)[: n_poses + 1]
    magnitudes = np.abs(stft(waveforms))
    heard = [Heard(waveforms[:2], int(better[0]), magnitudes[:2])]
    for pose in range(1, n_poses):
        only = slice(1 + pose, 2 + pose)
        heard.append(Heard(waveforms[only], 0, magnitudes[only]))
    return heard


def oracle_phase_si_sdr(magnitudes: np.ndarray, target: TargetSecond) -> np.ndarray:
    """(P,) dB: the estimated magnitudes (P, 512, 32) with the target's own phase, back in time.

    The paper's metric: it judges magnitudes only.
    """
    return si_sdr(istft(magnitudes * target.phase, len(target.dry)), target.dry)
