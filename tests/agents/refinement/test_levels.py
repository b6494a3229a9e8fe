"""Levels by ear, band and frame, and responses that get others."""

import numpy as np
import pytest

from av_envs.agents.refinement import levels


def decaying(seconds: float = 0.2, n: int = 16000, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((2, n))
    return (noise * np.exp(-np.arange(n) / 16000 / seconds)).astype(np.float32)


def flow_of(response: np.ndarray, reference: float | None = None) -> np.ndarray:
    energies = levels.band_energies(levels.band_signals(response))
    return levels.as_flow(energies, levels.energy(response) if reference is None else reference)


@pytest.mark.parametrize("n", [16000, 15900, 1000])
def test_bands_add_up_to_the_response(n):
    response = decaying(n=n)
    found = levels.band_signals(response)
    assert found.shape == (2, 7, 160 * levels.n_frames(n))
    np.testing.assert_allclose(found.sum(axis=1)[:, :n], response, atol=1e-5)


def test_a_tone_lies_in_its_band():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    energies = levels.band_energies(levels.band_signals(tone))
    assert energies[:, 10:-10].sum(axis=1).argmax() == 3
    np.testing.assert_allclose(energies[3, 20], 80, rtol=0.01)  # 160 samples of power 1/2


def test_levels_do_not_depend_on_loudness():
    response = decaying()
    np.testing.assert_allclose(flow_of(response), flow_of(5 * response), atol=1e-5)


def test_silence_lies_at_the_floor():
    response = decaying()
    response[:, 8000:] = 0
    floor = (levels.FLOOR_DB - levels.CENTRE_DB) / levels.UNIT_DB
    np.testing.assert_allclose(flow_of(response)[:, 70:], floor, atol=1e-3)


def test_the_same_levels_leave_every_bit():
    response = decaying()
    bands, flow = levels.band_signals(response), flow_of(response)
    assert np.array_equal(levels.with_levels(response, bands, flow, flow.copy()), response)


def test_levels_move_where_they_are_told():
    response = decaying(2.0)
    bands, before = levels.band_signals(response), flow_of(response)
    after = before.copy()
    after[7 + 4, 40:60] += 6 / levels.UNIT_DB  # right ear, 2 kHz, 400 to 600 ms
    moved = levels.with_levels(response, bands, before, after)
    change = levels.UNIT_DB * (flow_of(moved, levels.energy(response)) - before)
    np.testing.assert_allclose(change[11, 45:55], 6, atol=0.5)
    assert np.abs(change[:7]).max() < 0.01
    assert np.abs(change[11, :35]).max() < 0.5
    assert np.abs(change[7 + 1]).max() < 0.5


def test_a_response_without_a_tail_gets_one():
    """What cannot be made louder is filled with noise of the right level."""
    truth = decaying(0.3)
    cheap = truth.copy()
    cheap[:, 1600:] = 0
    reference = float(levels.energy(cheap))
    bands, before, after = levels.band_signals(cheap), flow_of(cheap), flow_of(truth, reference)
    moved = levels.with_levels(cheap, bands, before, after)
    off = levels.UNIT_DB * (flow_of(moved, reference) - after)[:, 15:60]
    assert np.abs(off[[4, 5, 6, 11, 12, 13]]).mean() < 1.0
    assert abs(off.mean()) < 1.0
    assert np.array_equal(moved, levels.with_levels(cheap, bands, before, after))
