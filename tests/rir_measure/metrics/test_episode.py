"""The metrics against every row that the paper prints.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023. Rows are WCR,
PE, CR; all with lambda 0.1 but for those of Table 4.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from av_envs.rir_measure.metrics.episode import coverage_ratio, pes, wcr, wcr_of_means

PRINTED = {
    "table 1, Replica": [
        (0.3103, 5.4925, 0.3439),
        (0.3444, 5.4533, 0.3817),
        (0.4464, 3.7224, 0.4907),
        (0.4327, 3.4883, 0.4742),
        (0.6977, 3.2509, 0.7669),
    ],
    "table 1, Matterport3D": [
        (0.2036, 5.5552, 0.2254),
        (0.2099, 5.3342, 0.2321),
        (0.2225, 4.5327, 0.2449),
        (0.2111, 4.4255, 0.2319),
        (0.3030, 4.0113, 0.3327),
    ],
    "table 2, vision": [
        (0.5020, 3.4966, 0.5512),
        (0.5930, 3.8204, 0.6541),
        (0.5068, 3.4927, 0.5566),
        (0.6977, 3.2509, 0.7669),
    ],
    "table 5, weight of the perimeter": [
        (0.4906, 3.4624, 0.5384),
        (0.5650, 3.4742, 0.6211),
    ],
    "table 6, components of the reward": [
        (0.4327, 3.4883, 0.4742),
        (0.5215, 3.7912, 0.5745),
        (0.4464, 3.7224, 0.4907),
        (0.5650, 3.4742, 0.6211),
        (0.4663, 3.2902, 0.5101),
        (0.5468, 3.2901, 0.5996),
        (0.6977, 3.2509, 0.7669),
    ],
    "table 7, memory": [
        (0.6006, 3.1518, 0.6582),
        (0.6977, 3.2509, 0.7669),
        (0.4930, 3.1751, 0.5389),
        (0.5006, 3.7761, 0.5513),
        (0.5319, 3.1821, 0.5822),
    ],
    "table 10, sharing": [
        (0.6977, 3.2509, 0.7669),
        (0.6614, 3.5727, 0.7288),
        (0.5287, 3.3398, 0.5798),
        (0.5040, 3.1860, 0.5512),
        (0.5384, 3.3099, 0.5904),
        (0.4510, 2.9755, 0.4903),
        (0.5471, 3.2316, 0.5995),
    ],
}
ROWS = [(table, *row) for table, rows in PRINTED.items() for row in rows]


@pytest.mark.parametrize(("table", "printed", "pe", "cr"), ROWS)
def test_printed_rows_are_the_formula(table, printed, pe, cr):
    """Half a digit for the rounding of the result and as much for that of CR."""
    assert wcr(cr, pe) == pytest.approx(printed, abs=1.0e-4), table


@pytest.mark.parametrize(
    ("lam", "printed", "pe", "cr"), [(0.1, 0.4327, 3.4883, 0.4742), (0.5, 0.2364, 3.7721, 0.4278)]
)
def test_table_4_weighs_by_lambda(lam, printed, pe, cr):
    assert wcr(cr, pe, lam) == pytest.approx(printed, abs=1.0e-4)


def test_table_4_prints_a_value_of_another_lambda():
    """The row of lambda 0.9 says 0.2653, which is that of 0.5; right is 0.0989."""
    assert wcr(0.4732, 3.5234, 0.9) == pytest.approx(0.0989, abs=5e-5)
    assert wcr(0.4732, 3.5234, 0.5) == pytest.approx(0.2653, abs=1e-4)


@pytest.mark.parametrize(
    ("printed", "pe", "cr"),
    [(0.1167, 2.9037, 0.1181), (0.1602, 3.1618, 0.1690), (0.3037, 3.1188, 0.3280)],
)
def test_table_3_leaves_out_a_coverage_that_follows_from_the_rest(printed, pe, cr):
    assert wcr(cr, pe) == pytest.approx(printed, abs=1.0e-4)


@given(st.floats(0, 700))
def test_pes_is_the_printed_formula(pe):
    assert pes(pe) == pytest.approx(2 / (1 + np.exp(-pe)) - 1, abs=1e-12)


def test_pes_stays_in_its_range_for_any_error():
    errors = np.array([0.0, 1.0, 5.0, 1e4, np.inf])
    assert (np.diff(pes(errors)) >= 0).all()
    assert pes(errors)[[0, -1]].tolist() == [0, 1]


def test_perfect_and_worst_scores():
    assert wcr(1.0, 0.0) == pytest.approx(1)
    assert wcr(0.0, np.inf) == pytest.approx(0)


def test_nothing_predicted_has_no_score():
    assert np.isnan(wcr(0.5, np.nan))


def test_wcr_of_means_is_no_mean_of_wcr():
    cr, pe = np.array([0.2, 0.6]), np.array([0.0, 4.0])
    assert wcr_of_means(cr, pe) == pytest.approx(0.9 * 0.4 + 0.1 * (1 - np.tanh(1)))
    assert wcr(cr, pe).mean() == pytest.approx(0.9 * 0.4 + 0.1 * (1 - np.tanh(2) / 2))
    assert wcr_of_means(cr, pe, 0.5) == pytest.approx(0.5 * 0.4 + 0.5 * (1 - np.tanh(1)))


def test_coverage_is_the_share_of_visited_nodes():
    assert coverage_ratio(np.array([True, False, True, False, False])) == 0.4
    assert coverage_ratio(np.ones(7, bool)) == 1
