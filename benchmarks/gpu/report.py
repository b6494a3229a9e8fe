"""The figures of `av_envs.benchmarks.gpu` as a page of Markdown."""

from typing import Any


def page(figures: dict[str, Any]) -> str:
    """All parts that have ended, as tables where they are lists of alike findings."""
    hardware = figures["hardware"]
    lines = [
        f"# {hardware['gpu'] or hardware['cpu']}",
        "",
        f"{hardware['count']} cores of {hardware['cpu']}, torch {figures['packages'].get('torch')}",
    ]
    for name, found in figures["parts"].items():
        lines += ["", f"## {name}", ""]
        alike: list[dict[str, Any]] = []
        for finding in found:
            if "num_envs" in finding and "pictures" in finding:
                alike.append(finding)
            else:
                lines += _lines(finding)
        lines += table(alike)
    return "\n".join(lines)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows with the same keys as a table."""
    if not rows:
        return []
    keys = list(rows[0])
    head = ["| " + " | ".join(keys) + " |", "|" + " --- |" * len(keys)]
    return head + ["| " + " | ".join(str(row.get(key, "")) for key in keys) + " |" for row in rows]


def _lines(finding: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in finding.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += ["", *table(value), ""]
        elif isinstance(value, dict):
            lines += ["", *table([{"": name, **row} for name, row in value.items()]), ""]
        elif isinstance(value, str) and "\n" in value:
            lines += [f"{key}:", "", "```", value, "```"]
        else:
            lines += [f"* {key}: {value}"]
    return lines
