"""The leaderboard as Markdown, CSV, JSON and text."""

import csv
import html
import io
import json
from dataclasses import asdict
from typing import Any

from av_envs.benchmarks.board.derived import with_derived
from av_envs.benchmarks.board.leaderboard import Row
from av_envs.benchmarks.board.statistics import Score
from av_envs.benchmarks.suites.suite import SUITES

NOTE = (
    "Score: interquartile mean of the primary metric over scenes and runs, with its 95 % "
    "bootstrap interval. The interval resamples runs where there are at least three, "
    "otherwise episodes (marked e). A scene counts once, with the mean of its "
    "episodes. Normalised: 0 is an agent that does nothing of use, 1 the "
    "best baseline that is told the truth. Privileged agents read the truth from the simulator."
)
# Ratios and spectral distances, which the papers print with four digits
FINE = frozenset(
    {"wcr_mean", "wcr", "wcr_agg", "cr_mean", "cr", "pe", "pes", "pe_query", "pe_query_auc"}
)
DIGITS, FINE_DIGITS = 2, 4
FORMULA = tuple("=+-@")  # how text begins that spreadsheets compute
# a score that says little alone, and what must stand beside it
BESIDE = {"wcr_mean": ("wcr", "cr", "pe")}
REMARKS = {
    "wcr_mean": "The score is WCR averaged over the steps of an episode: among teams that end up "
    "everywhere it tells who was sooner. wcr is that of the last step, as in the paper; wcr_agg "
    "comes from the averages of CR and PE, as the paper computes it. WCR is the coverage CR in all "
    "but name (0.9 CR + 0.1 (1 - PES)): read CR and the prediction error PE beside it."
}


def digits_of(metric: str) -> int:
    """After the point, where this metric is shown."""
    return FINE_DIGITS if metric in FINE else DIGITS


def beside(metric: str) -> tuple[str, ...]:
    """Metrics without which this one is not shown."""
    return BESIDE.get(metric, ())


def score_digits(suite: str) -> int:
    """After the point of the scores of a suite."""
    return digits_of(SUITES[suite].primary) if suite in SUITES else DIGITS


def remark(suite: str) -> str:
    """What to know about the scores of a suite; mostly nothing."""
    return REMARKS.get(SUITES[suite].primary, "") if suite in SUITES else ""


def number(value: float | None, digits: int = DIGITS) -> str:
    """As text; never "-0.00"."""
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def interval(score: Row | Score, digits: int = DIGITS) -> str:
    if score.interval is None:
        return "-"
    mark = " e" if score.basis == "episodes" else ""
    low, high = (number(end, digits) for end in score.interval)
    return f"[{low}, {high}]{mark}"


def heading(suite: str) -> str:
    """What a suite's table shows, in words."""
    if suite not in SUITES:
        return suite
    metric = SUITES[suite].primary_metric
    unit = f", {metric.unit}" if metric.unit else ""
    better = "higher" if metric.higher_is_better else "lower"
    return f"{suite}: {metric.name}{unit} ({better} is better)"


def constant_metrics(rows: list[Row]) -> dict[str, float | None]:
    """The metrics that are equal in all of several rows.

    The metric that ranks, and those that must stand beside it, are shown all the same.
    """
    suite = SUITES.get(rows[0].suite)
    kept = {suite.primary, *beside(suite.primary)} if suite else set()
    names = dict.fromkeys(name for row in rows for name in row.metrics)
    values = {name: {number(row.metrics.get(name), digits_of(name)) for row in rows}
              for name in names if name not in kept}  # fmt: skip
    return {
        name: rows[0].metrics.get(name)
        for name, shown in values.items()
        if len(rows) > 1 and len(shown) == 1
    }


def footnote(rows: list[Row]) -> str:
    """The columns that `metric_columns` leaves out; mostly nothing."""
    same = constant_metrics(rows)
    listed = ", ".join(f"{name} {number(value, digits_of(name))}" for name, value in same.items())
    return f"The same in all rows: {listed}." if same else ""


def metric_columns(rows: list[Row]) -> list[tuple[str, str]]:
    """(metric name, column title) of every metric in which the rows differ."""
    suite = SUITES.get(rows[0].suite)
    units = {metric.name: metric.unit for metric in suite.metrics} if suite else {}
    same = constant_metrics(rows)
    reported = dict.fromkeys(name for row in rows for name in row.metrics if name not in same)
    known = with_derived(suite) if suite else ()
    names = [
        *(name for name in known if name in reported),
        *(name for name in reported if name not in known),
    ]
    return [(name, f"{name} [{units[name]}]" if units.get(name) else name) for name in names]


def marks_of(row: Row) -> list[str]:
    """What must be known of a row beside the agent's name."""
    marks = ["privileged"] if row.privileged else []
    if row.made_with:
        return [*marks, f"shipped, made with {row.made_with}"]
    return [*marks, "shipped"] if row.shipped else marks


def marked(row: Row) -> str:
    """The agent's name and its marks."""
    marks = ", ".join(marks_of(row))
    return f"{row.agent} ({marks})" if marks else row.agent


def split_rows(rows: list[Row]) -> list[tuple[str, list[Row], list[Row]]]:
    """(suite, ranked rows, unranked rows) per suite."""
    return [
        (
            suite,
            [r for r in rows if r.suite == suite and r.rank is not None],
            [r for r in rows if r.suite == suite and r.rank is None],
        )
        for suite in dict.fromkeys(row.suite for row in rows)
    ]


