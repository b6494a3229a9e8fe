"""The table of observations: what the environment offers, writes and documents."""

import numpy as np
from documented import rows_of
from gymnasium import spaces

from av_envs.separation.env import SeparationEnv
from av_envs.separation.observation import OBSERVATIONS


def shape_of(space: spaces.Space) -> str:
    return "Discrete" if isinstance(space, spaces.Discrete) else str(space.shape)


def test_the_page_has_the_key_shape_and_type_of_every_observation():
    env = SeparationEnv(houses=1, observations=list(OBSERVATIONS))
    documented = [row[:3] for row in rows_of(SeparationEnv.__doc__, "Observation space")]
    expected = [
        [f"`{key}`", shape_of(space), str(space.dtype)]
        for key, space in ((key, env.observation_space[key]) for key in OBSERVATIONS)
    ]
    assert documented == expected


def test_every_observation_fills_its_array():
    """Whatever was in it before."""
    env = SeparationEnv(houses=1, observations=list(OBSERVATIONS))
    observation, _ = env.reset(seed=0)
    for key, space in env.observation_space.items():
        arrays = [np.full(space.shape, value, space.dtype) for value in (0, 1)]
        for array in arrays:
            OBSERVATIONS[key].write(env.state, array)
            assert array in space or array.shape == ()
        np.testing.assert_array_equal(*arrays)
        np.testing.assert_array_equal(arrays[0], observation[key])
