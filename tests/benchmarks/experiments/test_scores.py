"""Means, intervals and paired differences, of made-up results."""

import numpy as np
import pytest

from av_envs.benchmarks.experiments.rows import Table, tables_of
from av_envs.benchmarks.experiments.scores import (
    cell,
    markdown,
    mean_of,
    means,
    over_agent,
    over_first_column,
)

TABLE = Table("dB", {"a": ("a", "si_sdr"), "b": ("b", "si_sdr")}, True, 2)

UNDEFINED = ("si_sdr_refined", "stft_distance", "stft_distance_refined")


def result(**columns):
    """With the scores of the episodes 0, 1, ... of each column."""
    return {
        "episodes": [
            {
                "group": group,
                "episode": k,
                "metrics": {**dict.fromkeys(UNDEFINED), "si_sdr": score},
                "error": None,
            }
            for group, scores in columns.items()
            for k, score in enumerate(scores)
        ]
    }


def test_a_mean_and_its_interval():
    values = np.random.default_rng(0).normal(3, 2, 400)
    mean = mean_of(values)
    assert mean.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert (mean.low, mean.high) == pytest.approx((mean.value - half, mean.value + half), abs=0.03)
    assert mean.n == 400


def test_few_episodes_have_no_interval():
    assert mean_of(np.array([1.5])) == (1.5, None, None, 1)
    assert mean_of(np.array([])) == (None, None, None, 0)


def test_episodes_without_a_score_do_not_count():
    row = means(result(a=[1.0, None, 3.0], b=[None]), TABLE)
    assert row["a"].value == 2
    assert row["a"].n == 2
    assert row["b"].n == 0


def test_differences_are_between_the_same_episodes():
    mine, other = result(a=[1.0, None, 7.0], b=[0.0]), result(a=[0.5, 99.0, 6.5], b=[None])
    better = over_agent(mine, other, TABLE)
    assert better["a"] == pytest.approx((0.5, 0.5, 0.5, 2))
    assert better["b"].n == 0
    smaller_is_better = TABLE._replace(higher_is_better=False)
    assert over_agent(mine, other, smaller_is_better)["a"].value == pytest.approx(-0.5)


def test_columns_are_compared_with_the_first():
    drops = over_first_column(result(a=[1.0, 2.0], b=[0.0, 1.0]), TABLE)
    assert drops["a"] == (0, 0, 0, 2)
    assert drops["b"] == (-1, -1, -1, 2)


def test_a_cell_says_where_episodes_are_missing():
    assert cell(mean_of(np.array([1.0, 1.0])), 2, 2) == "1.00 [1.00, 1.00]"
    assert cell(mean_of(np.array([1.0, 1.0])), 3, 3) == "1.000 [1.000, 1.000] (2 episodes)"
    assert cell(mean_of(np.array([])), 2, 2) == "-"


def test_tables_leave_out_what_nobody_has():
    scores = {"2": [1.0, 2.0], "3": [0.0, 1.0]}
    text = markdown("three_sources", {"A|B": result(**scores), "C": result(**scores)}, 2)
    assert text.count("###") == 1  # neither hindsight nor STFT distance
    assert "| A/B | 1.50 [1.00, 2.00] | 0.50 [0.00, 1.00] |" in text
    assert "Better than A|B in the same episodes:" in text
    assert "| C | 0.00 [0.00, 0.00] | 0.00 [0.00, 0.00] |" in text
    assert "column" not in text  # episodes with three sources are others
    alone = markdown("three_sources", {"A": result(**scores)}, 2)
    assert "Better" not in alone


def test_the_same_episodes_are_compared_between_columns():
    columns = {column: [1.0, 1.0] for column in tables_of("noise")[0].places}
    assert "Better than in the column 'none'" in markdown("noise", {"A": result(**columns)}, 2)
