"""Measures of recordings whose answers can be counted by hand."""

import numpy as np
import pytest

from av_envs.agents.localization.clear_mot import clear_mot
from av_envs.agents.localization.directions import unit_vectors
from av_envs.agents.localization.metrics import Frames, counts_of, matched_pairs, scores


def frames(found, truth, sight=True) -> Frames:
    """Azimuths in degrees by frame and track; None where there is none."""
    directions, there = [], []
    for table in (found, truth):
        azimuth = np.array([[np.nan if a is None else a for a in row] for row in table])
        there.append(np.isfinite(azimuth))
        directions.append(unit_vectors(np.radians(np.nan_to_num(azimuth)), np.zeros(azimuth.shape)))
    return Frames(directions[0], there[0], directions[1], there[1], np.full(there[1].shape, sight))


ONE = frames(  # one source, two tracks
    found=[(10, None), (None, None), (None, 40), (30, -50)],
    truth=[(0, None), (0, None), (20, None), (20, None)],
)


def test_one_source():
    """Errors 10, 20 and 10 in three of four frames; a miss, a false alarm, two onsets."""
    assert counts_of(ONE) == (4, 4, 3, 1, 1, 2)
    got = scores([ONE])
    assert got["le"] == pytest.approx(40 / 3, abs=1e-3)
    assert got["lr"] == got["lp"] == got["lf"] == pytest.approx(75)
    assert got["mota"] == pytest.approx(100 * (1 - 4 / 4))
    assert got["ids"] == 2


def test_two_sources_are_assigned_by_the_least_sum():
    both = frames(found=[(100, 0)], truth=[(10, 80)])
    np.testing.assert_allclose(sorted(matched_pairs(both).error), [10, 20], atol=1e-3)


def test_recall_and_precision_differ():
    got = scores([frames(found=[(0, None), (0, None)], truth=[(0, 90), (0, None)])])
    assert got["lr"] == pytest.approx(200 / 3)
    assert got["lp"] == 100
    assert got["lf"] == pytest.approx(80)


def test_recordings_have_no_onset_between_them():
    one, other = frames([(None,)], [(0,)]), frames([(0,)], [(0,)])
    assert scores([one, other])["ids"] == 0
    both = Frames(*(np.concatenate(part) for part in zip(one, other, strict=True)))
    assert scores([both])["ids"] == 1


def test_a_localiser_without_activity_takes_the_better_track():
    """As in the reference code; how many it takes as active means nothing."""
    got = scores([frames(found=[(170, 5)], truth=[(0, None)])], says_activity=False)
    assert got["le"] == pytest.approx(5, abs=1e-3)
    assert got["lp"] == 50
    assert np.isnan(got["mota"])
    assert np.isnan(got["ids"])


def test_front_and_back():
    """150 is 30 mirrored: an error of 110 that is 10 when folded."""
    got = scores([frames(found=[(150,), (40,)], truth=[(40,), (40,)])])
    assert got["le"] == pytest.approx(55, abs=0.02)
    assert got["folded_le"] == pytest.approx(5, abs=0.02)
    assert got["confusions"] == 0.5


def test_who_is_at_the_side_is_neither_in_front_nor_behind():
    assert np.isnan(scores([frames(found=[(95,)], truth=[(85,)])])["confusions"])


def test_split_by_line_of_sight():
    got = scores([frames([(10,)], [(0,)], True), frames([(30,)], [(0,)], False)])
    assert got["le_sight"] == pytest.approx(10, abs=1e-3)
    assert got["folded_le_hidden"] == pytest.approx(30, abs=1e-3)


def test_nothing_found_and_nothing_there():
    got = scores([frames(found=[(None,)], truth=[(None,)])])
    assert all(np.isnan(value) for name, value in got.items() if name != "ids")
    assert scores([frames(found=[(None,)], truth=[(0,)])])["lr"] == 0


def test_clear_mot_switches_are_of_identity():
    """Two sources whose tracks are exchanged halfway: two switches in six frames of two."""
    pytest.importorskip("motmetrics", reason="the extra [tracking]")
    found = [(0, 90)] * 3 + [(90, 0)] * 3
    got = clear_mot([frames(found, [(2, 90)] * 6)])
    assert got["num_switches"] == 2
    assert got["num_misses"] == got["num_false_positives"] == 0
    assert got["mota"] == pytest.approx(1 - 2 / 12)
    assert got["motp"] == pytest.approx(1, abs=0.02)
    assert got["idf1"] == pytest.approx(0.5)


def test_clear_mot_has_a_threshold():
    pytest.importorskip("motmetrics", reason="the extra [tracking]")
    got = clear_mot([frames([(40,), (10,), (None,)], [(0,), (0,), (0,)])])
    assert (got["num_misses"], got["num_false_positives"]) == (2, 1)
    assert got["mota"] == pytest.approx(0)
    assert clear_mot([frames([(40,)], [(0,)])], farthest=45)["mota"] == 1


def test_clear_mot_bears_a_recording_in_which_nothing_is_found():
    pytest.importorskip("motmetrics", reason="the extra [tracking]")
    heard = frames([(2,), (4,)], [(0,), (0,)])
    got = clear_mot([heard, frames([(None,)], [(0,)])])
    assert got["motp"] == pytest.approx(3, abs=0.02)
    assert np.isnan(clear_mot([frames([(None,)], [(0,)])])["motp"])


def test_clear_mot_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "motmetrics", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install -e '\.\[tracking\]'"):
        clear_mot([ONE])
