"""What agents reach in the columns of an experiment: means, intervals, and the Markdown of both."""

from typing import Any, NamedTuple

import numpy as np

from av_envs.benchmarks.board.tables import markdown_lines, number
from av_envs.benchmarks.experiments.rows import Table
from av_envs.benchmarks.starts import interval

DIGITS = 2
Results = dict[str, dict[str, Any]]  # result of each agent, by the name that it was given


class Mean(NamedTuple):
    """Of episodes, with its 95 % bootstrap interval; `n` of them had the score.

    value  None where no episode has it; low and high are None with fewer than two
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


def mean_of(values: np.ndarray) -> Mean:
    """Of the scores (n,) of episodes."""
    if not len(values):
        return Mean(None, None, None, 0)
    low, high = interval(values) if len(values) > 1 else (None, None)
    return Mean(float(values.mean()), low, high, len(values))


def means(result: dict[str, Any], table: Table) -> dict[str, Mean]:
    """Of one agent, by column."""
    return {
        column: mean_of(np.array(list(_episodes(result, place).values()), float))
        for column, place in table.places.items()
    }


def differences(result: dict[str, Any], other: dict[str, Any], table: Table) -> dict[str, Mean]:
    """How much better an agent is than the other in the same episodes, by column."""
    sign, made = 1 if table.higher_is_better else -1, {}
    for column, place in table.places.items():
        mine, theirs = _episodes(result, place), _episodes(other, place)
        shared = [episode for episode in mine if episode in theirs]
        made[column] = mean_of(sign * np.array([mine[e] - theirs[e] for e in shared], float))
    return made


def _episodes(result: dict[str, Any], place: tuple[str, str]) -> dict[int, float]:
    """Scores by episode; those without one, in which the agent failed, too, are left out."""
    group, metric = place
    return {
        record["episode"]: record["metrics"][metric]
        for record in result["episodes"]
        if record["group"] == group and record["metrics"][metric] is not None
    }


def markdown(tables: list[Table], results: Results, n_episodes: int) -> str:
    """All tables of an experiment that hold a number, and the differences to the first agent."""
    (first, *others), blocks = results, []
    for table in tables:
        rows = {agent: means(result, table) for agent, result in results.items()}
        if any(mean.n for row in rows.values() for mean in row.values()):
            blocks += [f"### {table.words}", _lines(table, rows, n_episodes)]
            against = {
                agent: differences(results[agent], results[first], table) for agent in others
            }
            if any(mean.n for row in against.values() for mean in row.values()):
                blocks += [
                    f"Better than {first} in the same episodes:",
                    _lines(table, against, n_episodes),
                ]
    return "\n\n".join(blocks)


def _lines(table: Table, rows: dict[str, dict[str, Mean]], n_episodes: int) -> str:
    header = ["agent", *table.places]
    cells = [
        [agent, *(cell(row[c], n_episodes) for c in table.places)] for agent, row in rows.items()
    ]
    return markdown_lines([header, ["---"] * len(header), *cells])


def cell(mean: Mean, n_episodes: int) -> str:
    """A mean with its interval; how many episodes have the score where not all have."""
    if mean.value is None:
        return "-"
    text = number(mean.value, DIGITS)
    if mean.low is not None:
        text += f" [{number(mean.low, DIGITS)}, {number(mean.high, DIGITS)}]"
    return text if mean.n == n_episodes else f"{text} ({mean.n} episodes)"
