"""Errors of room-acoustic measures against closed forms, slow fits and pyroomacoustics."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyroomacoustics.experimental import measure_rt60

from av_envs.rir_measure.metrics.room_errors import (
    ROOM_ERRORS,
    ratio_db,
    room_errors,
    room_measures,
    signal_ratios,
)

N = 16_000
SECONDS = np.arange(N) / N
t = SECONDS
tone = np.sin(2 * np.pi * 50 * t).astype(np.float32)
other = np.sin(2 * np.pi * 80 * t).astype(np.float32)  # orthogonal


def envelope(t60, onset=0):
    """An exponential decay of samples without any fine structure."""
    decay = np.zeros(N, np.float32)
    decay[onset:] = 10 ** (-3 * SECONDS[: N - onset] / t60)
    return decay


def decaying_noise(t60, shape=(), seed=0):
    noise = np.random.default_rng(seed).standard_normal((*shape, N))
    return (0.1 * noise * envelope(t60)).astype(np.float32)


def clicks(**amplitudes):
    response = np.zeros(N, np.float32)
    for place, amplitude in amplitudes.items():
        response[int(place[1:])] = amplitude
    return response


def pair(left, right=None):
    return np.stack([left, left if right is None else right])[None]


def slow_rt60(response):
    """The definition, one line per sentence."""
    energy = np.cumsum(response[::-1].astype(float) ** 2)[::-1]
    energy = energy[energy > 0]
    curve = 10 * np.log10(energy / energy[0])
    for depth in (60, 50, 40, 30, 20, 10):
        if curve[-1] <= -5 - depth:
            first, last = np.argmax(curve <= -5), np.argmax(curve <= -5 - depth)
            n = np.arange(first, last + 1)
            return -60 / np.polyfit(n / N, curve[n], 1)[0]
    return 0


@pytest.mark.parametrize("t60", [0.02, 0.1, 0.3, 0.6])
def test_an_exponential_decay_has_its_own_time(t60):
    measures = room_measures(envelope(t60))
    assert measures.rt60 == pytest.approx(t60, rel=2e-3)
    assert measures.edt == pytest.approx(t60, abs=1e-3)


@pytest.mark.parametrize("t60", [0.05, 0.3, 0.8, 1.5, 4.0])
def test_the_line_is_that_of_a_slow_fit(t60):
    response = decaying_noise(t60)
    assert room_measures(response).rt60 == pytest.approx(slow_rt60(response), rel=2e-3)


@pytest.mark.parametrize("depth", [60, 50, 40, 30, 20, 10])
def test_a_response_that_ends_early_has_a_shorter_line(depth):
    """One decibel per sample, and silence before the next depth is reached."""
    levels = 10 ** (-np.arange(0, depth + 8.0) / 10)  # what is still to come, 1 dB per sample
    response = np.zeros(N, np.float32)
    response[: len(levels)] = np.sqrt(levels - np.append(levels[1:], 0))
    assert room_measures(response).rt60 == pytest.approx(60 / N, rel=1e-4)
    assert room_measures(response[: len(levels)]).rt60 == pytest.approx(60 / N, rel=1e-4)


@pytest.mark.parametrize("t60", [0.1, 0.3, 0.6])
def test_rt60_is_that_of_pyroomacoustics(t60):
    """Theirs begins and ends a sample apart and, where the response is short, elsewhere."""
    response = decaying_noise(t60)
    theirs = measure_rt60(response.astype(float), fs=N, decay_db=60)
    assert room_measures(response).rt60 == pytest.approx(theirs, rel=2e-3)


@pytest.mark.parametrize(
    "response",
    [np.zeros(N, np.float32), clicks(n7=1), clicks(n7=1, n8=0.5), clicks(n0=1, n9=1e-4)],
    ids=["silence", "click", "two clicks", "click and whisper"],
)
def test_what_does_not_decay_takes_no_time(response):
    assert room_measures(response).rt60 == 0


def test_the_way_to_the_ear_is_no_decay():
    near, far = room_measures(envelope(0.3)), room_measures(envelope(0.3, onset=400))
    assert far.edt == pytest.approx(near.edt, abs=1e-9)
    assert far.rt60 == pytest.approx(near.rt60, rel=1e-4)
    assert far.drr_db == pytest.approx(near.drr_db, abs=1e-4)


@pytest.mark.parametrize(("measure", "last"), [("drr_db", 47), ("c50_db", 799)])
def test_what_counts_as_early(measure, last):
    def level(place):
        response = clicks(n100=1, **{f"n{100 + place}": 0.5})
        return getattr(room_measures(response), measure)

    assert level(last) == pytest.approx(100, abs=1e-3)
    assert level(last + 1) == pytest.approx(20 * np.log10(2), abs=1e-6)


def test_the_onset_is_within_20_db_of_the_peak():
    response = clicks(n10=0.09, n100=1, n148=0.5)
    expected = 10 * np.log10((1 + 0.09**2) / 0.25)
    assert room_measures(response).drr_db == pytest.approx(expected, abs=1e-5)
    louder = clicks(n10=0.11, n100=1, n148=0.5)
    expected = 10 * np.log10(0.11**2 / 1.25)
    assert room_measures(louder).drr_db == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("noise_gain", "decibels"), [(1.0, 0.0), (0.1, 20.0), (10.0, -20.0)])
def test_orthogonal_noise_gives_the_energy_ratio(noise_gain, decibels):
    ratios = signal_ratios(tone, tone + np.float32(noise_gain) * other)
    assert ratios["sisdr"] == pytest.approx(decibels, abs=1e-3)
    assert ratios["snr"] == pytest.approx(decibels, abs=1e-3)


def test_only_sisdr_forgives_level_sign_and_offset():
    noisy = tone + np.float32(0.5) * other
    for estimate in (noisy, 7 * noisy, -noisy, noisy + np.float32(0.3)):
        assert signal_ratios(tone, estimate)["sisdr"] == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert signal_ratios(tone, -tone)["snr"] == pytest.approx(-20 * np.log10(2), abs=1e-5)
    assert signal_ratios(tone, 0 * tone)["snr"] == 0


@pytest.mark.parametrize("value", [0.1, 1.0, -1 / 3, 1e6])
def test_a_constant_holds_nothing_of_a_response(value):
    """But for rounding, which used to look like a perfect prediction."""
    constant = np.full_like(tone, value)
    for truth in (tone, other, tone + np.float32(0.2)):
        assert signal_ratios(truth, constant)["sisdr"] == -100
        assert signal_ratios(constant, truth)["sisdr"] == -100
    assert signal_ratios(constant, constant)["sisdr"] == 100  # the very same


def test_snr01_is_the_printed_formula_of_samples_from_0_to_1():
    truth, predicted = decaying_noise(0.3), decaying_noise(0.3, seed=1)
    shifted, error = (truth.astype(float) + 1) / 2, (truth.astype(float) - predicted) / 2
    expected = 10 * np.log10((shifted**2).sum() / (error**2).sum())
    assert signal_ratios(truth, predicted)["snr01"] == pytest.approx(expected, abs=1e-4)
    assert expected > 30


def test_errors_are_differences_of_measures():
    truth, predicted = decaying_noise(0.3, (3, 2)), decaying_noise(0.5, (3, 2), seed=1)
    predicted[:, 0] *= 2
    errors = room_errors(truth, predicted)
    assert tuple(errors) == ROOM_ERRORS
    assert all(type(value) is float for value in errors.values())
    true, said = room_measures(truth), room_measures(predicted)
    rte = np.abs(true.rt60 - said.rt60)
    expected = {
        "rte_ms": 1000 * rte.mean(),
        "rte_pct": 100 * (rte / true.rt60).mean(),
        "edt_ms": 1000 * np.abs(true.edt - said.edt).mean(),
        "drr_db": np.abs(true.drr_db - said.drr_db).mean(),
        "c50_db": np.abs(true.c50_db - said.c50_db).mean(),
        **{key: ratios.mean() for key, ratios in signal_ratios(truth, predicted).items()},
    }
    left, right = 10 * np.log10(said.energy / true.energy).T
    expected["lr_db"] = np.abs(left - right).mean()
    assert errors == pytest.approx(expected, rel=1e-6)
    assert errors["rte_ms"] == pytest.approx(200, abs=10)
    assert errors["lr_db"] == pytest.approx(6, abs=0.5)


def test_the_truth_itself_has_no_errors():
    errors = room_errors(pair(decaying_noise(0.3)), pair(decaying_noise(0.3)))
    assert errors == dict.fromkeys(ROOM_ERRORS, 0) | dict.fromkeys(("sisdr", "snr", "snr01"), 100)


def test_an_answer_of_silence_has_finite_errors():
    truth = pair(decaying_noise(0.3))
    errors = room_errors(truth, np.zeros_like(truth))
    assert errors["rte_ms"] == pytest.approx(300, abs=5)
    assert errors["edt_ms"] == pytest.approx(300, abs=50)
    assert (errors["rte_pct"], errors["sisdr"], errors["snr"]) == (100, -100, 0)
    assert [errors[key] for key in ("drr_db", "c50_db", "lr_db")] == [100] * 3
    assert np.isfinite(list(errors.values())).all()


def test_a_silent_truth_has_finite_errors():
    silence, sound = np.zeros((1, 2, N), np.float32), pair(decaying_noise(0.3))
    errors = room_errors(silence, sound)
    assert (errors["rte_pct"], errors["sisdr"], errors["snr"]) == (100, -100, -100)
    assert np.isfinite(list(errors.values())).all()
    errors = room_errors(silence, silence)
    assert errors == dict.fromkeys(ROOM_ERRORS, 0) | dict.fromkeys(("sisdr", "snr", "snr01"), 100)


def test_one_silent_ear_is_at_most_100_db_off():
    sound = decaying_noise(0.3)
    left, right = pair(sound, 0 * sound), pair(0 * sound, sound)
    assert room_errors(left, right)["lr_db"] == 100
    assert room_errors(left, left)["lr_db"] == 0


@pytest.mark.parametrize("gain", [1e-15, 1e-6, 1e6])
def test_level_is_no_error_of_the_room(gain):
    truth = pair(decaying_noise(0.3), decaying_noise(0.4, seed=1))
    errors = room_errors(truth, np.float32(gain) * truth)
    room = [errors[key] for key in ("rte_ms", "rte_pct", "edt_ms", "drr_db", "c50_db", "lr_db")]
    assert_allclose(room, 0, atol=1e-3)
    assert errors["sisdr"] == pytest.approx(100, abs=0.1)


def test_ratios_are_cut_at_100_db():
    energies, others = np.array([1, 0, 1, 1e-30, 2]), np.array([0, 1, 1e-30, 1, 1])
    expected = [100, -100, 100, -100, 10 * np.log10(2)]
    assert_allclose(ratio_db(energies, others), expected, atol=1e-6)
    assert np.isnan(ratio_db(np.zeros(1), np.zeros(1)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_sound_raises(value):
    truth = pair(decaying_noise(0.3))
    predicted = truth.copy()
    predicted[0, 1, 500] = value
    with pytest.raises(ValueError, match="responses must be finite"):
        room_errors(truth, predicted)
    with pytest.raises(ValueError, match="responses must be finite"):
        room_measures(predicted)


def test_other_shapes_raise():
    truth = pair(decaying_noise(0.3))
    for shape in ((2, N), (1, 1, N), (0, 2, N)):
        with pytest.raises(ValueError, match=r"must have the shape \(P, 2, n\)"):
            room_errors(np.zeros(shape, np.float32), truth)
    with pytest.raises(ValueError, match="was predicted for"):
        room_errors(truth, truth[..., :-1])
