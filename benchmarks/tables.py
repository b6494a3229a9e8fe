"""The leaderboard as Markdown, CSV, JSON and one self-contained HTML page."""

import csv
import html
import io
import json
from dataclasses import asdict

from benchmarks.leaderboard import Row
from benchmarks.suites import SUITES

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #1c1e21; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; border-bottom: 1px solid #d9dce1;
         white-space: nowrap; }
th { border-bottom: 2px solid #8a9099; font-weight: 600; }
th.word, td.word { text-align: left; }
.mark { background: #fbe3b4; color: #5c3d00; border-radius: .6rem; padding: 0 .5rem;
        font-size: .85em; }
.quiet { color: #5f6670; } code { font-size: .9em; }
details { margin: .6rem 0; } pre { white-space: pre-wrap; margin: .2rem 0; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e8eb; background: #16181b; } th, td { border-color: #3a3f46; }
  .quiet { color: #9aa1ab; } .mark { background: #5c4410; color: #fbe3b4; }
}
"""
NOTE = (
    "Score: interquartile mean of the primary metric over scenes and runs, with its 95 % "
    "bootstrap interval. The interval resamples runs where there are at least three, "
    "otherwise episodes (marked e). Privileged agents read the truth from the simulator."
)


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def interval(row: Row) -> str:
    if row.interval is None:
        return "-"
    mark = " e" if row.basis == "episodes" else ""
    return f"[{number(row.interval[0])}, {number(row.interval[1])}]{mark}"


def heading(suite: str) -> str:
    """What a suite's table shows, in words."""
    if suite not in SUITES:
        return suite
    metric = SUITES[suite].primary_metric
    unit = f", {metric.unit}" if metric.unit else ""
    better = "higher" if metric.higher_is_better else "lower"
    return f"{suite}: {metric.name}{unit} ({better} is better)"


def metric_columns(rows: list[Row]) -> list[tuple[str, str]]:
    """(metric name, column title) of every metric that the rows report."""
    suite = SUITES.get(rows[0].suite)
    units = {metric.name: metric.unit for metric in suite.metrics} if suite else {}
    reported = dict.fromkeys(name for row in rows for name in row.metrics)
    names = [
        *(name for name in units if name in reported),
        *(n for n in reported if n not in units),
    ]
    return [(name, f"{name} [{units[name]}]" if units.get(name) else name) for name in names]


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


def cells(row: Row, columns: list[tuple[str, str]]) -> list[str]:
    """The numbers of a row that every format shows, as text."""
    means = [number(row.metrics.get(name)) for name, _ in columns]
    return [number(row.score), interval(row), str(row.runs), str(row.episodes), *means]


def titles(columns: list[tuple[str, str]]) -> list[str]:
    return ["score", "95 % interval", "runs", "episodes", *(title for _, title in columns)]


def markdown(rows: list[Row]) -> str:
    blocks = ["# Leaderboard", NOTE]
    for suite, ranked, unranked in split_rows(rows):
        blocks.append(f"## {heading(suite)}")
        for part, first in ((ranked, "rank"), (unranked, "not ranked because")):
            if part:
                blocks.append(_markdown_table(part, first))
        blocks.append(_markdown_commands(ranked + unranked))
    return "\n\n".join(blocks) + "\n"


def _markdown_table(rows: list[Row], first: str) -> str:
    columns = metric_columns(rows)
    header = [first, "agent", *titles(columns), "hardware"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        agent = f"{row.agent} (privileged)" if row.privileged else row.agent
        lines.append([str(row.rank or row.reason), agent, *cells(row, columns), row.hardware])
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in c) + " |" for c in lines)


def _markdown_commands(rows: list[Row]) -> str:
    commands = dict.fromkeys(command for row in rows for command in row.commands)
    return "```\n" + "\n".join(commands) + "\n```"


def comma_separated(rows: list[Row]) -> str:
    """One line per row, metrics of all suites as columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row.metrics))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fixed = ("suite", "rank", "agent", "path", "score", "low", "high", "basis", "runs", "episodes")
    writer.writerow([*fixed, "privileged", *columns, "hardware", "reason"])
    for row in rows:
        low, high = row.interval or (None, None)
        values = (row.suite, row.rank, row.agent, row.path, row.score, low, high, row.basis)
        means = [row.metrics.get(name) for name in columns]
        privileged = " ".join(row.privileged)
        writer.writerow(
            [*values, row.runs, row.episodes, privileged, *means, row.hardware, row.reason]
        )
    return text.getvalue()


def json_text(rows: list[Row]) -> str:
    return json.dumps({"rows": [asdict(row) for row in rows]}, indent=1, allow_nan=False) + "\n"


def plain_text(rows: list[Row]) -> str:
    """The ranked rows for a terminal: scores, intervals and the means that have a unit."""
    blocks = []
    for suite, ranked, _ in split_rows(rows):
        if not ranked:
            continue
        columns = [column for column in metric_columns(ranked) if column[1].endswith("]")]
        lines = [["rank", "agent", *titles(columns)]]
        for row in ranked:
            agent = f"{row.agent} (privileged)" if row.privileged else row.agent
            lines.append([str(row.rank), agent, *cells(row, columns)])
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        ]
        blocks.append("\n".join([heading(suite), *text]))
    return "\n\n".join(blocks)


def html_page(rows: list[Row]) -> str:
    """One file without scripts, fonts or pictures from elsewhere."""
    body = [f"<h1>Leaderboard</h1><p class=quiet>{html.escape(NOTE)}</p>"]
    for suite, ranked, unranked in split_rows(rows):
        body.append(f"<h2>{html.escape(heading(suite))}</h2>")
        if ranked:
            body.append(_html_table(ranked, "rank"))
        if unranked:
            body.append("<h3>Not ranked</h3>" + _html_table(unranked, "because"))
        body.append(_html_commands(ranked + unranked))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Leaderboard</title>'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _html_table(rows: list[Row], first: str) -> str:
    columns = metric_columns(rows)
    words = "".join(f"<th class=word>{html.escape(word)}</th>" for word in (first, "agent"))
    numbers = "".join(f"<th>{html.escape(title)}</th>" for title in titles(columns))
    head = f"<tr>{words}{numbers}<th class=word>hardware</th></tr>"
    lines = []
    for row in rows:
        name = html.escape(row.agent)
        if row.url and row.url.startswith(("https://", "http://")):
            name = f'<a href="{html.escape(row.url)}">{name}</a>'
        mark = " <span class=mark>privileged</span>" if row.privileged else ""
        shown = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(row, columns))
        lines.append(
            f"<tr><td class=word>{html.escape(str(row.rank or row.reason))}</td>"
            f"<td class=word>{name}{mark}</td>{shown}"
            f"<td class=word>{html.escape(row.hardware)}</td></tr>"
        )
    return f"<div class=wide><table>{head}{''.join(lines)}</table></div>"


def _html_commands(rows: list[Row]) -> str:
    commands = dict.fromkeys(command for row in rows for command in row.commands)
    listed = "\n".join(html.escape(command) for command in commands)
    return f"<details open><summary>How to repeat it</summary><pre>{listed}</pre></details>"