def _near_and_far(suite: str, columns: list[tuple[str, str]]) -> tuple[list, list]:
    """Columns that must stand beside the score, and the others."""
    needed = beside(SUITES[suite].primary) if suite in SUITES else ()
    near = [column for column in columns if column[0] in needed]
    return near, [column for column in columns if column not in near]


def cells(row: Row, columns: list[tuple[str, str]]) -> list[str]:
    """The numbers of a row that every format shows, as text."""
    near, far = (
        [number(row.metrics.get(name), digits_of(name)) for name, _ in part]
        for part in _near_and_far(row.suite, columns)
    )
    digits = score_digits(row.suite)
    score = [number(row.score, digits), *near, interval(row, digits), number(row.normalised)]
    return [*score, str(row.runs), str(row.episodes), *far]


def group_cells(row: Row) -> list[str]:
    """Score and interval of every group of episodes, as text."""
    digits = score_digits(row.suite)
    return [f"{number(s.value, digits)} {interval(s, digits)}" for s in row.groups.values()]


def titles(suite: str, columns: list[tuple[str, str]]) -> list[str]:
    """What stands above `cells`."""
    near, far = ([title for _, title in part] for part in _near_and_far(suite, columns))
    return ["score", *near, "95 % interval", "normalised", "runs", "episodes", *far]


def markdown(rows: list[Row]) -> str:
    blocks = ["# Leaderboard", NOTE]
    for suite, ranked, unranked in split_rows(rows):
        blocks += [f"## {plain(heading(suite))}", *filter(None, [remark(suite)])]
        for part, first in ((ranked, "rank"), (unranked, "not ranked because")):
            if part:
                blocks += [_markdown_table(part, first), *filter(None, [footnote(part)])]
        if ranked and ranked[0].groups:
            blocks.append(_markdown_groups(ranked))
        blocks.append(_markdown_commands(ranked + unranked))
    return "\n\n".join(blocks) + "\n"


def _markdown_groups(rows: list[Row]) -> str:
    """Scores group by group."""
    lines = [["agent", *rows[0].groups], ["---"] * (1 + len(rows[0].groups))]
    for row in rows:
        lines.append([row.agent, *group_cells(row)])
    return markdown_lines(lines)


def _markdown_table(rows: list[Row], first: str) -> str:
    columns = metric_columns(rows)
    header = [first, "agent", *titles(rows[0].suite, columns), "hardware"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        agent = marked(row)
        lines.append([str(row.rank or row.reason), agent, *cells(row, columns), row.hardware])
    return markdown_lines(lines)


def markdown_lines(lines: list[list[str]]) -> str:
    """A table; no cell can break it."""
    return "\n".join("| " + " | ".join(map(plain, cells_)) + " |" for cells_ in lines)


def plain(text: str) -> str:
    """Text as one line of Markdown: no tag, link, code or cell begins in it."""
    line = " ".join(html.escape(text, quote=False).split())
    return line.replace("](", "] (").replace("`", "'").replace("|", "/")


def _markdown_commands(rows: list[Row]) -> str:
    commands = dict.fromkeys(command for row in rows for command in row.commands)
    lines = (" ".join(command.replace("`", "'").split()) for command in commands)
    return "```\n" + "\n".join(lines) + "\n```"


def comma_separated(rows: list[Row]) -> str:
    """One line per row, metrics of all suites as columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row.metrics))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fixed = ("suite", "rank", "agent", "path", "score", "low", "high", "basis", "normalised")
    writer.writerow([*fixed, "runs", "episodes", "privileged", *columns, "hardware", "reason"])
    for row in rows:
        low, high = row.interval or (None, None)
        who = (row.suite, row.rank, row.agent, row.path)
        score = (row.score, low, high, row.basis, row.normalised, row.runs, row.episodes)
        means = [row.metrics.get(name) for name in columns]
        privileged = " ".join(row.privileged)
        line = [*who, *score, privileged, *means, row.hardware, row.reason]
        writer.writerow([_no_formula(cell) for cell in line])
    return text.getvalue()


def _no_formula(cell: Any) -> Any:
    """Text that no spreadsheet takes for a formula; numbers stay numbers."""
    is_formula = isinstance(cell, str) and cell.lstrip().startswith(FORMULA)
    return f"'{cell}" if is_formula else cell


def json_text(rows: list[Row]) -> str:
    return json.dumps({"rows": [asdict(row) for row in rows]}, indent=1, allow_nan=False) + "\n"


def plain_text(rows: list[Row]) -> str:
    """The ranked rows for a terminal: scores, intervals and the means that matter most."""
    blocks = []
    for suite, ranked, _ in split_rows(rows):
        if not ranked:
            continue
        needed = beside(SUITES[suite].primary)
        columns = [c for c in metric_columns(ranked) if c[1].endswith("]") or c[0] in needed]
        lines = [["rank", "agent", *titles(suite, columns)]]
        for row in ranked:
            agent = marked(row)
            lines.append([str(row.rank), agent, *cells(row, columns)])
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        ]
        blocks.append("\n".join([heading(suite), *text]))
    return "\n\n".join(blocks)
