"""Envelopes against noises of known decay; interpolation against its closed forms."""

import numpy as np
import pytest
from scipy.fft import rfft

from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.rir_measure.metrics.room_errors import room_measures
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import PredictionContext
from av_envs.rir_measure.predictors.envelope import (
    EDGES,
    LEVEL,
    Decomposition,
    compose,
    decompose,
    free_field,
)
from av_envs.rir_measure.predictors.flat_noise import HOP, SIZE, WINDOW, flat_noise_bands
from av_envs.rir_measure.predictors.geometry import arrivals, azimuths
from av_envs.rir_measure.predictors.interpolating import LEAN, Interpolating
from av_envs.rir_measure.predictors.mean import mean_table
from av_envs.rir_measure.predictors.sight import FREE, HIDDEN, UNKNOWN, SightMap

CONTEXT = PredictionContext(("robot_0", "robot_1"), 0.5, 250, truth=None)
METRE = SAMPLE_RATE / SPEED_OF_SOUND  # samples


def pair(emitter, receiver=(0, 0), heading=0):
    places = (np.array([[*place, 1.5]], np.float32) for place in (emitter, receiver))
    return Pairs(*places, np.array([heading]))


def free_field_rir(pairs, amplitude=1.0):
    rir = np.zeros((1, 2, 16000), np.float32)
    starts, pulses = free_field(pairs, "kemar")
    first = max(0, -starts[0])
    pulse = amplitude * pulses[0, :, first:]
    rir[0, :, starts[0] + first :][:, : pulse.shape[1]] = pulse
    return rir


