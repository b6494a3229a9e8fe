"""Directions without learning: the delay between the ears, of all that is heard.

The control for `TargetLocator`: it knows no class, so of two sources it finds the louder one, and
it cannot tell front from back before the head turns.
"""

import math

import torch
from torch import Tensor

from av_envs.agents.separation.networks.delays import LAGS, delays
from av_envs.agents.separation.networks.locator import AZIMUTHS, RANGES
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND

HEAD_RADIUS = 0.0875  # metres
LOUD_ROW = 1  # of `delays`: all bins of the mixture, each with its magnitude
SHARPNESS = 20.0  # of the distribution; a peak in a room is some 0.5 high


def gcc_place(spectra: Tensor, mixture: Tensor) -> Tensor:
    """(B, 43) log probabilities as of `TargetLocator.place`, distances all alike.

    spectra  (B, 2, 512, 32) complex, at both ears
    mixture  (B, 2, 512, 32) its magnitude
    """
    rows = delays(spectra, mixture, mixture)[:, LOUD_ROW]
    index = LAGS // 2 - lags_of(torch.arange(AZIMUTHS) * (2 * math.pi / AZIMUTHS))
    below = index.floor().long()
    share = index - below
    heard = (1 - share) * rows[:, below] + share * rows[:, below + 1]
    azimuth = (SHARPNESS * heard).log_softmax(dim=1)
    distance = azimuth.new_full((len(azimuth), RANGES), -math.log(RANGES))
    return torch.cat([azimuth, distance], dim=1)


def lags_of(azimuth: Tensor) -> Tensor:
    """Samples by which a sound from there comes earlier to the left ear, of a rigid sphere.

    azimuth  radians, counter-clockwise from straight ahead

    Woodworth and Schlosberg, "Experimental Psychology", 1954: (sin a + a) r / c of the angle a
    to the side, the same in front and behind.
    """
    aside = torch.asin(azimuth.sin())
    return (aside + aside.sin()) * HEAD_RADIUS / SPEED_OF_SOUND * SAMPLE_RATE
