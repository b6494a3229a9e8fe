"""What is drawn lies where it should."""

import numpy as np
import pytest

from av_envs.benchmarks.experiments import plot
from av_envs.benchmarks.experiments.plot import COLOURS, HEIGHT, TOP, WIDTH, drawn, ticks_of
from av_envs.benchmarks.experiments.scores import Mean

NOTHING = Mean(None, None, None, 0)


def mean(value: float, half: float = 0.5) -> Mean:
    return Mean(value, value - half, value + half, 10)


def rows_of(picture: np.ndarray, colour: tuple, columns: slice) -> np.ndarray:
    """Pixel rows in which the colour is."""
    return np.flatnonzero((picture[:, columns] == colour).all(axis=2).any(axis=1))


PLOTTED = slice(plot.LEFT, WIDTH - plot.RIGHT)


@pytest.mark.parametrize("values", [(-3.2, 4.1), (0.01, 0.013), (100, 100), (1e-5, 900), (0, 1)])
def test_ticks_enclose_all_and_are_few(values):
    ticks = ticks_of([mean(value, 0.0) for value in values] + [NOTHING])
    assert ticks[0] <= min(values)
    assert ticks[-1] >= max(values)
    assert 2 <= len(ticks) <= plot.MOST_LINES + 2
    np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0])


def test_a_mean_is_a_mark_within_its_interval():
    row = {"none": mean(2.0, 1.0)}
    picture = drawn("title", "axis", {"A": row})
    coloured = np.ptp(picture[:, PLOTTED].astype(int), axis=2) > 40  # the rest is grey
    found = np.flatnonzero(coloured.any(axis=1))
    ticks = ticks_of(row.values())
    place = (HEIGHT - plot.BOTTOM) - (np.array([3.0, 1.0]) - ticks[0]) / np.ptp(ticks) * (
        HEIGHT - TOP - plot.BOTTOM
    )
    assert found.min() == pytest.approx(place[0], abs=1.5)
    assert found.max() == pytest.approx(place[1], abs=1.5)


def test_better_is_higher_and_every_agent_has_its_colour():
    columns = ("x", "y")
    agents = {f"agent {k}": {c: mean(float(k), 0.1) for c in columns} for k in range(3)}
    picture = drawn("title", "axis", agents)
    heights = [rows_of(picture, COLOURS[k], PLOTTED).mean() for k in range(3)]
    assert heights == sorted(heights, reverse=True)


def test_an_agent_of_one_column_is_a_level():
    agents = {"A": {"at once": mean(1.0), "0": NOTHING, "4": NOTHING}}
    picture = drawn("title", "axis", agents)
    last = picture[:, WIDTH - plot.RIGHT - 60 : WIDTH - plot.RIGHT].astype(int)
    assert (np.ptp(last, axis=2) > 40).any()


def test_hindsight_is_drawn_where_there_is_some():
    rows = {"A": {"x": mean(1.0), "y": mean(1.0)}}
    plain = drawn("t", "a", rows)
    nobody = drawn("t", "a", rows, {"A": {"x": NOTHING, "y": NOTHING}})
    np.testing.assert_array_equal(plain, nobody)
    refined = drawn("t", "a", rows, {"A": {"x": mean(1.4), "y": mean(1.2)}})
    assert (refined != plain).any()


def test_a_file_is_a_picture(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="needs Pillow: av-envs[test]")
    plot.check_can_draw()
    path = tmp_path / "made" / "noise.png"
    nobody = {"A": {"x": NOTHING}}
    plot.save_plot(path, "Gerausch für alle", "axis", {"é" * 90: {"x": mean(1.0)}})
    plot.save_plot(path, "title", "axis", nobody)
    with image.open(path) as picture:
        assert picture.size == (WIDTH, HEIGHT)
    assert [file.name for file in path.parent.iterdir()] == ["noise.png"]
