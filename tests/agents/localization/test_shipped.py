"""The networks that come with the project do what they are for."""

import numpy as np

from av_envs.agents.localization.hnet import hnet_scores
from av_envs.agents.localization.hungarian import load_hnet
from av_envs.agents.localization.hungarian_data import draw_matrices
from av_envs.agents.localization.listening import found_in
from av_envs.agents.localization.localizer import load_localizer
from av_envs.agents.localization.metrics import scores
from av_envs.agents.localization.sequences import Simulated
from av_envs.agents.localization.takes import TakeConfig


def test_hnet_assigns_as_scipy_does():
    unseen = draw_matrices(np.random.default_rng(99), 2, 0.05)
    frequency = unseen.association.mean(dim=0).numpy()
    assert hnet_scores(load_hnet(), unseen, frequency)["f1"] > 0.99


def test_the_localiser_hears_which_side_a_sound_in_sight_is_on():
    """Within 20 degrees when folded, with unheard clips in an unseen house."""
    localizer, _ = load_localizer()
    config = TakeConfig(split="val", houses=1)
    takes = Simulated(localizer.config.kind, config, config, 12).held_out()
    assert scores([found_in(localizer, take) for take in takes])["folded_le_sight"] < 20
