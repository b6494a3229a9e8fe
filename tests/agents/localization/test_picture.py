"""What is drawn is what was found, where it was found."""

import numpy as np
import pytest
from PIL import Image

from av_envs.agents.localization import picture
from av_envs.agents.localization.directions import unit_vectors
from av_envs.agents.localization.metrics import Frames
from av_envs.vision.panels import BLUE, GREEN


def frames(found: list[float], truth: list[float], sight: bool = True) -> Frames:
    """Azimuths in degrees of one track, always active."""
    shape = (len(found), 1)
    units = [unit_vectors(np.radians(a)[:, None], np.zeros(shape)) for a in (found, truth)]
    on = np.ones(shape, bool)
    return Frames(units[0], on, units[1], on, np.full(shape, sight))


def rows_of(page: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((page == colour).all(axis=2))[:, 0]


def test_tracks_are_drawn_at_their_azimuths():
    page = picture.tracks_page([frames([90] * 10, [-90] * 10)], says_activity=False)
    top = picture.MARGIN + picture.CAPTION
    assert rows_of(page, BLUE).mean() == pytest.approx(top + picture.TALL / 4, abs=1)
    assert rows_of(page, GREEN).mean() == pytest.approx(top + 3 * picture.TALL / 4, abs=1)
    hidden = picture.tracks_page([frames([90] * 10, [-90] * 10, sight=False)], says_activity=False)
    assert len(rows_of(hidden, GREEN)) == 0


def test_errors_by_ten_degrees():
    shares = picture.shares_of_errors(np.array([0, 4, -4, 356, 90, -90, 180, -180]))
    assert shares[0] == 0.5
    assert shares[9] == shares[27] == 0.125
    assert shares[18] == 0.25


def test_errors_to_the_left_are_drawn_to_the_left():
    page = picture.errors_page([frames([90] * 5, [0] * 5)])
    half = page.shape[1] // 2
    columns = np.argwhere((page == BLUE).all(axis=2))[:, 1]
    assert len(columns) > 100
    assert columns.max() <= half // 2 + 1


def test_confusion_of_front_and_back():
    """A source at 30 degrees that is found at 150 lies on the line across the diagonal."""
    table = picture.confusion(np.array([150, 31, 31, 31]), np.array([31, 31, 31, -120]))
    assert table[2, 9] == pytest.approx(1 / 3)
    assert table[9, 9] == pytest.approx(2 / 3)
    assert table[9, 20] == 1
    assert table.sum() == pytest.approx(2)
    assert picture.confusion(np.array([180.0]), np.array([-180.0]))[0, -1] == 1


@pytest.mark.parametrize("show", ["tracks", "errors", "confusion"])
def test_the_command_writes_a_file(show, tmp_path, monkeypatch):
    made = [frames([0, 20, 170], [5, 20, 10]), frames([100], [110], sight=False)]
    monkeypatch.setattr(picture, "heard", lambda given: (made, True))
    path = tmp_path / "shown.png"
    assert picture.main(["--out", str(path), "--show", show, "--takes", "1"]) == 0
    with Image.open(path) as drawn:
        assert drawn.size[0] > 300


def test_a_mistake_is_one_line(tmp_path, capsys):
    words = ["--out", str(tmp_path / "a.png"), "--localizer", str(tmp_path / "none")]
    assert picture.main(words) == 1
    assert "none" in capsys.readouterr().err.splitlines()[-1]
