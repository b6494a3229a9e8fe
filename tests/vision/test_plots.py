import numpy as np
import pytest

from av_envs.vision.plots import (
    RANGE_DB,
    Axis,
    draw_ending,
    draw_series,
    spectrogram_picture,
    value_range,
)

RED = (200, 0, 0)


def brightness(magnitude):
    return spectrogram_picture(magnitude).astype(int).sum(axis=-1)


def test_high_notes_are_on_top_and_loud_ones_bright():
    magnitude = np.full((512, 32), 1e-6)
    magnitude[500], magnitude[4, :16] = 3.0, 30.0
    shown = brightness(magnitude)
    assert shown.shape == (128, 32)
    assert set(np.flatnonzero(shown[:, 20] > 50)) == {2}
    assert set(np.flatnonzero(shown[:, 3] > 50)) == {2, 126}
    assert shown[126, 3] > shown[2, 3] > shown[60, 3]


def test_the_scale_is_relative_and_ends():
    magnitude = np.full((512, 4), 1.0)
    magnitude[:, 1] = 10 ** (-RANGE_DB / 2 / 20)
    magnitude[:, 2] = 10 ** (-(RANGE_DB + 1) / 20)
    shown = spectrogram_picture(magnitude)
    np.testing.assert_array_equal(shown, spectrogram_picture(100 * magnitude))
    loudest, middle, black = (brightness(magnitude)[0, k] for k in (0, 1, 2))
    assert loudest > middle > black
    assert black == brightness(np.zeros((512, 4)))[0, 0]


def test_two_pictures_can_have_one_scale():
    magnitude = np.full((512, 4), 1.0)
    whole, half = (
        spectrogram_picture(magnitude, brightest).astype(int) for brightest in (1.0, 2.0)
    )
    np.testing.assert_array_equal(whole, spectrogram_picture(magnitude))
    assert half.sum() < whole.sum()
    np.testing.assert_array_equal(half, spectrogram_picture(magnitude / 2, 1.0))


def test_silence_is_black():
    assert brightness(np.zeros((512, 32))).max() < 20


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (-5, 5)),
        ([np.nan], (-5, 5)),
        ([1.0, -1.0], (-5, 5)),
        ([0.0, 5.0, 5.1], (-5, 10)),
        ([-12.0, np.nan, -3.0], (-15, 5)),
    ],
    ids=str,
)
def test_the_range_holds_every_value(values, expected):
    assert value_range(values, 5.0) == expected


def test_gaps_are_left_out_and_later_steps_lie_further_right():
    canvas = np.zeros((100, 240, 3), np.uint8)
    draw_series(canvas, (40, 10, 200, 80), [np.nan, 2.0, np.nan, 4.0], Axis(10, 5.0), RED)
    columns = np.flatnonzero((canvas == RED).all(axis=-1).any(axis=0))
    assert columns.min() == pytest.approx(44 + 192 / 10, abs=2)
    assert columns.max() <= 44 + 192 * 3 / 10 + 4


def test_endings_end_where_they_should():
    canvas = np.zeros((40, 100, 3), np.uint8)
    draw_ending(canvas, (80, 10), "-12", (255, 255, 255))
    columns = np.flatnonzero(canvas.any(axis=(0, 2)))
    assert 74 <= columns.max() <= 80
