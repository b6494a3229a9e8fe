"""What is heard at a pose during one second, and how good the estimate made from it is."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.rendering import (
    N_BINS,
    add_source,
    dry_spectra,
    heard_second,
    spectral_energy,
)
from av_envs.acoustics.spectrogram import stft
from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.config import SeparationConfig
from av_envs.separation.episode import Sound
from av_envs.separation.metrics import TARGET_RMS
from av_envs.separation.noise import MicrophoneNoise
from av_envs.sound import Corpus, open_corpus, second, seconds, window

BLOCK = 4  # seconds transformed together: four rows fill the vector registers
KEPT_BLOCKS = 64  # per process; about 0.4 MB of spectra each
KEPT_TARGET_BLOCKS = 24  # about 1 MB each
WINDOW_SECONDS = {"causal": 2, "legacy_same": 1}  # of dry sound in a window


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

    @cached_property
    def mixture(self) -> np.ndarray:
        """(512, 32) float32, linear magnitude at the better ear, the same array at every call."""
        return self.spectrogram[self.better_ear]


@lru_cache(maxsize=4)
def corpus_of(sounds: str) -> Corpus:
    return open_corpus(sounds)


@lru_cache(maxsize=KEPT_BLOCKS)
def _dry_block(sounds: str, clip: str, block: int, convolution: str, dynamic: bool) -> np.ndarray:
    samples = corpus_of(sounds).samples(clip)
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    if dynamic:
        windows = np.stack([window(samples, k) for k in numbers])
    else:
        windows = np.stack([np.tile(second(samples, k), 2) for k in numbers])
    return dry_spectra(windows, convolution)


@lru_cache(maxsize=KEPT_TARGET_BLOCKS)
def _target_block(sounds: str, clip: str, block: int) -> TargetSecond:
    """Fields of `TargetSecond` with one more axis in front, for the seconds of a block."""
    samples = corpus_of(sounds).samples(clip)
    dry = np.stack([second(samples, block * BLOCK + k) for k in range(BLOCK)])
    spectra = stft(dry)
    size = np.abs(spectra)
    tiny = np.finfo(np.float32).tiny
    spectra *= 1 / np.maximum(size, tiny)
    level = np.sqrt(np.mean(np.square(size), axis=(1, 2), keepdims=True))
    size *= TARGET_RMS / np.maximum(level, tiny)
    return TargetSecond(dry, size, spectra)


def dry_sounds(config: SeparationConfig, sources: tuple[Sound, ...], t: int) -> list[np.ndarray]:
    """What every source plays around second `t` of the episode: S spectra (F,) complex64."""
    sounds, kind = config.sounds, (config.convolution, config.dynamic)
    rows = []
    for source in sources:
        block, k = divmod(_clip_second(config, source, t), BLOCK)
        rows.append(_dry_block(sounds, source.clip, block, *kind)[k])
    return rows


def target_second(config: SeparationConfig, source: Sound, t: int) -> TargetSecond:
    """Ground truth of second `t` of the episode."""
    block, k = divmod(_clip_second(config, source, t), BLOCK)
    kept = _target_block(config.sounds, source.clip, block)
    return TargetSecond(kept.dry[k], kept.magnitude[k], kept.phase[k])


def _clip_second(config: SeparationConfig, source: Sound, t: int) -> int:
    if not config.dynamic:
        return source.first_second
    return (source.first_second + t) % seconds(corpus_of(config.sounds).samples(source.clip))


def listen(
    dry: list[np.ndarray],
    responses: list[np.ndarray],
    convolution: str,
    noise: MicrophoneNoise | None = None,
    t: int = 0,
) -> list[Heard]:
    """One second at the listener's pose and, for comparison, at up to two others.

    dry        S spectra (F,) complex64, the target first
    responses  one array (S, 2, F) complex64 per pose, the listener's own first
    noise, t   what the microphones add in second `t` of the episode

    The listener's pose is heard with both ears, the others with the better one only,
    since four signals are transformed as fast as one.
    """
    n_poses, hiss = len(responses), _hiss_energy(noise, convolution, len(dry))
    signals = np.zeros((4, N_BINS), np.complex64)
    better = [_better_ear(dry, responses[0], signals[:2], hiss)]
    ears = np.empty((2, N_BINS), np.complex64)
    for row, other in enumerate(responses[1:], start=2):
        ears[:] = 0
        better.append(_better_ear(dry, other, ears, hiss))
        signals[row] = ears[better[-1]]
    waveforms = heard_second(signals, convolution)[: 1 + n_poses] / len(dry)
    if noise is not None:
        waveforms += noise.second(t)[[0, 1, *better[1:]]]
    magnitudes = np.abs(stft(waveforms))
    heard = [Heard(waveforms[:2], better[0], magnitudes[:2])]
    for row in range(2, 1 + n_poses):
        heard.append(Heard(waveforms[row : row + 1], 0, magnitudes[row : row + 1]))
    return heard


def _hiss_energy(noise: MicrophoneNoise | None, convolution: str, n_sources: int) -> float:
    """Energy of the noise at one ear beside sources that are not yet divided by their number."""
    if noise is None:
        return 0.0
    n_samples = WINDOW_SECONDS[convolution] * SAMPLE_RATE
    return noise.spectral_energy(n_samples) * n_sources**2


def _better_ear(dry: list[np.ndarray], responses: np.ndarray, ears: np.ndarray, hiss: float) -> int:
    """Add all sources to `ears` (2, F) and tell which has the larger ratio of target to rest.

    hiss  energy of the noise at each ear, part of the rest

    Judged by all that the sound of the window brings to an ear, to the end of its
    reverberation; without other sources, the ear with the louder target.
    """
    rest = np.ones(2)
    for sound, response in zip(dry[1:], responses[1:], strict=True):
        rest = add_source(sound, response, ears)
    if len(dry) > 2:
        rest = spectral_energy(ears)
    target = add_source(dry[0], responses[0], ears)
    return int(np.argmax(target / np.maximum(rest + hiss, 1e-30)))
