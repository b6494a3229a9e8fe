"""A device offers the observations that the other environments offer."""

from av_envs.separation import observation
from av_envs.separation.device.observation import OBSERVATIONS


def test_the_keys_are_those_of_the_host():
    assert list(OBSERVATIONS) == list(observation.OBSERVATIONS)
