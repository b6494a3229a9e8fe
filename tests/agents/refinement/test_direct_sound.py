"""What a source sounds like without a room: delays, levels and sides."""

import numpy as np
import pytest

from av_envs.agents.refinement.direct_sound import direct_sound, fitted_gain
from av_envs.agents.refinement.rwavs import RATE, Clip
from av_envs.conventions import SPEED_OF_SOUND


def clip_of(source, at=2000, heard=None):
    """A click `at` samples, from a source at (x, y); the listener looks along x from the origin."""
    dry = np.zeros(RATE, np.float32)
    dry[at] = 1
    heard = np.zeros((2, RATE), np.float32) if heard is None else heard
    source = np.array(source, float)
    return Clip(0, dry, heard, np.zeros(2), np.array([1.0, 0.0]), source, None)


def middle(signal):
    """(2,) samples, of the energy at each ear."""
    energy = np.square(signal, dtype=float)
    return energy @ np.arange(signal.shape[1]) / energy.sum(axis=1)


def test_a_source_ahead_comes_when_it_plays_and_falls_with_distance():
    near, far = (direct_sound(clip_of((d, 0))) for d in (0.5, 1.0))
    np.testing.assert_allclose(near, 2 * far, rtol=1e-5, atol=1e-7)
    assert middle(near) == pytest.approx(2000, abs=12)  # through a head, half a millisecond
    assert not np.abs(near[:, :1900]).max() > 1e-3 * np.abs(near).max()


def test_metres_delay_it():
    late = middle(direct_sound(clip_of((1, 0)), 3.43)) - middle(direct_sound(clip_of((1, 0))))
    np.testing.assert_allclose(late, 3.43 / SPEED_OF_SOUND * RATE, atol=0.5)


def test_the_nearer_ear_hears_it_first_and_louder():
    left = direct_sound(clip_of((0, 1)))
    right = direct_sound(clip_of((0, -1)))
    for near, far in (left, right[::-1]):
        assert np.abs(near).argmax() < np.abs(far).argmax()
        assert np.square(near).sum() > 2 * np.square(far).sum()


def test_the_gain_is_that_of_the_recordings():
    simulated = direct_sound(clip_of((1, 1)))
    clips = [clip_of((1, 1), heard=0.3 * simulated)]
    assert fitted_gain(clips) == pytest.approx(0.3)
    with pytest.raises(ValueError, match="no clip in which something plays"):
        fitted_gain([clip_of((1, 1))])
