"""The page about acoustics: its figures are what its command prints, its pictures what it draws."""

from pathlib import Path

import numpy as np
import pytest

from av_envs.conventions import SPEED_OF_SOUND
from docs import acoustics

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "acoustics.md").read_text("utf-8")


@pytest.fixture(scope="module")
def shown():
    return acoustics.example()


@pytest.fixture(scope="module")
def times():
    return acoustics.band_times()


def test_the_figures_of_the_page_are_those_of_the_command(shown, times):
    told = acoustics.figures(shown, times)
    block = PAGE.partition(f"```\n{told[0]}\n")[2].partition("\n```")[0].split("\n")
    assert len(block) == len(told) - 1
    for on_page, line in zip(block, told[1:], strict=True):
        assert on_page.split()[:1] == line.split()[:1]
        assert numbers(on_page) == pytest.approx(numbers(line), abs=0.11)  # of another processor


def numbers(line: str) -> list[float]:
    return [float(word) for word in line.split() if word.replace(".", "").lstrip("-").isdigit()]


def test_the_places_are_where_the_page_says(shown):
    rooms = [room.name for room in shown.dwelling.scene.rooms]
    graph = shown.dwelling.scene.graph
    assert rooms[graph.room[shown.source]] == rooms[graph.room[shown.here.node]] == "living room"
    assert rooms[graph.room[shown.there.node]] == "bedroom"
    assert shown.here.metres == pytest.approx(3, abs=0.5)
    assert shown.there.metres < shown.here.metres


def test_the_first_path_arrives_when_sound_can(shown):
    """Its line in the echogram stands at the distance over the speed of sound."""
    picture = acoustics.echogram(shown)
    red = np.flatnonzero((picture == acoustics.COLOURS["paths"]).all(axis=2).any(axis=0))
    first = red[red < 520].min()  # the legend lies farther right
    at = (first - 60) * 100 / (640 - 60 - 120)
    assert at == pytest.approx(1000 * shown.here.metres / SPEED_OF_SOUND, abs=0.5)


def test_the_times_of_a_sphere_are_woodworths():
    degrees, rows = acoustics.around()
    head = acoustics.load_hrtf("kemar")
    side = int(np.flatnonzero(degrees == 45)[0])
    seconds, louder = acoustics.interaural_differences(head, rows[side])
    angle = np.pi / 4
    expected = acoustics.HEAD_RADIUS / SPEED_OF_SOUND * (angle + np.sin(angle))
    assert seconds == pytest.approx(expected, abs=1.5 / 16_000)
    assert louder > 3


def test_every_picture_of_the_page_is_drawn(shown, times):
    pictures = {
        "decay": acoustics.decay(shown),
        "echogram": acoustics.echogram(shown),
        "bands": acoustics.bands(times),
        "time_differences": acoustics.time_differences(),
        "level_differences": acoustics.level_differences(),
    }
    for name, picture in pictures.items():
        assert f"(acoustics_{name}.png)" in PAGE
        assert picture.shape == (400, 640, 3)
        coloured = np.ptp(picture.astype(int), axis=2) > 60
        assert coloured[:, 60:520].any()
