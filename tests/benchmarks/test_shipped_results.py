"""Results that come with the package: whole, of suites there are, and ranked beside one's own."""

import gzip

import pytest
from made_results import SUITE, make_result, write
from reading import Page

from av_envs.benchmarks import report, ship
from av_envs.benchmarks.board import leaderboard
from av_envs.benchmarks.board.leaderboard import build_rows
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.results.shipped import SHIPPED, files_of
from av_envs.benchmarks.suites import suite as suites

MOST_BYTES = 4_000_000
FILES = sorted(SHIPPED.glob("*"))


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(suites.SUITES, SUITE.name, SUITE)


@pytest.fixture
def stale(monkeypatch):
    """The code of every agent named Old is another one today."""
    monkeypatch.setattr(leaderboard, "is_here", lambda path: path.endswith("Old"))
    monkeypatch.setattr(leaderboard, "source_hash", lambda path, kwargs: "of today")


def test_something_is_shipped_and_it_is_small():
    assert len(FILES) >= 5
    assert sum(path.stat().st_size for path in FILES) < MOST_BYTES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".json.gz"))
def test_what_is_shipped_is_sealed_whole_and_of_a_suite(path):
    result = report.read_checked(path)
    suite = suites.SUITES[result["suite"]["name"]]
    assert result["suite"]["hash"] == suite.hash
    assert path.name.startswith(f"{suite.name}--")
    assert result["complete"]
    assert result["isolated"]
    assert result["suite"]["secret_seeds"] is None
    assert [e["error"] for e in result["episodes"]] == [None] * len(suite.episodes)


def test_stale_results_are_ranked_with_a_mark_if_shipped_and_dropped_if_not(registered, stale):
    mine = [make_result("New", 1), make_result("Old", 2)]
    theirs = [
        make_result("Old", 3, git={"commit": "abcdef0123", "dirty": False}),
        make_result("Fresh", 2),
    ]
    rows = {(row.agent, row.shipped): row for row in build_rows(mine, theirs)}
    assert rows["Old", False].reason == "other code of the agent"
    assert rows["Old", False].rank is None
    assert {key: row.rank for key, row in rows.items() if row.rank} == {
        ("Old", True): 1,
        ("Fresh", True): 2,
        ("New", False): 3,
    }


def test_the_mark_names_version_and_commit(registered, stale, tmp_path):
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    write(tmp_path / "mine", make_result("New", 1))
    git = {"commit": "abcdef0123", "dirty": False}
    write(tmp_path / "source", make_result("Old", 3, git=git), make_result("Fresh", 2))
    for path in (tmp_path / "source").glob("*.json"):
        path.rename(tmp_path / "theirs" / f"{SUITE.name}--{path.name}")
    arguments = [str(tmp_path / "mine"), "--audio", "0", "--beside", str(tmp_path / "theirs")]
    assert report.main(arguments) == 0
    table = Page((tmp_path / "mine" / "leaderboard.html").read_text()).tables[0]
    assert [row[1] for row in table] == [
        "Old shipped, made with 0 abcdef0",
        "Fresh shipped",
        "New",
    ]


def test_other_engines_excuse_nobody(registered):
    old = make_result("Old")
    old["env"] = old["env"] | {"engine_version": -1}
    assert build_rows([], [old])[0].rank is None


def test_what_one_has_oneself_is_not_added(registered, tmp_path):
    write(tmp_path, make_result("A", 1))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (tmp_path / "0.json").with_suffix(".json").replace(tmp_path / "own.json")
    data = gzip.compress((tmp_path / "own.json").read_bytes())
    (theirs / f"{SUITE.name}--A.json.gz").write_bytes(data)
    assert [row.shipped for row in report.read_rows(tmp_path, theirs)[0]] == [False]
    secret = make_result("B", 1)
    secret["suite"] = secret["suite"] | {"secret_seeds": "0" * 64}
    (tmp_path / "own.json").unlink()
    write(tmp_path, secret)
    assert [row.agent for row in report.read_rows(tmp_path, theirs)[0]] == ["B"]


def test_a_compressed_result_reads_as_it_was_and_a_broken_one_is_refused(registered, tmp_path):
    write(tmp_path, make_result("A", 1))
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress((tmp_path / "0.json").read_bytes()))
    assert read_result(path) == read_result(tmp_path / "0.json")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="cannot read"):
        read_result(path)
    path.write_bytes(b"{}")
    with pytest.raises(UserError, match="cannot read"):
        read_result(path)


def test_only_what_counts_is_shipped(registered, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    write(source, make_result("A", 1), make_result("B", 2, n=3))
    target.mkdir()
    (target / "gone.json.gz").write_bytes(b"")
    written, reasons = ship.ship(source, target)
    assert sorted(target.iterdir()) == written == [target / "0.json.gz"]
    assert set(reasons) == {"1.json"}
    (source / "0.json").unlink()
    with pytest.raises(UserError, match=r"can be shipped\n  1.json: 3 of 12 episodes"):
        ship.ship(source, target)
    assert written[0].is_file(), "nothing is removed where nothing comes instead"


def test_files_are_found_by_their_suite(tmp_path):
    for name in ("a--X.json", "a--Y.json.gz", "ab--Z.json", "a--W.json.partial"):
        (tmp_path / name).touch()
    assert [path.name for path in files_of(tmp_path, ["a"])] == ["a--X.json", "a--Y.json.gz"]
