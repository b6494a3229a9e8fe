"""What a magnitude leaves out: by how much a sound comes earlier to one ear than to the other."""

from functools import cache

import torch
from torch import Tensor

from av_envs.acoustics.prime_factor import HOP, N_FFT
from av_envs.acoustics.spectrogram import N_FREQUENCIES, stft
from av_envs.conventions import SAMPLE_RATE

LAGS = 33  # samples at 16 kHz, from 16 earlier at the right ear to 16 earlier at the left one
ROWS = 4  # of `delays`
EPSILON = 1e-6


def spectra_of(waveform: Tensor) -> Tensor:
    """(B, 2, 512, 32) complex, as `acoustics.spectrogram.stft`, of seconds (B, 2, 16000)."""
    if tuple(waveform.shape[1:]) != (2, SAMPLE_RATE):
        raise ValueError(f"waveform must be (B, 2, 16000); got {tuple(waveform.shape)}")
    if waveform.device.type == "cpu":  # several times as fast as torch, which has no plan for 1023
        return torch.from_numpy(stft(waveform.numpy()))
    return spectra_by_torch(waveform)


def spectra_by_torch(waveform: Tensor) -> Tensor:
    """The same on any device."""
    window = torch.hann_window(N_FFT, device=waveform.device)
    return torch.stft(
        waveform.flatten(0, 1), N_FFT, HOP, window=window, pad_mode="constant", return_complex=True
    ).unflatten(0, (-1, 2))


def delays(spectra: Tensor, mixture: Tensor, image: Tensor) -> Tensor:
    """(B, 4, 33) cross-correlations of the two ears by lag, a head being some 11 samples wide.

    spectra  (B, 2, 512, 32) complex, of the second
    mixture  (B, 2, 512, 32) its magnitude, linear
    image    (B, 2, 512, 32) what a separator leaves over of it

    Rows 0 and 1 are of the mixture, 2 and 3 of what belongs to the target: every bin counts with
    the square of the share of the image in it. In the even rows all bins count alike otherwise,
    in the odd ones with their magnitude. What comes from one side only has a peak of 2, in a room
    it is some 0.5. Knapp and Carter, "The Generalized Correlation Method
    for Estimation of Time Delay", IEEE Transactions on Acoustics, Speech, and Signal Processing,
    1976 (PHAT).
    """
    phases, size = phase_differences(spectra)
    left, right = (image.clamp(min=0) / mixture.clamp(min=EPSILON)).clamp(max=1).unbind(dim=1)
    shares = left * right
    weights = [torch.ones_like(size), size.sqrt(), shares, shares * size.sqrt()]
    by_lag = _all_lags().to(spectra.device)
    rows = []
    for weight in weights:
        summed = (weight[:, None] * phases).sum(dim=-1)  # (B, 2, 512)
        counted = weight.sum(dim=(1, 2))[:, None].clamp(min=EPSILON)
        rows.append(summed.flatten(1) @ by_lag / counted)
    return torch.stack(rows, dim=1)


def phase_differences(spectra: Tensor) -> tuple[Tensor, Tensor]:
    """Phases of left times conjugate of right, (B, 2, F, T) cosines and sines, and its size.

    spectra  (B, 2, F, T) complex, at both ears

    The size is (B, F, T); where it is less than EPSILON, the phases count less, silence 0.
    """
    crossed = torch.view_as_real(spectra[:, 0] * spectra[:, 1].conj())
    crossed = crossed.permute(3, 0, 1, 2).contiguous()
    size = crossed.square().sum(dim=0).sqrt()
    return (crossed / size.clamp(min=EPSILON)).transpose(0, 1), size


def lag_matrix(n_frequencies: int) -> Tensor:
    """(2 n_frequencies, 33): cosines and sines of a cross-spectrum to its correlations by lag.

    Half of an inverse Fourier transform to a real signal, as far as the sound of a head reaches.
    """
    lags = torch.arange(LAGS) - LAGS // 2
    angles = 2 * torch.pi / N_FFT * torch.arange(n_frequencies)[:, None] * lags
    return torch.cat([angles.cos(), -angles.sin()])


@cache
def _all_lags() -> Tensor:
    """(1024, 33) `lag_matrix` of all frequencies as in the inverse Fourier transform."""
    counted = torch.full((N_FREQUENCIES, 1), 2.0)  # a frequency and its negative
    counted[0] = 1
    return counted.repeat(2, 1) * lag_matrix(N_FREQUENCIES)
