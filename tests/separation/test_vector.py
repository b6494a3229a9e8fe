"""The native batch does what single environments do, bit for bit, in all three modes."""

import json
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import NormalizeObservation, RecordEpisodeStatistics

import av_envs  # noqa: F401  (registers the suite)
from av_envs.registration import SEPARATION, VARIANTS
from av_envs.separation.env import SeparationEnv
from av_envs.separation.vector import SeparationVectorEnv

IDS = [env_id for env_id, (entry_point, _) in VARIANTS.items() if entry_point == SEPARATION]
MODES = ["NextStep", "SameStep", "Disabled"]
SEED = 3


def pair(env_id, num_envs, mode="NextStep", **options):
    """The native batch and gymnasium's loop over single environments."""
    options = {"houses": 2, **options}
    return (
        gym.make_vec(env_id, num_envs, autoreset_mode=mode, **options),
        gym.make_vec(
            env_id, num_envs, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode},
            **options,
        ),
    )  # fmt: skip


def assert_same(native, loop, n_steps, seed=SEED):
    """Both do the same; where a mode needs it, the episodes that are over are reset."""
    assert data_equivalence(native.reset(seed=seed), loop.reset(seed=seed), exact=True)
    native.action_space.seed(0)
    for _ in range(n_steps):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), loop.step(actions)
        assert data_equivalence(ours, theirs, exact=True)
        over = ours[3]
        if native.autoreset_mode is AutoresetMode.DISABLED and over.any():
            again = [env.reset(options={"reset_mask": over.copy()}) for env in (native, loop)]
            assert data_equivalence(*again, exact=True)


@pytest.mark.parametrize(
    ("env_id", "mode"),
    [*((IDS[0], mode) for mode in MODES), *((env_id, "NextStep") for env_id in IDS[1:])],
)
def test_the_batch_is_the_loop_over_single_environments(env_id, mode):
    """Through two ends of episodes."""
    assert_same(*pair(env_id, 3, mode, steps=3), n_steps=8)


@pytest.mark.parametrize("num_envs", [1, 5])
def test_any_number_of_environments(num_envs):
    assert_same(*pair("AVDynamicSep-v0", num_envs, steps=4), n_steps=6)


@pytest.mark.parametrize(
    "options",
    [
        {"estimator": "agent"},
        {"starts_facing": "open", "sounds": "embedded-2"},
        {"estimator": "agent", "noise_snr_db": 20, "reward": "neg_nmse"},
        {"noise_snr_db": 10},
        {"noise_snr_db": 5, "convolution": "legacy_same", "num_sources": 3},
        {"observations": ["waveform"], "reward": "neg_nmse"},
        {"observations": ["pose", "depth", "waveform", "target"], "dynamic": False},
        {"start": "target", "reward": "si_sdr"},
        {"num_sources": 1, "start": "far", "reward": "approach"},
        {"estimator": "pluggable:Louder"},
        {"estimator": "pluggable:Louder", "reward": "improvement", "noise_snr_db": 20},
        {"extra_scores": ["si_sdr_ideal", "si_sdr_mixture_phase"], "noise_snr_db": 10},
        {"extra_scores": ["si_sdr_ideal"], "num_sources": 3, "reward": "neg_nmse"},
        {"extra_scores": ["si_sdr_ideal"], "estimator": "pluggable:Louder"},
        {"max_episode_steps": 2},
        {"max_episode_steps": 9},
    ],
    ids=lambda options: " ".join(f"{key}={value}" for key, value in options.items()),
)
def test_every_option_means_the_same(options):
    assert_same(*pair("AVDynamicSep-v0", 3, **{"steps": 4, **options}), n_steps=6)


@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
def test_an_early_limit_ends_episodes_in_every_mode(mode):
    assert_same(*pair("AVStaticSep-v0", 2, mode, max_episode_steps=2), n_steps=5)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", IDS)
def test_long_walks_in_many_houses_are_the_same(env_id):
    assert_same(*pair(env_id, 7, houses=6), n_steps=90)


