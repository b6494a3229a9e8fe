"""What sounds in one second, and how it arrives at the ears at one pose or many."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.convolution import (
    N_BINS,
    N_FFT,
    dry_spectra,
    heard_second,
    write_source,
)
from av_envs.acoustics.spectrogram import stft
from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.config import SeparationConfig
from av_envs.separation.metrics import TARGET_RMS, target_to_rest_db
from av_envs.separation.mixing import mix
from av_envs.separation.noise import MicrophoneNoise
from av_envs.separation.state import BinauralAudio, Sound, TargetSecond
from av_envs.sound import Corpus, open_corpus

BLOCK = 4  # seconds transformed together: four rows fill the vector registers
KEPT_BLOCKS = 64  # per process; about 0.4 MB of spectra each
KEPT_TARGET_BLOCKS = 24  # about 1 MB each
WINDOW_SECONDS = {"causal": 2, "legacy_same": 1}  # of dry sound in a window


@lru_cache(maxsize=4)
def corpus_of(sounds: str) -> Corpus:
    return open_corpus(sounds)


@lru_cache(maxsize=KEPT_BLOCKS)
def _dry_block(sounds: str, clip: str, block: int, convolution: str, dynamic: bool) -> np.ndarray:
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    windows = np.empty((BLOCK, N_FFT), np.float32)
    for k, row in zip(numbers, windows, strict=True):
        _window(sounds, clip, k, dynamic, row)
    return dry_spectra(windows, convolution)


def _window(sounds: str, clip: str, k: int, dynamic: bool, out: np.ndarray) -> None:
    """What a source has played until the end of second `k` of a clip, into (32000,) float32."""
    corpus_of(sounds).window(clip, k, out)
    if not dynamic:
        out[:SAMPLE_RATE] = out[SAMPLE_RATE:]


def _whole_blocks(n_rows: int) -> int:
    return -(-n_rows // BLOCK) * BLOCK


@lru_cache(maxsize=KEPT_TARGET_BLOCKS)
def _target_block(sounds: str, clip: str, block: int) -> TargetSecond:
    corpus = corpus_of(sounds)
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    windows = np.empty((BLOCK, N_FFT), np.float32)
    for k, row in zip(numbers, windows, strict=True):
        corpus.window(clip, k, row)
    return ground_truth(windows[:, SAMPLE_RATE:].copy())


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


def dry_sounds(config: SeparationConfig, sources: tuple[Sound, ...], t: int) -> np.ndarray:
    """What every source plays around second `t` of the episode: (S, F) complex64."""
    sounds, kind = config.sounds, (config.convolution, config.dynamic)
    rows = []
    for source in sources:
        block, k = divmod(_clip_second(config, source, t), BLOCK)
        rows.append(_dry_block(sounds, source.clip, block, *kind)[k])
    return np.stack(rows)


def target_second(config: SeparationConfig, source: Sound, t: int) -> TargetSecond:
    """Ground truth of second `t` of the episode."""
    block, k = divmod(_clip_second(config, source, t), BLOCK)
    kept = _target_block(config.sounds, source.clip, block)
    return TargetSecond(kept.dry[k], kept.magnitude[k], kept.phase[k])


def sounds_together(
    config: SeparationConfig, playing: list[tuple[tuple[Sound, ...], int]]
) -> list[tuple[np.ndarray, TargetSecond]]:
    """`dry_sounds` and `target_second` of many episodes at once, none of them kept.

    playing  sources and second of each episode
    """
    n_sources = config.num_sources
    n_rows = len(playing) * n_sources
    windows = np.empty((_whole_blocks(n_rows), N_FFT), np.float32)
    windows[n_rows:] = 0
    rows = iter(windows)
    for sources, t in playing:
        for source in sources:
            k = _clip_second(config, source, t)
            _window(config.sounds, source.clip, k, config.dynamic, next(rows))
    spectra = dry_spectra(windows, config.convolution)
    truth = ground_truth(windows[:n_rows:n_sources, SAMPLE_RATE:].copy())
    return [
        (
            spectra[i * n_sources : (i + 1) * n_sources],
            TargetSecond(*(part[i] for part in truth)),
        )
        for i in range(len(playing))
    ]


def _clip_second(config: SeparationConfig, source: Sound, t: int) -> int:
    if not config.dynamic:
        return source.first_second
    return (source.first_second + t) % corpus_of(config.sounds).n_seconds(source.clip)


class RenderRequest(NamedTuple):
    """A second of an episode, to be rendered at the agent's pose and at up to two others.

    dry        (S, F) complex64, spectra of the sources, the target first
    responses  one array (S, 2, F) complex64 per pose, the agent's own first
    noise, t   what the microphones add in second `t` of the episode
    with_image whether the target alone is rendered, too, at the agent's own pose
    """

    dry: np.ndarray
    responses: list[np.ndarray]
    noise: MicrophoneNoise | None = None
    t: int = 0
    with_image: bool = False


class Ear(NamedTuple):
    """The better ear at a pose, and the energies of target and rest there."""

    number: int
    target: float
    rest: float


def render_batch(requests: list[RenderRequest], convolution: str) -> list[list[BinauralAudio]]:
    """What is heard at the poses of each request; all have equally many sources.

    The agent's pose is rendered at both ears, the others at the better one only, since four
    signals are transformed as fast as one. No request changes what another sounds like.
    """
    n_rows = sum(1 + len(request.responses) + request.with_image for request in requests)
    waveforms = np.empty((n_rows, SAMPLE_RATE), np.float32)
    places = _fill(waveforms, requests, convolution)
    for request, (rows, better) in zip(requests, places, strict=True):
        if request.noise is not None:
            ears = [0, 1, *(ear.number for ear in better[1:])]
            waveforms[rows[: len(ears)]] += request.noise.second(request.t)[ears]
    magnitudes = np.abs(stft(waveforms))
    audio = []
    for request, (rows, better) in zip(requests, places, strict=True):
        image = magnitudes[rows.pop()] if request.with_image else None
        ears, own = slice(rows[0], rows[0] + 2), better[0]
        ratio = target_to_rest_db(own.target, own.rest)
        audio.append([BinauralAudio(waveforms[ears], own.number, magnitudes[ears], ratio, image)])
        for row, ear in zip(rows[2:], better[1:], strict=True):
            one, ratio = slice(row, row + 1), target_to_rest_db(ear.target, ear.rest)
            audio[-1].append(BinauralAudio(waveforms[one], 0, magnitudes[one], ratio))
    return audio


def _fill(
    waveforms: np.ndarray, requests: list[RenderRequest], convolution: str
) -> list[tuple[list[int], list[Ear]]]:
    """Write all signals without noise, block by block while the last one is in the cache.

    waveforms  (n, 16000) float32: first the two ears of each agent, then the other poses,
               then the targets alone
    returns    for each request its rows, and the better ear at each of its poses
    """
    signals, used, row = np.empty((BLOCK, N_BINS), np.complex64), 0, 0
    ears = np.empty((2, N_BINS), np.complex64)
    places = [([], []) for _ in requests]
    for i, responses, kind in _wanted(requests):
        n = 2 if kind == "both ears" else 1
        if used + n > BLOCK:
            _transform(signals, convolution, waveforms[row - used : row])
            used = 0
        request, (rows, better), into = requests[i], places[i], signals[used : used + n]
        if kind == "image":
            write_source(request.dry[0], responses[0, better[0].number], into[0])
        else:
            hiss = _hiss_energy(request.noise, convolution, len(request.dry))
            heard = into if kind == "both ears" else ears
            better.append(Ear(*mix(request.dry, responses, hiss, heard)))
            if kind == "better ear":
                into[0] = ears[better[-1].number]
        rows += range(row, row + n)
        used, row = used + n, row + n
    _transform(signals, convolution, waveforms[row - used : row])
    waveforms /= len(requests[0].dry)
    return places


def _wanted(requests: list[RenderRequest]) -> list[tuple[int, np.ndarray, str]]:
    """Number of a request, responses at one of its poses, and what is wanted of them."""
    own = [(i, m.responses[0], "both ears") for i, m in enumerate(requests)]
    others = [(i, one, "better ear") for i, m in enumerate(requests) for one in m.responses[1:]]
    images = [(i, m.responses[0], "image") for i, m in enumerate(requests) if m.with_image]
    return own + others + images


def _transform(signals: np.ndarray, convolution: str, waveforms: np.ndarray) -> None:
    """Write the second that belongs to the first of the spectra (4, F); the rest is cleared."""
    signals[len(waveforms) :] = 0
    waveforms[:] = heard_second(signals, convolution)[: len(waveforms)]


def _hiss_energy(noise: MicrophoneNoise | None, convolution: str, n_sources: int) -> float:
    """Energy of the noise at one ear beside sources that are not yet divided by their number."""
    if noise is None:
        return 0.0
    n_samples = WINDOW_SECONDS[convolution] * SAMPLE_RATE
    return noise.spectral_energy(n_samples) * n_sources**2
