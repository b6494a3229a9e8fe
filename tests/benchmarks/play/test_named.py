import sys

import pytest

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.named import OF_ENVIRONMENT, agent_of, senses_of, suite_of
from av_envs.benchmarks.suites.suite import SUITES
from av_envs.registration import VARIANTS


def test_every_environment_stands_for_a_suite_of_its_own():
    assert set(OF_ENVIRONMENT) == set(VARIANTS)
    for env_id in VARIANTS:
        assert suite_of(env_id).env_id == env_id


def test_a_suite_is_known_by_its_name_too():
    assert suite_of("sep-demo-v2") is SUITES["sep-demo-v2"]
    with pytest.raises(UserError, match=r"suite 'demo'.*or an environment: AVDynamicSep-v0"):
        suite_of("demo")


def test_where_nothing_is_ranked_agents_hear_as_people_do():
    observed = senses_of(SUITES["sep-demo-v2"])["observations"]
    assert observed == [*SUITES["sep-demo-v2"].env_kwargs["observations"], "waveform"]
    assert senses_of(SUITES["separate-between-unheard-v1"]) == {}  # it offers it
    assert senses_of(SUITES["rir-replica-like-v2"]) == {}


def test_a_bare_name_is_one_of_the_task():
    separating, measuring = SUITES["sep-demo-v2"], SUITES["rir-replica-like-v2"]
    assert agent_of("Random", separating).path == "av_envs.baselines.separation:Random"
    assert agent_of("Random", measuring).path == "av_envs.baselines.rir_measure:Random"
    with pytest.raises(UserError, match=r"unknown agent 'DoA'; give a name of .*SpreadOut.*module"):
        agent_of("DoA", measuring)


def test_an_import_path_is_taken_as_it_is():
    found = agent_of("av_envs.baselines.separation:DoA", SUITES["sep-demo-v2"], '{"a": 1}')
    assert (found.path, found.kwargs) == ("av_envs.baselines.separation:DoA", {"a": 1})


def test_without_torch_the_baselines_are_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "av_envs.agents.separation", None)
    assert agent_of("DoA", SUITES["sep-demo-v2"]).path.endswith(":DoA")
    with pytest.raises(UserError, match="unknown agent 'Memoryless'"):
        agent_of("Memoryless", SUITES["sep-demo-v2"])
