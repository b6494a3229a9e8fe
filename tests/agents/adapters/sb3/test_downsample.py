"""Observations made small."""

import numpy as np
import pytest
from gymnasium import spaces
from small_worlds import single

from av_envs.agents.adapters.sb3.downsample import downsampled, downsampled_space


def sound(left: float, right: float) -> dict[str, np.ndarray]:
    """A second with the same magnitude everywhere, per ear."""
    magnitudes = np.ones((2, 512, 32), np.float32) * np.float32([left, right])[:, None, None]
    return {"mixture": np.log1p(magnitudes)}


def test_a_cell_of_depth_is_what_is_nearest_in_it():
    depth = np.ones((128, 128, 1), np.float32)
    depth[17, 126] = 0.25
    small = downsampled({"depth": depth})["depth"]
    assert small.shape == (16, 16, 1)
    assert np.argwhere(small < 1).tolist() == [[2, 15, 0]]
    assert small[2, 15, 0] == pytest.approx(np.log(2.5 / 0.2) / np.log(10 / 0.2))
    assert not downsampled({"depth": 0 * depth})["depth"].any()


def test_levels_are_decibels_and_differences_tell_the_side():
    level, difference = downsampled(sound(1.0, 1.0))["mixture"]
    np.testing.assert_allclose(level, 60 / 90, atol=1e-5)  # 0 dB on a scale from -60 to 30
    np.testing.assert_allclose(difference, 0, atol=1e-6)
    louder_left = downsampled(sound(1.0, 10 ** (-10 / 20)))["mixture"]
    np.testing.assert_allclose(louder_left[1], 10 / 20, atol=1e-4)
    np.testing.assert_allclose(louder_left[0], (60 - 5) / 90, atol=1e-4)


def test_silence_is_the_low_end_of_the_scale():
    assert not downsampled(sound(0.0, 0.0))["mixture"].any()


def test_a_tone_is_in_one_band():
    mixture = np.zeros((2, 512, 32), np.float32)
    mixture[:, 64] = 1  # 1 kHz
    level = downsampled({"mixture": mixture})["mixture"][0]
    assert len(np.unique(np.argwhere(level)[:, 0])) == 1


def test_pictures_in_colour_are_left_out_and_the_rest_is_kept():
    observation = {"rgb": np.zeros((128, 128, 3)), "pose": np.arange(4.0)}
    assert downsampled(observation).keys() == {"pose"}
    assert downsampled(observation)["pose"] is observation["pose"]


@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVRIRMeasure-v0"])
def test_the_space_holds_what_is_observed(env_id):
    env = single(env_id)
    space = downsampled_space(env.observation_space)
    observation, _ = env.reset(seed=0)
    small = downsampled(observation)
    assert isinstance(space, spaces.Dict)
    assert space.contains({key: small[key] for key in space})
    assert sum(np.asarray(array).nbytes for array in small.values()) < 4_000