def log_magnitudes(noise):
    starts = np.arange(0, len(noise) - SIZE, HOP)
    frames = noise[starts[:, None] + np.arange(SIZE)]
    window = np.pad(np.hanning(WINDOW), (SIZE - WINDOW) // 2)
    return np.log(np.abs(rfft(frames * window))[:, 3:-3])


def test_flat_noise_has_no_holes():
    noise = flat_noise_bands().sum(axis=1)
    white = np.random.default_rng(0).standard_normal(16000)
    assert noise.std(axis=1) == pytest.approx(1, abs=0.01)
    assert log_magnitudes(white).std() > 0.6
    assert log_magnitudes(noise[0]).std() < 0.4
    assert log_magnitudes(noise[1]).std() < 0.4
    assert abs(np.corrcoef(noise)[0, 1]) < 0.05


def test_azimuth_and_arrival_of_the_direct_sound():
    assert arrivals(pair((3.43, 0))) == [160]
    assert np.degrees(azimuths(pair((0, 1)))) == pytest.approx(90)  # to the left
    assert np.degrees(azimuths(pair((0, 1), heading=1))) == pytest.approx(0, abs=1e-4)


def test_sound_from_the_left_is_louder_at_the_left_ear():
    left = np.square(free_field_rir(pair((0, 2)))).sum(axis=2)[0]
    right = np.square(free_field_rir(pair((0, -2)))).sum(axis=2)[0]
    assert left[0] > 3 * left[1]
    assert right[1] > 3 * right[0]


@pytest.mark.parametrize("place", [(2, 1), (0.1, 0), (0, 0)])
@pytest.mark.parametrize("amplitude", [1.0, 0.3, 0.0])
def test_direct_sound_is_found_and_taken_away(place, amplitude):
    parts = decompose(pair(place), free_field_rir(pair(place), amplitude))
    assert parts.direct == pytest.approx([amplitude], abs=1e-5)
    assert parts.envelope.max() < np.log(1e-14)


def test_the_envelope_of_white_noise_is_its_variance():
    noise = np.random.default_rng(0).normal(0, 0.01, (20, 2, 16000)).astype(np.float32)
    pairs = Pairs(*(np.repeat(part, 20, axis=0) for part in pair((1, 0))))
    envelope = decompose(pairs, noise).envelope[:, :, 1:-1]
    variance = np.exp(envelope).mean(axis=(0, 1))  # per time bin and band
    assert variance == pytest.approx(1e-4 * np.ones(variance.shape), rel=0.35)
    assert variance.mean() == pytest.approx(1e-4, rel=0.03)


def test_composing_undoes_decomposing():
    pairs = pair((2, 1))
    decay = -np.arange(len(EDGES) - 1)[:, None] / 3 + np.linspace(-12, -10, 7)
    envelope = np.broadcast_to(decay, (1, 2, *decay.shape)).astype(np.float32)
    made = compose(pairs, Decomposition(np.ones(1, np.float32), envelope), 16000)
    again = decompose(pairs, made)
    assert again.direct == pytest.approx([1.0], abs=0.05)
    error = again.envelope - (envelope + 2 * np.log(LEVEL))
    assert np.abs(error[:, :, 2:14].mean(axis=(1, 2))).max() < 0.5  # nepers of energy, per band
    assert np.abs(error[:, :, 2:14].mean()) < 0.15


def decaying_noise(rt60, start=93, level=0.03):
    """(1, 2, 16000) of a pair 2 m apart that ends 70 dB below its first sample."""
    time = np.arange(16000 - start) / SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal((1, 2, len(time)))
    decay = level * noise * 10 ** (-3 * time / rt60) * (time < rt60 * 7 / 6)
    return np.pad(decay, [(0, 0), (0, 0), (start, 0)]).astype(np.float32)


@pytest.mark.parametrize("rt60", [0.25, 0.4, 0.6])
@pytest.mark.parametrize("level", [0.03, 0.0003])
def test_a_decay_goes_on_with_its_slope_and_ends(rt60, level):
    """Quiet ones too, though the STFT distance hears little of them."""
    truth = decaying_noise(rt60, level=level)
    parts = decompose(pair((2, 0)), truth)
    falls = np.diff(parts.envelope.mean(axis=(0, 1, 3)))[16:-1] / 8  # nepers per block
    assert falls == pytest.approx(-np.log(1e6) * 0.008 / rt60, rel=0.25)
    hidden = parts._replace(direct=np.zeros(1, np.float32))
    made = compose(pair((2, 0)), hidden, 16000)
    assert room_measures(made).rt60 == pytest.approx(rt60, rel=0.05)
    lengths = [np.flatnonzero(rir.any(axis=(0, 1)))[-1] / SAMPLE_RATE for rir in (made, truth)]
    assert lengths[0] == pytest.approx(lengths[1], abs=0.4 * rt60)


def test_sound_around_corners_is_not_louder_before_it_arrives():
    late = decompose(pair((2, 0)), decaying_noise(0.4, start=93 + 6 * 128)).envelope
    assert late[:, :, :4].max() < late[:, :, 8].min() - 3


def test_a_response_without_energy_has_an_envelope():
    parts = decompose(pair((2, 0)), np.zeros((1, 2, 16000), np.float32))
    assert np.isfinite(parts.envelope).all()
    assert parts.envelope.max() < np.log(1e-14)


def test_nothing_arrives_before_the_direct_sound():
    interpolating = Interpolating()
    interpolating.reset(CONTEXT)
    predicted = interpolating.predict(pair((1, 0)), [])
    assert np.abs(predicted[..., : round(METRE) - 35]).max() < 1e-6 * predicted.max()
    assert np.abs(predicted).argmax() % 16000 == pytest.approx(METRE, abs=25)


def test_early_reflections_favour_the_ear_that_faces_the_emitter():
    interpolating = Interpolating()
    interpolating.reset(CONTEXT)
    for side, ear in ((8, 0), (-8, 1)):  # m to the left, too far to be seen
        predicted = interpolating.predict(pair((0, side)), [])[0, :, : round(8 * METRE) + 200]
        energy = np.square(predicted).sum(axis=1)
        assert energy[ear] > 1.2 * energy[1 - ear]


def test_without_measurements_a_distant_pair_is_hidden_and_quieter_than_the_mean():
    interpolating = Interpolating()
    interpolating.reset(CONTEXT)
    pairs = pair((40, 0))
    expected = mean_table().hidden[0] + np.log(40) * mean_table().hidden[1]
    expected = expected - LEAN * np.log(40) ** 2
    ears = np.broadcast_to(expected, (1, 2, *expected.shape))
    wanted = compose(pairs, Decomposition(np.zeros(1, np.float32), ears), 16000)
    assert interpolating.predict(pairs, []) == pytest.approx(wanted, abs=1e-6)


def observed(pairs, rirs):
    """A predictor that was shown forty pairs within a centimetre, all of which sound like that."""
    interpolating = Interpolating()
    interpolating.reset(CONTEXT)
    for k in range(40):
        aside = np.array([0, 0.00025 * k, 0], np.float32)
        interpolating.observe(pairs._replace(emitter=pairs.emitter + aside), rirs)
    return interpolating


def test_the_very_same_pair_is_recalled_and_counts_once():
    here, turned = pair((3, 0)), pair((3, 0), heading=1)
    rirs = np.random.default_rng(0).standard_normal((1, 2, 16000)).astype(np.float32)
    once, often = Interpolating(), Interpolating()
    for interpolating, times in ((once, 1), (often, 5)):
        interpolating.reset(CONTEXT)
        for _ in range(times):
            interpolating.observe(here, rirs)
        assert np.array_equal(interpolating.predict(here, []), rirs)
    assert np.array_equal(once.predict(turned, []), often.predict(turned, []))
    assert not np.array_equal(once.predict(turned, []), rirs)


@pytest.mark.parametrize("there", [pair((3, 0)), pair((0, 0), (3, 0), 2), pair((3, 0), heading=1)])
def test_a_loud_measurement_makes_its_neighbourhood_loud(there):
    """The pair itself, its reciprocal and another heading; but nobody far away."""
    here, far = pair((3, 0)), pair((33, 30), (30, 30))
    noise = np.random.default_rng(0).standard_normal((1, 2, 16000)).astype(np.float32)
    tails = {}
    for level in (0.001, 0.1):
        rirs = level * noise * np.exp(-np.arange(16000) / 2000, dtype=np.float32)
        interpolating = observed(here, rirs)
        near, away = interpolating.predict(there, []), interpolating.predict(far, [])
        tails[level] = [float(np.square(rir[..., 2000:6000]).sum()) for rir in (near, away)]
    assert 10 * np.log10(tails[0.1][0] / tails[0.001][0]) == pytest.approx(40, abs=2)
    assert tails[0.1][1] == pytest.approx(tails[0.001][1], rel=1e-3)


def test_direct_sound_is_predicted_where_sight_was_measured():
    here = pair((5, 0))
    peaks = []
    for amplitude in (1.0, 0.0):
        interpolating = observed(here, free_field_rir(here, amplitude))
        peaks.append(np.abs(interpolating.predict(here, [])).max())
    assert peaks[0] == pytest.approx(np.abs(free_field_rir(here)).max(), rel=0.1)
    assert peaks[1] < peaks[0] / 10


def test_a_line_is_free_where_sight_lines_crossed_it():
    room = SightMap()
    none = np.zeros(1)
    assert room.log_odds(pair((4, 0)), none) == pytest.approx(FREE - 4 * UNKNOWN)
    room.observe(pair((2, 0)), np.array([True]))
    room.observe(pair((4, -3), (2, -3)), np.array([False]))  # the map grows to the south
    half = room.log_odds(pair((4, 0)), none)
    assert half == pytest.approx(FREE - 2 * UNKNOWN, abs=4 * UNKNOWN / 16)
    assert room.log_odds(pair((0, 0), (2, 0)), none) == pytest.approx(FREE)
    assert room.log_odds(pair((4, -3), (2, -3)), none) < FREE - UNKNOWN  # only its ends are known
    assert room.log_odds(pair((2, 0)), np.array([1.0])) == pytest.approx(FREE - HIDDEN / 2)


def test_beyond_the_map_nothing_is_known():
    room = SightMap()
    room.observe(pair((2, 0)), np.array([True]))
    far = pair((-7, -9), (-7, 30))
    assert room.log_odds(far, np.zeros(1)) == pytest.approx(FREE - 39 * UNKNOWN)
