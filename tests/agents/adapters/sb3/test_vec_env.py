"""Batches in the words of Stable-Baselines3: the same as its own list of environments."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from small_worlds import STEPS, batch, every_task, single
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from av_envs.agents.adapters.sb3 import NativeVecEnv

every_kind = pytest.mark.parametrize("kind", ["sync", "native"])


def adapted(env_id: str, kind: str = "sync", **options) -> NativeVecEnv:
    return NativeVecEnv(batch(env_id, kind, "SameStep", **options))


def actions_of(space: gym.Space, num_envs: int, n_steps: int) -> list[np.ndarray]:
    space.seed(1)
    return [np.stack([space.sample() for _ in range(num_envs)]) for _ in range(n_steps)]


@every_task
@every_kind
def test_does_what_the_list_of_environments_does(env_id, kind):
    """Over two ends of episodes: observations, rewards, infos, those of resets, last looks."""
    ours, theirs = adapted(env_id, kind), DummyVecEnv([lambda: single(env_id)] * 2)
    for venv in (ours, theirs):
        venv.seed(3)
    assert data_equivalence(dict(ours.reset()), dict(theirs.reset()), exact=True)
    assert data_equivalence(ours.reset_infos, theirs.reset_infos, exact=True)
    for actions in actions_of(ours.action_space, 2, 2 * STEPS + 1):
        seen, rewards, dones, infos = ours.step(actions)
        expected = theirs.step(actions)
        assert data_equivalence(dict(seen), dict(expected[0]), exact=True)
        np.testing.assert_array_equal(rewards, expected[1])
        assert rewards.dtype == expected[1].dtype
        np.testing.assert_array_equal(dones, expected[2])
        assert data_equivalence(infos, expected[3], exact=True)
        assert data_equivalence(ours.reset_infos, theirs.reset_infos, exact=True)


def test_the_last_observation_and_its_reason_are_told():
    """Of one whose time is up and one that is terminated by `stop_mode`."""
    venv = adapted("AVRIRMeasure-v0", stop_mode="any")
    venv.reset()
    go, stop = [1, 1], [0, 1]
    *_, dones, infos = venv.step(np.array([go, stop]))
    assert dones.tolist() == [False, True]
    assert [info["TimeLimit.truncated"] for info in infos] == [False, False]
    assert "terminal_observation" not in infos[0]
    assert infos[1]["terminal_observation"]["azimuth"][0, 1] == np.float32(1 / STEPS)
    assert infos[1]["t"] == 1
    assert venv.reset_infos[1]["t"] == 0
    for _ in range(STEPS - 1):
        *_, dones, infos = venv.step(np.array([go, go]))
    assert dones.tolist() == [True, False]
    assert [info["TimeLimit.truncated"] for info in infos] == [True, False]


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_other_ways_to_start_anew_are_refused(mode):
    venv = batch("AVDynamicSep-v0", "sync", mode)
    with pytest.raises(ValueError, match=r"Stable-Baselines3 needs AutoresetMode\.SAME_STEP"):
        NativeVecEnv(venv)


def test_a_single_environment_is_refused():
    with pytest.raises(TypeError, match="VectorEnv is needed, got"):
        NativeVecEnv(single("AVDynamicSep-v0"))


@every_task
@every_kind
def test_options_reach_all_environments_once(env_id, kind):
    venv = adapted(env_id, kind, houses=2)
    venv.set_options({"house": 1})
    venv.reset()
    assert [info["house"] for info in venv.reset_infos] == [1, 1]
    venv.set_options([{"house": 0}, {"house": 1}])
    with pytest.raises(ValueError, match="all environments must get the same options"):
        venv.reset()


@every_kind
def test_masks_can_be_asked_for(kind):
    venv = adapted("AVRIRMeasure-v0", kind)
    assert venv.has_attr("action_masks")  # before any reset, as MaskablePPO may
    assert not venv.has_attr("no_such_thing")
    observations = venv.reset()
    masks = np.stack(venv.env_method("action_masks"))
    assert masks.shape == (2, 8)
    np.testing.assert_array_equal(masks, observations["action_mask"].reshape(2, 8))
    with pytest.raises(NotImplementedError, match="on all environments or none"):
        venv.env_method("action_masks", indices=[0])


@every_kind
def test_attributes_are_read_and_not_written(kind):
    venv = adapted("AVRIRMeasure-v0", kind)
    assert [config.steps for config in venv.get_attr("config", indices=[1])] == [STEPS]
    assert venv.env_is_wrapped(Monitor) == [False, False]
    with pytest.raises(NotImplementedError, match="one by one"):
        venv.set_attr("config", None)


def test_wrappers_of_the_environments_are_known():
    venv = gym.vector.SyncVectorEnv(
        [lambda: Monitor(single("AVDynamicSep-v0"))], autoreset_mode="SameStep"
    )
    assert NativeVecEnv(venv).env_is_wrapped(Monitor) == [True]


@every_kind
def test_pictures_of_all_environments(kind):
    venv = adapted("AVDynamicSep-v0", kind, render_mode="rgb_array")
    venv.reset()
    alone = venv.get_images()[0]
    assert venv.render().shape == (2 * alone.shape[0], alone.shape[1], 3)  # tiled


@every_kind
def test_a_monitor_and_the_evaluation_of_the_library_work(kind):
    class Random:
        def predict(self, observation, **kwargs):
            return np.array([venv.action_space.sample() for _ in range(2)]), None

    venv = VecMonitor(adapted("AVDynamicSep-v0", kind))
    venv.seed(0)
    returns, lengths = evaluate_policy(Random(), venv, 3, return_episode_rewards=True)
    assert lengths == [STEPS] * 3
    assert np.isfinite(returns).all()
    venv.close()


class Batch(gym.vector.VectorEnv):
    """A batch that does not consist of single environments."""

    num_envs, render_mode = 2, None
    metadata = {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP}  # noqa: RUF012
    single_observation_space = gym.spaces.Dict({"azimuth": gym.spaces.Box(0, 1, (2,))})
    single_action_space = gym.spaces.MultiDiscrete([4, 4])
    grid = 0.5

    def action_masks(self):
        return np.arange(16).reshape(2, 8) % 2 == 0


def test_a_batch_answers_for_its_environments():
    venv = NativeVecEnv(Batch())
    assert venv.has_attr("action_masks")
    assert not venv.has_attr("no_such_thing")
    assert [row.shape for row in venv.env_method("action_masks")] == [(8,), (8,)]
    assert venv.get_attr("grid") == [0.5, 0.5]
    assert venv.env_is_wrapped(Monitor) == [False, False]
