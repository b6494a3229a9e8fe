"""Where tasks get their world: the built-in houses, or what a backend brings."""

import gymnasium as gym
import numpy as np
import pytest

from av_envs.rir_measure import parallel_env
from av_envs.rir_measure.config import MeasureConfig
from av_envs.separation.config import SeparationConfig
from av_envs.worlds import base
from av_envs.worlds.base import Backend, NoViews, WorldSettings
from av_envs.worlds.traced import open_dwelling

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
    backend = Backend(f"{MirrorWorld.__module__}:MirrorWorld", ("root", "scenes"))
    monkeypatch.setitem(base.BACKENDS, "mirror", backend)
    yield
    base.open_world.cache_clear()


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
    assert (blind.has_views, house.has_views) == (False, True)
    assert blind.picture(0, 0).shape == (128, 128, 3)
    assert len(np.unique(blind.picture(0, 0))) == 1
    np.testing.assert_array_equal(house.picture(1, 2), house.views.view(1, 2)[0])
