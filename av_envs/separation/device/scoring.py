"""What the mixture at the better ear is worth, of many listeners at once, in torch.

As `av_envs.separation.scoring`, `metrics` and `rewards`; (R,) float32 in dB unless it says else.
"""

import torch
from torch import Tensor

from av_envs.separation.device.listening import Truth, Windows, istft
from av_envs.separation.metrics import (
    FLOOR,
    SILENCE,
    normalised_error,
    stft_distance,
)
from av_envs.separation.rewards import LAST_STEP_WEIGHT, REWARD_FUNCTIONS

Scores = dict[str, Tensor]


def si_sdr(estimates: Tensor, target: Tensor) -> Tensor:
    """(R, P) dB, NaN where the target is silent; see `av_envs.separation.metrics.si_sdr`.

    estimates  (R, P, n) float32
    target     (R, n) float32
    """
    estimates = estimates - estimates.mean(2, keepdim=True)
    target = (target - target.mean(1, keepdim=True))[:, None]
    energy = target.square().sum(2)
    scale = (estimates * target).sum(2) / energy
    kept = scale * scale * energy
    lost = (estimates - scale[..., None] * target).square().sum(2)
    lost = lost + torch.finfo(torch.float32).tiny  # of a silent estimate, everything is lost
    whole = kept + lost
    ratio = 10 * torch.log10((kept / whole + FLOOR) / (lost / whole + FLOOR))
    return torch.where(energy > SILENCE * target.shape[2], ratio, torch.nan)


def scores_of_mixtures(
    magnitude: Tensor, waveform: Tensor, at_start: Tensor | None, truth: Truth, windows: Windows
) -> Scores:
    """All scores of one second, keyed as in the environment's info.

    magnitude  (R, 32, 512) float32 at the better ear
    waveform   (R, 16000) float32 at the same ear
    at_start   (R, 32, 512) what this is compared with, if it is: the same at the start pose
    """
    judged = [magnitude] if at_start is None else [magnitude, at_start]
    spectra = torch.stack(judged, 1) * truth.phase[:, None]
    signals = torch.cat([istft(spectra, windows), waveform[:, None]], 1)
    ratios = si_sdr(signals, truth.dry)
    ratio = ratios[:, 0]
    error = (magnitude - truth.magnitude).square().mean((1, 2))
    scores = {
        "si_sdr": ratio,
        "si_sdr_mixture": ratio,
        "si_sdr_improvement": ratio - ratio,
        "si_sdr_mixture_phase": ratios[:, -1],
        "stft_distance": stft_distance(error),
        "nmse": normalised_error(error),
    }
    if at_start is not None:
        scores |= {"si_sdr_start": ratios[:, 1], "si_sdr_gain": ratio - ratios[:, 1]}
    return scores


def rewards(name: str, score: Scores) -> Tensor:
    """(R,) float32, the named reward; zero where the target is silent."""
    if name == "improvement":
        value = score["nmse_before"] - score["nmse"]
        value = value - LAST_STEP_WEIGHT * score["nmse"] * score["is_last"]
    else:
        value = REWARD_FUNCTIONS[name](score)
    return torch.where(torch.isfinite(value), value, 0)
