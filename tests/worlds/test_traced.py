"""The procedural houses as a world, and the acoustic backends that they can be heard through."""

import re
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from av_envs.acoustics import TracedAcoustics
from av_envs.rir_measure import parallel_env
from av_envs.rir_measure.config import MeasureConfig
from av_envs.scene import scene_name
from av_envs.separation.config import SeparationConfig
from av_envs.worlds.base import open_pool
from av_envs.worlds.traced import TracedWorld, open_dwelling

BACKEND = """
import numpy as np


class Delta:
    def __init__(self, scene, hrtf, delay=0):
        self.n_nodes, self.delay = len(scene.graph), delay

    def rir(self, source, receiver, heading):
        out = np.empty((2, 16000), np.float32)
        self.rirs_into(np.array([source]), receiver, heading, out[None])
        return out

    def rirs_into(self, sources, receiver, heading, out):
        out[:] = 0
        out[:, :, self.delay] = 1


def silent(scene, hrtf, **anything):
    return Delta(scene, hrtf)


number = 3
"""
SMALL = {"houses": 1, "num_sources": 1, "start": "near", "steps": 2}


@pytest.fixture
def backend(tmp_path, monkeypatch):
    """The import path of a backend whose responses are a click after `delay` samples."""
    (tmp_path / "click_acoustics.py").write_text(BACKEND, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "click_acoustics:Delta"


def test_the_built_in_world_is_that_of_the_procedural_houses():
    pool = open_pool(SeparationConfig().world, "test", 5)
    assert pool.size == 5
    assert [pool.names[k] for k in range(5)] == [scene_name("test", k) for k in range(5)]
    opened = pool.world.open("house-3")
    assert opened is open_dwelling("house-3", 1.0, "kemar")
    flats = open_pool(MeasureConfig().world, "train", 1)
    assert flats.world == TracedWorld(0.5, "kemar", "flat")
    assert flats.names[0] == "flat-0"


def test_houses_can_be_traced_by_another_tracer():
    pytest.importorskip("warp", reason="NVIDIA Warp is an extra: av-envs[warp]")
    levels = []
    for tracer in ("numba", "warp"):
        world = TracedWorld(1.0, "kemar", "flat", tracer)
        acoustics = world.open("flat-9").acoustics
        energy = [np.square(acoustics.rir(3, node, 0)).sum() for node in range(4, 20)]
        levels.append(10 * np.log10(energy).mean())
    assert levels[0] != levels[1]
    assert levels[0] == pytest.approx(levels[1], abs=1)
    env = gym.make("AVDynamicSep-v0", tracer="warp")  # one word is all it takes
    assert env.unwrapped.config.world.options == '{"tracer": "warp"}'
    with pytest.raises(ValueError, match="tracer 'optix' does not exist; choose from numba, warp"):
        gym.make("AVDynamicSep-v0", tracer="optix")


def test_the_houses_are_the_same_through_any_backend(backend):
    options = {"acoustics": backend, "acoustics_options": {"delay": 5}}
    env = gym.make("AVDynamicSep-v0", **SMALL, **options).unwrapped
    other = gym.make("AVDynamicSep-v0", **SMALL).unwrapped
    for seed in range(2):
        heard, info = env.reset(seed=seed)
        traced, told = other.reset(seed=seed)
        assert (info["house"], env.node) == (told["house"], other.node)
        np.testing.assert_array_equal(heard["rgb"], traced["rgb"])
        np.testing.assert_array_equal(*heard["mixture"])  # both ears get the same click
        assert (heard["mixture"] != traced["mixture"]).any()
    world = env.config.world
    assert env.scene is open_pool(world, "train", 1).open("house-0").scene
    assert open_pool(world, "train", 1).open("house-0").acoustics.delay == 5
    assert isinstance(open_dwelling("house-0", 1.0).acoustics, TracedAcoustics)


def test_a_backend_is_heard_by_the_native_batch_as_by_single_environments(backend):
    options = {**SMALL, "acoustics": backend}
    batch = gym.make_vec("AVDynamicSep-v0", num_envs=2, vectorization_mode="vector_entry_point",
                         **options)  # fmt: skip
    single = gym.make("AVDynamicSep-v0", **options)
    heard, _ = batch.reset(seed=[3, 4])
    moved, reward, *_ = batch.step(np.array([0, 1]))
    for index, seed in enumerate((3, 4)):
        alone, _ = single.reset(seed=seed)
        then, gain, *_ = single.step(index)
        for key in alone:
            np.testing.assert_array_equal(heard[key][index], alone[key])
            np.testing.assert_array_equal(moved[key][index], then[key])
        assert reward[index] == gain
    batch.close()


def test_robots_measure_what_the_backend_says(backend):
    team = parallel_env(houses=1, acoustics=backend, steps=2)
    team.reset(seed=0)
    team.step({robot: team.action_space(robot).sample() for robot in team.agents})
    response = team.dwelling.acoustics.rir(0, 1, 2)
    assert np.argwhere(response).tolist() == [[0, 0], [1, 0]]
    assert len(team.measurement.rirs) > 0
    assert (team.measurement.rirs == response).all()


def test_the_engine_of_the_documentation_can_be_played(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "direct_sound.py").write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    options = {"acoustics": "direct_sound:DirectSound", "acoustics_options": {"speed": 340.0}}
    env = gym.make("AVDynamicSep-v0", **SMALL, **options)
    observation, _ = env.reset(seed=0)
    assert observation["mixture"].max() > 0


@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVRIRMeasure-v0"])
def test_misuse_of_backends_names_the_choices(backend, env_id):
    def refused(message, **options):
        with pytest.raises(ValueError, match=message):
            gym.make(env_id, **options)

    refused("acoustics 'tracd' does not exist; choose from traced or an imp", acoustics="tracd")
    refused(r"acoustics \['traced'\] does not exist; choose", acoustics=["traced"])
    refused("acoustics 'clack:Delta': cannot import 'clack'", acoustics="clack:Delta")
    refused("'click_acoustics' has no 'Beta'", acoustics="click_acoustics:Beta")
    refused("number' is a int, not callable", acoustics="click_acoustics:number")
    refused("argument 'dely'; it is .scene, hrtf, delay=0.", acoustics=backend,
            acoustics_options={"dely": 1})  # fmt: skip
    refused("traced' cannot .* options {'rays': 1}: .*, tracer: ", acoustics_options={"rays": 1})
    refused("argument 'tracer'; it is .*delay", acoustics=backend, tracer="warp")
    refused("acoustics_options must be a dict or None, got 3", acoustics_options=3)
    with pytest.raises(TypeError, match=r"unknown option 'acoustic'; options are .*acoustics, "):
        gym.make(env_id, acoustic=backend)
    gym.make(env_id, acoustics="click_acoustics:silent", acoustics_options={"any": 1})
