"""Suites that score what agents separate: causal estimates, and those made with hindsight."""

from dataclasses import replace

import numpy as np
import pytest

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites.suite import SUITES, Metric

SUITE = SUITES["separate-between-unheard-v1"]
SHORT = replace(
    SUITE,
    env_kwargs={
        **SUITE.env_kwargs,
        "steps": 3,
        "houses": 1,
        "observations": ["depth", "mixture", "waveform", "target", "pose"],
    },
)


def played(tmp_path, path, kwargs="{}", **options):
    job = Job(SHORT, AgentSpec(path, kwargs), n_episodes=1, **options)
    return read_result(run_suite(job, tmp_path))


@pytest.mark.parametrize("isolated", [True, False])
def test_estimates_with_hindsight_are_scored_apart(tmp_path, isolated):
    """Of four seconds; causally the last one is never estimated."""
    result = played(tmp_path, "refining:Hindsight", isolated=isolated)
    (record,) = result["episodes"]
    assert record["error"] is None
    causal, refined = (record["metrics"][name] for name in ("si_sdr", "si_sdr_refined"))
    assert np.mean(record["series"]) == pytest.approx(causal, abs=0.01)
    assert refined != causal
    assert abs(refined - causal) < 15
    assert record["metrics"]["stft_distance_refined"] > 0


@pytest.mark.parametrize("isolated", [True, False])
def test_hindsight_is_asked_for_by_its_seconds(tmp_path, isolated, monkeypatch):
    wanted = [Metric(f"back_{k}", f"refined_{k}_si_sdr", "final", True) for k in (1, 2)]
    monkeypatch.setitem(globals(), "SHORT", replace(SHORT, metrics=(*SHORT.metrics, *wanted)))
    summary = played(tmp_path, "refining:Hindsight", isolated=isolated)["summary"]
    assert summary["back_1"] == -100  # silence
    assert summary["back_2"] > -50
    assert summary["back_2"] != summary["si_sdr_refined"]


def test_who_does_not_refine_has_no_refined_score(tmp_path):
    agent = "av_envs.baselines.separation:StandInPlace"
    result = played(tmp_path, agent, '{"separator":"louder_ear"}')
    assert result["summary"]["si_sdr_refined"] is None
    assert result["summary"]["si_sdr"] is not None
    assert result["agent"]["kwargs"] == {"separator": "louder_ear"}


def test_a_separator_plays_and_its_code_counts(tmp_path):
    agent = "av_envs.baselines.separation:StandInPlace"
    results = [
        played(tmp_path, agent, f'{{"separator":"{separator}"}}')
        for separator in ("louder_ear", "pluggable:Louder")
    ]
    assert results[0]["agent"]["hash"] != results[1]["agent"]["hash"]
    scores = [result["summary"]["si_sdr"] for result in results]
    assert None not in scores
    assert scores[0] != scores[1]


def test_wrong_estimates_lose_the_episode_and_say_why(tmp_path):
    result = played(tmp_path, "refining:Hindsight", '{"fault":"short"}')
    assert (
        "one for each second heard so far; got shape (3, 512, 32)"
        in (result["episodes"][0]["error"])
    )


def test_a_baseline_without_a_separator_is_refused_before_it_plays(tmp_path):
    with pytest.raises(UserError, match="pass separator='module:Factory'"):
        played(tmp_path, "av_envs.baselines.separation:Random")
