"""What agents reach in the columns of an experiment: means, intervals, and the Markdown of both."""

from typing import Any, NamedTuple

import numpy as np

from av_envs.benchmarks.board.tables import markdown_lines, number, plain
from av_envs.benchmarks.experiments.rows import EXPERIMENTS, Table, tables_of
from av_envs.benchmarks.starts import interval

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


def over_agent(result: dict[str, Any], other: dict[str, Any], table: Table) -> dict[str, Mean]:
    """How much better an agent is than the other in the same episodes, by column."""
    return {
        column: _better(_episodes(result, place), _episodes(other, place), table)
        for column, place in table.places.items()
    }


def over_first_column(result: dict[str, Any], table: Table) -> dict[str, Mean]:
    """How much better an agent is than itself in the same episodes of the first column."""
    first = _episodes(result, next(iter(table.places.values())))
    return {
        column: _better(_episodes(result, place), first, table)
        for column, place in table.places.items()
    }


def _better(mine: dict[int, float], theirs: dict[int, float], table: Table) -> Mean:
    sign = 1 if table.higher_is_better else -1
    shared = [episode for episode in mine if episode in theirs]
    return mean_of(sign * np.array([mine[e] - theirs[e] for e in shared], float))


def _episodes(result: dict[str, Any], place: tuple[str, str]) -> dict[int, float]:
    """Scores by episode; those without one, in which the agent failed, too, are left out."""
    group, metric = place
    return {
        record["episode"]: record["metrics"][metric]
        for record in result["episodes"]
        if record["group"] == group and record["metrics"][metric] is not None
    }


def markdown(name: str, results: Results, n_episodes: int) -> str:
    """The tables of an experiment that hold a number, each with the paired differences."""
    first, blocks = next(iter(results)), []
    for table in tables_of(name):
        rows = {agent: means(result, table) for agent, result in results.items()}
        blocks += _block(f"### {table.words}", table, rows, n_episodes)
        others = [agent for agent in results if agent != first]
        rows = {agent: over_agent(results[agent], results[first], table) for agent in others}
        blocks += _block(f"Better than {first} in the same episodes:", table, rows, n_episodes)
        if EXPERIMENTS[name].same_episodes:
            rows = {agent: over_first_column(result, table) for agent, result in results.items()}
            words = f"Better than in the column {next(iter(table.places))!r}, same episodes:"
            blocks += _block(words, table, rows, n_episodes)
    blocks += [line for agent, result in results.items() for line in _failures(agent, result)]
    return "\n\n".join(blocks)


def _failures(agent: str, result: dict[str, Any]) -> list[str]:
    """A line on the episodes that an agent has lost, with its first error; nothing without any."""
    errors = [record["error"] for record in result["episodes"] if record["error"] is not None]
    if not errors:
        return []
    n_episodes = len(result["episodes"])
    return [plain(f"{agent}: failed in {len(errors)} of {n_episodes} episodes ({errors[0]})")]


def _block(
    words: str, table: Table, rows: dict[str, dict[str, Mean]], n_episodes: int
) -> list[str]:
    """Words and a table of the agents that have a number; nothing if none has."""
    lines = [
        [agent, *(cell(mean, table.digits, n_episodes) for mean in row.values())]
        for agent, row in rows.items()
        if any(mean.n for mean in row.values())
    ]
    header = ["agent", *table.places]
    return [words, markdown_lines([header, ["---"] * len(header), *lines])] if lines else []


def cell(mean: Mean, digits: int, n_episodes: int) -> str:
    """A mean with its interval; how many episodes have the score where not all have."""
    if mean.value is None:
        return "-"
    text = number(mean.value, digits)
    if mean.low is not None:
        text += f" [{number(mean.low, digits)}, {number(mean.high, digits)}]"
    return text if mean.n == n_episodes else f"{text} ({mean.n} episodes)"
