"""Tables of boards in the documentation: `python docs/tables.py` fills them in from docs/results.

A table stands between two comments, of which the first says what it shows:

    <!-- board sep-near-unheard-v2 | gain: score | SI-SDR: si_sdr -->
    ...
    <!-- end of board -->

Columns are "title: metric"; `score` comes with its interval. docs/results holds, one per
directory of results, the leaderboard.json that `av_envs.benchmarks.report` has written, under any
name. `--check` changes nothing, and exits with 1 where a page and the results differ.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from av_envs.benchmarks.board.tables import digits_of, number, plain, score_digits

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
BOARD = re.compile(
    r"^<!-- board (?P<suite>[^|\s]+)(?P<columns>[^\n]*?)-->\n.*?^<!-- end of board -->$",
    re.MULTILINE | re.DOTALL,
)

Rows = dict[str, list[dict[str, Any]]]


def read_boards(directory: Path = RESULTS) -> Rows:
    """Ranked rows by suite, the best first."""
    boards: Rows = {}
    for path in sorted(directory.glob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
            if row["rank"] is not None:
                boards.setdefault(row["suite"], []).append(row)
    return boards


def filled_in(text: str, boards: Rows) -> str:
    """A page with its tables as the results have them; `ValueError` names a suite without any."""
    return BOARD.sub(lambda found: _block(found, boards), text)


def _block(found: re.Match[str], boards: Rows) -> str:
    suite = found["suite"]
    if suite not in boards:
        raise ValueError(f"no results of {suite}; there are {', '.join(boards) or 'none'}")
    pairs = [part.rpartition(":")[::2] for part in found["columns"].split("|")[1:]]
    columns = [(title.strip(), metric.strip()) for title, metric in pairs]
    titles = ["agent", "knows the truth", *(title for title, _ in columns)]
    lines = [titles, ["---"] * len(titles)]
    for row in boards[suite]:
        cells = [_cell(row, metric) for _, metric in columns]
        lines.append([plain(row["agent"]), "yes" if row["privileged"] else "", *cells])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    opening = found[0].partition("\n")[0]
    return f"{opening}\n\n{table}\n\n<!-- end of board -->"


def _cell(row: dict[str, Any], metric: str) -> str:
    if metric != "score":
        if metric not in row["metrics"]:
            raise ValueError(
                f"{row['suite']} has no metric {metric!r}: {', '.join(row['metrics'])}"
            )
        return number(row["metrics"][metric], digits_of(metric))
    digits = score_digits(row["suite"])
    low, high = row["interval"] or (None, None)
    return f"{number(row['score'], digits)} [{number(low, digits)}, {number(high, digits)}]"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args(argv)
    boards, status = read_boards(), 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        wanted = filled_in(text, boards)
        if wanted != text:
            print(f"{page.relative_to(ROOT)}: tables differ from docs/results")
            status = 1
            if not arguments.check:
                page.write_text(wanted, encoding="utf-8")
    return status if arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