def test_each_environment_is_the_single_one_with_its_seed():
    native = gym.make_vec("AVDynamicSep-v0", 2, houses=2)
    observations, infos = native.reset(seed=[8, 5])
    for i, seed in enumerate([8, 5]):
        single = SeparationEnv(houses=2)
        observation, info = single.reset(seed=seed)
        for key, value in observation.items():
            np.testing.assert_array_equal(observations[key][i], value)
        assert {key: infos[key][i] for key in info} == info
    assert native.np_random_seed == (8, 5)
    assert native.get_attr("node") == tuple(infos["node"])


def test_a_reset_without_seed_goes_on():
    native, loop = pair("AVDynamicSep-v0", 2, observations=["pose"])
    native.reset(seed=1)
    loop.reset(seed=1)
    assert data_equivalence(native.reset(), loop.reset(), exact=True)
    options = {"house": 1}
    again = [env.reset(options=dict(options)) for env in (native, loop)]
    assert data_equivalence(*again, exact=True)
    assert again[0][1]["house"].tolist() == [1, 1]


def test_only_the_chosen_begin_again():
    native, loop = pair("AVDynamicSep-v0", 3, "Disabled", observations=["mixture", "pose"])
    assert_same(native, loop, n_steps=2)
    mask = np.array([False, True, False])
    options = {"reset_mask": mask, "house": 0}
    again = [env.reset(seed=[7, 8, 9], options=dict(options)) for env in (native, loop)]
    assert data_equivalence(*again, exact=True)
    assert options["reset_mask"] is mask
    assert again[0][0]["pose"][:, 3].tolist() == [2, 0, 2]
    assert again[0][1]["_house"].tolist() == mask.tolist()
    assert data_equivalence(native.step([0, 1, 2]), loop.step([0, 1, 2]), exact=True)


@pytest.mark.parametrize(
    ("mask", "error", "names"),
    [
        ([True, False], TypeError, "numpy array of bool"),
        (np.array([1, 0]), TypeError, "numpy array of bool"),
        (np.array([True]), ValueError, r"shape \(2,\), got \(1,\)"),
        (np.array([False, False]), ValueError, "at least one"),
    ],
)
def test_a_wrong_mask_is_refused(mask, error, names):
    native = SeparationVectorEnv(2, houses=2, autoreset_mode="Disabled")
    native.reset(seed=0)
    with pytest.raises(error, match=names):
        native.reset(options={"reset_mask": mask})


def test_nothing_is_stepped_that_needs_a_reset():
    native = SeparationVectorEnv(2, houses=2, steps=1, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(ResetNeeded, match="before the first step"):
        native.step([0, 0])
    with pytest.raises(ResetNeeded, match="all environments"):
        native.reset(options={"reset_mask": np.array([True, False])})
    native.reset(seed=0)
    native.step([0, 0])
    native.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(ResetNeeded, match=r"\[1\] are over"):
        native.step([0, 0])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"num_envs": 0}, "num_envs must be a whole number from 1 on, got 0"),
        ({"autoreset_mode": "Sometimes"}, "Sometimes"),
        ({"render_mode": "human"}, "choose rgb_array"),
        ({"reward": "money"}, "si_sdr_gain"),
    ],
)
def test_wrong_arguments_are_named(arguments, names):
    with pytest.raises(ValueError, match=names):
        SeparationVectorEnv(**arguments)


def test_wrong_calls_are_named_and_change_nothing():
    native, loop = pair("AVDynamicSep-v0", 2, observations=["pose"])
    with pytest.raises(ValueError, match="2 environments need as many seeds, got 3"):
        native.reset(seed=[1, 2, 3])
    native.reset(seed=SEED)
    loop.reset(seed=SEED)
    with pytest.raises(ValueError, match="0 forward, 1 left, 2 right, 3 stay"):
        native.step([0, 4])
    with pytest.raises(ValueError, match=r"must have shape \(2,\), got \(3,\)"):
        native.step([0, 0, 0])
    with pytest.raises(TypeError, match="unknown option 'colour'"):
        SeparationVectorEnv(2, colour="red")
    with pytest.raises(ValueError, match="2 environments need as many values, got 3"):
        native.set_attr("node", [1, 2, 3])
    assert data_equivalence(native.step([0, 1]), loop.step([0, 1]), exact=True)


