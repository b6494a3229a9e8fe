"""Estimators that are asked once in a step for all environments."""

import copy
import importlib
import pickle

import gymnasium as gym
import numpy as np
import pluggable
import pytest
from gymnasium.utils.env_checker import data_equivalence

from av_envs.separation.env import SeparationEnv
from av_envs.separation.estimators import load_estimator
from av_envs.separation.vector import SeparationVectorEnv

LIGHT = {"houses": 2, "observations": ("pose",)}
WAYS = {"deepcopy": copy.deepcopy, "pickle": lambda env: pickle.loads(pickle.dumps(env))}


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setattr(pluggable.Fading, "calls", [])
    return pluggable.Fading.calls


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("reward", ["si_sdr_gain", "neg_nmse"])
def test_a_batch_is_the_loop_over_single_environments(mode, reward):
    """Bit for bit where rows do not touch each other; through the ends of episodes."""
    options = {**LIGHT, "estimator": "pluggable:Fading", "steps": 3, "reward": reward}
    native = gym.make_vec("AVDynamicSep-v0", 3, autoreset_mode=mode, **options)
    loop = gym.make_vec(
        "AVDynamicSep-v0", 3, "sync", vector_kwargs={"autoreset_mode": mode}, **options
    )
    assert data_equivalence(native.reset(seed=3), loop.reset(seed=3), exact=True)
    for actions in ([0, 1, 3], [3, 0, 2], [1, 0, 0], [2, 2, 0], [0, 1, 3]):
        ours, theirs = native.step(actions), loop.step(actions)
        assert data_equivalence(ours, theirs, exact=True)
        if mode == "Disabled" and ours[3].any():
            again = [env.reset(options={"reset_mask": ours[3].copy()}) for env in (native, loop)]
            assert data_equivalence(*again, exact=True)


def test_it_is_asked_once_in_a_step_and_once_for_the_same_past(calls):
    """Who has never left the start pose has heard there what the twin has heard."""
    envs = SeparationVectorEnv(3, estimator="pluggable:Fading", **LIGHT)
    envs.reset(seed=0)
    envs.step([3, 3, 3])
    envs.step([1, 3, 3])
    envs.step([2, 1, 3])  # the first is back, but with another past
    assert calls == [3, 3, 4, 5]


def test_standing_still_gains_nothing_at_all(calls):
    env = SeparationEnv(estimator="pluggable:Fading", **LIGHT)
    env.reset(seed=0)
    assert [env.step(3)[1] for _ in range(4)] == [0.0] * 4
    assert calls == [1] * 5


def test_without_comparison_there_are_no_twins(calls):
    envs = SeparationVectorEnv(2, estimator="pluggable:Fading", reward="si_sdr", **LIGHT)
    envs.reset(seed=0)
    envs.step([1, 1])
    assert calls == [2, 2]


def test_memories_are_those_of_the_seconds_before():
    env = SeparationEnv(estimator="pluggable:Fading", **LIGHT)
    for seed in (0, 1):
        env.reset(seed=seed)
        louder = []
        for move in (None, 0, 1, 0):
            if move is not None:
                *_, info = env.step(move)
            heard = env.state.audio.spectrogram
            louder.append(heard[np.argmax((heard**2).sum((1, 2)))])
            expected = louder[0]
            for ear in louder[1:]:
                expected = (ear + expected) / 2
            np.testing.assert_array_equal(env.state.memories[0], expected)
        error = np.mean((expected - env.state.truth.magnitude) ** 2)
        assert info["stft_distance"] == pytest.approx(error / 2, rel=1e-4)


def test_foreseen_gains_are_those_that_come_and_are_not_remembered():
    env, other = (SeparationEnv(estimator="pluggable:Fading", **LIGHT) for _ in range(2))
    for one in (env, other):
        one.reset(seed=2)
    for action in (0, 1, 0, 0):
        promised = env.privileged("action_gains")
        assert len(np.unique(promised)) > 1
        returned = env.step(action)
        assert returned[1] == pytest.approx(promised[action], abs=1e-3)
        assert data_equivalence(returned, other.step(action), exact=True)


def test_there_is_one_in_a_process_and_no_copy_has_another():
    envs = SeparationVectorEnv(4, estimator="pluggable:BothEars", **LIGHT)
    single = SeparationEnv(estimator="pluggable:BothEars", **LIGHT)
    shared = load_estimator("pluggable:BothEars")
    for env in (*envs.envs, single, copy.deepcopy(single), pickle.loads(pickle.dumps(single))):
        assert env.core.plug_in._shared is shared
    assert len(pickle.dumps(envs)) < shared.weights.nbytes / 100


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_plays_on(way):
    envs = gym.make_vec("AVDynamicSep-v0", 2, estimator="pluggable:Fading", **LIGHT)
    envs.reset(seed=4)
    envs.step([1, 3])
    other = WAYS[way](envs)
    for actions in ([0, 3], [0, 0]):
        assert data_equivalence(other.step(actions), envs.step(actions), exact=True)


def test_a_module_that_is_loaded_again_has_its_say():
    before = load_estimator("pluggable:BothEars")
    assert load_estimator("pluggable:BothEars") is before
    importlib.reload(pluggable)
    assert type(load_estimator("pluggable:BothEars")) is pluggable.BothEars is not type(before)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("NoMemories", "'pluggable:NoMemories' returned must be a tuple .*, got ndarray; without"),
        ("OneTooFew", "'pluggable:OneTooFew' returned must have 2 estimates, .*; got 1"),
        ("LostMemory", "must have 2 memories, one for each mixture; got NoneType"),
        ("BatchNotANumber", "estimate of 'pluggable:.*' is nan at frequency 3, frame 4"),
    ],
)
def test_a_wrong_answer_is_named(name, complaint):
    envs = SeparationVectorEnv(2, estimator=f"pluggable:{name}", **LIGHT)
    with pytest.raises(ValueError, match=complaint):
        envs.reset(seed=0)


def test_what_cannot_be_asked_is_named():
    with pytest.raises(ValueError, match="a NotCallable lacks the method estimate_batch; needed"):
        SeparationEnv(estimator="pluggable:NotCallable", **LIGHT)


def test_an_error_leaves_the_batch_where_it_was(monkeypatch):
    """No environment has moved, and none remembers the second."""
    envs, other = (SeparationVectorEnv(2, estimator="pluggable:Fading", **LIGHT) for _ in range(2))
    for one in (envs, other):
        one.reset(seed=0)
    with monkeypatch.context() as broken:
        broken.setattr(pluggable.Fading, "_one", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            envs.step([0, 1])
    assert data_equivalence(envs.step([1, 0]), other.step([1, 0]), exact=True)
