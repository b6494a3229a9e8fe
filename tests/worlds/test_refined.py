"""`backend="refined"`: every task hears refined responses, wherever they come from."""

import json
import sys
from types import ModuleType

import gymnasium as gym
import numpy as np
import pytest

from av_envs.worlds import base
from av_envs.worlds.base import open_world, world_settings
from av_envs.worlds.refined import RefinedWorld

LOUDER = f"{__name__}:Louder"


class Louder:
    """A refiner that multiplies."""

    sample_rate, channels = 16_000, 2

    def __init__(self, gain: float = 2.0):
        self.gain = gain

    def refine(self, signal, pose, dry):
        assert np.isfinite(pose).all()
        return np.float32(self.gain) * signal


class Mono(Louder):
    channels = 1


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """This module by its name, as a user's would be."""
    base.open_world.cache_clear()
    module = ModuleType(__name__)
    module.Louder, module.Mono = Louder, Mono
    monkeypatch.setitem(sys.modules, __name__, module)
    yield
    base.open_world.cache_clear()


def world(**options) -> RefinedWorld:
    return open_world(world_settings("refined", options, grid=1.0, hrtf="kemar"))


def test_dwellings_are_those_of_the_base():
    ours, theirs = world(), open_world(world_settings("traced", None, grid=1.0, hrtf="kemar"))
    assert ours.names("val")[3] == theirs.names("val")[3]
    name = ours.names("val")[0]
    assert ours.open(name).scene is theirs.open(name).scene
    assert ours.open(name).views is theirs.open(name).views
    assert ours.open(name) is ours.open(name)
    response = theirs.open(name).acoustics.rir(3, 5, 1)
    assert np.array_equal(ours.open(name).acoustics.rir(3, 5, 1), response)


def test_responses_are_refined_with_the_options_of_the_refiner():
    ours = world(refiner=LOUDER, refiner_options={"gain": 3.0})
    name = ours.names("val")[0]
    plain = world().open(name).acoustics.rir(3, 5, 1)
    np.testing.assert_array_equal(ours.open(name).acoustics.rir(3, 5, 1), np.float32(3) * plain)


def test_a_refined_world_can_be_refined():
    once = {"refiner": LOUDER}
    twice = world(base="refined", base_options=once, **once)
    name = twice.names("val")[0]
    plain = world().open(name).acoustics.rir(3, 5, 1)
    np.testing.assert_array_equal(twice.open(name).acoustics.rir(3, 5, 1), np.float32(4) * plain)


@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVRIRMeasure-v0"])
def test_every_task_takes_it(env_id):
    env = gym.make(env_id, backend="refined", base="traced", refiner=LOUDER, houses=1)
    json.loads(env.spec.to_json())
    env.reset(seed=0)
    env.step(env.action_space.sample())
    env.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base": "oracle"}, "backend 'oracle' does not exist"),
        ({"refiner": "Louder"}, "is not of the form module:Factory"),
        ({"refiner": f"{__name__}:Softer"}, "has no 'Softer'"),
        ({"refiner": LOUDER, "refiner_options": {"loud": 1}}, "cannot be called with the options"),
        ({"refiner": f"{__name__}:Mono"}, "refines signals of 1 channels"),
        ({"refiner_options": {"gain": 1}}, "there is no refiner to take the options"),
        ({"refiner": LOUDER, "refiner_options": [1]}, "must be a dict or None"),
    ],
    ids=["base", "form", "name", "options", "channels", "no_refiner", "no_dict"],
)
def test_what_cannot_be_is_said_at_once(options, said):
    with pytest.raises(ValueError, match=said):
        gym.make("AVDynamicSep-v0", backend="refined", **options)
