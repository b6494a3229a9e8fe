"""What is baked is what would have been made on first use, and nothing is baked twice."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from av_envs.acoustics import ResponseBank
from av_envs.acoustics.bank import TRACERS, SourceTracer
from av_envs.acoustics.response import RESPONSE
from av_envs.cache.row_format import StoredRows
from av_envs.cache.rows import cache_directory
from av_envs.registration import VARIANTS
from av_envs.scene import load_scene
from av_envs.vision import ViewCache
from av_envs.vision.views import LOOKS
from av_envs.worlds import bake, bake_options

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; several of them in one test: call `cache("another")`."""

    def use(name):
        monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path / name))
        cache_directory.cache_clear()
        bake._bank.cache_clear()
        return tmp_path / name

    use("first")
    yield use
    cache_directory.cache_clear()
    bake._bank.cache_clear()


@dataclass(frozen=True)
class FlatConfig:
    """What the command reads from the config of a task."""

    split: str = "train"
    houses: int = 32
    kind: str = "flat"
    grid: float = 0.5


class FlatEnv:
    config_type = FlatConfig


@pytest.mark.parametrize("env_id", VARIANTS)
def test_every_environment_can_be_baked(env_id):
    pool = bake.pool_of(env_id, "train", 2)
    assert len(set(pool.names)) == 2
    assert not pool.views


def test_the_pool_is_the_one_that_episodes_draw_from(monkeypatch):
    monkeypatch.setitem(VARIANTS, "Flats-v0", (f"{__name__}:FlatEnv", {"grid": 1.0}))
    assert bake.pool_of("Flats-v0", "val", 2) == bake.Pool(("flat-1000000", "flat-1000001"), 1.0)
    seen = bake.pool_of("AVDynamicSep-v0", "train", 1, views=True, tracer="warp")
    assert seen == bake.Pool(("house-0",), 1.0, views=True, tracer="warp")
    for split in ("test_heard", "test_unheard"):  # the same houses
        assert bake.pool_of("AVFarSep-v0", split, 1).names == ("house-2000000",)


def test_baked_rows_and_views_are_those_made_on_first_use(cache, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)  # where a bar is drawn
    pool = bake.Pool(("flat-9",), 1.0, views=True)
    nodes = np.array([3, 11])
    bake.bake(pool, [("flat-9", nodes)], workers=1)
    assert "2/2" in capsys.readouterr().err
    scene = load_scene("flat-9", 1.0)
    assert np.flatnonzero(ResponseBank(scene).filled()).tolist() == [3, 11]
    assert np.flatnonzero(ViewCache(scene).filled()).tolist() == [3, 11]
    baked = [ResponseBank(scene).row(3).tobytes(), *map(bytes, ViewCache(scene).view(11, 2))]
    cache("second")
    assert not ResponseBank(scene).filled().any()
    lazy = [ResponseBank(scene).row(3).tobytes(), *map(bytes, ViewCache(scene).view(11, 2))]
    assert baked == lazy


def test_only_what_is_missing_is_planned_and_made(monkeypatch):
    traced = []

    def trace_nothing(tracer, source, workers=None):
        traced.append(source)
        return np.zeros(len(tracer.scene.graph), RESPONSE)

    monkeypatch.setattr(SourceTracer, "trace", trace_nothing)
    pool = bake.Pool(("flat-9",), 1.0)
    n = len(load_scene("flat-9", 1.0).graph)
    bake.bake_block(pool, "flat-9", np.arange(1, n - 2))
    ((name, nodes),) = bake.missing_blocks(pool)
    assert (name, nodes.tolist()) == ("flat-9", [0, n - 2, n - 1])
    traced.clear()
    bake.bake_block(pool, "flat-9", np.arange(n))
    assert traced == [0, n - 2, n - 1]
    assert bake.missing_blocks(pool) == []
    with_views = pool._replace(views=True)
    assert sum(len(nodes) for _, nodes in bake.missing_blocks(with_views)) == n


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--env", "AVNoSuch-v0"],
            "unknown environment 'AVNoSuch-v0'; choose from AVDynamicSep-v0",
        ),
        (["--env", "AVDynamicSep-v0", "--split", "dev"], "split 'dev' does not exist; choose from"),
        (["--env", "AVDynamicSep-v0", "--houses", "0"], "houses must be a whole number in 1.."),
    ],
)
def test_what_does_not_exist_is_named(arguments, message):
    with pytest.raises(SystemExit, match=message):
        bake.main(arguments)


def test_a_pool_that_the_cache_cannot_keep_is_refused(monkeypatch, cache, capsys):
    monkeypatch.setenv("AV_ENVS_CACHE_GB", "0.01")
    with pytest.raises(SystemExit, match=r"cannot keep 0\.0\d GB; .* set AV_ENVS_CACHE_GB=1 or"):
        bake.main(["--env", "AVDynamicSep-v0", "--houses", "1", "--views"])
    n = len(load_scene("house-0").graph)
    assert (
        f"1 dwellings with {n} sources: 0.04 GB of responses and views" in capsys.readouterr().out
    )
    assert not list(cache("first").rglob("*.rows"))


def test_a_cache_that_would_be_lost_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(SystemExit, match="cannot write the cache directory"):
        bake.main(["--env", "AVDynamicSep-v0", "--houses", "1"])


def test_baking_stops_when_the_cache_keeps_nothing(monkeypatch, cache):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SourceTracer, "trace", lambda self, *_, **__: np.zeros(
        len(self.scene.graph), RESPONSE))  # fmt: skip
    command = ["--env", "AVDynamicSep-v0", "--houses", "1", "--workers", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(StoredRows, "write", full)
        with (
            pytest.warns(UserWarning, match="No space left"),
            pytest.raises(SystemExit, match=r"error: .*first has not kept what was made for house"),
        ):
            bake.main(command)
    assert not ResponseBank(load_scene("house-0")).filled().any()


@pytest.mark.slow
def test_the_command_bakes_in_several_processes(cache):
    command = [sys.executable, "-m", "av_envs.worlds.bake", "--env", "AVDynamicSep-v0"]
    command += ["--split", "val", "--houses", "1", "--workers", "2"]
    for left in (True, False):
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert ("0 sources are still to be baked" in run.stdout) != left
    assert bake.missing_blocks(bake.pool_of("AVDynamicSep-v0", "val", 1)) == []


def test_the_choices_are_those_there_are():
    assert bake_options.TRACERS == TRACERS
    assert bake_options.LOOKS == LOOKS
