"""Many environments side by side: every way is timed on the same terms."""

import json

import gymnasium as gym
import numpy as np
import pluggable
import pytest
from gymnasium.utils.env_checker import data_equivalence

from av_envs.benchmarks.options.speed import main
from av_envs.benchmarks.speed import command as speed
from av_envs.benchmarks.speed import vector_timings
from av_envs.benchmarks.speed.timings import Pool

POOL = Pool("AVStaticSep-v0", houses=2)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(vector_timings, "STEPS", 8)
    monkeypatch.setattr(vector_timings, "ROUNDS", 1)
    monkeypatch.setattr(vector_timings, "EPISODES", 1)


def test_resets_are_no_steps():
    envs = gym.make_vec("AVStaticSep-v0", 2, houses=2, steps=2, observations=["pose"])
    calls = []
    envs.step, step = lambda actions: (calls.append(actions), step(actions))[1], envs.step
    assert vector_timings.play(envs, 0, steps=8) == 8
    assert len(calls) == 5  # two, a reset, and two


def test_steps_on_a_device_are_counted_there(monkeypatch):
    """Eight calls: three steps and a reset, twice; nobody waits for the next episode."""
    monkeypatch.setattr(vector_timings, "SECONDS_ON_DEVICE", 8)
    options = {"houses": 2, "steps": 3, "observations": ["pose"], "reward": "neg_nmse"}
    envs = gym.make_vec("AVStaticSep-v0", 2, device="cpu", **options)
    assert vector_timings.play(envs, 0, steps=2) == 2 * (8 - 2)
    envs.close()


def test_all_ways_are_timed_and_a_device_is_one_more(short, monkeypatch):
    monkeypatch.setattr(vector_timings, "SECONDS_ON_DEVICE", 2)
    rates = vector_timings.steps_per_s(POOL, 1, vector_timings.OnDevice("cpu", 2))
    assert set(rates) == {*vector_timings.WAYS, "device"}
    assert all(rate > 0 for rate in rates.values())


def test_another_reward_can_be_timed(short):
    pool = Pool("AVDynamicSep-v0", houses=2, reward="neg_nmse")
    assert pool.make().unwrapped.config.reward == "neg_nmse"
    assert vector_timings.arrange(pool, "native", 2).config.reward == "neg_nmse"


def test_memory_is_told_or_left_out(short):
    used = vector_timings.memory_mb(POOL, "native", 1)
    assert used is None or used > 10
    assert vector_timings.mb_per_added(10.0, 40.0, 15) == pytest.approx(2.0)
    assert vector_timings.mb_per_added(None, 40.0, 15) is None


def test_robots_of_many_teams_never_stop():
    envs = gym.make_vec("AVRIRMeasure-v0", 2, houses=1)
    actions = vector_timings._actions(envs, np.random.default_rng(0))
    assert actions.shape == envs.action_space.shape
    assert actions.min() >= 1


def test_the_command_prints_all_ways(monkeypatch, capsys):
    answers = {
        vector_timings.steps_per_s: dict.fromkeys(vector_timings.WAYS, 500.0) | {"native": 1500.0},
        vector_timings.memory_mb: 64.0,
    }
    monkeypatch.setattr(speed, "in_new_process", lambda function, *_: answers[function])
    assert main(["--vector", "--num-envs", "4", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["num_envs"] == 4
    assert figures["mb_per_added_env"] == {"async": 0, "sync": 0, "native": 0}
    assert main(["--vector", "--device", "cuda", "--device-envs", "64"]) == 0
    assert "device: 64 environments on cuda" in capsys.readouterr().out
    assert main(["--vector", "--reward", "neg_nmse"]) == 0
    assert "pool of 32 houses, reward neg_nmse" in capsys.readouterr().out
    assert main(["--vector"]) == 0
    printed = capsys.readouterr().out
    assert "native      1500       3.00      0.00" in printed
    assert "AVDynamicSep-v0, 16 environments, pool of 32 houses" in printed


def test_an_estimator_is_asked_one_by_one_and_once(short, monkeypatch):
    """The same episodes either way, and no processes."""
    monkeypatch.setattr(pluggable.Fading, "calls", [])
    pool = Pool("AVDynamicSep-v0", houses=2, estimator="pluggable:Fading")
    envs = {way: vector_timings.arrange(pool, way, 4) for way in ("1 by 1", "native")}
    calls, returned = {}, {}
    for way, each in envs.items():
        pluggable.Fading.calls.clear()
        each.reset(seed=0)
        returned[way] = each.step([1, 1, 1, 1])
        calls[way] = pluggable.Fading.calls.copy()
    assert calls == {"1 by 1": [1] * 12, "native": [4, 8]}
    assert data_equivalence(returned["1 by 1"], returned["native"], exact=True)
    assert set(vector_timings.steps_per_s(pool, 2)) == set(vector_timings.SEPARATED_WAYS)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--estimator", "pluggable:Nobody"], "has no 'Nobody'"),
        (["--estimator", "pluggable:LeftEar", "--vector", "--device", "cpu"], "the mixture only"),
        (["--estimator", "pluggable:LeftEar", "--env", "AVRIRMeasure-v0"], "has no estimator"),
    ],
)
def test_an_estimator_that_cannot_be_timed_is_refused_at_once(words, complaint, capsys):
    assert main(words) != 0
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_a_network_asked_once_is_faster():
    """On two idle cores four times and more; here other tests may run beside."""
    pytest.importorskip("torch", reason="needs torch: av-envs[agents]")
    pool = Pool("AVDynamicSep-v0", houses=2, estimator="stand_in_network:Network")
    rates = vector_timings.steps_per_s(pool, 32)
    assert rates["native"] > 1.2 * rates["1 by 1"]
