"""Packing keeps what it says it keeps."""

import numpy as np
import pytest

from av_envs.acoustics.air import AIR_DB_PER_METRE
from av_envs.acoustics.response import (
    BIN_CENTRES,
    BIN_EDGES,
    DELAY_STEPS,
    DIRECTION_GROUP,
    DOWN,
    ENERGY_OF_CODE,
    FARTHEST,
    GAIN_OF_CODE,
    MAX_PATHS,
    N_BINS,
    N_GROUPS,
    RESPONSE,
    UP,
    Paths,
    pack,
    sector,
    smooth_decay,
    time_bin,
)
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND

WIDTHS = np.diff(BIN_EDGES)
NO_ARRIVAL = np.ones((1, N_GROUPS, 14), np.float32)


def exponential(t60):
    """(1, 65, 7) energies of one decay in every band."""
    rate = 6 * np.log(10) / t60
    bins = np.exp(-rate * BIN_EDGES[:-1]) - np.exp(-rate * BIN_EDGES[1:])
    return np.repeat(bins[:, None], 7, axis=1)[None].astype(np.float32)


def decay_time(energy):
    """Reverberation time of one band (65,), from a line through its densities."""
    used = slice(2, 45)
    level = 10 * np.log10(energy[used] / WIDTHS[used])
    return -60 / np.polyfit(BIN_CENTRES[used], level, 1)[0]


def some_paths(lengths, gain=0.8):
    """Paths to one place from all around."""
    n = len(lengths)
    paths = Paths.empty(1, n + 3)
    paths.count[0] = n
    paths.length[0, :n] = lengths
    angle = np.arange(n)
    paths.direction[0, :n] = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    paths.gain[0, :n] = gain
    return paths


def total_energy(packed):
    """(7,) energy of one compact response."""
    n = packed["n_paths"]
    length = packed["path_delay"][:n, None] / DELAY_STEPS / SAMPLE_RATE * SPEED_OF_SOUND
    paths = GAIN_OF_CODE[packed["path_gain"][:n]] ** 2 / length**2
    return ENERGY_OF_CODE[packed["energy"]].sum(axis=0) + paths.sum(axis=0)


def test_a_response_is_914_bytes():
    assert RESPONSE.itemsize == 914


def test_bins_tile_one_second():
    assert BIN_EDGES[0] == 0
    assert BIN_EDGES[-1] == pytest.approx(1)
    np.testing.assert_allclose(WIDTHS[[0, 19, 20, 64]], [0.005, 0.005, 0.02, 0.02])
    assert [time_bin(t) for t in (0, 0.00499, 0.00501, 0.0999, 0.1001, 0.1199, 0.1201)] == [
        0, 0, 1, 19, 20, 20, 21,
    ]  # fmt: skip
    assert time_bin(np.nextafter(np.float32(1), np.float32(0))) == N_BINS - 1
    assert [time_bin(t) for t in BIN_CENTRES] == list(range(N_BINS))


