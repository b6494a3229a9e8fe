"""What a registry can get wrong, for every registered environment."""

import pickle
import warnings

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec, registry
from gymnasium.utils.env_checker import data_equivalence

import av_envs
from av_envs.registration import SEPARATION, register_all

IDS = sorted(av_envs.VARIANTS)
SMALL = {"houses": 1, "steps": 2}
every_env = pytest.mark.parametrize("env_id", IDS)


def small(env_id: str) -> dict:
    """Options, and one observation that costs nothing."""
    is_separation = av_envs.VARIANTS[env_id][0] == SEPARATION
    return {**SMALL, "observations": ["pose" if is_separation else "position"]}


def test_registering_twice_is_silent():
    """Gymnasium warns of an id that is overridden; modules are imported more than once."""
    before = {env_id: registry[env_id] for env_id in IDS}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register_all()
        gym.register_envs(av_envs)
    assert all(registry[env_id] is before[env_id] for env_id in IDS)


def test_no_id_is_a_newer_version_of_another():
    """Gymnasium would call the older one out of date; variants are no versions."""
    names = [gym.spec(env_id).name for env_id in IDS]
    assert len(set(names)) == len(names)


@every_env
def test_entry_points_are_strings_and_add_no_wrappers(env_id):
    """A callable has no JSON, and `make_vec` refuses additional wrappers of a batch."""
    spec = gym.spec(env_id)
    assert isinstance(spec.entry_point, str)
    assert isinstance(spec.vector_entry_point, str)
    assert spec.additional_wrappers == ()


@every_env
def test_wrappers_of_single_environments_need_gymnasiums_own_batch(env_id):
    wrap = {"wrappers": (gym.wrappers.FlattenObservation,)}
    for more in (wrap, {"vector_kwargs": {"autoreset_mode": "SameStep"}}):
        with pytest.raises(gym.error.Error, match="vector"):
            gym.make_vec(env_id, 2, **more, **small(env_id))
    venv = gym.make_vec(env_id, 2, vectorization_mode="sync", **wrap, **small(env_id))
    assert venv.reset(seed=0)[0].shape == (2, gym.spaces.flatdim(venv.single_observation_space))


@every_env
def test_a_spec_can_be_sent(env_id):
    spec = gym.make(env_id, **small(env_id)).spec
    again = pickle.loads(pickle.dumps(spec))
    assert data_equivalence(gym.make(again).reset(seed=3), gym.make(spec).reset(seed=3), exact=True)


@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVRIRMeasure-v0"])
@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_the_spec_of_a_batch_can_be_written_down_and_sent(env_id, mode):
    """With the mode as a string; an Enum has no JSON."""
    venv = gym.make_vec(env_id, 2, autoreset_mode=mode, **small(env_id))
    expected = venv.reset(seed=3)
    for spec in (EnvSpec.from_json(venv.spec.to_json()), pickle.loads(pickle.dumps(venv.spec))):
        again = gym.make_vec(spec)
        assert again.autoreset_mode is venv.autoreset_mode
        assert data_equivalence(again.reset(seed=3), expected, exact=True)


@every_env
def test_the_outermost_spec_knows_the_time_limit(env_id):
    """The one to write beside results; that of the innermost environment has no limit."""
    env = gym.make(env_id, max_episode_steps=1, **small(env_id))
    env.reset(seed=0)
    assert env.step(env.action_space.sample())[3] is True
    assert env.spec.max_episode_steps == 1
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    again.reset(seed=0)
    assert again.step(env.action_space.sample())[3] is True
    venv = gym.make_vec(env_id, 2, max_episode_steps=1, **small(env_id))
    venv.reset(seed=0)
    assert venv.step(venv.action_space.sample())[3].all()
