"""Gymnasium's own wrappers and what collects episodes, around the environments of both tasks."""

import gc

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces, wrappers

import av_envs
from av_envs.registration import SEPARATION

STEPS = 3
every_task = pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVRIRMeasure-v0"])
every_batch = pytest.mark.parametrize("kind", ["sync", "native"])


def cheap(env_id: str) -> str:
    """An observation that costs next to nothing."""
    return "pose" if av_envs.VARIANTS[env_id][0] == SEPARATION else "position"


def make(env_id: str, **options) -> gym.Env:
    return gym.make(env_id, **{"houses": 1, "steps": STEPS, **options})


def make_batch(env_id: str, kind: str, mode: str = "NextStep", **options) -> gym.vector.VectorEnv:
    options = {"houses": 1, "steps": STEPS, "observations": [cheap(env_id)], **options}
    if kind == "native":
        return gym.make_vec(env_id, 2, autoreset_mode=mode, **options)
    vector_kwargs = {"autoreset_mode": mode}
    return gym.make_vec(env_id, 2, vectorization_mode=kind, vector_kwargs=vector_kwargs, **options)


def play(env: gym.Env | gym.vector.VectorEnv) -> list[tuple]:
    """What reset and the steps of one episode return."""
    env.action_space.seed(0)
    returned = [env.reset(seed=0)]
    return returned + [env.step(env.action_space.sample()) for _ in range(STEPS)]


@pytest.mark.parametrize("env_id", sorted(av_envs.VARIANTS))
def test_observations_stay_inside_bounds_that_are_finite(env_id):
    """Infinite bounds make checkers warn and scaling by the bounds meaningless."""
    env = make(env_id).unwrapped
    for key, space in env.observation_space.items():
        if isinstance(space, spaces.Box):
            assert np.isfinite([space.low, space.high]).all(), key
    for observation, *_ in play(env):
        assert observation in env.observation_space
        assert set(observation) == set(env.observation_space)


@every_task
def test_closing_twice_does_no_harm(env_id):
    for env in (make(env_id), make_batch(env_id, "native")):
        env.close()
        env.close()


@every_task
def test_returns_and_lengths_of_episodes_are_recorded(env_id):
    env = wrappers.RecordEpisodeStatistics(make(env_id, observations=[cheap(env_id)]))
    _, *steps = play(env)
    assert steps[-1][4]["episode"]["r"] == pytest.approx(sum(step[1] for step in steps))
    assert steps[-1][4]["episode"]["l"] == STEPS


@every_task
@every_batch
def test_so_are_those_of_a_batch(env_id, kind):
    venv = wrappers.vector.RecordEpisodeStatistics(make_batch(env_id, kind))
    _, *steps = play(venv)
    rewards = np.sum([step[1] for step in steps], axis=0)
    np.testing.assert_allclose(steps[-1][4]["episode"]["r"], rewards)
    assert steps[-1][4]["episode"]["l"].tolist() == [STEPS, STEPS]


@every_task
@every_batch
@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_infos_of_a_batch_are_flat_arrays_of_float32(env_id, kind, mode):
    """Python's floats, strings and dicts would become arrays of objects."""
    first, *steps = play(make_batch(env_id, kind, mode))
    keys = {key for key in first[1] if not key.startswith("_")}
    for returned in (first, *steps):
        info = returned[-1]
        starts_anew = mode == "SameStep" and returned is steps[-1]
        all_keys = keys | ({"final_obs", "final_info"} if starts_anew else set())
        assert set(info) == all_keys | {f"_{key}" for key in all_keys}
        for key in keys:
            assert info[key].dtype == np.float32, key
            assert len(info[key]) == 2
            assert info[f"_{key}"].dtype == bool


@every_task
@every_batch
def test_normalising_needs_the_default_way_to_start_anew(env_id, kind):
    """Gymnasium refuses all others, whoever made the batch."""

    def normal(mode: str) -> gym.vector.VectorEnv:
        flat = wrappers.vector.FlattenObservation(make_batch(env_id, kind, mode))
        return wrappers.vector.NormalizeObservation(flat)

    assert all(np.isfinite(step[0]).all() for step in play(normal("NextStep")))
    for mode in ("SameStep", "Disabled"):
        with pytest.raises(ValueError, match="NEXT_STEP"):
            normal(mode)


@every_task
def test_frames_come_as_a_list(env_id):
    """`rgb_array_list` is Gymnasium's own; no environment declares it."""
    env = make(env_id, observations=[cheap(env_id)], render_mode="rgb_array_list")
    play(env)
    frames = env.render()
    assert len(frames) == STEPS + 1
    assert {frame.shape for frame in frames} == {frames[0].shape}
    assert not np.array_equal(frames[0], frames[-1])


@every_task
@pytest.mark.filterwarnings("ignore:.*You are trying to use 'human' rendering:UserWarning")
def test_a_window_shows_the_frames(env_id, monkeypatch):
    """Gymnasium opens one by itself; here on a screen that nobody sees."""
    pytest.importorskip("pygame", reason="needs pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = make(env_id, observations=[cheap(env_id)], render_mode="human")
    env.reset(seed=0)
    env.close()
    assert env.unwrapped.render_mode == "rgb_array"


@every_task
@pytest.mark.filterwarnings("ignore:.*Overwriting existing videos:UserWarning")
def test_a_video_is_recorded(env_id, tmp_path):
    pytest.importorskip("moviepy", reason="needs moviepy")
    env = make(env_id, observations=[cheap(env_id)], render_mode="rgb_array")
    env = wrappers.RecordVideo(env, str(tmp_path), episode_trigger=lambda episode: True)
    play(env)
    env.close()
    (video,) = tmp_path.glob("*.mp4")
    assert video.stat().st_size > 1000


@every_task
@pytest.mark.filterwarnings("ignore:`\\w+` is set to None:UserWarning")  # who made it, and why
@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
def test_episodes_become_a_minari_dataset(env_id, tmp_path, monkeypatch):
    """Everything that is observed and told, read back as it was; JPEG, its default, is lossy."""
    minari = pytest.importorskip("minari", reason="needs minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    collector = minari.DataCollector(make(env_id), record_infos=True, jpeg_encoding=False)
    returned = play(collector)
    dataset = collector.create_dataset(f"walks/{env_id}")
    del collector  # with its folder, which it does not remove without a warning
    gc.collect()
    (episode,) = dataset.iterate_episodes()
    for key, values in episode.observations.items():
        np.testing.assert_array_equal(values, [step[0][key] for step in returned])
    np.testing.assert_array_equal(episode.rewards, [step[1] for step in returned[1:]])
    assert episode.truncations.tolist() == [False] * (STEPS - 1) + [True]
    for key, values in episode.infos.items():
        np.testing.assert_array_equal(values, [step[-1][key] for step in returned])
