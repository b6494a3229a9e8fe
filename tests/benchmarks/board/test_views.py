"""What is seen, as one small picture: any reader of PNG opens it, and it keeps its budget."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from av_envs.benchmarks.board.views import BUDGET, N_COLOURS, indexed_png, view_sheet
from av_envs.scene import House
from av_envs.vision import render_rgbd


def opened(sheet):
    return np.array(Image.open(io.BytesIO(base64.b64decode(sheet["png"]))).convert("RGB"))


def tile(sheet, walker, step):
    """What the page shows of a walker after a number of steps."""
    number, size = sheet["tiles"][walker][step // sheet["every"]], sheet["size"]
    row, column = divmod(number, sheet["columns"])
    rows, columns = (slice(size * k, size * (k + 1)) for k in (row, column))
    return opened(sheet)[rows, columns]


def plain(*colours):
    """One view of one colour for every step of one walker."""
    return np.stack([np.full((1, 128, 128, 3), colour, np.uint8) for colour in colours])


def noise(n_steps, walkers=1):
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(n_steps, walkers, 128, 128, 3), dtype=np.uint8)


def test_few_colours_are_kept_as_they_are():
    picture = np.zeros((5, 7, 3), np.uint8)
    picture[1:3, 2:6] = 200, 100, 0
    picture[4] = 8, 8, 255
    picture[4, 0] = 8, 9, 255
    read = Image.open(io.BytesIO(indexed_png(picture)))
    assert read.format == "PNG"
    np.testing.assert_array_equal(read.convert("RGB"), picture)


def test_a_view_of_a_house_keeps_its_look():
    scene = House(3).scene()
    picture, _ = render_rgbd(scene, scene.graph.heads[0], 1)
    read = np.array(Image.open(io.BytesIO(indexed_png(picture))).convert("RGB"))
    assert len(np.unique(read.reshape(-1, 3), axis=0)) <= N_COLOURS
    assert np.abs(read.astype(int) - picture).mean() < 4


def test_each_view_is_kept_once_and_found_at_its_step():
    colours = [(0, 0, 0), (250, 0, 0), (0, 0, 0), *((0, 25 * k, 250) for k in range(9))]
    sheet = view_sheet(plain(*colours))
    assert max(sheet["tiles"][0]) == len(set(colours)) - 1
    for step, colour in enumerate(colours):
        shown = tile(sheet, 0, step)
        assert shown.shape == (128, 128, 3)
        assert (shown == colour).all(), step


def test_walkers_have_views_of_their_own():
    views = np.concatenate([plain((9, 9, 9), (0, 200, 0)), plain((9, 9, 9), (0, 0, 100))], axis=1)
    sheet = view_sheet(views)
    assert sheet["tiles"] == [[0, 1], [0, 2]]
    assert (tile(sheet, 0, 1) == (0, 200, 0)).all()
    assert (tile(sheet, 1, 1) == (0, 0, 100)).all()


@pytest.mark.parametrize(("n_steps", "size"), [(4, 128), (30, 64), (200, 64)])
def test_the_budget_holds_for_views_that_hardly_shrink(n_steps, size):
    sheet = view_sheet(noise(n_steps))
    assert len(base64.b64decode(sheet["png"])) <= BUDGET
    assert sheet["size"] == size
    assert (sheet["every"] > 1) == (n_steps == 200)
    assert len(sheet["tiles"][0]) == -(-n_steps // sheet["every"])
