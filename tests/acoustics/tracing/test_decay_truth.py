"""Decays of empty boxes against the sum of all their image sources, through the whole chain.

Measured at the default 4096 rays, at 125 Hz, where air takes next to nothing, over 64 pairs
of places in a box of 6 x 4 x 3 m. Absorption 0.2: T30 is off by 1.5 % in the median, 3.2 % at
the ninth decile, 5.5 % at worst; the decay curve down to -35 dB is off by at most 0.55 dB for
the median pair, 1.6 dB for the worst. Absorption 0.35: 2.3 %, 5.3 %, 11 %; 0.8 dB, 2.1 dB.
The error is noise and falls with more rays.
"""

import numpy as np
import pyroomacoustics as pra
import pytest
from rooms import image_sources, shoebox

from av_envs.acoustics import measures
from av_envs.acoustics.air import AIR_DB_PER_METRE
from av_envs.acoustics.bank import SourceTracer, TraceConfig
from av_envs.acoustics.binaural import binaural_response, make_ear_tables
from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import Hrtf
from av_envs.acoustics.response import BIN_EDGES, DELAY_STEPS, ENERGY_OF_CODE, GAIN_OF_CODE
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE, SPEED_OF_SOUND

SIZE = (6, 4, 3)
BAND = 0
N_USED = 45  # bins: 0.6 s, when both boxes have decayed by 60 dB


def level(energies):
    """Energy still to come at each bin's edge, dB."""
    remaining = np.cumsum(energies[::-1].astype(float))[::-1]
    return 10 * np.log10(np.maximum(remaining, 1e-20))


def unpacked(response):
    """(45,) energy per time bin of a compact response, early paths included."""
    n = response["n_paths"]
    seconds = response["path_delay"][:n] / DELAY_STEPS / SAMPLE_RATE
    gain = GAIN_OF_CODE[response["path_gain"][:n, BAND]]
    energy = (gain / np.maximum(seconds * SPEED_OF_SOUND, 0.3)) ** 2
    tail = ENERGY_OF_CODE[response["energy"][:, BAND]]
    return (tail + np.histogram(seconds, BIN_EDGES, weights=energy)[0])[:N_USED]


def t30(curve):
    used = (curve - curve[0] <= -5) & (curve - curve[0] >= -35)
    return -60 / np.polyfit(BIN_EDGES[:N_USED][used], curve[used], 1)[0]


def binned(seconds, energy):
    return np.histogram(seconds, BIN_EDGES[: N_USED + 1], weights=energy)[0]


def errors(absorption, n_rays=4096, n_sources=4):
    """Relative error of T30, largest deviation of the decay to -35 dB, and of the level, dB."""
    heads = np.random.default_rng(1).uniform([0.7] * 3, np.array(SIZE) - 0.7, (16, 3))
    tracer = SourceTracer(shoebox(SIZE, heads, absorption), TraceConfig(n_rays=n_rays))
    found = []
    for source in range(n_sources):
        row = tracer.trace(source)
        for place in range(8, 16):
            images = image_sources(SIZE, heads[source], heads[place], absorption, 0.6)
            truth = level(binned(*images[:2]))
            ours = level(unpacked(row[place]))
            used = truth - truth[0] > -35
            off = np.abs((ours - ours[0]) - (truth - truth[0]))[used].max()
            found.append((t30(ours) / t30(truth) - 1, off, ours[0] - truth[0]))
    return np.array(found).T


@pytest.mark.parametrize("absorption", [0.2, 0.35])
def test_decays_at_the_default_number_of_rays(absorption):
    decay_time, decay, total = errors(absorption)
    assert len(decay) == 32
    assert np.median(np.abs(decay_time)) < 0.03
    assert np.quantile(np.abs(decay_time), 0.9) < 0.07
    assert abs(decay_time.mean()) < 0.02  # no bias
    assert np.median(decay) < 1.0
    assert decay.max() < 2.5
    assert abs(total.mean()) < 0.06
    assert np.abs(total).max() < 0.25
    if absorption == 0.2:
        assert np.abs(decay_time).max() < 0.06


@pytest.mark.slow
def test_decays_converge_to_the_truth():
    decay_time, decay, total = errors(0.2, n_rays=65536)
    assert np.abs(decay_time).max() < 0.025
    assert np.median(decay) < 0.3
    assert np.abs(total).max() < 0.1  # gains are rounded to 0.25 dB


@pytest.mark.slow
def test_t20_without_scattering_is_that_of_the_images():
    """At 32,768 rays, in a box whose images do not coincide, for two sources."""
    size = (6.37, 4.23, 2.71)
    heads = np.random.default_rng(1).uniform([0.7] * 3, np.array(size) - 0.7, (8, 3))
    tracer = SourceTracer(shoebox(size, heads, 0.2), TraceConfig(n_rays=32768))
    found = []
    for source in (0, 1):
        row = tracer.trace(source)
        for place in range(2, 8):
            truth = binned(*image_sources(size, heads[source], heads[place], 0.2, 0.6)[:2])
            times = []
            for energies in (unpacked(row[place]), truth):
                curve = level(energies) - level(energies)[0]
                used = (curve <= -5) & (curve >= -25)
                times.append(-60 / np.polyfit(BIN_EDGES[:N_USED][used], curve[used], 1)[0])
            found.append(times[0] / times[1] - 1)
    assert np.abs(found).max() < 0.03


@pytest.fixture(scope="module")
def omnidirectional_ears():
    """A head that does nothing: the same unit impulse from everywhere."""
    directions = load_hrtf("kemar").directions
    responses = np.zeros((len(directions), 2, 96), np.float32)
    responses[:, :, 10] = 1
    return make_ear_tables(Hrtf("nobody", directions, responses, 10))


def test_rendered_responses_decay_as_the_images_of_pyroomacoustics(omnidirectional_ears):
    """T30 of whole waveforms per octave band, against the energies of all images to order 40.

    (Waveforms of pyroomacoustics itself add all images up in phase, which no real wall does:
    their T30 is 8 % longer at 500 Hz and 1 kHz.)
    """
    absorption = 0.3
    heads = np.random.default_rng(2).uniform([0.7] * 3, np.array(SIZE) - 0.7, (9, 3))
    row = SourceTracer(shoebox(SIZE, heads, absorption), TraceConfig()).trace(0)
    room = pra.ShoeBox(SIZE, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=40)
    room.add_source(heads[0])
    room.add_microphone_array(heads[1:].T)
    room.image_source_model()
    images = room.sources[0]
    ours, theirs = [], []
    for place in range(1, 9):
        response = binaural_response(row[place], 0, place, omnidirectional_ears)[0]
        bands = measures.octave_bands(response.astype(float), np.array(BANDS_HZ[2:5]))
        ours.append(measures.t30(bands))
        distance = np.linalg.norm(images.images - heads[place][:, None], axis=0)
        energy = (images.damping[0] / distance) ** 2
        theirs.append(t30(level(binned(distance / SPEED_OF_SOUND, energy))))
    air = AIR_DB_PER_METRE[2:5] * SPEED_OF_SOUND  # dB per second, unknown to those images
    expected = 60 / (60 / np.mean(theirs) + air)
    np.testing.assert_allclose(np.mean(ours, axis=0), expected, rtol=0.05)
