"""Habits of libraries that an environment can fall foul of, and no library's own page tests."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from small_worlds import OPTIONS, STEPS, batch, every_task, single, team, without_render_mode
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import DictRolloutBuffer

PAGES = Path(__file__).resolve().parents[3] / "docs" / "libraries"
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


@every_task
def test_a_rollout_buffer_keeps_observations_as_small_as_they_are(env_id):
    """Nothing becomes float64 or one-hot; by default it is for 2048 steps, see the page."""
    env = single(env_id)
    buffer = DictRolloutBuffer(4, env.observation_space, env.action_space, "cpu", n_envs=2)
    observation, _ = env.reset(seed=0)
    size = sum(np.asarray(value).nbytes for value in observation.values())
    assert sum(array.nbytes for array in buffer.observations.values()) == 4 * 2 * size
    if env_id == "AVDynamicSep-v0":
        page = (PAGES / "stable-baselines3.md").read_text(encoding="utf-8")
        assert f"with 8 environments is a buffer of {2048 * 8 * size / 1e9:.0f} GB" in page


@without_render_mode
def test_supersuits_batch_for_gymnasium_has_the_actions_of_one():
    """Its `action_space` is that of a single robot: sample it once per row."""
    from supersuit import concat_vec_envs_v1, pettingzoo_env_to_vec_env_v1

    robots = pettingzoo_env_to_vec_env_v1(team())
    venv = concat_vec_envs_v1(robots, 2, base_class="gymnasium")
    venv.reset(seed=0)
    actions = np.array([venv.action_space.sample() for _ in range(venv.num_envs)])
    assert actions.shape == (4,)  # two teams of two
    assert venv.step(actions)[1].shape == actions.shape


def test_classes_and_counts_have_the_types_of_their_spaces():
    """Discrete observations are int64, as TorchRL and Stable-Baselines3 store them."""
    observation, _ = single("AVDynamicSep-v0").reset(seed=0)
    assert np.asarray(observation["target"]).dtype == np.int64
