"""Episodes taken again: what is heard, what the target played, what was scored, what was seen."""

from dataclasses import replace

import numpy as np
import pytest
from fake_separation import FAKE_SUITE, Counts, FakeSeparation

from av_envs.benchmarks.board.replaying import LAST_SILENT, OF_MIXTURE, replay
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job, play
from av_envs.benchmarks.play.trust import foreign_code
from av_envs.benchmarks.suites.suite import SUITES
from av_envs.separation.metrics import si_sdr

OWN_SUITE = replace(FAKE_SUITE, env_id="fake_separation:FakeEst-v0")
STEPS = 20
MIDDLES = slice(8000, None, 16000)  # a sample of every second


def result_of(path, kwargs=()):
    return {"agent": {"path": path, "kwargs": dict(kwargs)}, "seed": 0}


@pytest.fixture
def record():
    env = FakeSeparation()
    env.reset(seed=101, options={"house": 1})
    for action in (0, 1, 0, 2, 3):
        env.step(action)
    return {"group": "all", "episode": 101, "replay": env.replay_log()}


@pytest.fixture
def counted(monkeypatch):
    """A function: the record of an episode that `Counts` has played with a fault to come."""
    monkeypatch.setattr(Counts, "built", 0)

    def play_with(**kwargs):
        agent = AgentSpec.parse("fake_separation:Counts", str(kwargs).replace("'", '"'))
        (played,) = play(Job(OWN_SUITE, agent, n_episodes=1, isolated=False))
        return played.record, result_of(agent.path, kwargs)

    return play_with


def test_an_episode_is_heard_and_seen_again(record):
    taken = replay(FAKE_SUITE, record, result_of("nobody:Nobody"))
    np.testing.assert_allclose(taken.heard[0, MIDDLES], np.arange(1, 6) / 100, atol=1e-6)
    np.testing.assert_allclose(taken.truth[MIDDLES], np.arange(1, 6) / 50, atol=1e-6)
    assert taken.views.shape == (6, 1, 128, 128, 3)
    assert taken.views[:, 0, 0, 0, 1].tolist() == [0, 10, 20, 30, 40, 50]


def test_where_nothing_separates_there_is_no_estimate_and_a_reason(record):
    taken = replay(FAKE_SUITE, record, result_of("nobody:Nobody"))
    assert taken.estimate is None
    assert taken.remark == OF_MIXTURE


def test_another_way_is_refused(record):
    record["replay"]["sources"][0] = [99.0, 0.0]
    with pytest.raises(UserError, match="another version of the environment"):
        replay(FAKE_SUITE, record, result_of("nobody:Nobody"))


def test_without_views_there_are_none(record, monkeypatch):
    monkeypatch.setattr(FakeSeparation, "has_views", False)
    monkeypatch.setattr(FakeSeparation, "see", None)
    assert replay(FAKE_SUITE, record, result_of("nobody:Nobody")).views is None


def test_an_agent_is_asked_again_and_its_estimates_lie_at_their_seconds(counted):
    """The action of a step holds the estimate of the second before, so the last one has none."""
    taken = replay(OWN_SUITE, *counted(), trust=True)
    assert taken.estimate[MIDDLES].tolist() == [*range(1, STEPS), 0]
    assert taken.remark.endswith(LAST_SILENT)


def test_what_is_heard_of_a_baseline_is_what_was_scored():
    """In the real environment: SI-SDR of each second is that of the record, one step later."""
    suite = SUITES["separate-between-unheard-v1"]
    suite = replace(suite, env_kwargs={**suite.env_kwargs, "steps": 4, "houses": 1})
    agent = AgentSpec("av_envs.baselines.separation:RotateInPlace", '{"separator":"louder_ear"}')
    (played,) = play(Job(suite, agent, n_episodes=1))
    taken = replay(suite, played.record, result_of(agent.path, agent.kwargs))
    sounds = taken.estimate.reshape(-1, 16000), taken.truth.reshape(-1, 16000)
    scores = [si_sdr(*second) for second in list(zip(*sounds, strict=True))[:-1]]
    assert scores == pytest.approx(played.record["series"][1:], abs=0.02)
    assert not taken.estimate[-16000:].any()
    assert taken.views.shape[0] == 5


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("way", "does not go the recorded way"), ("score", "estimates score otherwise")],
)
def test_an_agent_that_does_otherwise_now_is_not_heard(counted, fault, reason):
    taken = replay(OWN_SUITE, *counted(fault=fault), trust=True)
    assert taken.estimate is None
    assert reason in taken.remark
    assert taken.heard.shape == (2, STEPS * 16000)


def test_code_of_others_runs_with_trust_only(counted):
    record, result = counted()
    built = Counts.built
    taken = replay(OWN_SUITE, record, result)
    assert Counts.built == built
    assert taken.estimate is None
    assert "(fake_separation:Counts); report with --trust" in taken.remark


def test_an_agent_that_cannot_be_built_says_so(counted):
    record, _ = counted()
    gone = result_of("fake_separation:Gone")
    assert "cannot be built again" in replay(OWN_SUITE, record, gone, trust=True).remark


def test_what_does_not_come_with_the_package(tmp_path):
    ours = "av_envs.baselines.separation:DoA"
    file = tmp_path / "weights.pt"
    file.touch()
    (tmp_path / "weights.safetensors").touch()
    cases = {
        "{}": [],
        '{"separator": "av_envs.agents.separation:Passive"}': [],
        '{"separator": "mine:Separator"}': ["mine:Separator"],
        '{"parts": {"first": ["mine:Separator"]}}': ["mine:Separator"],
        f'{{"checkpoint": "{tmp_path}/weights.safetensors"}}': [],
        f'{{"checkpoint": "{file}"}}': [str(file)],
    }
    for kwargs, foreign in cases.items():
        assert foreign_code(AgentSpec(ours, kwargs)) == foreign, kwargs
    assert foreign_code(AgentSpec("mine:Agent")) == ["mine:Agent"]
