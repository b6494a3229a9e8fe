"""How far a predicted response is from the true one, for gradients: equations 4, 8 and 9.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023. The distance is
that of `av_envs.rir_measure.metrics.stft_distance`, which rewards and scores are made of.
"""

import torch
from torch import Tensor

from av_envs.rir_measure.metrics.stft_distance import (
    HOP,
    N_FFT,
    NORM_FLOOR,
    POWER_FLOOR,
    WINDOW_LENGTH,
)

STFT_WEIGHT = 10.0  # of the distance in the loss
MSE_WEIGHT = 4464.2  # of the squared error


def magnitudes(rirs: Tensor) -> Tensor:
    """(..., 134, 513) magnitude spectrograms of responses (..., 16000), at least sqrt(1e-7)."""
    flat = rirs.float().flatten(0, -2)
    window = torch.hann_window(WINDOW_LENGTH, device=rirs.device)
    spectra = torch.stft(
        flat, N_FFT, HOP, WINDOW_LENGTH, window, pad_mode="reflect", return_complex=True
    ).transpose(-2, -1)  # as it lies in memory: everything after is faster so
    power = torch.view_as_real(spectra).square().sum(-1)
    return power.clamp(min=POWER_FLOOR).sqrt().unflatten(0, rirs.shape[:-1])


def stft_distance(truth: Tensor, predicted: Tensor) -> Tensor:
    """(...) half the spectral convergence plus half the log distance of responses (..., 16000).

    Not symmetric: the convergence is relative to the truth.
    """
    z, p = magnitudes(truth), magnitudes(predicted)
    norm = z.flatten(-2).norm(dim=-1).clamp(min=NORM_FLOOR)
    theta = (z - p).flatten(-2).norm(dim=-1) / norm
    xi = (z.log() - p.log()).abs().mean(dim=(-2, -1))
    return 0.5 * theta + 0.5 * xi


def rir_loss(truth: Tensor, predicted: Tensor, mse_share: float) -> Tensor:
    """Equation 4, a mean over all responses (..., 16000).

    mse_share  w^MSE in 0..1: how much of the loss is squared error instead of STFT distance
    """
    loss = truth.new_zeros(())
    if mse_share < 1:
        loss = loss + (1 - mse_share) * STFT_WEIGHT * stft_distance(truth, predicted).mean()
    if mse_share > 0:
        loss = loss + mse_share * MSE_WEIGHT * (truth - predicted).square().mean()
    return loss
