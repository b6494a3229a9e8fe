"""Solvers by evaluations."""

from av_envs.agents.refinement.ablate import COLOURS, figure, table
from av_envs.agents.refinement.flow import SOLVERS

ERRORS = {"euler": {1: 3.0, 2: 2.5, 4: 2.0}, "heun": {2: 2.75, 4: 2.25}}


def test_every_solver_has_a_colour():
    assert set(COLOURS) == set(SOLVERS)


def test_a_row_for_every_number_of_evaluations():
    rows = table(ERRORS, 4.0).splitlines()
    assert rows[0] == "| NFE | euler | heun |"
    assert rows[2:] == [
        "| 0 | 4.000 | 4.000 |",
        "| 1 | 3.000 |  |",
        "| 2 | 2.500 | 2.750 |",
        "| 4 | 2.000 | 2.250 |",
    ]


def test_a_line_for_every_solver():
    drawn = {tuple(pixel) for pixel in figure(ERRORS).reshape(-1, 3)}
    assert {COLOURS["euler"], COLOURS["heun"]} <= drawn
    assert COLOURS["midpoint"] not in drawn
