"""Files that tell the truth pass; whatever is edited or does not repeat is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_separation import FAKE_SUITE, FakeSeparation

from av_envs.benchmarks import verify
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agent_client import close_players
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.consistency import hash_of
from av_envs.benchmarks.results.files import read_result, write_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites import suite as suites
from av_envs.benchmarks.suites.secret_seeds import read_secret_seeds

AGENT = AgentSpec("av_envs.baselines.separation:Random")


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return run_suite(Job(FAKE_SUITE, AGENT, 7), tmp_path_factory.mktemp("honest"))


@pytest.fixture
def path(honest, tmp_path, monkeypatch):
    monkeypatch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)
    return Path(shutil.copy(honest, tmp_path))


def check(path, *words):
    return verify.main([str(path), *words])


def reseal(path, change):
    """Edit a file and give it a hash that fits, as a forger would."""
    result = read_result(path)
    change(result)
    del result["result_hash"], result["file_hash"]
    write_result(path, result)


def test_an_honest_file_passes(path, capsys):
    assert check(path, "--episodes", "3") == 0
    printed = capsys.readouterr().out
    assert "av_envs.baselines.separation:Random on fake-v1, seed 7" in printed
    assert printed.count("(all)") == 3
    assert check(path, "--all") == 0


def test_a_short_or_failed_run_can_be_honest_too(tmp_path, path):
    assert check(run_suite(Job(FAKE_SUITE, AGENT, n_episodes=2), tmp_path)) == 0
    agent = AgentSpec("fake_separation:RaisesOnOddSeeds")
    assert check(run_suite(Job(FAKE_SUITE, agent), tmp_path), "--episodes", "12") == 0


def test_an_edited_file_is_refused(path, capsys):
    path.write_text(path.read_text().replace('"stft_distance":0.3', '"stft_distance":0.2', 1))
    assert check(path) == 1
    assert "was edited: its content does not match its result_hash" in capsys.readouterr().err


def better(metric, by):
    def change(result):
        for episode in result["episodes"]:
            episode["metrics"][metric] += by
        result["summary"][metric] += by

    return change


def first(key, value):
    def change(result):
        for episode in result["episodes"]:
            episode[key] = value

    return change


def other_specs(result):
    result["env"]["specs"] = {"all": {}}
    result["env"]["hash"] = hash_of({"all": {}})


def add(place, key, value):
    def change(result):
        result["episodes"][place][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (better("si_sdr_gain", 0.01), "came out differently: si_sdr_gain is"),
        (first("length", 19), "has 19 steps, its series another size"),
        (first("replay", None), "the replay is another"),
        (first("scene", "house-9"), "the scene is another"),
        (first("series", [9.0] * 20), "the series is another"),
        (first("series", []), "its series another size"),
        (lambda r: r.update(seed=8), "came out differently"),
        (lambda r: r["summary"].update(si_sdr=99.0), "the summary is not the mean"),
        (lambda r: r.update(complete=False), "'complete' says False"),
        (lambda r: r["episodes"].pop(), "the summary is not the mean"),
        (lambda r: r["agent"].update(name="Better"), "agent.name says 'Better'"),
        (lambda r: r["env"].update(backend="files"), "env.backend is not what fake-v1"),
        (other_specs, "env.specs is not what fake-v1"),
        (add(0, "episode", 5), "fake-v1 has no episode 5 (all)"),
        (add(0, "episode", 101), "episode 101 (all) is there twice"),
        (lambda r: r["episodes"][0]["metrics"].pop("return"), "reports other metrics"),
        (lambda r: r.update(episodes=[]), "there are no episodes"),
    ],
)
def test_a_forged_file_is_refused(path, capsys, change, complaint):
    reseal(path, change)
    assert check(path, "--episodes", "2") == 1
    assert complaint in capsys.readouterr().err


def of_another_machine(change):
    def changed(result):
        change(result)
        result["hardware"]["features"] = "haswell,avx2"

    return changed


def nothing(result):
    pass


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (nothing, 0),
        (better("si_sdr", 1e-6), 1),  # machines that agree in what they compile agree in this
        (of_another_machine(nothing), 0),
        (of_another_machine(better("si_sdr", 9e-4)), 2),
        (of_another_machine(better("si_sdr", 1.1e-3)), 1),
        (of_another_machine(better("return", 0.0199)), 2),  # a sum over 20 steps
        (of_another_machine(better("return", 0.0201)), 1),
        (of_another_machine(first("replay", None)), 2),  # rounding may turn a decision
        (of_another_machine(first("scene", "house-9")), 1),
    ],
)
def test_rounding_is_forgiven_between_machines_that_round_differently(path, change, status, capsys):
    reseal(path, change)
    assert check(path, "--episodes", "2") == status
    if status == 2:
        assert "another processor (" in capsys.readouterr().err


def test_libraries_that_round_differently_are_named(path, capsys):
    def change(result):
        better("si_sdr", 1e-5)(result)
        result["packages"]["numba"] = "0.1"

    reseal(path, change)
    assert check(path) == 2
    assert "with numba 0.1, verify it on such a machine" in capsys.readouterr().err


def test_an_environment_that_has_changed_is_noticed(path, monkeypatch, capsys):
    honest = FakeSeparation._info

    def louder(self):
        info = honest(self)
        return info | {"si_sdr": info["si_sdr"] + np.float32(1)}

    monkeypatch.setattr(FakeSeparation, "_info", louder)
    monkeypatch.setattr(verify, "git_state", lambda: {"commit": "0" * 40})
    assert check(path) == 1
    assert "the file was made with other code" in capsys.readouterr().err


MARK = """
from pathlib import Path
Path({mark!r}).touch()
class Agent:
    def __init__(self, *spaces, seed, checkpoint=None): ...
    def reset(self, *, seed=None): ...
    def act(self, observation): return 3
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch, path):
    """A result of a module that leaves a mark when it is imported, and the mark."""
    mark = tmp_path / "imported"
    (tmp_path / "stranger.py").write_text(MARK.format(mark=str(mark)))
    (tmp_path / "model.zip").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    kwargs = f'{{"checkpoint":"{tmp_path}/model.zip"}}'
    made = run_suite(Job(FAKE_SUITE, AgentSpec("stranger:Agent", kwargs), n_episodes=2), tmp_path)
    mark.unlink()
    close_players()
    return made, mark


