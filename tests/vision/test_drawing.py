import numpy as np
import pytest

from av_envs.vision.drawing import draw_convex, draw_disc, draw_line, draw_ring, draw_text
from av_envs.vision.font import text_mask
from av_envs.vision.panels import colour_map


def test_the_colour_map_gets_lighter_all_the_way():
    linear = (colour_map() / 255) ** 2.2
    lightness = np.cbrt(linear @ [0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) >= 0).all()
    assert lightness[0] < 0.05
    assert lightness[-1] > 0.95


def blank():
    return np.zeros((40, 60, 3), np.uint8)


def test_shapes_cover_their_area():
    for draw, area in (
        (lambda c: draw_disc(c, (30, 20), 10, (200, 0, 0)), np.pi * 100),
        (lambda c: draw_ring(c, (30, 20), 10, 2, (200, 0, 0)), 2 * np.pi * 20),
        (lambda c: draw_line(c, (10, 10), (40, 30), 4, (200, 0, 0)), 4 * 36.06 + np.pi * 4),
        (lambda c: draw_convex(c, [(10, 5), (30, 5), (20, 25)], (200, 0, 0)), 200),
        (lambda c: draw_convex(c, [(20, 25), (30, 5), (10, 5)], (200, 0, 0)), 200),
    ):
        canvas = blank()
        draw(canvas)
        assert canvas[..., 0].sum() / 200 == pytest.approx(area, rel=0.03)
        assert canvas[..., 1:].max() == 0


def test_what_lies_outside_the_picture_is_left_out():
    canvas = blank()
    draw_disc(canvas, (0, 0), 5, (200, 0, 0))
    draw_disc(canvas, (500, -90), 5, (200, 0, 0))
    draw_text(canvas, (55, 35), "wide", (0, 200, 0))
    assert canvas[..., 0].sum() / 200 == pytest.approx(25 * np.pi / 4, rel=0.1)
    assert canvas[35:, 55:, 1].any()
    assert not canvas[:35, :, 1].any()


def test_letters_are_letters():
    assert text_mask("abc").shape == (7, 17)
    assert text_mask("abc", 2).shape == (14, 34)
    upright = text_mask("I")
    np.testing.assert_array_equal(upright, upright[:, ::-1])
    rows = ["".join(" #"[dot] for dot in row) for row in text_mask("L").astype(int)]
    assert rows == ["#    "] * 6 + ["#####"]
    printable = [chr(code) for code in range(33, 127)]
    assert len({text_mask(letter).tobytes() for letter in printable}) == len(printable)


def test_letters_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="printable ASCII"):
        text_mask("caf\u00e9")
