"""Ambisonics and the tetrahedral array hear plane waves as textbooks say."""

import numpy as np
import pytest

from av_envs.acoustics.binaural import binaural_response
from av_envs.acoustics.response import GAIN_OF_CODE, RESPONSE
from av_envs.agents.localization.arrays import (
    LEAD,
    MICROPHONES,
    RADIUS,
    directions_around,
    foa_gains,
    tables_of,
    tetrahedral_responses,
)
from av_envs.agents.localization.directions import unit_vectors
from av_envs.agents.localization.takes import strongest_arrival

METRE = 16_000 / 343  # samples that sound takes


def plane_wave(direction: np.ndarray) -> np.ndarray:
    """A compact response with one path of amplitude 1 and length 1 m."""
    response = np.zeros(1, RESPONSE)[0]
    response["direction"] = 1
    response["n_paths"] = 1
    response["path_delay"][0] = round(METRE * 16)
    response["path_direction"][0] = np.round(direction * 127)
    response["path_gain"][0] = np.abs(GAIN_OF_CODE - 1).argmin()
    return response


def heard(heard_by: str, direction: np.ndarray, heading: int = 0) -> np.ndarray:
    """(4, 16000)"""
    pairs = [binaural_response(plane_wave(direction), heading, 0, t) for t in tables_of(heard_by)]
    return np.concatenate(pairs)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "gains"),
    [
        (0, 0, [1, 0, 0, 1]),
        (90, 0, [1, 1, 0, 0]),
        (180, 0, [1, 0, 0, -1]),
        (0, 90, [1, 0, 1, 0]),
        (-45, 30, [1, -np.sqrt(0.375), 0.5, np.sqrt(0.375)]),
    ],
)
def test_ambisonic_coefficients(azimuth, elevation, gains):
    """W, Y, Z, X in SN3D: 1, sin az cos el, sin el, cos az cos el."""
    found = foa_gains(unit_vectors(np.radians(azimuth), np.radians(elevation)))
    np.testing.assert_allclose(found, gains, atol=1e-12)


@pytest.mark.parametrize("azimuth", [0, 75, -160])
def test_a_rendered_plane_wave_has_them(azimuth):
    """Up to the 6 degrees between the directions of the table."""
    direction = unit_vectors(np.radians(azimuth), np.radians(15.0))
    channels = heard("foa", direction)
    pressure = channels[0]
    assert np.abs(pressure).argmax() == round(METRE)
    gains = channels @ pressure / (pressure @ pressure)
    np.testing.assert_allclose(gains, foa_gains(direction), atol=0.12)
    np.testing.assert_allclose(channels, gains[:, None] * pressure, atol=1e-4)  # all in phase


def test_heading_turns_the_frame():
    north = unit_vectors(np.radians(90.0), np.array(0.0))
    ahead = heard("foa", north, heading=1)
    gains = ahead @ ahead[0] / (ahead[0] @ ahead[0])
    np.testing.assert_allclose(gains, [1, 0, 0, 1], atol=0.12)


def test_directions_are_spread_evenly():
    around = directions_around()
    np.testing.assert_allclose(np.linalg.norm(around, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(around.T @ around / len(around), np.eye(3) / 3, atol=1e-3)
    nearest = np.sort(around @ around.T, axis=1)[:, -2]
    assert np.degrees(np.arccos(nearest.min())) < 7


def test_the_sphere_lets_low_frequencies_pass():
    responses = tetrahedral_responses(directions_around()[::40])
    np.testing.assert_allclose(responses.sum(axis=2), 1, atol=1e-6)


def test_the_sphere_doubles_high_frequencies_on_its_front():
    """And casts a shadow behind."""
    azimuth, elevation = MICROPHONES[0]
    facing, aside = (unit_vectors(azimuth, elevation + a)[None] for a in (0, np.radians(140)))
    front, shadow = (
        np.abs(np.fft.rfft(tetrahedral_responses(d)[0, 0])[-9:-1]).mean() for d in (facing, aside)
    )
    assert front == pytest.approx(2, abs=0.2)
    assert shadow < 0.8


def test_times_of_arrival_at_the_sphere():
    """Woodworth: the front a/c earlier than the centre, the shadow later, going around."""
    facing = unit_vectors(*MICROPHONES[0])[None]
    response = tetrahedral_responses(facing)[0, 0]
    assert np.abs(response).argmax() == pytest.approx(LEAD - RADIUS * 16_000 / 343, abs=1)
    behind = np.abs(tetrahedral_responses(-facing)[0, 0]).argmax()
    assert behind > LEAD


def test_the_array_hears_first_where_the_sound_comes_from():
    channels = heard("mic", unit_vectors(*MICROPHONES[2]))
    first = [np.flatnonzero(np.abs(c) > 0.2 * np.abs(channels).max())[0] for c in channels]
    assert np.argmin(first) == 2
    assert np.abs(channels).max(axis=1).argmax() == 2


def test_the_strongest_arrival():
    response = plane_wave(np.array([0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(strongest_arrival(response), [0, 127, 0])
    response["n_paths"] = 0
    response["energy"][5] = 100
    response["direction"] = 0
    response["direction"][:, 6] = 255  # the west
    np.testing.assert_allclose(strongest_arrival(response), [-1, 0, 0], atol=1e-6)


def test_nothing_else_hears():
    with pytest.raises(ValueError, match="heard_by 'ear' does not exist"):
        tables_of("ear")
