"""What is heard at a pose during one second, and how good the estimate made from it is."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.rendering import (
    N_BINS,
    N_FFT,
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
from av_envs.sound import Corpus, open_corpus

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
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    windows = np.stack([_window(sounds, clip, k, dynamic) for k in numbers])
    return dry_spectra(windows, convolution)


def _window(sounds: str, clip: str, k: int, dynamic: bool) -> np.ndarray:
    """(32000,) float32, what a source has played until the end of second `k` of a clip."""
    played = corpus_of(sounds).window(clip, k)
    return played if dynamic else np.tile(played[SAMPLE_RATE:], 2)


@lru_cache(maxsize=KEPT_TARGET_BLOCKS)
def _target_block(sounds: str, clip: str, block: int) -> TargetSecond:
    corpus = corpus_of(sounds)
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    return ground_truth(np.stack([corpus.window(clip, k)[SAMPLE_RATE:] for k in numbers]))


def ground_truth(dry: np.ndarray) -> TargetSecond:
    """Fields of `TargetSecond` with one more axis in front.

    dry  (n, 16000) float32
    """
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


def sounds_together(
    config: SeparationConfig, playing: list[tuple[tuple[Sound, ...], int]]
) -> list[tuple[list[np.ndarray], TargetSecond]]:
    """`dry_sounds` and `target_second` of many episodes at once, none of them kept.

    playing  sources and second of each episode
    """
    n_sources = config.num_sources
    windows = np.zeros((-(-len(playing) * n_sources // BLOCK) * BLOCK, N_FFT), np.float32)
    rows = iter(windows)
    for sources, t in playing:
        for source in sources:
            second_of_clip = _clip_second(config, source, t)
            next(rows)[:] = _window(config.sounds, source.clip, second_of_clip, config.dynamic)
    spectra = dry_spectra(windows, config.convolution)
    dry = windows[: len(playing) * n_sources : n_sources, SAMPLE_RATE:].copy()
    truth = ground_truth(dry)
    return [
        (
            [*spectra[i * n_sources : (i + 1) * n_sources]],
            TargetSecond(*(part[i] for part in truth)),
        )
        for i in range(len(playing))
    ]


def _clip_second(config: SeparationConfig, source: Sound, t: int) -> int:
    if not config.dynamic:
        return source.first_second
    return (source.first_second + t) % corpus_of(config.sounds).n_seconds(source.clip)


class Moment(NamedTuple):
    """A second of an episode, to be heard at the listener's pose and at up to two others.

    dry        S spectra (F,) complex64, the target first
    responses  one array (S, 2, F) complex64 per pose, the listener's own first
    noise, t   what the microphones add in second `t` of the episode
    """

    dry: list[np.ndarray]
    responses: list[np.ndarray]
    noise: MicrophoneNoise | None = None
    t: int = 0


def listen(moments: list[Moment], convolution: str) -> list[list[Heard]]:
    """What is heard at the poses of each moment; all have equally many sources.

    The listener's pose is heard with both ears, the others with the better one only,
    since four signals are transformed as fast as one. What one moment sounds like does
    not depend on the others.
    """
    n_rows, n_sources = sum(1 + len(moment.responses) for moment in moments), len(moments[0].dry)
    signals = np.zeros((-(-n_rows // BLOCK) * BLOCK, N_BINS), np.complex64)
    better, row = [], 0
    for moment in moments:
        better.append(_mixed(moment, convolution, signals[row:]))
        row += 1 + len(moment.responses)
    waveforms = heard_second(signals, convolution)[:n_rows] / n_sources
    row = 0
    for moment, ears in zip(moments, better, strict=True):
        stop = row + 1 + len(moment.responses)
        if moment.noise is not None:
            waveforms[row:stop] += moment.noise.second(moment.t)[[0, 1, *ears[1:]]]
        row = stop
    magnitudes = np.abs(stft(waveforms))
    heard, row = [], 0
    for moment, ears in zip(moments, better, strict=True):
        stop = row + 1 + len(moment.responses)
        heard.append(_apart(waveforms[row:stop], magnitudes[row:stop], ears[0]))
        row = stop
    return heard


def _apart(waveforms: np.ndarray, magnitudes: np.ndarray, better_ear: int) -> list[Heard]:
    """What two ears and then one at each other pose have heard."""
    others = [
        Heard(waveforms[k : k + 1], 0, magnitudes[k : k + 1]) for k in range(2, len(waveforms))
    ]
    return [Heard(waveforms[:2], better_ear, magnitudes[:2]), *others]


def _mixed(moment: Moment, convolution: str, signals: np.ndarray) -> list[int]:
    """Add what arrives at both ears and at the better one elsewhere to `signals` (n, F).

    returns  the better ear at each pose
    """
    dry, hiss = moment.dry, _hiss_energy(moment.noise, convolution, len(moment.dry))
    better = [_better_ear(dry, moment.responses[0], signals[:2], hiss)]
    ears = np.empty((2, N_BINS), np.complex64)
    for row, other in enumerate(moment.responses[1:], start=2):
        ears[:] = 0
        better.append(_better_ear(dry, other, ears, hiss))
        signals[row] = ears[better[-1]]
    return better


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
