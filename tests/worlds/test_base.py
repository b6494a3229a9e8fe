"""Where tasks get their world: the built-in houses, or what a backend brings."""

import gymnasium as gym
import numpy as np
import pytest

from av_envs.rir_measure import parallel_env
from av_envs.rir_measure.config import MeasureConfig
from av_envs.scene import scene_name
from av_envs.separation.config import SeparationConfig
from av_envs.worlds import base
from av_envs.worlds.base import (
    Backend,
    NoViews,
    TracedWorld,
    WorldSettings,
    open_dwelling,
    open_pool,
)

CALLS = []


class MirrorWorld:
    """Two procedural houses under other names."""

    def __init__(self, *, grid, hrtf, kind, root=None, scenes=None):
        if root == "nowhere":
            raise ValueError("root 'nowhere' does not exist")
        CALLS.append((grid, hrtf, kind, root, scenes))
        self.grid = grid

    def names(self, split):
        return {"train": ["left", "right"], "val": [], "test": ["right"]}[split]

    def open(self, name):
        return open_dwelling({"left": "house-3", "right": "flat-2"}[name], self.grid)


@pytest.fixture
def mirror(monkeypatch):
    """A backend `mirror` with options of its own."""
    CALLS.clear()
    base.open_world.cache_clear()
    backend = Backend("test_dwelling:MirrorWorld", ("root", "scenes"))
    monkeypatch.setitem(base.BACKENDS, "mirror", backend)
    yield
    base.open_world.cache_clear()


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


def test_a_backend_gets_its_options_and_is_opened_once(mirror):
    options = {"backend": "mirror", "root": "here", "scenes": ["a", "b"], "start": "near"}
    options["num_sources"] = 1
    envs = [gym.make("AVDynamicSep-v0", **options).unwrapped for _ in range(2)]
    assert CALLS == [(1.0, "kemar", "house", "here", ["a", "b"])]
    assert envs[0].config == envs[1].config
    hash(envs[0].config)
    for env in envs:
        env.reset(seed=0, options={"house": 0})
    assert envs[0].scene is envs[1].scene is open_dwelling("house-3", 1.0).scene
    gym.make("AVRIRMeasure-v0", backend="mirror", kind="house")
    assert CALLS[1:] == [(0.5, "kemar", "house", None, None)]


def test_a_small_world_has_fewer_houses_than_are_asked_for(mirror):
    env = gym.make("AVDynamicSep-v0", backend="mirror", num_sources=1, start="near").unwrapped
    houses = {int(env.reset(seed=seed)[1]["house"]) for seed in range(12)}
    assert houses == {0, 1}
    with pytest.raises(ValueError, match=r"house must be in 0\.\.1, got 2"):
        env.reset(options={"house": 2})
    team = parallel_env(backend="mirror", grid=1.0, observations=["position"])
    _, infos = team.reset(seed=0, options={"scene": "right"})
    assert infos["robot_0"]["house"] == -1
    assert team.scene is open_dwelling("flat-2", 1.0).scene


def test_a_split_without_a_dwelling_is_refused_at_once(mirror):
    for env_id in ("AVDynamicSep-v0", "AVRIRMeasure-v0"):
        with pytest.raises(ValueError, match="split 'val' of backend 'mirror' has no dwelling"):
            gym.make(env_id, backend="mirror", split="val")


@pytest.mark.parametrize("config_type", [SeparationConfig, MeasureConfig])
def test_misuse_names_the_choices(mirror, config_type):
    make = config_type.from_keywords
    with pytest.raises(ValueError, match="backend 'habitat3' does not exist; choose from traced"):
        make(backend="habitat3", root="x")
    with pytest.raises(ValueError, match="backend \\['mirror'\\] does not exist"):
        make(backend=["mirror"])
    with pytest.raises(TypeError, match=r"unknown option 'scenes'; .*it needs backend=.*'mirror'"):
        make(scenes=["a"])
    with pytest.raises(TypeError, match=r"unknown option 'roof'; .*backend_options, root, scenes "):
        make(backend="mirror", roof="x")
    with pytest.raises(TypeError, match="backend 'mirror' has no option 'roof'; it has root, sc"):
        make(backend="mirror", backend_options={"roof": 1})
    with pytest.raises(TypeError, match="backend 'traced' has no option 'root'; it has tracer"):
        config_type(backend_options={"root": "x"})
    with pytest.raises(ValueError, match=r"options of backend 'mirror' must be JSON-safe"):
        make(backend="mirror", root={1, 2})


def test_what_a_backend_refuses_is_heard_when_the_environment_is_made(mirror):
    for env_id in ("AVDynamicSep-v0", "AVRIRMeasure-v0"):
        with pytest.raises(ValueError, match="root 'nowhere' does not exist"):
            gym.make(env_id, backend="mirror", root="nowhere")


def test_options_are_plain_text_and_paths_become_text(mirror, tmp_path):
    config = SeparationConfig.from_keywords(backend="mirror", root=tmp_path, scenes=("a",))
    text = f'{{"root": "{tmp_path}", "scenes": ["a"]}}'
    assert config.world == WorldSettings("mirror", 1.0, "kemar", "house", text)
    listed = SeparationConfig.from_keywords(
        backend="mirror", backend_options={"scenes": ["a"]}, root=str(tmp_path)
    )
    assert listed.world == config.world


def test_a_view_that_nobody_has_is_an_error_but_not_for_the_map():
    house = open_dwelling("flat-2", 1.0)
    blind = base.Dwelling(house.scene, house.acoustics, NoViews("nobody took pictures"))
    for look in (blind.views.view, blind.views.labels):
        with pytest.raises(ValueError, match="nobody took pictures"):
            look(0, 0)
    assert blind.picture(0, 0).shape == (128, 128, 3)
    assert len(np.unique(blind.picture(0, 0))) == 1
    np.testing.assert_array_equal(house.picture(1, 2), house.views.view(1, 2)[0])
