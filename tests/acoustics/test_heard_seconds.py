"""Seconds join into one long convolution; the legacy mode is what the papers' code does."""

import numpy as np
import pytest
from rooms import shoebox
from scipy.signal import fftconvolve

from av_envs.acoustics import TracedAcoustics
from av_envs.acoustics.convolution import (
    CONVOLUTIONS,
    add_source,
    dry_spectra,
    heard_second,
    response_spectra,
    spectral_energy,
    write_source,
)

SECOND = 16000


def render(windows, responses, convolution):
    """(2, 16000): sources with windows (S, 32000) through responses (S, 2, 16000)."""
    dry, spectra = dry_spectra(windows, convolution), response_spectra(responses)
    ears = np.zeros((2, dry.shape[-1]), np.complex64)
    for source in range(len(windows)):
        for ear in (0, 1):
            add_source(dry[source], spectra[source, ear], ears[ear])
    return heard_second(ears, convolution)


@pytest.fixture(scope="module")
def responses():
    heads = [(1.2, 1.1, 1.5), (4.6, 2.9, 1.5), (2.8, 3.1, 1.5)]
    acoustics = TracedAcoustics(shoebox((6, 4, 3), heads, 0.3))
    return np.stack([acoustics.rir(source, 2, 1) for source in (0, 1)])


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return (0.06 * rng.standard_normal((2, 5 * SECOND))).astype(np.float32)


def test_standing_still_is_one_long_convolution(responses, clips):
    """Clips repeat: the second before the first is the last one."""
    heard = []
    for step in range(5):
        around = [np.r_[clip[(step - 1) * SECOND :][:SECOND], clip[step * SECOND :][:SECOND]]
                  if step else np.r_[clip[-SECOND:], clip[:SECOND]] for clip in clips]  # fmt: skip
        heard.append(render(np.stack(around), responses, "causal"))
    heard = np.concatenate(heard, axis=-1)
    endless = np.concatenate([clips[:, -SECOND:], clips], axis=-1).astype(float)
    long = sum(fftconvolve(endless[s][None], responses[s].astype(float), axes=-1) for s in (0, 1))
    expected = long[:, SECOND : 6 * SECOND]
    assert heard.dtype == np.float32
    assert np.abs(heard - expected).max() < 1e-5 * np.abs(expected).max()


def test_the_second_before_is_heard_only_as_reverberation(responses):
    windows = np.zeros((2, 2 * SECOND), np.float32)
    windows[0, SECOND - 1] = 1  # the last sample of the second before
    heard = render(windows, responses, "causal")
    np.testing.assert_allclose(heard[:, :-1], responses[0][:, 1:], atol=1e-6)
    windows[0] = 0
    windows[0, SECOND + 100] = 1
    heard = render(windows, responses, "causal")
    assert np.abs(heard[:, :100]).max() < 1e-6
    np.testing.assert_allclose(heard[:, 100:], responses[0][:, :-100], atol=1e-6)


@pytest.mark.parametrize(("n", "d"), [(9000, 200), (8000, 0), (100, 12000)])
def test_legacy_centres_the_full_convolution(n, d):
    windows, response = np.zeros((1, 2 * SECOND), np.float32), np.zeros((1, 2, SECOND), np.float32)
    windows[0, SECOND + n], response[0, :, d] = 0.25, 0.5
    heard = render(windows, response, "legacy_same")
    expected = np.zeros((2, SECOND), np.float32)
    expected[:, n + d - 7999] = 0.125
    np.testing.assert_array_equal(heard, expected)


def test_legacy_forgets_the_second_before(responses, clips):
    windows = clips[:, : 2 * SECOND].copy()
    heard = render(windows, responses, "legacy_same")
    windows[:, :SECOND] = 0
    np.testing.assert_array_equal(heard, render(windows, responses, "legacy_same"))


def test_legacy_rounds_and_wraps_as_int16(responses, clips):
    """`np.round(fftconvolve(clip, rir, "same")).astype("int16")` on 16-bit clips."""
    loud = 8 * clips[:1, : 2 * SECOND]
    heard = render(loud, responses[:1], "legacy_same") * 32768
    dry = loud[0, SECOND:].astype(float)
    exact = np.stack([fftconvolve(dry, ear.astype(float), mode="same") for ear in responses[0]])
    exact *= 32768
    assert np.abs(exact).max() > 40000  # does not fit
    wrapped = (np.round(exact).astype(np.int64) + 32768) % 65536 - 32768
    off = np.abs(heard - wrapped)
    off = np.minimum(off, 65536 - off)  # next to the wrap, one step is the whole range
    assert off.max() <= 1
    assert (off > 0).mean() < 0.02  # float32 falls on the other side of .5 now and then
    np.testing.assert_array_equal(heard, np.round(heard))


def test_energies_are_those_of_the_sums(responses, clips):
    dry = dry_spectra(clips[:, : 2 * SECOND], "causal")
    spectra = response_spectra(responses)
    ears = np.zeros((2, dry.shape[-1]), np.complex64)
    for s in (0, 1):
        energy = [add_source(dry[s], spectra[s, ear], ears[ear]) for ear in (0, 1)]
        alone = spectra[s].astype(complex) * dry[s]
        np.testing.assert_allclose(energy, np.sum(np.abs(alone) ** 2, axis=-1), rtol=1e-4)
    both = np.sum(spectra.astype(complex) * dry[:, None], axis=0)
    np.testing.assert_allclose(ears, both, atol=1e-4 * np.abs(both).max())
    energy = [spectral_energy(heard) for heard in ears]
    np.testing.assert_allclose(energy, np.sum(np.abs(both) ** 2, -1), rtol=1e-4)
    only = np.full_like(ears[0], np.nan)
    energy = write_source(dry[1], spectra[1, 0], only)
    np.testing.assert_allclose(only, spectra[1, 0] * dry[1], atol=1e-4 * np.abs(both).max())
    np.testing.assert_allclose(energy, np.sum(np.abs(alone[0]) ** 2), rtol=1e-4)


def test_the_modes_are_named():
    assert CONVOLUTIONS == ("causal", "legacy_same")
