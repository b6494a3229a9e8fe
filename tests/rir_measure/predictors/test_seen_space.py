"""Maps from depth images against rooms of known shape, and what the predictor makes of them."""

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  # registers environments
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import PredictionContext, open_predictor
from av_envs.rir_measure.predictors.interpolating import Interpolating
from av_envs.rir_measure.predictors.seen_space import (
    HORIZON,
    NEEDED,
    OPEN,
    PER_UNKNOWN,
    PER_WALL,
    TO_THE_LEFT,
    SeenSpace,
)
from av_envs.vision import IMAGE_SIZE, MAX_DEPTH

CONTEXT = PredictionContext(("robot_0",), 0.5, 250, truth=None)


def facing(wall: float, gap: tuple[float, float] = (9, 9)) -> np.ndarray:
    """Depth of a wall so many metres ahead, with a gap between two metres to the left."""
    depth = np.full((IMAGE_SIZE, IMAGE_SIZE, 1), wall / MAX_DEPTH, np.float32)
    depth[HORIZON + 1 :] = 0.05  # furniture below the plane of the heads is overlooked
    left = wall * TO_THE_LEFT
    depth[HORIZON, (left > gap[0]) & (left < gap[1])] = 1
    return depth


def pairs(emitter, receiver=(0, 0)) -> Pairs:
    ends = (np.array([[*place, 1.5]], np.float32) for place in (emitter, receiver))
    return Pairs(*ends, np.array([0]))


def seeing(heading: int = 0, **given) -> list[dict]:
    observation = {
        "depth": facing(4),
        "position": np.zeros(3, np.float32),
        "azimuth": np.array([heading / 4, 0], np.float32),
    }
    return [{"robot_0": observation | given}]


@pytest.mark.parametrize("heading", range(4))
def test_a_wall_hides_and_a_gap_in_it_does_not(heading):
    space = SeenSpace()
    space.look(np.zeros(3), heading, facing(4, gap=(1, 2)))
    turn = np.round(np.exp(0.5j * np.pi * heading), 6)

    def at(ahead, left):
        place = turn * (ahead + 1j * left)
        return place.real, place.imag

    assert space.log_odds(pairs(at(3.5, 0)))[0] == pytest.approx(OPEN, abs=PER_UNKNOWN * 0.1)
    assert space.log_odds(pairs(at(3.5, -2)))[0] == pytest.approx(OPEN, abs=PER_UNKNOWN * 0.1)
    assert space.log_odds(pairs(at(6, 2.25)))[0] == pytest.approx(OPEN, abs=PER_UNKNOWN * 0.1)
    beyond = space.log_odds(pairs(at(5, 0)))[0]
    assert beyond == pytest.approx(OPEN - PER_UNKNOWN * 0.95 - PER_WALL * 0.1, abs=PER_WALL * 0.06)
    behind = np.array([[[*at(5, 0), 1.5], [*at(3, 0), 1.5]]])
    assert space.hides(behind, np.array([[[0, 0, 1.5], [0, 0, 1.5]]])).tolist() == [[[True, False]]]


def test_where_nobody_looked_nothing_is_known():
    space = SeenSpace()
    assert space.log_odds(pairs((3, 0)))[0] == pytest.approx(OPEN - 3 * PER_UNKNOWN)
    space.look(np.zeros(3), 0, facing(4))
    assert space.log_odds(pairs((-8, 0)))[0] == pytest.approx(OPEN - 8 * PER_UNKNOWN, abs=0.2)
    space.look(np.array([40.0, -30, 0]), 2, facing(4))  # the map grows
    assert space.log_odds(pairs((3, 0)))[0] == pytest.approx(OPEN, abs=0.2)
    assert space.log_odds(pairs((37, -30), (40, -30)))[0] == pytest.approx(OPEN, abs=0.2)


def test_what_is_farther_than_the_image_reaches_is_no_wall():
    space = SeenSpace()
    space.look(np.zeros(3), 0, facing(MAX_DEPTH))
    assert space.log_odds(pairs((12, 0)))[0] == pytest.approx(OPEN - 2 * PER_UNKNOWN, abs=0.2)


def test_looking_twice_from_one_pose_is_looking_once():
    once, twice = SeenSpace(), SeenSpace()
    for space, times in ((once, 1), (twice, 2)):
        for _ in range(times):
            space.look_around(seeing())
    assert np.array_equal(once.cells, twice.cells)
    assert np.array_equal(once.origin, twice.origin)


def decaying(level: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((1, 2, 16000))
    return (level * noise * np.exp(-np.arange(16000) / 2000)).astype(np.float32)


def test_direct_sound_is_predicted_where_the_images_show_sight():
    peaks = []
    for wall in (8, 2):
        interpolating = open_predictor("interpolating_depth")
        interpolating.reset(CONTEXT)
        predicted = interpolating.predict(pairs((6, 0)), seeing(depth=facing(wall)))
        peaks.append(np.abs(predicted).max())
    assert peaks[0] > 4 * peaks[1]


def test_what_was_measured_behind_a_wall_counts_less():
    loudness = []
    for wall in (8, 3):
        interpolating = Interpolating(sight="depth")
        interpolating.reset(CONTEXT)
        interpolating.predict(pairs((1, 0)), seeing(depth=facing(wall)))
        interpolating.observe(pairs((2.5, 0)), decaying(0.1))
        predicted = interpolating.predict(pairs((3.5, 0)), [])
        loudness.append(np.square(predicted[..., 2000:]).sum())
    assert loudness[0] > 2 * loudness[1]


def test_without_images_it_says_what_it_needs():
    interpolating = Interpolating(sight="depth")
    interpolating.reset(CONTEXT)
    blind = [{"robot_0": {"position": np.zeros(3, np.float32)}}]
    with pytest.raises(ValueError, match=r"needs .*depth, position.*robot_0 lacks azimuth, depth"):
        interpolating.predict(pairs((1, 0)), blind)
    with pytest.raises(ValueError, match=r"sight .images. does not exist"):
        Interpolating(sight="images")


def test_positions_in_a_frame_of_their_own_are_refused():
    interpolating = Interpolating(sight="depth")
    interpolating.reset(CONTEXT)
    there = pairs((9, 0), (7, 0))
    interpolating.predict(there, seeing())
    with pytest.raises(ValueError, match=r"position_frame='scene'; the robots are 7\.00 m"):
        interpolating.observe(there, np.zeros((1, 2, 16000), np.float32))


def test_it_predicts_in_the_environment():
    options = {"houses": 1, "steps": 3, "queries": 2, "observations": NEEDED}
    env = gym.make("AVRIRMeasure-v0", predictor="interpolating_depth", **options)
    env.reset(seed=0)
    for _ in range(3):
        info = env.step(np.array([2, 3]))[-1]
    assert 0 < info["pe_query"] < 2
