"""The leaderboard as one HTML page that needs nothing else: no server, no network."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from av_envs.benchmarks.board.leaderboard import Row
from av_envs.benchmarks.board.tables import (
    NOTE,
    beside,
    cells,
    digits_of,
    footnote,
    group_cells,
    heading,
    marks_of,
    metric_columns,
    number,
    remark,
    score_digits,
    split_rows,
    titles,
)
from av_envs.benchmarks.suites.suite import SUITES

WEB = Path(__file__).parent / "web"
# the last one runs
SCRIPTS = ("spectrogram.js", "views.js", "player.js", "breakdown.js", "page.js")
RANGE = (160.0, 16.0)  # width and height of the drawn intervals


def html_page(rows: Sequence[Row], gallery: dict[str, Any]) -> str:
    """The page; `gallery` as built by `av_envs.benchmarks.board.gallery.build_gallery`."""
    parts = split_rows(list(rows))
    body = [f"<h1>Leaderboard</h1><p class=quiet>{html.escape(NOTE)}</p>"]
    if len(parts) > 1:
        links = (f'<a href="#{_text(suite)}">{_text(suite)}</a>' for suite, _, _ in parts)
        body += [f"<nav>{''.join(links)}</nav>", _overview(parts)]
    body += [_suite(suite, ranked, rest, gallery) for suite, ranked, rest in parts]
    style = _web_file("page.css")
    script = "\n".join(_web_file(name) for name in SCRIPTS)
    facts = json.dumps(gallery, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Leaderboard</title>'
        f"<style>\n{style}</style></head>\n<body>\n" + "\n".join(body) + "\n"
        '<dialog id="player"></dialog>\n'
        f'<script type="application/json" id="data">{facts}</script>\n'
        f"<script>\n{script}</script>\n</body></html>\n"
    )


def _web_file(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _suite(suite: str, ranked: list[Row], rest: list[Row], gallery: dict[str, Any]) -> str:
    blocks = [f'<section id="{_text(suite)}"><h2>{_text(heading(suite))}</h2>']
    if remark(suite):
        blocks.append(f"<p class=quiet>{_text(remark(suite))}</p>")
    if ranked:
        blocks.append(_table(ranked, "rank"))
        if ranked[0].groups:
            blocks += ["<h3>Group by group</h3>", _group_table(ranked)]
        blocks += [f"<h3>House by house: mean {_text(_primary(suite))}</h3>", _house_table(ranked)]
    if suite in gallery["suites"]:
        blocks += [
            "<h3>Episode by episode</h3>",
            f'<div data-gallery="{_text(suite)}"><p>Needs JavaScript.</p></div>',
        ]
    if rest:
        blocks += ["<h3>Not ranked</h3>", _table(rest, "because")]
    return "\n".join([*blocks, _commands(ranked + rest), "</section>"])


def _primary(suite: str) -> str:
    metric = SUITES[suite].primary_metric
    return f"{metric.name} [{metric.unit}]" if metric.unit else metric.name


def _table(rows: list[Row], first: str) -> str:
    columns = metric_columns(rows)
    words = [(first, "word"), ("agent", "word")]
    numbers = [(title, "") for title in titles(rows[0].suite, columns)]
    drawn = [("interval", "word")] if first == "rank" else []
    head = _head([*words, *drawn, *numbers, ("hardware", "word")])
    reach = _reach(rows)
    lines = []
    for row in rows:
        shown = [_cell(cell, row.score if place == 0 else None)
                 for place, cell in enumerate(cells(row, columns))]  # fmt: skip
        drawing = f"<td class=word>{_range(row, reach)}</td>" if drawn else ""
        place = (
            f"<td class=word>{row.rank}"
            if row.rank
            else f'<td class="word why">{_text(row.reason)}'
        )
        lines.append(
            f"<tr>{place}</td><td class=word>{_agent(row)}</td>{drawing}{''.join(shown)}"
            f"<td class=word>{_text(row.hardware)}</td></tr>"
        )
    return _whole(head, lines) + f"<p class=quiet>{_text(footnote(rows))}</p>"


def _agent(row: Row) -> str:
    name = _text(row.agent)
    if row.url and row.url.startswith(("https://", "http://")):
        name = f'<a href="{_text(row.url)}">{name}</a>'
    marks = [f"<span class=mark>{_text(mark)}</span>" for mark in marks_of(row)]
    return " ".join([name, *marks])


def _reach(rows: list[Row]) -> tuple[float, float]:
    """The scores that the drawn intervals span, zero among them."""
    values = [0.0, *(row.score for row in rows if row.score is not None)]
    values += [end for row in rows for end in row.interval or ()]
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 1, high + 1)


def _range(row: Row, reach: tuple[float, float]) -> str:
    """The interval as a line and the score as a dot, on the scale of all rows."""
    width, height = RANGE

    def across(value: float) -> str:
        return f"{6 + (width - 12) * (value - reach[0]) / (reach[1] - reach[0]):.1f}"

    middle = height / 2
    zero = f'<line class=zero x1="{across(0)}" x2="{across(0)}" y1="0" y2="{height}"/>'
    low, high = row.interval or (row.score, row.score)
    line = f'<line x1="{across(low)}" x2="{across(high)}" y1="{middle}" y2="{middle}"/>'
    dot = f'<circle cx="{across(row.score)}" cy="{middle}" r="4"/>'
    head = f'<svg class=range aria-hidden=true viewBox="0 0 {width:g} {height:g}">'
    return f"{head}{zero}{line}{dot}</svg>"


def _group_table(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        scores = row.groups.values()
        shown = [
            _cell(text, score.value) for text, score in zip(group_cells(row), scores, strict=True)
        ]
        lines.append(f"<tr><td class=word>{_agent(row)}</td>{''.join(shown)}</tr>")
    return _whole(_head([("agent", "word"), *((name, "") for name in rows[0].groups)]), lines)


def _house_table(rows: list[Row]) -> str:
    """Means by house: the farther from zero the deeper the colour, another one below zero."""
    scenes = list(dict.fromkeys(scene for row in rows for scene in row.houses))
    known = [value for row in rows for value in row.houses.values() if value is not None]
    span = max((abs(value) for value in known), default=0.0) or 1.0
    digits = score_digits(rows[0].suite) - 1
    lines = []
    for row in rows:
        shown = []
        for scene in scenes:
            value = row.houses.get(scene)
            depth = abs(value or 0.0) / span
            side = " class=below" if value is not None and value < 0 else ""
            where = f'data-scene="{_text(scene)}"'
            shown.append(f'<td{side} {where} style="--v:{depth:.2f}">{number(value, digits)}</td>')
        name = f"<td class=word>{_agent(row)}</td>"
        lines.append(f'<tr data-agent="{_text(row.agent)}">{name}{"".join(shown)}</tr>')
    titles_ = [("agent", "word"), *((scene, "") for scene in scenes)]
    return _whole(_head(titles_), lines, "heat")


def _overview(parts: list[tuple[str, list[Row], list[Row]]]) -> str:
    """Every agent on every suite."""
    rows = {(suite, row.path, row.agent): row for suite, ranked, _ in parts for row in ranked}
    agents = list(dict.fromkeys(key[1:] for key in rows))
    suites = [suite for suite, ranked, _ in parts if ranked]
    lines = []
    for path, name in agents:
        mine = [rows.get((suite, path, name)) for suite in suites]
        label = next(_agent(row) for row in mine if row)
        shown = [_cell(_brief(row), row.score) if row else _cell("-", None) for row in mine]
        lines.append(f"<tr><td class=word>{label}</td>{''.join(shown)}</tr>")
    heads = [("agent", "word"), *((f"{suite}\n{_primary(suite)}", "") for suite in suites)]
    return "<h2>All suites</h2>" + _whole(_head(heads), lines)


def _brief(row: Row) -> str:
    """The score, with what must stand beside it."""
    others = beside(SUITES[row.suite].primary)
    words = [f"{name} {number(row.metrics[name], digits_of(name))}" for name in others]
    score = number(row.score, score_digits(row.suite))
    return f"{score} ({', '.join(words)})" if words else score


def _head(titles_: list[tuple[str, str]]) -> str:
    made = (
        f"<th{' class=' + kind if kind else ''}>{_text(title).replace(chr(10), '<br>')}</th>"
        for title, kind in titles_
    )
    return f"<thead><tr>{''.join(made)}</tr></thead>"


def _cell(text: str, value: float | None) -> str:
    """A number; `value` is what sorting goes by where the text is more than the number."""
    by = "" if value is None else f' data-v="{value:.6f}"'
    return f"<td{by}>{_text(text)}</td>"


def _whole(head: str, lines: list[str], kind: str = "") -> str:
    table = f'<table class="sortable {kind}">{head}<tbody>{"".join(lines)}</tbody></table>'
    return f"<div class=wide>{table}</div>"


def _commands(rows: list[Row]) -> str:
    commands = dict.fromkeys(command for row in rows for command in row.commands)
    listed = "\n".join(_text(command) for command in commands)
    return f"<details><summary>How to repeat it</summary><pre>{listed}</pre></details>"


def _text(text: str) -> str:
    return html.escape(text)
