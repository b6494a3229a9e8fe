"""The command: results, tables and plots in a folder, nothing played twice, mistakes in a line."""

import pytest

from av_envs.benchmarks.experiments import command, rows
from av_envs.benchmarks.results.files import read_result

SHORT = {"steps": 3, "observations": ["depth", "mixture", "waveform", "target", "pose"]}
QUICK = ["--episodes", "2", "--houses", "1", "--separator", "louder_ear", "--no-isolation"]
TWO = ["--agents", "StandInPlace", "Later=refining:Hindsight"]


@pytest.fixture(autouse=True)
def short_episodes(monkeypatch):
    monkeypatch.setattr(rows, "COMMON", {**rows.COMMON, **SHORT})


def run(out, *words) -> int:
    return command.main(["--out", str(out), *QUICK, *words])


def test_an_experiment_leaves_results_a_table_and_a_plot(tmp_path, capsys, monkeypatch):
    chosen = ["--experiment", "legacy", "e_sweep"]
    assert run(tmp_path, *chosen, *TWO) == 0
    printed = capsys.readouterr().out.split()
    assert printed == [str(tmp_path / "legacy.md"), str(tmp_path / "e_sweep.md")]
    results = [read_result(path) for path in sorted(tmp_path.glob("*.json"))]
    assert len(results) == 4  # experiments x agents
    assert all(result["complete"] for result in results)
    legacy = (tmp_path / "legacy.md").read_text()
    assert "| agent | causal | legacy_same |" in legacy
    assert "2 episodes in 1 houses of the split val" in legacy
    assert "Better than StandInPlace in the same episodes:" in legacy
    sweep = (tmp_path / "e_sweep.md").read_text()
    assert "| agent | at once | 0 | 4 | 9 | 14 | 19 |" in sweep
    assert "| Later |" in sweep
    assert (tmp_path / "legacy.png").read_bytes()[:4] == b"\x89PNG"

    def no_play(*_):
        raise AssertionError("played again")

    monkeypatch.setattr("av_envs.benchmarks.run.play", no_play)
    before = legacy, sweep
    assert run(tmp_path, *chosen, *TWO) == 0
    assert before == tuple((tmp_path / f"{x}.md").read_text() for x in ("legacy", "e_sweep"))


def test_the_command_in_a_table_makes_it_again(tmp_path):
    kwargs = '{"Later": {"fault": ""}}'
    given = ["--experiment", "legacy", *TWO, "--agent-kwargs", kwargs, "--seed", "4", *QUICK]
    arguments = command.build_parser().parse_args(["--out", str(tmp_path), *given])
    words = command._command("legacy", arguments)
    again = command.build_parser().parse_args(command.shlex.split(words)[3:])
    for option in ("experiment", "agents", "agent_kwargs", "seed", "episodes", "separator"):
        assert getattr(again, option) == getattr(arguments, option)


def test_an_agent_that_fails_in_an_episode_is_shown_with_those_it_played(tmp_path):
    agents = ["--agents", "StandInPlace", "Broken=refining:Hindsight"]
    kwargs = ["--agent-kwargs", '{"Broken": {"fault": "short"}}']
    assert run(tmp_path, "--experiment", "three_sources", *agents, *kwargs) == 0
    text = (tmp_path / "three_sources.md").read_text()
    assert "StandInPlace" in text
    assert "| Broken |" not in text
    assert "Broken: failed in 4 of 4 episodes" in text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--agents", "Aktive"], "unknown agent 'Aktive'"),
        (["--agents", "Novelty"], "agent 'Novelty' is one of two"),
        (
            [
                "--agents",
                "StandInPlace",
                "--agent-kwargs",
                '{"StandInPlace": {"separator": "a:B"}}',
            ],
            "a:B",
        ),
    ],
    ids=["unknown", "ambiguous", "separator"],
)
def test_wrong_agents_are_named_in_a_line(tmp_path, capsys, words, complaint):
    assert run(tmp_path, "--experiment", "legacy", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert not list(tmp_path.iterdir())


def test_an_unknown_experiment_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, "--experiment", "e-sweep", *TWO)
    assert "invalid choice: 'e-sweep'" in capsys.readouterr().err


def test_houses_that_are_not_there_are_refused_in_a_line(tmp_path, capsys):
    assert run(tmp_path, "--agents", "StandInPlace", "--houses", "2000000") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "houses must be a whole number in 1..1000000, got 2000000" in line


def test_a_folder_of_other_episodes_is_refused(tmp_path, capsys):
    chosen = ["--experiment", "legacy", "--agents", "StandInPlace"]
    assert run(tmp_path, *chosen) == 0
    capsys.readouterr()
    assert run(tmp_path, *chosen, "--episodes", "3") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "was made with another suite definition" in line
    assert "choose another --out or delete it" in line


def test_learned_agents_are_asked_for_each_look_back_after_one_episode(tmp_path, capsys):
    pytest.importorskip("torch", reason="needs torch: av-envs[agents]")
    from av_envs.agents.separation.agent import load_separator
    from tests.agents.separation.small_networks import saved_agent, small_agent

    separator = load_separator()[0]  # the one that ships
    files = {
        kind: saved_agent(tmp_path / f"{kind}.safetensors", small_agent(kind, separator))
        for kind in ("active", "memoryless")
    }

    def kwargs(kind):
        return ["--agent-kwargs", f'{{"Active": {{"checkpoint": "{files[kind]}"}}}}']

    chosen = ["--experiment", "e_sweep", "--agents", "Active"]
    out = tmp_path / "out"
    assert run(out, *chosen, *kwargs("memoryless")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "memoryless.safetensors: holds 'memoryless', 'active' is wanted" in line
    assert run(out, *chosen, *kwargs("active")) == 0
    (path,) = out.glob("*.json")
    summary = read_result(path)["summary"]
    assert summary["si_sdr_14"] == summary["si_sdr_19"] == summary["si_sdr_refined"]
    assert summary["si_sdr_0"] != summary["si_sdr_14"]
