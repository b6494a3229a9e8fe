import numpy as np
import pytest

from av_envs.vision.drawing import draw_convex, draw_disc, draw_line, draw_ring, draw_text
from av_envs.vision.font import CUT, text_mask, trimmed
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
    assert canvas[34:, 55:, 1].any()
    assert not canvas[:33, :, 1].any()


def test_letters_are_letters():
    """Every one differs from every other, capitals begin alike, and a line is as wide as it is."""
    for scale, rows in ((1, 15), (2, 22)):
        printable = [chr(code) for code in range(33, 127)]
        masks = {letter: text_mask(letter, scale) for letter in printable}
        assert len({mask.tobytes() for mask in masks.values()}) == len(printable)
        assert {mask.shape[0] for mask in masks.values()} == {rows}
        tops = {np.flatnonzero((masks[one] > 99).any(axis=1))[0] for one in "EFHIKLM"}
        assert tops == {CUT}
        widths = {letter: mask.shape[1] - 2 * CUT for letter, mask in masks.items()}
        assert text_mask("Wig", scale).shape[1] - 2 * CUT == sum(widths[one] for one in "Wig")
        assert widths["W"] > widths["n"] > widths["i"]


def test_a_g_is_no_nine():
    """It reaches below the line, where digits and capitals end."""
    reach = {letter: np.flatnonzero(text_mask(letter, 2).any(axis=1))[-1] for letter in "g9Hjpq"}
    assert all(reach[letter] > reach["9"] + 2 for letter in "gjpq")
    assert abs(reach["9"] - reach["H"]) <= 1


def test_letters_are_smooth_and_blend_in():
    mask = text_mask("S", 2)
    assert ((mask > 20) & (mask < 235)).sum() > 10
    canvas = np.full((30, 30, 3), 100, np.uint8)
    draw_text(canvas, (5, 5), "S", (200, 100, 0), scale=2)
    shares = (canvas[..., 0].astype(int) - 100) / 100
    np.testing.assert_allclose(100 - 100 * shares, canvas[..., 2], atol=1)
    assert (canvas[..., 1] == 100).all()
    assert shares.max() > 0.9


def test_trimmed_letters_have_no_margin():
    mask = trimmed(text_mask("8", 2))
    assert mask[0].any()
    assert mask[-1].any()
    assert mask[:, 0].any()
    assert mask[:, -1].any()


def test_sizes_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="scales 1, 2, not 3"):
        text_mask("a", 3)


def test_letters_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="printable ASCII"):
        text_mask("caf\u00e9")