def test_other_code_is_not_imported(stranger, tmp_path, capsys):
    made, mark = stranger
    with (tmp_path / "stranger.py").open("a") as file:
        file.write("# edited\n")
    assert check(made, "--trust") == 2
    assert "the code of stranger:Agent is not the one" in capsys.readouterr().err
    assert not mark.exists()


def test_another_checkpoint_is_not_loaded(stranger, tmp_path, capsys):
    made, mark = stranger
    (tmp_path / "model.zip").write_bytes(b"other weights")
    assert check(made, "--trust") == 2
    assert "is not the checkpoint that the file was made with" in capsys.readouterr().err
    assert not mark.exists()


def test_a_checkpoint_that_may_hold_code_is_loaded_on_trust_only(stranger, capsys):
    made, mark = stranger
    assert check(made) == 2
    assert "only .safetensors is loaded without --trust" in capsys.readouterr().err
    assert not mark.exists()
    assert check(made, "--trust") == 0


def test_a_result_with_secret_seeds_needs_them(tmp_path, path, capsys):
    file = tmp_path / "seeds.txt"
    file.write_text("\n".join(str(2**40 + k * k) for k in range(12)))
    secret = read_secret_seeds(file)
    made = run_suite(Job(FAKE_SUITE, AGENT, 7, secret=secret), tmp_path)
    result = read_result(made)
    assert made != path
    assert str(2**40) not in made.read_text()
    assert result["suite"]["secret_seeds"] == secret.commitment
    assert {e["replay"] for e in result["episodes"]} == {None}
    assert result["summary"] != read_result(path)["summary"]
    assert check(made, "--secret-seeds", str(file)) == 0
    assert check(made) == 2
    assert "made with other seeds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("1\n2\n", "must lie in 2"), ("a", "whole numbers"), ("", "different seeds")],
)
def test_seeds_that_are_no_secret_are_refused(tmp_path, text, complaint):
    file = tmp_path / "seeds.txt"
    file.write_text(text)
    with pytest.raises(UserError, match=complaint):
        read_secret_seeds(file)
    file.write_text(str(2**40))
    with pytest.raises(UserError, match="needs 12 secret seeds, there are 1"):
        run_suite(Job(FAKE_SUITE, AGENT, 7, secret=read_secret_seeds(file)), tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: r["suite"].update(name="sep-v9"), "unknown suite 'sep-v9'"),
        (lambda r: r["suite"].update(hash="0"), "another definition of fake-v1"),
        (lambda r: r["suite"].update(name="sep-far-v1"), "its successor is sep-far-v2"),
        (lambda r: r["env"].update(engine_version=1), "made with engine_version 1, here it is"),
        (lambda r: r["agent"].update(path="nowhere:A"), "no module named 'nowhere'"),
        (lambda r: r["agent"].update(checkpoint_sha256="0"), "is not the checkpoint"),
        (add(3, "note", "hello"), "malformed: episodes[3] has the unknown note"),
        (add(2, "metrics", {"si_sdr": "9"}), "episodes[2].metrics.si_sdr must be a number or null"),
        (add(1, "replay", {"task": "x"}), "episodes[1].replay lacks receivers"),
        (lambda r: r["agent"].pop("hash"), "malformed: agent lacks hash"),
        (lambda r: r.update(git=[]), "malformed: git must be an object"),
        (lambda r: r.update(seed="7"), "malformed: seed has the wrong type"),
        (
            lambda r: r["agent"].update(hash="0"),
            "the code of av_envs.baselines.separation:Random is not",
        ),
    ],
)
def test_what_cannot_be_checked_here_is_said(path, capsys, change, complaint):
    reseal(path, change)
    assert check(path) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot read"), ("{", "is not JSON"), (json.dumps([1]), "is not an av-bench/result")],
)
def test_foreign_files_are_named(tmp_path, capsys, content, complaint):
    path = tmp_path / "odd.json"
    if content is not None:
        path.write_text(content)
    assert check(path) == 2
    assert complaint in capsys.readouterr().err
