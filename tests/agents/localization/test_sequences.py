"""Sequences with more tracks than sources."""

import numpy as np

from av_envs.agents.localization.sequences import Sequences, with_tracks


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
