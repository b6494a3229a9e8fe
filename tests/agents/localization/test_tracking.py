"""Tracks of several sources: closed forms of the filter, and that tracks stay what they are."""

import numpy as np
import pytest

from av_envs.agents.localization.directions import angles_of, unit_vectors
from av_envs.agents.localization.metrics import Frames
from av_envs.agents.localization.tracking import AzimuthTracker, TrackerConfig, tracked

STEP = 0.1  # s
DEGREES = np.radians(1.0)


def azimuths_of(tracker: AzimuthTracker, *found: float, quiet: bool = False) -> dict[int, float]:
    """Degrees by number of track after a step with azimuths in degrees."""
    now = tracker.step(np.array(found) * DEGREES, STEP, quiet)
    return {track.number: float(track.azimuth / DEGREES) for track in now}


def test_two_in_three_steps_begin_a_track():
    tracker = AzimuthTracker()
    assert azimuths_of(tracker, 20.0) == {}
    assert azimuths_of(tracker) == {}
    assert azimuths_of(tracker, 22.0).keys() == {0}
    tracker.reset()
    assert azimuths_of(tracker, 20.0) == {}
    assert azimuths_of(tracker) == azimuths_of(tracker) == {}
    assert azimuths_of(tracker, 22.0) == {}


def test_who_does_not_move_is_where_the_mean_of_the_azimuths_is():
    """Without drift the filter is the mean but for the weight of its first doubt of the rate."""
    config = TrackerConfig(drift=1e-9)
    tracker, rng = AzimuthTracker(config), np.random.default_rng(0)
    found = 40 + rng.normal(0, 13, 200)
    for azimuth in found:
        now = azimuths_of(tracker, azimuth)
    assert now[0] == pytest.approx(found.mean(), abs=1e-3)


def test_gain_of_the_second_step():
    """By hand: K = P / (P + R) with P = R + q^2 dt^2 + q^2 dt^3 / 3."""
    config = TrackerConfig()
    tracker = AzimuthTracker(config)
    azimuths_of(tracker, 10.0)
    before = config.spread**2 + config.drift**2 * (STEP**2 + STEP**3 / 3)
    gain = before / (before + config.spread**2)
    assert azimuths_of(tracker, 20.0)[0] == pytest.approx(10 + 10 * gain)


def test_who_moves_is_followed_and_predicted():
    tracker = AzimuthTracker(TrackerConfig(spread=DEGREES, reported=4))
    for k in range(40):
        now = azimuths_of(tracker, 3.0 * k)
    assert now[0] == pytest.approx(117, abs=0.5)
    for k in range(40, 43):
        assert azimuths_of(tracker)[0] == pytest.approx(3.0 * k, abs=2)


def test_straight_behind_there_is_no_jump():
    tracker = AzimuthTracker()
    for azimuth in (170, 178, -175, -168):
        now = azimuths_of(tracker, azimuth)
    assert now.keys() == {0}
    assert np.abs(now[0]) > 170


def test_sources_that_pass_each_other_keep_their_numbers():
    tracker = AzimuthTracker(TrackerConfig(spread=3 * DEGREES))
    for k in range(41):
        left, right = 60 - 3.0 * k, -60 + 3.0 * k
        found = (left, right) if k % 2 else (right, left)
        now = azimuths_of(tracker, *found)
    assert now.keys() == {0, 1}
    first, second = (now[0], now[1])
    assert {round(first, -1), round(second, -1)} == {60, -60}
    assert first == pytest.approx(60, abs=4)  # which was to the right at first


def test_the_sum_of_angles_is_least_not_the_first_angle():
    """Nearest first would give 12 degrees to 10 and leave 0 to 24, beyond the gate."""
    config = TrackerConfig(gate=15 * DEGREES, spread=DEGREES)
    tracker = AzimuthTracker(config)
    for _ in range(3):
        azimuths_of(tracker, 10.0, 24.0)
    now = azimuths_of(tracker, 0.0, 12.0)
    assert now.keys() == {0, 1}
    assert now[0] < 5


