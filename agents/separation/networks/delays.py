"""What a magnitude leaves out: by how much a sound comes earlier to one ear than to the other."""

import torch
from torch import Tensor

from av_envs.acoustics.prime_factor import HOP, N_FFT
from av_envs.conventions import SAMPLE_RATE

LAGS = 33  # samples at 16 kHz, from 16 earlier at the right ear to 16 earlier at the left one
ROWS = 4  # of `delays`
EPSILON = 1e-6


def spectra_of(waveform: Tensor) -> Tensor:
    """(B, 2, 512, 32) complex, as `acoustics.spectrogram.stft`, of seconds (B, 2, 16000)."""
    if tuple(waveform.shape[1:]) != (2, SAMPLE_RATE):
        raise ValueError(f"waveform must be (B, 2, 16000); got {tuple(waveform.shape)}")
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
    crossed = spectra[:, 0] * spectra[:, 1].conj()  # (B, 512, 32)
    size = crossed.abs()
    phases = crossed / size.clamp(min=EPSILON)
    shares = (image.clamp(min=0) / mixture.clamp(min=EPSILON)).clamp(max=1).prod(dim=1)
    weights = [torch.ones_like(size), size.sqrt(), shares, shares * size.sqrt()]
    rows = []
    for weight in weights:
        correlation = torch.fft.irfft((weight * phases).sum(dim=-1), n=N_FFT)
        near = torch.cat([correlation[:, -(LAGS // 2) :], correlation[:, : LAGS // 2 + 1]], dim=1)
        counted = weight.sum(dim=(1, 2))[:, None].clamp(min=EPSILON)
        rows.append(near * N_FFT / counted)
    return torch.stack(rows, dim=1)
