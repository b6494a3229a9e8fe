"""The curve of a run: a CSV file with a row per validation."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from av_envs.whole_files import write_whole

Row = dict[str, float]


def add_row(path: Path, row: Row, when: str, score: str) -> bool:
    """Add a row; whether its score is the best so far.

    when   column that grows from row to row; rows from after the checkpoint from which a killed
           run goes on are made again
    score  column that says how good a row is
    """
    rows = [old for old in _rows_in(path) if old[when] < row[when]]
    rows.append(row)
    write_rows(path, rows)
    return row[score] >= max(old[score] for old in rows)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the whole curve; the columns are those of the first row."""
    text = StringIO()
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    write_whole(path, text.getvalue().encode())


def _rows_in(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