def test_returned_arrays_are_the_caller_s_own():
    """Nothing that one call returns shares memory with what another returns or with the state."""

    def arrays(returned):
        for value in returned:
            if isinstance(value, dict):
                yield from arrays(value.values())
            elif isinstance(value, np.ndarray):
                yield value

    native, loop = pair("AVDynamicSep-v0", 2, "SameStep", steps=2)
    calls = [native.reset(seed=SEED)]
    loop.reset(seed=SEED)
    for actions in ([0, 1], [2, 3], [1, 1]):
        calls.append(native.step(actions))
        expected = loop.step(actions)
        assert data_equivalence(calls[-1], expected, exact=True)
        for array in arrays(calls[-1]):
            if array.dtype != object:
                array[...] = 0
    kept = [list(arrays(call)) for call in calls]
    for k, ours in enumerate(kept):
        for theirs in kept[k + 1 :]:
            assert not any(np.shares_memory(a, b) for a in ours for b in theirs)
    final = calls[2][4]["final_obs"][0]
    assert not any(np.shares_memory(final[key], calls[2][0][key]) for key in ("rgb", "mixture"))


def test_spaces_and_mode_are_declared():
    native, loop = pair("AVDynamicSep-v0", 4, "SameStep")
    for name in ("observation_space", "single_observation_space"):
        assert getattr(native, name) == getattr(loop, name)
    for name in ("action_space", "single_action_space"):
        assert getattr(native, name) == getattr(loop, name)
    assert native.metadata == loop.metadata
    assert native.metadata["autoreset_mode"] is native.autoreset_mode is AutoresetMode.SAME_STEP
    assert SeparationVectorEnv().autoreset_mode is AutoresetMode.NEXT_STEP
    observations, _ = native.reset(seed=0)
    assert observations in native.observation_space
    assert native.step(native.action_space.sample())[0] in native.observation_space


def test_the_spec_survives_json_and_pickle():
    native = gym.make_vec("AVStaticSep-v0", 2, houses=2, autoreset_mode="SameStep")
    expected, _ = native.reset(seed=4)
    text = native.spec.to_json()
    assert json.loads(text)["kwargs"]["num_envs"] == 2
    for spec in (EnvSpec.from_json(text), pickle.loads(pickle.dumps(native.spec))):
        remade = gym.make_vec(spec)
        assert isinstance(remade, SeparationVectorEnv)
        assert remade.autoreset_mode is AutoresetMode.SAME_STEP
        assert data_equivalence(remade.reset(seed=4)[0], expected, exact=True)


def test_workers_of_gymnasium_see_the_same():
    native = gym.make_vec("AVDynamicSep-v0", 2, houses=2)
    native.reset(seed=0)
    native.step([0, 1])  # threads are at work before the fork
    apart = gym.make_vec("AVDynamicSep-v0", 2, "async", vector_kwargs={"context": "fork"}, houses=2)
    try:
        assert data_equivalence(native.reset(seed=SEED), apart.reset(seed=SEED), exact=True)
        assert data_equivalence(native.step([1, 0]), apart.step([1, 0]), exact=True)
    finally:
        apart.close()


def test_gymnasium_s_wrappers_work():
    recorded = RecordEpisodeStatistics(gym.make_vec("AVDynamicSep-v0", 2, houses=2, steps=2))
    recorded.reset(seed=0)
    rewards = [recorded.step([0, 1])[1], None]
    _, rewards[1], _, _, infos = recorded.step([0, 1])
    np.testing.assert_allclose(infos["episode"]["r"], sum(rewards))
    assert infos["episode"]["l"].tolist() == [2, 2]
    waves = gym.make_vec("AVDynamicSep-v0", 2, houses=2, observations=["waveform"])
    flat = gym.wrappers.vector.FlattenObservation(waves)
    normal = NormalizeObservation(flat)
    normal.reset(seed=0)
    assert np.isfinite(normal.step([0, 1])[0]).all()


def test_each_environment_can_be_asked_and_drawn():
    native = SeparationVectorEnv(2, houses=2, render_mode="rgb_array", reward="neg_nmse")
    native.reset(seed=0)
    first, second = native.render()
    assert first.shape[2] == 3
    assert not np.array_equal(first, second)
    distances = native.call("privileged", "distances_after")
    assert [one.shape for one in distances] == [(4,), (4,)]
    native.set_attr("render_mode", [None, "rgb_array"])
    assert native.get_attr("render_mode") == (None, "rgb_array")
    native.close()
    native.close()
