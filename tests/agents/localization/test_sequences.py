"""Sequences with more tracks than sources, and of listeners who turn."""

import numpy as np

from av_envs.agents.localization.directions import angles_of
from av_envs.agents.localization.sequences import Sequences, Simulated, with_tracks
from av_envs.agents.localization.takes import PER_SECOND, TakeConfig


def test_added_tracks_have_no_source():
    one = Sequences(
        np.zeros((1, 6, 50, 64), np.float32),
        np.ones((1, 10, 1, 3), np.float32),
        np.ones((1, 10, 1), bool),
        np.ones((1, 10, 1), bool),
    )
    two = with_tracks(one, 2)
    assert two.direction.shape == (1, 10, 2, 3)
    assert two.direction[:, :, 0].all()
    assert not two.direction[:, :, 1].any()
    assert two.active.sum() == two.sight.sum() == 10
    assert with_tracks(two, 1).active.shape == (1, 10, 2)


def test_headings_are_those_of_the_takes():
    """A source stays where it is in the world while the listener turns on the spot."""
    config = TakeConfig(
        split="val", houses=1, share_turning=1.0, share_walking=0.0, pause_seconds=(0.5, 1.0)
    )
    simulated = Simulated("binaural", config, config, 3)
    takes, headings = simulated.held_out(), simulated.held_out_headings()
    assert len(headings) == 3
    for take, heading in zip(takes, headings, strict=True):
        assert heading.shape == (config.seconds * PER_SECOND,)
        active = take.active[0, :, 0]
        azimuth = angles_of(take.direction[0, active, 0])[0] + np.pi / 2 * heading[active]
        frames = np.flatnonzero(active)
        of_one_event = np.diff(frames) == 1
        moved = np.angle(np.exp(1j * np.diff(azimuth)))[of_one_event]
        np.testing.assert_allclose(moved, 0, atol=1e-5)
    assert any((np.diff(heading) != 0).any() for heading in headings)
