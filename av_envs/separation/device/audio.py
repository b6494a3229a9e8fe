"""What many agents hear in one second, in torch: `av_envs.separation.audio` side by side.

Pure functions of tensors on one device. R agents with S sources each; F = 16001 bins.
Spectrograms are kept as (..., 32, 512), frames before frequencies, as transforms leave them.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from av_envs.acoustics.convolution import LEGACY_SHIFT, N_FFT
from av_envs.acoustics.spectrogram import HOP, MARGIN, WINDOW, n_frames
from av_envs.acoustics.spectrogram import N_FFT as N_FRAME
from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.metrics import MAX_DB, TARGET_RMS

N_FRAMES = n_frames(SAMPLE_RATE)
TINY = torch.finfo(torch.float32).tiny


class Windows(NamedTuple):
    """What a short-time transform multiplies frames with.

    ahead   (1023,) float32
    behind  (33, 512) float32, one over the sum of the squared windows
    """

    ahead: Tensor
    behind: Tensor


class TargetSecond(NamedTuple):
    """The target's dry second, see `av_envs.separation.audio.TargetSecond`.

    dry        (R, 16000) float32
    magnitude  (R, 32, 512) float32, RMS 1.2
    phase      (R, 32, 512) complex64, unit phasors
    """

    dry: Tensor
    magnitude: Tensor
    phase: Tensor


def windows_on(device: torch.device) -> Windows:
    ahead = torch.tensor(WINDOW, device=device)
    sums = _overlapped((ahead * ahead).expand(N_FRAMES, -1))
    return Windows(ahead, 1 / sums.clamp(min=TINY))


def stft(signals: Tensor, windows: Windows) -> Tensor:
    """(..., 16000) float32 to (..., 32, 512) complex64, as `av_envs.acoustics.spectrogram.stft`."""
    frames = pad(signals, (MARGIN, MARGIN)).unfold(-1, N_FRAME, HOP)
    return torch.fft.rfft(frames * windows.ahead)


def istft(spectra: Tensor, windows: Windows) -> Tensor:
    """(..., 32, 512) complex64 to (..., 16000) float32, windowed overlap-add."""
    frames = torch.fft.irfft(spectra, N_FRAME) * windows.ahead
    signals = (_overlapped(frames) * windows.behind).flatten(-2)
    return signals[..., MARGIN : MARGIN + SAMPLE_RATE]


def _overlapped(frames: Tensor) -> Tensor:
    """(..., 33, 512) sum of frames (..., 32, 1023) that start 512 samples apart."""
    first = pad(frames[..., :HOP], (0, 0, 0, 1))
    second = pad(frames[..., HOP:], (0, 2 * HOP - N_FRAME, 1, 0))
    return first + second


def ground_truth(dry: Tensor, windows: Windows) -> TargetSecond:
    """Magnitude and phase of dry seconds (R, 16000)."""
    spectra = stft(dry, windows)
    size = spectra.abs()
    phase = spectra / size.clamp(min=TINY)
    level = size.square().mean((-2, -1), keepdim=True).sqrt()
    return TargetSecond(dry, size * (TARGET_RMS / level.clamp(min=TINY)), phase)


def dry_spectra(windows: Tensor, convolution: str) -> Tensor:
    """(..., 32000) float32, the previous and the current second, to (..., F) complex64."""
    if convolution == "legacy_same":
        windows = windows[..., SAMPLE_RATE:]
    return torch.fft.rfft(windows, N_FFT)


def response_spectra(responses: Tensor) -> Tensor:
    """(..., 16000) float32 to (..., F) complex64."""
    return torch.fft.rfft(responses, N_FFT)


class Mixed(NamedTuple):
    """What all sources bring to two ears.

    ears               (R, 2, F) complex64
    better             (R,) int64, the better ear as `av_envs.separation.mixing.mix` picks it
    image              (R, 1, F) complex64, the target alone at that ear
    target_to_rest_db  (R,) float32, energies there, see `av_envs.separation.metrics`
    """

    ears: Tensor
    better: Tensor
    image: Tensor
    target_to_rest_db: Tensor


def mix(dry: Tensor, responses: Tensor) -> Mixed:
    """The sum of all sources.

    dry        (R, S, F) complex64, the target first
    responses  (R, S, 2, F) complex64
    """
    target = responses[:, 0] * dry[:, :1]
    rest = torch.zeros_like(target)
    for s in range(1, dry.shape[1]):
        rest = rest + responses[:, s] * dry[:, s : s + 1]
    of_target, of_rest = _energy(target), _energy(rest)
    better = _better_ear(of_target, of_rest.clamp(min=1e-30))
    ratio = _ratio_db(of_ear(of_target, better), of_ear(of_rest, better))[:, 0]
    return Mixed(target + rest, better, of_ear(target, better), ratio)


def of_ear(signals: Tensor, ear: Tensor) -> Tensor:
    """(R, 1, ...) one of the signals (R, 2 or more, ...) of each agent.

    ear  (R,) int64
    """
    index = ear.view(-1, *[1] * (signals.ndim - 1)).expand(-1, 1, *signals.shape[2:])
    return signals.gather(1, index)


def _ratio_db(target: Tensor, rest: Tensor) -> Tensor:
    """As `av_envs.separation.metrics.target_to_rest_db`, of energies of any shape."""
    ratio = 10 * (target.log10() - rest.log10())  # the quotient may be too large for float32
    ratio = torch.where(rest > 0, ratio.clamp(-MAX_DB, MAX_DB), MAX_DB)
    return torch.where(target > 0, ratio, -MAX_DB)


def _energy(spectra: Tensor) -> Tensor:
    """(..., F) complex64 to (...) float32."""
    return torch.view_as_real(spectra).square().sum((-2, -1))


def _better_ear(target: Tensor, rest: Tensor) -> Tensor:
    """(R, 2) energies to (R,) int64, the ear with more target per rest; of equal ones the left.

    Products, since a quotient of energies may be too large for float32.
    """
    return (target[:, 1] * rest[:, 0] > target[:, 0] * rest[:, 1]).long()


def heard_second(signals: Tensor, convolution: str, n_sources: int) -> Tensor:
    """The last second of what arrives, (..., F) complex64 to (..., 16000) float32."""
    arrived = torch.fft.irfft(signals, N_FFT)
    if convolution == "causal":
        return arrived[..., SAMPLE_RATE:] / n_sources
    same = arrived[..., LEGACY_SHIFT : LEGACY_SHIFT + SAMPLE_RATE]
    whole = (same * 32768).round().to(torch.int32).to(torch.int16)  # wraps, as the paper's code
    return whole.float() / 32768 / n_sources
