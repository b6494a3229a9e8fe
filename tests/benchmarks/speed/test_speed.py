"""The speed measurement on the stand-in environment: complete, sane, honest."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from fake_rir_measure import FakeMeasure
from fake_separation import FakeSeparation

from av_envs.acoustics.bank import TraceConfig
from av_envs.benchmarks.options.speed import main
from av_envs.benchmarks.speed import command as speed
from av_envs.benchmarks.speed import timings
from av_envs.benchmarks.speed.profiler import profile
from av_envs.cache.rows import CACHE_VARIABLE

FAKE = timings.Pool("fake_separation:FakeSep-v0", houses=3)
KEYS = {  # promised to whoever reads the JSON
    "env_steps_per_s",
    "reference_audio_steps_per_s",
    "ratio",
    "rirs_per_s",
    "all_pairs_s",
    "reset_fresh_ms",
    "reset_warm_ms",
    "rss_mb",
    "cpu",
}

SPIN = compile(
    "import time\nend = time.perf_counter() + s\nwhile time.perf_counter() < end: pass",
    "<elsewhere>",
    "exec",
)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(timings, "STEPS_PER_BATCH", 80)
    monkeypatch.setattr(timings, "N_BATCHES", 2)
    monkeypatch.setattr(timings, "REFERENCE_STEPS", 3)
    monkeypatch.setattr(timings, "stay_on_one_core", lambda: None)


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        np.sqrt(np.arange(1000.0))


def short_work():
    exec(SPIN, {"s": 0.1})


def test_time_is_booked_on_the_innermost_watched_function():
    here = Path(__file__).resolve().parent.parent

    def work():
        busy(0.3)
        short_work()

    seconds = profile(work, here.parent, ("benchmarks",))
    names = {name.rpartition(".")[2]: spent for name, spent in seconds.items()}
    assert names["busy"] == pytest.approx(0.3, abs=0.06)
    assert names["short_work"] == pytest.approx(0.1, abs=0.06)  # code from outside is its own
    assert "work" not in names or names["work"] < 0.03  # it only waits for the two
    assert next(iter(seconds)).endswith("test_speed.busy")


def test_the_steady_state_figures_fit_together(short):
    figures = timings.steady_state(FAKE)
    assert figures["ratio"] == pytest.approx(
        figures["env_steps_per_s"] / figures["reference_audio_steps_per_s"]
    )
    assert figures["env_steps_per_s"] < figures["env_steps_per_s_without_resets"]
    assert figures["step_ms"] > 0
    assert figures["rss_mb"] == pytest.approx(timings.peak_rss_mb(), rel=0.05)
    assert figures["breakdown_ms"]["all others"] >= 0


def test_teams_are_timed_without_the_reference(short):
    team = timings.Pool("fake_rir_measure:FakeMeasure-v0", houses=3)
    figures = timings.steady_state(team)
    assert figures["env_steps_per_s"] > 0
    assert figures["reset_warm_ms"] > 0
    assert not {"ratio", "reference_audio_steps_per_s"} & set(figures)


def test_robots_never_stop_while_they_are_timed():
    rng = np.random.default_rng(0)
    drawn = {move for _ in range(99) for move in timings.random_action(FakeMeasure(), rng)}
    assert drawn == {1, 2, 3}
    assert {timings.random_action(FakeSeparation(), rng) for _ in range(99)} == {0, 1, 2, 3}


def test_a_batch_is_the_same_episodes_every_time(short):
    env = FAKE.make()
    first, second = [], []
    env.step, step = lambda action: (first.append(action), step(action))[1], env.step
    timings.play_batch(env, 1)
    env.step = lambda action: (second.append(action), step(action))[1]
    timings.play_batch(env, 1)
    assert len(first) == 80
    assert first == second


def test_fresh_resets_use_an_empty_cache(monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, "elsewhere")
    seen = []
    reset = timings.gym.Env.reset
    monkeypatch.setattr(
        timings.gym.Env,
        "reset",
        lambda self, **kw: (seen.append(os.environ[CACHE_VARIABLE]), reset(self, **kw))[1],
    )
    assert timings.reset_fresh_ms("AVDynamicSep-v0", n=1) > 0
    assert seen
    assert "elsewhere" not in seen
    assert os.environ[CACHE_VARIABLE] == "elsewhere"  # the user's choice is back


def test_responses_are_counted():
    assert 100 < timings.responses_per_s(n=50) < 1e6


def test_views_are_timed_fresh_and_kept():
    figures = timings.views_ms(n=20)
    assert 0 < figures["view_kept_ms"] < figures["view_fresh_ms"] < 100


@pytest.mark.slow
def test_all_pairs_are_traced(monkeypatch):
    monkeypatch.setattr(timings, "HOUSES_TRIED", 5)
    figures = timings.all_pairs(TraceConfig(n_rays=64))
    assert 60 < figures["all_pairs_nodes"] < 200
    assert figures["all_pairs_s"] > 0


def test_the_command_prints_the_promised_keys(monkeypatch, capsys):
    answers = {
        timings.trace_pool: None,
        timings.steady_state: dict.fromkeys(
            [
                "env_steps_per_s",
                "env_steps_per_s_without_resets",
                "reference_audio_steps_per_s",
                "ratio",
                "step_ms",
                "reset_warm_ms",
                "rss_mb",
            ],
            1.0,
        )
        | {"breakdown_ms": {"av_envs.x.y": 0.5}},
        timings.responses_per_s: 9000.0,
        timings.views_ms: {"view_fresh_ms": 2.5, "view_kept_ms": 0.025},
        timings.all_pairs: {"all_pairs_s": 7.0, "all_pairs_nodes": 100},
        timings.reset_fresh_ms: 120.0,
    }
    monkeypatch.setattr(speed, "in_new_process", lambda function, *_: answers[function])
    assert main(["--json", "--houses", "2"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) >= KEYS
    monkeypatch.setattr(speed, "load_average", lambda: 2.5)
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert "the machine was busy (load 2.5)" in printed
    assert "9000  binaural responses/s" in printed
    assert "2.50  ms, view in a house never seen" in printed
    assert "0.500  av_envs.x.y" in printed
    steady = answers[timings.steady_state]
    del steady["ratio"], steady["reference_audio_steps_per_s"]
    assert main(["--env", "AVRIRMeasure-v0"]) == 0
    printed = capsys.readouterr().out
    assert "steps/s, one environment, resets included" in printed
    assert "binaural" not in printed
    assert "the papers" not in printed