@pytest.mark.parametrize("elevation", [-59, 0, 59])
def test_sectors_are_30_degrees_wide_and_the_first_faces_east(elevation):
    e = np.radians(elevation)
    flat = np.cos(e)
    for degrees in range(0, 360, 10):
        angle = np.radians(degrees)
        expected = int((degrees + 15) // 30) % 12
        assert sector(flat * np.cos(angle), flat * np.sin(angle), np.sin(e)) == expected


def test_caps_begin_at_60_degrees():
    steep = np.radians(60.1)
    assert sector(np.cos(steep), 0.0, np.sin(steep)) == UP
    assert sector(0.0, np.cos(steep), -np.sin(steep)) == DOWN


def test_energies_gains_delays_and_directions_are_rounded_not_bent():
    rng = np.random.default_rng(0)
    paths = some_paths(rng.uniform(1, 80, 12))
    paths.gain[0, :12] = 10 ** rng.uniform(-2.5, 0, (12, 7))
    heard = exponential(0.5)
    packed = pack(heard, NO_ARRIVAL, paths)[0]
    air = 10 ** (-AIR_DB_PER_METRE / 10 * SPEED_OF_SOUND * BIN_CENTRES[:, None])
    expected = smooth_decay((heard * air).astype(np.float32))[0]
    audible = expected > 1e-9
    error = 10 * np.log10(ENERGY_OF_CODE[packed["energy"]][audible] / expected[audible])
    assert np.abs(error).max() <= 0.2501
    assert packed["n_paths"] == 12
    delays = packed["path_delay"][:12] / DELAY_STEPS
    samples = paths.length[0, :12] * SAMPLE_RATE / SPEED_OF_SOUND
    np.testing.assert_allclose(np.sort(delays), np.sort(samples), atol=0.5 / DELAY_STEPS + 1e-3)
    slots = np.array([np.abs(samples - d).argmin() for d in delays])
    assert sorted(slots) == list(range(12))
    turned = packed["path_direction"][:12] / 127
    np.testing.assert_allclose(turned, paths.direction[0, slots], atol=0.5 / 127 + 1e-6)
    loss = AIR_DB_PER_METRE * paths.length[0, slots, None]
    wanted = 20 * np.log10(paths.gain[0, slots]) - loss
    error = 20 * np.log10(GAIN_OF_CODE[packed["path_gain"][:12]]) - wanted
    assert np.abs(error[wanted > -62]).max() <= 0.1251


def test_air_takes_its_share_of_paths_and_tails():
    packed = pack(exponential(5.0), NO_ARRIVAL, some_paths([34.3], gain=1.0))[0]
    at_100_ms = -34.3 * AIR_DB_PER_METRE
    gain = 20 * np.log10(GAIN_OF_CODE[packed["path_gain"][0]])
    np.testing.assert_allclose(gain, at_100_ms, atol=0.126)
    tail = 10 * np.log10(ENERGY_OF_CODE[packed["energy"][49]] / exponential(5.0)[0, 49])
    np.testing.assert_allclose(tail, -AIR_DB_PER_METRE * 343 * BIN_CENTRES[49], atol=0.8)


@pytest.mark.parametrize("n", [0, 1, 16, 17, 40])
def test_the_weakest_paths_beyond_16_move_into_the_histogram(n):
    paths = some_paths(np.linspace(2, 20, n))
    silence = np.zeros((1, N_BINS, 7), np.float32)
    packed = pack(silence, 0 * NO_ARRIVAL, paths)[0]
    assert packed["n_paths"] == min(n, MAX_PATHS)
    expected = np.sum(paths.energy()[0])
    if n == 0:
        assert not packed["energy"].any()
    else:
        assert 10 * np.log10(total_energy(packed)[0] / expected) == pytest.approx(0, abs=0.15)
    if n > 16:  # the nearest paths are kept, the others arrive in their own bins and sectors
        longest = packed["path_delay"][:16].max() / DELAY_STEPS / SAMPLE_RATE * SPEED_OF_SOUND
        assert longest == pytest.approx(np.linspace(2, 20, n)[15], abs=0.01)
        bins = np.unique((np.linspace(2, 20, n)[16:] / SPEED_OF_SOUND / 0.005).astype(int))
        np.testing.assert_array_equal(np.flatnonzero(packed["energy"][:, 3]), bins)
        angle = n - 1.0
        group = packed["direction"][DIRECTION_GROUP[bins[-1]]]
        assert group[sector(np.cos(angle), np.sin(angle), 0.0)] > 0


def test_a_path_too_long_for_its_delay_moves_into_the_histogram():
    """16 bits of sixteenths of samples end at 87.8 m; a clipped delay would lie."""
    paths = some_paths([FARTHEST - 1, FARTHEST + 1, 350], gain=1.0)
    packed = pack(np.zeros((1, N_BINS, 7), np.float32), 0 * NO_ARRIVAL, paths)[0]
    assert packed["n_paths"] == 1
    delay = packed["path_delay"][0] / DELAY_STEPS
    assert delay == pytest.approx((FARTHEST - 1) * SAMPLE_RATE / SPEED_OF_SOUND, abs=0.04)
    late = np.flatnonzero(packed["energy"][:, 0])
    assert list(late) == [time_bin((FARTHEST + 1) / SPEED_OF_SOUND)]


def test_directions_keep_their_shares():
    arrival = np.zeros((1, N_GROUPS, 14), np.float32)
    arrival[0, :, 3], arrival[0, :, 9] = 3e-5, 1e-5
    direction = pack(exponential(0.5), arrival, Paths.empty(1, 4))[0]["direction"]
    assert (direction[:, 3] == 255).all()
    np.testing.assert_array_equal(direction[:, 9], 85)
    assert direction.sum() == len(direction) * 340


def test_a_group_without_directions_takes_those_of_the_nearest_that_has_any():
    arrival = np.zeros((2, N_GROUPS, 14), np.float32)
    arrival[0, 3, 5], arrival[0, 7, 2], arrival[0, 7, 9] = 1e-6, 3e-9, 1e-9
    first, second = pack(np.repeat(exponential(0.5), 2, axis=0), arrival, Paths.empty(2, 4))
    heard_from = first["direction"].argmax(axis=1)
    np.testing.assert_array_equal(heard_from, [5] * 6 + [2] * 13)  # the earlier one half-way
    np.testing.assert_array_equal(first["direction"][18], first["direction"][7])
    assert (second["direction"] == 255).all()  # from nowhere known: from everywhere


@pytest.mark.parametrize("t60", [0.2, 0.5, 1.5])
def test_smoothing_leaves_an_exponential_alone(t60):
    energy = exponential(t60)
    smoothed = smooth_decay(energy)
    np.testing.assert_allclose(smoothed.sum(axis=1), energy.sum(axis=1), rtol=1e-5)
    assert decay_time(smoothed[0, :, 0]) == pytest.approx(decay_time(energy[0, :, 0]), rel=0.01)
    loud = energy > 1e-6 * energy.sum(axis=1, keepdims=True)
    assert np.abs(10 * np.log10(smoothed / energy))[loud].max() < 0.15  # where bins grow wider


def test_smoothing_calms_a_noisy_decay_without_tilting_it():
    rng = np.random.default_rng(0)
    clean = np.repeat(exponential(0.6), 40, axis=0)
    noisy = (clean * rng.gamma(4, 1 / 4, clean.shape)).astype(np.float32)
    smoothed = smooth_decay(noisy)
    np.testing.assert_allclose(smoothed.sum(axis=1), noisy.sum(axis=1), rtol=1e-5)
    slopes = [decay_time(s[:, b]) for s in smoothed for b in range(7)]
    assert np.mean(slopes) == pytest.approx(0.6, rel=0.01)
    scatter = [np.std(np.log(e / clean)[:, 8:50]) for e in (noisy, smoothed)]
    assert scatter[1] < 0.6 * scatter[0]
    np.testing.assert_allclose(smoothed[:, :4] / noisy[:, :4], 1, atol=0.12)  # rescaled only


def test_silence_stays_silence():
    assert not smooth_decay(np.zeros((2, N_BINS, 7), np.float32)).any()
    late = np.zeros((1, N_BINS, 7), np.float32)
    late[0, 30] = 1  # a lone echo
    assert smooth_decay(late)[0, :30].sum() == 0
