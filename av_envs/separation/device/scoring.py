"""What the mixture at the better ear is worth, of many environments at once, in torch.

As `av_envs.separation.scoring`, `metrics` and `rewards`; (R,) float32 in dB unless it says else.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from av_envs.separation.device.audio import TargetSecond, Windows, istft
from av_envs.separation.metrics import (
    CONSTANT,
    FLOOR,
    SILENCE,
    normalised_error,
    stft_distance,
)
from av_envs.separation.rewards import REWARDS

Scores = dict[str, Tensor]


def si_sdr(estimates: Tensor, target: Tensor) -> Tensor:
    """(R, P) dB, NaN where the target is silent; see `av_envs.separation.metrics.si_sdr`.

    estimates  (R, P, n) float32
    target     (R, n) float32
    """
    power = estimates.square().sum(2)
    estimates = estimates - estimates.mean(2, keepdim=True)
    target = (target - target.mean(1, keepdim=True))[:, None]
    energy = target.square().sum(2)
    scale = (estimates * target).sum(2) / energy
    kept = scale * scale * energy
    lost = (estimates - scale[..., None] * target).square().sum(2)
    kept = torch.where(kept + lost > CONSTANT * power, kept, 0)
    lost = lost + torch.finfo(torch.float32).tiny  # of a silent estimate, everything is lost
    whole = kept + lost
    ratio = 10 * torch.log10((kept / whole + FLOOR) / (lost / whole + FLOOR))
    return torch.where(energy > SILENCE * target.shape[2], ratio, torch.nan)


class ScoredSignals(NamedTuple):
    """What is scored of one second; None is what is not requested.

    mixture   (R, 32, 512) float32, magnitude at the better ear
    at_start  (R, 32, 512) the same at the start pose
    image     (R, 32, 512) magnitude of the target alone at the better ear
    waveform  (R, 16000) float32, the mixture there
    """

    mixture: Tensor
    at_start: Tensor | None
    image: Tensor | None
    waveform: Tensor | None


def scores_of_mixtures(scored: ScoredSignals, truth: TargetSecond, windows: Windows) -> Scores:
    """All scores of one second, keyed as in the environment's info."""
    named = {"mixture": scored.mixture, "start": scored.at_start, "ideal": scored.image}
    rows = {name: row for name, row in named.items() if row is not None}
    spectra = torch.stack([*rows.values()], 1) * truth.phase[:, None]
    signals = istft(spectra, windows)
    if scored.waveform is not None:
        signals = torch.cat([signals, scored.waveform[:, None]], 1)
    ratios = si_sdr(signals, truth.dry)
    of = dict(zip(rows, ratios.T, strict=False))
    ratio = of["mixture"]
    error = (scored.mixture - truth.magnitude).square().mean((1, 2))
    scores = {
        "si_sdr": ratio,
        "si_sdr_mixture": ratio,
        "si_sdr_improvement": ratio - ratio,
        "stft_distance": stft_distance(error),
        "nmse": normalised_error(error),
    }
    if "start" in of:
        scores |= {"si_sdr_start": of["start"], "si_sdr_gain": ratio - of["start"]}
    if "ideal" in of:
        scores["si_sdr_ideal"] = of["ideal"]
    if scored.waveform is not None:
        scores["si_sdr_mixture_phase"] = ratios[:, -1]
    return scores


def rewards(name: str, now: Scores, before: Scores) -> Tensor:
    """(R,) float32, the named reward; zero where the target is silent."""
    value = REWARDS[name].function(now, before)
    return torch.where(torch.isfinite(value), value, 0)