def test_nothing_beyond_the_gate_is_assigned():
    tracker = AzimuthTracker(TrackerConfig(reported=9))
    for _ in range(3):
        azimuths_of(tracker, 0.0)
    assert azimuths_of(tracker, 50.0)[0] == pytest.approx(0)
    assert azimuths_of(tracker, 44.0)[0] > 5


@pytest.mark.parametrize(("quiet", "lives"), [(False, 4), (True, 9)])
def test_a_track_that_is_missed_ends(quiet, lives):
    tracker = AzimuthTracker(TrackerConfig(reported=99))
    for _ in range(2):
        azimuths_of(tracker, 0.0)
    seen = [len(azimuths_of(tracker, quiet=quiet)) for _ in range(12)]
    assert seen == [1] * lives + [0] * (12 - lives)
    azimuths_of(tracker, 0.0)
    assert azimuths_of(tracker, 0.0).keys() == {1}


def test_no_more_tracks_than_there_may_be():
    tracker = AzimuthTracker(TrackerConfig(tracks=2))
    for _ in range(4):
        now = tracker.step(np.array([0.0, 1.5, 3.0]), STEP)
    assert [track.slot for track in now] == [0, 1]


def test_who_has_to_wait_for_a_free_track_begins_when_it_is_found():
    tracker = AzimuthTracker(TrackerConfig(tracks=1, reported=9))
    for _ in range(3):
        tracker.step(np.array([0.0]), STEP)
    for found in ([1.5], [1.5], [1.5], [1.5], []):  # the first track is missed for the fifth time
        now = tracker.step(np.array(found), STEP)
    assert now == []
    assert [track.found for track in tracker.step(np.array([1.5]), STEP)] == [0]


def test_azimuths_that_are_none_are_named():
    with pytest.raises(ValueError, match=r"azimuths must be \(K,\) finite numbers, got .*nan"):
        AzimuthTracker().step(np.array([np.nan]), STEP)


def frames_of(azimuth: np.ndarray, sounding: np.ndarray) -> Frames:
    """(L, N) degrees."""
    found = unit_vectors(azimuth * DEGREES, np.full(azimuth.shape, 0.2))
    return Frames(found, sounding, found, sounding, sounding)


def test_a_head_that_turns_leaves_a_track_where_it_was():
    headings = np.repeat([0, 1, 1, 2], 5)
    azimuth = 30.0 - 90 * headings[:, None]
    found = tracked(frames_of(azimuth, np.ones((20, 1), bool)), headings)
    assert found.sounding[1:].all()
    said = angles_of(found.found[1:])
    np.testing.assert_allclose(np.exp(1j * said[0]), np.exp(1j * azimuth[1:] * DEGREES), atol=1e-6)
    np.testing.assert_allclose(said[1], 0.2, atol=1e-6)
    still = tracked(frames_of(azimuth, np.ones((20, 1), bool)))
    assert not still.sounding[5]  # to a head that says it did not turn the source has jumped


def test_tracks_keep_their_column_when_a_localiser_mixes_them_up():
    rng, length = np.random.default_rng(0), 60
    azimuth = np.array([50.0, -50.0]) + rng.normal(0, 8, (length, 2))
    swapped = rng.random(length) < 0.5
    azimuth[swapped] = azimuth[swapped, ::-1]
    found = tracked(frames_of(azimuth, np.ones((length, 2), bool)))
    said = angles_of(found.found[2:])[0]
    assert (np.sign(said) == np.sign(said[0])).all()


def test_as_many_tracks_as_the_frames_have():
    with pytest.raises(ValueError, match="the frames have 1 tracks, the tracker 3"):
        tracked(frames_of(np.zeros((2, 1)), np.ones((2, 1), bool)), config=TrackerConfig(tracks=3))
