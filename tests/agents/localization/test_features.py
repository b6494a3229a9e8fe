"""Features of signals whose level, delay and direction are known."""

import numpy as np
import pytest

from av_envs.agents.localization.directions import unit_vectors
from av_envs.agents.localization.features import (
    KINDS,
    _hertz_of_mel,
    _mel_of_hertz,
    features,
    mel_bank,
    phat,
    short_time_spectra,
)

INNER = slice(3, -3)  # frames away from both ends


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).standard_normal(24_100).astype(np.float32) * 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_shapes(kind, noise):
    maps = features(kind, np.tile(noise[: KINDS[kind].rate], (KINDS[kind].channels, 1)))
    assert maps.shape == (KINDS[kind].maps, 50, 64)
    assert maps.dtype == np.float32
    assert np.isfinite(maps).all()


@pytest.mark.parametrize("kind", KINDS)
def test_silence_has_features(kind):
    assert np.isfinite(features(kind, np.zeros((KINDS[kind].channels, 4800)))).all()


def test_mel_scale():
    """The first of 40 frequencies up to 11,025 Hz, as the documentation of librosa lists them."""
    edges = _hertz_of_mel(np.linspace(0, _mel_of_hertz(11_025), 40))
    known = [0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855]
    known += [853.173, 938.49, 1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187]
    np.testing.assert_allclose(edges[: len(known)], known, atol=5e-4)


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_triangles_have_equal_area(rate):
    area = mel_bank(rate).sum(axis=1) * rate / 1024
    assert mel_bank(rate).shape == (64, 513)
    np.testing.assert_allclose(area[30:], 1, atol=0.02)  # wide enough to be sampled well
    assert (mel_bank(rate).max(axis=1) > 0).all()


def test_the_same_at_both_ears(noise):
    level_left, level_right, ild, cosine, sine, gcc = features("binaural", np.stack([noise, noise]))
    np.testing.assert_array_equal(level_left, level_right)
    np.testing.assert_array_equal(ild, 0)
    np.testing.assert_allclose(cosine[INNER], 1, atol=1e-3)
    np.testing.assert_allclose(sine[INNER], 0, atol=1e-6)
    assert (gcc[INNER].argmax(axis=1) == 32).all()


def test_level_differences(noise):
    quiet = features("binaural", np.stack([noise, noise / 10]))
    np.testing.assert_allclose(quiet[2, INNER], 20, atol=0.1)
    np.testing.assert_allclose(quiet[0] - quiet[1], quiet[2], atol=1e-3)
    assert features("binaural", np.stack([noise, noise / 1000]))[2].max() <= 30


@pytest.mark.parametrize("later", [-8, -3, 5])
def test_delays_in_half_samples(later, noise):
    """The right ear hears it later by so many samples: the source is on the left."""
    maps = features("binaural", np.stack([noise, np.roll(noise, later)]))
    assert (maps[5, INNER].argmax(axis=1) == 32 + 2 * later).all()


def test_phase_differences():
    t = np.arange(16_000) / 16_000
    tone = [np.cos(2 * np.pi * 500 * t), np.cos(2 * np.pi * 500 * t - np.pi / 3)]
    maps = features("binaural", np.stack(tone))
    loudest = maps[0, 20].argmax()
    np.testing.assert_allclose(maps[3:5, INNER, loudest].T, [[0.5, np.sqrt(0.75)]] * 44, atol=1e-2)


def test_frames_do_not_depend_on_the_rest(noise):
    both = np.stack([noise[:16_000], np.roll(noise, 3)[:16_000]])
    louder = np.concatenate([both, 10 * both], axis=1)
    here, alone = features("binaural", louder)[:, :40], features("binaural", both)[:, :40]
    np.testing.assert_allclose(here, alone, atol=1e-3)


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (90, 0), (-120, 30), (10, -80)])
def test_intensity_of_a_plane_wave(azimuth, elevation, noise):
    """Along the direction it comes from; pressure and velocity have equal shares, 3 and 1."""
    x, y, z = unit_vectors(np.radians(azimuth), np.radians(elevation))
    maps = features("foa", noise * np.array([[1], [y], [z], [x]], np.float32))
    expected = 0.75 * np.array([y, z, x])[:, None] * mel_bank(24_000).sum(axis=1)
    np.testing.assert_allclose(maps[4:, 20], expected, atol=1e-4)


def test_levels_of_a_recording_end_80_db_below_its_loudest(noise):
    signals = np.tile(noise, (4, 1))
    signals[:, 12_000:] *= 1e-6
    levels = features("foa", signals)[:4]
    assert levels.min() == pytest.approx(levels.max() - 80, abs=1e-3)


def test_pairs_of_microphones(noise):
    """In the order 01, 02, 03, 12, 13, 23; a sample is a lag."""
    later = [0, 2, 5, -4]
    maps = features("mic", np.stack([np.roll(noise, n) for n in later]))
    peaks = maps[4:, INNER].argmax(axis=2) - 32
    assert (peaks == np.array([[2], [5], [-4], [3], [-6], [-9]])).all()


def test_correlation_of_an_impulse():
    signals = np.zeros((2, 2000), np.float32)
    signals[0, 1000], signals[1, 1007] = 1, 1
    lags = phat(*short_time_spectra(signals, 16_000))[3]
    assert lags.argmax() == 39
    assert lags[39] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "shape", "says"),
    [("stereo", (2, 800), "choose from binaural"), ("foa", (2, 800), r"\(4, n\), got \(2, 800\)")],
)
def test_mistakes(kind, shape, says):
    with pytest.raises(ValueError, match=says):
        features(kind, np.zeros(shape))
