"""Habits of libraries that an environment can fall foul of, and no library's own page tests."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from small_worlds import OPTIONS, STEPS, batch, every_task, single
from stable_baselines3 import PPO

every_kind = pytest.mark.parametrize("kind", ["sync", "native"])


@every_task
def test_can_be_made_with_the_module_in_the_name(env_id):
    """Gymnasium imports nothing by itself."""
    assert gym.make(f"av_envs:{env_id}", **OPTIONS[env_id]).spec.name == env_id[:-3]


@every_task
@every_kind
def test_batches_start_anew_one_step_later_by_default(env_id, kind):
    """As Gymnasium's wrappers want; TorchRL reads the attribute, the others the metadata."""
    if kind == "native":
        batch(env_id, kind, "NextStep").close()  # skips where there is none
        venv = gym.make_vec(env_id, 2, **OPTIONS[env_id])
    else:
        venv = gym.make_vec(env_id, 2, vectorization_mode="sync", **OPTIONS[env_id])
    assert venv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert venv.unwrapped.autoreset_mode is AutoresetMode.NEXT_STEP


@every_task
@every_kind
def test_wrappers_of_gymnasium_work_on_batches(env_id, kind):
    key = {"AVDynamicSep-v0": "pose", "AVRIRMeasure-v0": "position"}[env_id]
    venv = batch(env_id, kind, "NextStep", observations=(key,))
    venv = gym.wrappers.vector.RecordEpisodeStatistics(venv)
    venv = gym.wrappers.vector.FlattenObservation(venv)
    venv = gym.wrappers.vector.NormalizeObservation(venv)
    venv.reset(seed=0)
    for _ in range(STEPS):
        seen, _, _, _, infos = venv.step(venv.action_space.sample())
    assert infos["episode"]["l"].tolist() == [STEPS] * 2
    assert np.isfinite(seen).all()


@every_task
def test_stable_baselines_sees_no_goals(env_id):
    """A method `compute_reward` would make it take the environment for one with goals."""
    assert not hasattr(single(env_id).unwrapped, "compute_reward")


@every_task
def test_stable_baselines_refuses_batches_as_they_are(env_id):
    venv = batch(env_id, "sync", "SameStep")
    with pytest.raises((ValueError, AssertionError), match="not a Gymnasium environment"):
        PPO("MultiInputPolicy", venv, n_steps=4, batch_size=4)


@every_task
def test_an_observation_has_the_size_that_the_pages_say(env_id):
    """Which makes the buffers of default settings gigabytes."""
    observation, _ = single(env_id).reset(seed=0)
    size = sum(np.asarray(value).nbytes for value in observation.values())
    assert size / 1000 == pytest.approx(
        {"AVDynamicSep-v0": 246, "AVRIRMeasure-v0": 229}[env_id], 0.01
    )


def test_classes_and_counts_have_the_types_of_their_spaces():
    """Discrete observations are int64, as TorchRL and Stable-Baselines3 store them."""
    observation, _ = single("AVDynamicSep-v0").reset(seed=0)
    assert np.asarray(observation["target"]).dtype == np.int64
