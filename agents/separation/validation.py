"""How well a separator does where episodes of the validation houses begin."""

from typing import NamedTuple

import numpy as np
import torch

from av_envs.agents.separation.separator import Separator
from av_envs.separation.audio import target_second
from av_envs.separation.config import SeparationConfig
from av_envs.separation.core import SeparationCore
from av_envs.separation.scoring import oracle_phase_si_sdr
from av_envs.separation.state import TargetSecond

AT_ONCE = 64  # seconds separated together


class HeardSeconds(NamedTuple):
    """Seconds heard standing at the start of episodes, N in all, none with a silent target.

    episode         (N,) number of the episode
    mixture         (N, 2, 512, 32) float32 linear magnitude
    label           (N,) int64 class of the target
    truth           ground truth of each
    si_sdr_mixture  (N,) dB of the mixture at the better ear
    """

    episode: np.ndarray
    mixture: np.ndarray
    label: np.ndarray
    truth: list[TargetSecond]
    si_sdr_mixture: np.ndarray


def heard_at_start(
    config: SeparationConfig, n_episodes: int, seconds: tuple[int, ...], seed: int = 0
) -> HeardSeconds:
    """Those seconds of the first episodes of an environment with these options.

    Raises ValueError if the target is silent in all of them.
    """
    core = SeparationCore(config)
    rows = []
    for episode in range(n_episodes):
        state = core.begin(np.random.default_rng([seed, episode]), {})
        for t in seconds:
            truth = target_second(config, state.target, t)
            audio = core.render_at(state, [state.pose], t)[0]
            ratio = oracle_phase_si_sdr([audio.mixture], truth)[0]
            if np.isfinite(ratio):
                mixture = audio.spectrogram.copy()
                rows.append((episode, mixture, state.target.label, truth, ratio))
    if not rows:
        raise ValueError(
            f"in {n_episodes} episodes of the split {config.split!r} every target is silent in "
            f"the seconds {', '.join(map(str, seconds))}: nothing can be validated"
        )
    episodes, mixtures, labels, truths, ratios = zip(*rows, strict=True)
    return HeardSeconds(
        np.array(episodes), np.stack(mixtures), np.array(labels), list(truths), np.array(ratios)
    )


def si_sdr_of(separator: Separator, heard: HeardSeconds, labels: np.ndarray) -> np.ndarray:
    """(N,) dB of the estimates if the target is said to be of these classes, (N,) int64."""
    separator.eval()
    ratios = []
    with torch.inference_mode():
        for first in range(0, len(labels), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            mixture = torch.from_numpy(heard.mixture[part])
            estimates = separator(mixture, torch.from_numpy(labels[part]))[1].clamp(min=0)
            pairs = zip(estimates.numpy(), heard.truth[part], strict=True)
            ratios += [oracle_phase_si_sdr([estimate], truth)[0] for estimate, truth in pairs]
    return np.array(ratios)


def wrong_labels(heard: HeardSeconds, n_classes: int, seed: int = 0) -> np.ndarray:
    """(N,) int64, for every second a class that is not the target's."""
    shift = np.random.default_rng(seed).integers(1, n_classes, len(heard.label))
    return (heard.label + shift) % n_classes
