"""Refined acoustics as a backend: identity, sums, copies, and refiners that do not fit."""

import pickle

import numpy as np
import pytest

from av_envs.acoustics.refined import POSE_FIELDS, RefinedAcoustics, pose_of
from av_envs.worlds.traced import open_dwelling


class Base:
    """Responses that tell their arguments; counts how often it is asked."""

    def __init__(self, bad=None):
        self.asked, self.bad = 0, bad

    def rir(self, source, receiver, heading):
        self.asked += 1
        out = np.zeros((2, 16000), np.float32)
        out[:, 10 + source] = 1 + receiver
        out[1, 300 + heading] = 0.5
        if self.bad is not None:
            out[0, 5] = self.bad
        return out

    def rirs_into(self, sources, receiver, heading, out):
        for source, ears in zip(sources, out, strict=True):
            ears[:] = self.rir(source, receiver, heading)


class Squarer:
    """A refiner that is not linear, so that only refining by itself keeps sums."""

    sample_rate, channels = 16_000, 2

    def __init__(self):
        self.poses, self.dry = [], []

    def refine(self, signal, pose, dry):
        self.poses.append(pose)
        self.dry.append(dry)
        return signal * np.abs(signal)


@pytest.fixture(scope="module")
def scene():
    return open_dwelling("flat-1", 1.0).scene


def test_without_a_refiner_nothing_changes():
    base = Base()
    refined = RefinedAcoustics(base)
    out = np.empty((2, 2, 16000), np.float32)
    refined.rirs_into(np.array([3, 4]), 1, 2, out)
    assert np.array_equal(out[1], base.rir(4, 1, 2))
    assert np.array_equal(refined.rir(3, 1, 2), base.rir(3, 1, 2))


def test_responses_are_refined_one_by_one_and_kept():
    base = Base()
    refined = RefinedAcoustics(base, Squarer())
    out = np.empty((2, 2, 16000), np.float32)
    refined.rirs_into(np.array([3, 4]), 1, 2, out)
    assert out[0, 0, 13] == 4
    assert out[0, 1, 302] == 0.25
    assert np.array_equal(refined.rir(4, 1, 2), out[1])
    assert base.asked == 2
    refined.rir(4, 1, 2)[:] = 7  # what is returned belongs to the caller
    assert np.array_equal(refined.rir(4, 1, 2), out[1])


def test_only_so_many_are_kept():
    base = Base()
    refined = RefinedAcoustics(base, Squarer(), kept=1)
    for source in (1, 2, 2, 1):
        refined.rir(source, 0, 0)
    assert base.asked == 3


@pytest.mark.parametrize("domain", ["rir", "audio"])
def test_what_is_heard_is_the_sum_of_what_is_heard_of_each(domain):
    refined = RefinedAcoustics(Base(), Squarer())
    dry = np.random.default_rng(0).standard_normal((2, 4000)).astype(np.float32)
    both = refined.hear(dry, np.array([3, 4]), 1, 2, domain)
    alone = [refined.hear(dry[k : k + 1], np.array([3 + k]), 1, 2, domain)[0] for k in (0, 1)]
    np.testing.assert_array_equal(both, np.stack(alone))


def test_in_the_domain_of_responses_twice_the_sound_is_twice_as_loud():
    refined = RefinedAcoustics(Base(), Squarer())
    dry = np.random.default_rng(0).standard_normal((1, 4000)).astype(np.float32)
    once, twice = (refined.hear(gain * dry, np.array([3]), 1, 2) for gain in (1, 2))
    np.testing.assert_allclose(twice, 2 * once, atol=1e-4)


def test_a_refiner_of_sounds_is_told_what_is_played():
    refiner = Squarer()
    dry = np.ones((1, 100), np.float32)
    RefinedAcoustics(Base(), refiner).hear(dry, np.array([3]), 1, 2, "audio")
    assert np.array_equal(refiner.dry[0], dry[0])


def test_poses_come_from_the_scene(scene):
    refiner = Squarer()
    RefinedAcoustics(Base(), refiner, scene).rir(3, 5, 1)
    RefinedAcoustics(Base(), refiner).rir(3, 5, 1)
    assert np.array_equal(refiner.poses[0], pose_of(scene, 3, 5, 1))
    assert np.isnan(refiner.poses[1]).all()


@pytest.mark.parametrize("heading", range(4))
def test_poses_turn_with_the_head(scene, heading):
    pose = dict(zip(POSE_FIELDS, pose_of(scene, 7, 2, heading).tolist(), strict=True))
    towards = (scene.graph.heads[7] - scene.graph.heads[2]).astype(float)
    azimuth = np.arctan2(towards[1], towards[0]) - heading * np.pi / 2
    assert pose["sin azimuth"] == pytest.approx(np.sin(azimuth), abs=1e-6)
    assert pose["cos azimuth"] == pytest.approx(np.cos(azimuth), abs=1e-6)
    assert pose["log distance"] == pytest.approx(np.log(np.linalg.norm(towards)), rel=1e-5)
    assert pose["source x"] - pose["listener x"] == pytest.approx(towards[0] / 10, abs=1e-6)


def test_copies_refine_alike():
    refined = RefinedAcoustics(Base(), Squarer())
    copy = pickle.loads(pickle.dumps(refined))
    assert np.array_equal(copy.rir(1, 2, 3), refined.rir(1, 2, 3))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("sample_rate", 22_050, "signals of 22050 Hz, here they have 16000 Hz"),
        ("channels", 1, "signals of 1 channels, here they have 2"),
        ("refine", None, "lacks the method refine"),
    ],
    ids=["rate", "channels", "method"],
)
def test_refiners_that_do_not_fit_are_refused(name, value, said):
    refiner = Squarer()
    setattr(refiner, name, value)
    with pytest.raises(ValueError, match=said):
        RefinedAcoustics(Base(), refiner)


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
def test_samples_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="from node 3 to node 1 is not finite"):
        RefinedAcoustics(Base(bad), Squarer()).rir(3, 1, 0)
    with pytest.raises(ValueError, match="dry sound has samples that are not finite"):
        RefinedAcoustics(Base()).hear(np.full((1, 50), bad), np.array([1]), 0, 0)


def test_what_a_refiner_returns_is_checked():
    refiner = Squarer()
    refiner.refine = lambda signal, pose, dry: signal[:, :-1]
    with pytest.raises(ValueError, match=r"shape \(2, 15999\) for \(2, 16000\)"):
        RefinedAcoustics(Base(), refiner).rir(3, 1, 0)
    refiner.refine = lambda signal, pose, dry: signal * np.nan
    with pytest.raises(ValueError, match="returned samples that are not finite"):
        RefinedAcoustics(Base(), refiner).rir(3, 1, 0)


def test_an_unknown_domain_is_named():
    with pytest.raises(ValueError, match="domain 'time' does not exist; choose from rir, audio"):
        RefinedAcoustics(Base()).hear(np.ones((1, 5)), np.array([1]), 0, 0, "time")
