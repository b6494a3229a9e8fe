"""Agents by short names."""

import importlib

import pytest

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.experiments.agents import LEARNED, NAMES, RULES, SEPARATOR, agents_of


def test_every_agent_of_the_task_has_its_name():
    assert set(NAMES[RULES]) == set(importlib.import_module(RULES).__all__)
    pytest.importorskip("torch", reason="needs torch: av-envs[agents]")
    learned = set(importlib.import_module(LEARNED).__all__)
    assert set(NAMES[LEARNED]) | {SEPARATOR.partition(":")[2]} == learned


def test_those_that_do_not_learn_are_given_the_separator():
    agents = agents_of(["DoA", "Memoryless"], "{}", "louder_ear")
    assert agents["DoA"].path == f"{RULES}:DoA"
    assert agents["DoA"].kwargs == {"separator": "louder_ear"}
    assert agents["Memoryless"].path == f"{LEARNED}:Memoryless"
    assert agents["Memoryless"].kwargs == {}
    (agent,) = agents_of(["DoA"], '{"DoA": {"separator": "a:B"}}', SEPARATOR).values()
    assert agent.kwargs == {"separator": "a:B"}


def test_one_agent_plays_with_several_checkpoints():
    kwargs = '{"E4": {"checkpoint": "a"}, "E14": {"checkpoint": "b"}}'
    agents = agents_of(["E4=Active", f"E14={LEARNED}:Active"], kwargs, SEPARATOR)
    assert [agent.kwargs["checkpoint"] for agent in agents.values()] == ["a", "b"]
    assert {agent.path for agent in agents.values()} == {f"{LEARNED}:Active"}


@pytest.mark.parametrize(
    ("texts", "kwargs", "words"),
    [
        (["Aktive"], "{}", "unknown agent 'Aktive'; there is Active, SingleStep, "),
        (["Novelty"], "{}", f"'Novelty' is one of two: {LEARNED}:Novelty or {RULES}:Novelty"),
        (["DoA", "DoA"], "{}", f"two agents are called 'DoA'; .* LABEL={RULES}:DoA"),
        (["DoA"], '{"Oracle": {}}', "names 'Oracle', which does not play; there is DoA"),
        (["DoA"], "{", "--agent-kwargs is not JSON"),
        (["DoA"], '{"DoA": 3}', "must be a JSON object of objects by agent"),
        (["nowhere:DoA"], "{}", "no module named 'nowhere'"),
    ],
    ids=["unknown", "ambiguous", "twice", "other", "no JSON", "no object", "no module"],
)
def test_mistakes_are_named(texts, kwargs, words):
    with pytest.raises(UserError, match=words):
        agents_of(texts, kwargs, SEPARATOR)
