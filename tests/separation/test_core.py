"""States of episodes are values: verbs make new ones, and any of them can be played on."""

import copy
import pickle

import numpy as np
import pytest

from av_envs.separation.actions import Action
from av_envs.separation.config import SeparationConfig
from av_envs.separation.core import SeparationCore
from av_envs.separation.env import SeparationEnv

LIGHT = {"houses": 2, "observations": ("mixture", "pose")}
WAYS = {"deepcopy": copy.deepcopy, "pickle": lambda state: pickle.loads(pickle.dumps(state))}


def begun(core, seed=0):
    state = core.render(core.begin(np.random.default_rng(seed), {}))
    return core.evaluate(core.separate(state))[0]


def after(core, state, move):
    return core.evaluate(core.separate(core.render(core.transition(state, move))))


def test_the_verbs_are_what_the_environment_plays():
    env, core = SeparationEnv(**LIGHT), SeparationCore(SeparationConfig(**LIGHT))
    _, info = env.reset(seed=3)
    state = begun(core, seed=3)
    assert core.info(state) == info
    for move in (0, 1, 0, 3):
        observation, reward, _, truncated, info = env.step(move)
        state, *returned = after(core, state, Action(move))
        assert returned == [reward, truncated]
        assert core.info(state) == info
        seen = {key: np.zeros_like(value) for key, value in observation.items()}
        core.observe(state, seen)
        for key, value in observation.items():
            np.testing.assert_array_equal(seen[key], value)


def test_a_state_stays_what_it_is_and_can_be_left_twice():
    core = SeparationCore(SeparationConfig(**LIGHT))
    start = begun(core)
    told = core.info(start)
    turned, forward = (after(core, start, move) for move in (Action.LEFT, Action.FORWARD))
    assert core.info(start) == told
    assert start.trajectory == (start.pose,)
    assert turned[0].pose != start.pose
    again = after(core, start, Action.LEFT)
    assert core.info(again[0]) == core.info(turned[0])
    assert forward[0].t == turned[0].t == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_state_plays_on(way):
    core = SeparationCore(SeparationConfig(**LIGHT, noise_snr_db=20.0))
    state = after(core, begun(core), Action.LEFT)[0]
    other = WAYS[way](state)
    np.testing.assert_array_equal(other.audio.waveform, state.audio.waveform)
    ours, theirs = (after(core, each, Action.FORWARD) for each in (state, other))
    assert ours[1:] == theirs[1:]
    assert core.info(ours[0]) == core.info(theirs[0])
    np.testing.assert_array_equal(ours[0].audio.waveform, theirs[0].audio.waveform)


def test_a_second_that_is_not_rendered_says_so():
    core = SeparationCore(SeparationConfig(**LIGHT))
    state = core.begin(np.random.default_rng(0), {})
    with pytest.raises(ValueError, match=r"second 0 has not been rendered; see .*\.render"):
        core.evaluate(state)


def test_a_second_that_is_not_separated_says_so():
    core = SeparationCore(SeparationConfig(**LIGHT, estimator="pluggable:Fading"))
    state = core.render(core.begin(np.random.default_rng(0), {}))
    with pytest.raises(ValueError, match=r"second 0 has not been separated; see .*\.separate"):
        core.evaluate(state)


def test_a_state_can_be_left_twice_with_what_a_batch_estimator_remembers():
    """Its memory is part of the state, so nothing that is tried out is remembered elsewhere."""
    core = SeparationCore(SeparationConfig(**LIGHT, estimator="pluggable:Fading"))
    start = after(core, begun(core), Action.LEFT)[0]
    ways = [after(core, start, Action.FORWARD), after(core, start, Action.RIGHT)]
    again = after(core, start, Action.FORWARD)
    assert core.info(again[0]) == core.info(ways[0][0]) != core.info(ways[1][0])
    assert start.memories[0] is not start.memories[1]


def test_episodes_of_one_core_do_not_share_responses():
    """Two states that take turns: the cache holds one episode and notices the other."""
    core = SeparationCore(SeparationConfig(**LIGHT))
    first, second = begun(core, seed=0), begun(core, seed=1)
    expected = [SeparationEnv(**LIGHT) for _ in range(2)]
    for seed, env in enumerate(expected):
        env.reset(seed=seed)
    for state, env in ((first, expected[0]), (second, expected[1]), (first, expected[0])):
        np.testing.assert_array_equal(core.render(state).audio.waveform, env.hear())
