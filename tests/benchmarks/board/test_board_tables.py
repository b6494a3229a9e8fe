"""The tables of boards in README and docs are those of the result files kept in docs/results."""

import json

import pytest

from docs import tables

OPENING = "<!-- board sep-x | gain: score | metres left: distance_final -->"
PAGE = f"Before\n\n{OPENING}\n\nold\n\n<!-- end of board -->\n\nAfter\n"
WANTED = f"""Before

{OPENING}

| agent | knows the truth | gain | metres left |
| --- | --- | --- | --- |
| Best | yes | 1.23 [1.00, 1.50] | 2.00 |
| Next |  | -0.50 [-, -] | - |

<!-- end of board -->

After
"""


def row(agent, rank, score, interval, metres, privileged=()):
    return {
        "suite": "sep-x",
        "agent": agent,
        "rank": rank,
        "score": score,
        "interval": interval,
        "metrics": {"distance_final": metres},
        "privileged": privileged,
    }


@pytest.fixture
def boards(tmp_path):
    rows = [
        row("Best", 1, 1.234, [1.0, 1.5], 2.0, ["bearing"]),
        row("Next", 2, -0.5, None, None),
        row("Short", None, 9.0, None, None),
    ]
    (tmp_path / "separation.json").write_text(json.dumps({"rows": rows}))
    return tables.read_boards(tmp_path)


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_the_results_say(page):
    text = page.read_text(encoding="utf-8")
    assert tables.filled_in(text, tables.read_boards()) == text, "run: python docs/tables.py"
    assert text.count("<!-- board ") == text.count("<!-- end of board -->")


def test_a_table_is_filled_in_and_stays(boards):
    assert tables.filled_in(PAGE, boards) == WANTED
    assert tables.filled_in(WANTED, boards) == WANTED


def test_what_is_not_there_is_named(boards):
    with pytest.raises(ValueError, match="no results of sep-y; there are sep-x"):
        tables.filled_in(PAGE.replace("sep-x", "sep-y"), boards)
    with pytest.raises(ValueError, match="has no metric 'loudness': distance_final"):
        tables.filled_in(PAGE.replace("distance_final", "loudness"), boards)


def test_files_that_are_kept_are_small():
    assert sum(path.stat().st_size for path in tables.RESULTS.glob("*")) < 3_000_000
