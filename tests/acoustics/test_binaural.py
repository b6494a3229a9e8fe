"""What two ears receive: instants, levels, sides, and energies per band."""

import numpy as np
import pytest
from rooms import shoebox
from scipy.fft import rfft

from av_envs.acoustics.bank import SourceTracer, TraceConfig
from av_envs.acoustics.binaural import (
    RIR_SAMPLES,
    SPLIT,
    binaural_response,
    ear_tables,
    make_ear_tables,
    octave_power_filters,
)
from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import Hrtf, interaural_differences
from av_envs.acoustics.response import (
    BIN_EDGES,
    DELAY_STEPS,
    ENERGY_FLOOR_DB,
    ENERGY_OF_CODE,
    ENERGY_STEP_DB,
    GAIN_OF_CODE,
    N_BINS,
    RESPONSE,
    UP,
)
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND

SIZE = (6, 4, 3)
LEFT, RIGHT = 0, 1


def head_that_does_nothing():
    directions = load_hrtf("kemar").directions
    responses = np.zeros((len(directions), 2, 96), np.float32)
    responses[:, :, 10] = 1
    return Hrtf("nobody", directions, responses, 10)


@pytest.fixture(scope="module")
def nobody():
    return make_ear_tables(head_that_does_nothing())


@pytest.fixture(scope="module")
def row():
    """A room's responses from one place to six others, and the places."""
    heads = np.random.default_rng(3).uniform([0.7] * 3, np.array(SIZE) - 0.7, (7, 3))
    return SourceTracer(shoebox(SIZE, heads, 0.25, 0.3), TraceConfig()).trace(0), heads


def one_path(azimuth, distance=2.0, gain=1.0):
    """A response of one path, degrees counter-clockwise from east."""
    response = np.zeros(1, RESPONSE)[0]
    response["n_paths"] = 1
    response["path_delay"][0] = round(distance / SPEED_OF_SOUND * SAMPLE_RATE * DELAY_STEPS)
    angle = np.radians(azimuth)
    response["path_direction"][0] = np.round([127 * np.cos(angle), 127 * np.sin(angle), 0])
    response["path_gain"][0] = np.abs(GAIN_OF_CODE - gain).argmin()
    return response


def decaying(sectors, t60=0.4):
    """A response without paths, all of it from some sectors."""
    response = np.zeros(1, RESPONSE)[0]
    energy = -np.diff(10 ** (-6 * BIN_EDGES / t60))
    codes = np.round((10 * np.log10(energy) - ENERGY_FLOOR_DB) / ENERGY_STEP_DB)
    response["energy"] = np.maximum(codes, 0)[:, None]
    response["direction"][:, sectors] = 255
    return response


def band_energies(signals, start=0, stop=RIR_SAMPLES):
    """(..., 7) energy in each octave band, as parts of an impulse of energy one in every band."""
    filters = octave_power_filters(RIR_SAMPLES)
    piece = np.zeros_like(signals)
    piece[..., start:stop] = signals[..., start:stop]
    power = np.abs(rfft(piece.astype(float))) ** 2
    return power @ filters.T**2 / np.sum(filters**2, axis=-1)


def decibels(ratio):
    return 10 * np.log10(ratio)


def turned(response):
    """The same response with the world a quarter turn further counter-clockwise."""
    other = response.copy()
    other["direction"][..., :12] = np.roll(response["direction"][..., :12], 3, axis=-1)
    x, y = response["path_direction"][..., 0], response["path_direction"][..., 1]
    other["path_direction"][..., 0], other["path_direction"][..., 1] = -y, x
    return other


@pytest.mark.parametrize("distance", [0.7, 2.0, 3.14, 7.77, 50.0])
def test_direct_sound_arrives_in_time_at_one_over_r(nobody, distance):
    heard = binaural_response(one_path(20, distance), 0, 1, nobody)
    sample = round(distance / SPEED_OF_SOUND * SAMPLE_RATE)
    assert heard.shape == (2, 16000)
    assert heard.dtype == np.float32
    for ear in heard:
        assert abs(int(np.abs(ear).argmax()) - sample) <= 1
        assert ear[np.abs(ear).argmax()] == pytest.approx(1 / distance, rel=0.01)
        assert np.sum(ear.astype(float) ** 2) == pytest.approx(1 / distance**2, rel=0.02)


def test_nearer_than_30_cm_sound_grows_no_louder(nobody):
    heard = binaural_response(one_path(0, 0.05), 0, 1, nobody)
    assert np.abs(heard).max() == pytest.approx(1 / 0.3, rel=0.01)


def test_gains_act_in_their_bands(nobody):
    flat = band_energies(binaural_response(one_path(0), 0, 0, nobody)[0]) * 4
    np.testing.assert_allclose(decibels(flat), 0, atol=0.1)
    for band in range(7):
        response = one_path(0)
        response["path_gain"][0, np.arange(7) != band] = 0  # -63 dB
        alone = decibels(band_energies(binaural_response(response, 0, 0, nobody)[0]) * 4)
        assert -2.7 < alone[band] < 0
        assert band == 2 or alone[band] > -2  # above 500 Hz the short filters begin
        assert np.abs(np.arange(7) - band)[alone > -10].max() < 2
    response = one_path(0)
    response["path_gain"][0, 4:] -= 80  # 20 dB
    dull = decibels(band_energies(binaural_response(response, 0, 0, nobody)[0]) * 4)
    np.testing.assert_allclose(dull[:3], 0, atol=0.2)
    np.testing.assert_allclose(dull[5:], -20, atol=0.2)
    assert -3 < dull[3] < 0
    assert -20 < dull[4] < -8


def test_smooth_gains_keep_their_levels(nobody):
    """Steps of up to 4 dB from band to band."""
    rng = np.random.default_rng(0)
    for distance in (0.5, 2.0, 2.01, 40.0):
        response = one_path(0, distance)
        codes = 200 + np.cumsum(rng.integers(-16, 17, size=7))
        response["path_gain"][0] = codes
        expected = decibels((GAIN_OF_CODE[codes] / distance) ** 2)
        heard = decibels(band_energies(binaural_response(response, 0, 0, nobody)))
        np.testing.assert_allclose(heard, [expected] * 2, atol=1.5)


@pytest.mark.parametrize("neighbours", [(0, 0), (0, 80), (80, 0), (60, 60)])
@pytest.mark.parametrize("k", [20, 21, 40, 64])
def test_a_late_bin_beside_fainter_ones_keeps_its_energy(nobody, k, neighbours):
    """160 is 40 dB above code 80."""
    response = np.zeros(1, RESPONSE)[0]
    response["direction"][:] = 255
    before, after = neighbours
    response["energy"][k - 1], response["energy"][k] = before, 160
    response["energy"][k + 1 :][:1] = after
    start, stop = (round(edge * SAMPLE_RATE) for edge in BIN_EDGES[k : k + 2])
    heard = [binaural_response(response, 0, salt, nobody)[:, start:stop] for salt in range(40)]
    energy = np.sum(np.square(heard, dtype=float), axis=-1).mean()
    assert decibels(energy / ENERGY_OF_CODE[160]) == pytest.approx(0, abs=0.3)


def test_noise_of_one_band_ends_a_sixth_of_an_octave_beyond_its_edge():
    n = 1 << 15
    filters = octave_power_filters(n)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 1) / 125)
    for band in range(7):
        away = np.abs(octaves - band)
        inside = (octaves > 0) & (octaves < 6)  # the outermost bands reach further
        assert (np.abs(filters[band][inside & (away > 0.5 + 1 / 6)]) < 1e-12).all()
        assert (filters[band][away < 0.5 - 1 / 6] == 1).all()
        edges = filters[band][inside & (np.abs(away - 0.5) < 1e-3)]
        np.testing.assert_allclose(edges**2, 0.5, atol=0.01)


def test_band_energies_are_those_of_the_compact_response(nobody, row):
    """No bias; the scatter is that of noise of bandwidth B that decays: 4.3 dB / sqrt(B T / 7)."""
    errors, interference = [], []
    for place in range(1, 7):
        response = row[0][place]
        n = response["n_paths"]
        length = response["path_delay"][:n, None] / DELAY_STEPS / SAMPLE_RATE * SPEED_OF_SOUND
        paths = (GAIN_OF_CODE[response["path_gain"][:n]] / length) ** 2
        expected = ENERGY_OF_CODE[response["energy"]].sum(axis=0)
        only_tail, only_paths = response.copy(), response.copy()
        only_tail["n_paths"] = 0
        only_paths["energy"] = 0
        heard = band_energies(binaural_response(only_tail, 0, place, nobody))
        errors.append(decibels(heard / expected))
        early = band_energies(binaural_response(only_paths, 0, place, nobody))
        interference.append(decibels(early / paths.sum(axis=0)))
    assert abs(np.mean(interference)) < 1
    assert np.abs(np.array(interference))[..., 3:].max() < 4  # low octaves add up nearly in phase
    errors = np.array(errors)
    assert abs(errors.mean(axis=(0, 1))[1:]).max() < 0.5
    assert abs(errors.mean()) < 0.2
    assert np.std(errors[..., 2:]) < 0.7
    assert np.std(errors[..., 4:]) < 0.5
    assert np.std(errors[..., :2]) < 1.8


@pytest.mark.parametrize("t60", [0.15, 0.4, 1.2])
def test_energy_stays_in_its_time(nobody, t60):
    response = decaying([0, 3, 6, 9], t60)
    heard = np.mean(
        [binaural_response(response, 0, salt, nobody).astype(float) ** 2 for salt in range(40)],
        axis=(0, 1),
    )
    steps = np.round(BIN_EDGES * SAMPLE_RATE).astype(int)
    by_bin = np.add.reduceat(heard, steps[:-1])
    expected = ENERGY_OF_CODE[response["energy"][:, 3]]
    loud = expected > 1e-5 * expected.sum()
    error = decibels(by_bin[loud] / expected[loud])
    assert abs(error).max() < 1.0
    assert abs(error.mean()) < 0.1


def test_late_sound_has_no_steps(nobody):
    """Within a bin of 20 ms the level falls as the decay does, 2 dB in 5 ms."""
    response = decaying(list(range(12)), 0.15)  # 8 dB from bin to bin
    heard = np.mean(
        [binaural_response(response, 0, salt, nobody).astype(float) ** 2 for salt in range(200)],
        axis=(0, 1),
    )
    pieces = decibels(heard[: SPLIT + 800].reshape(-1, 80).mean(axis=1))  # 5 ms each
    np.testing.assert_allclose(np.diff(pieces), -2, atol=0.7)


@pytest.mark.parametrize("head", ["nobody", "kemar"])
def test_turning_the_world_and_the_head_together_changes_nothing(nobody, row, head):
    tables = nobody if head == "nobody" else ear_tables("kemar")
    for response in row[0][1:]:
        for heading in range(4):
            once = binaural_response(response, heading, 5, tables)
            both = binaural_response(turned(response), heading + 1, 5, tables)
            assert once.tobytes() == both.tobytes()


def test_headings_count_quarter_turns():
    tables, response = ear_tables(), one_path(90)  # in the north
    levels = [np.sum(binaural_response(response, h, 0, tables) ** 2, axis=1) for h in range(4)]
    difference = [decibels(left / right) for left, right in levels]
    assert difference[0] > 6  # facing east, north is on the left
    assert abs(difference[1]) < 0.5
    assert difference[2] < -6
    assert abs(difference[3]) < 0.5


@pytest.mark.parametrize("azimuth", [0, 30, 60, 90, 180, 270, 330])
def test_paths_have_the_differences_of_the_measured_head(azimuth):
    head = load_hrtf("kemar")
    angle = np.radians(azimuth)
    row = head.nearest([np.cos(angle), np.sin(angle), 0])
    seconds, level = interaural_differences(head, row)
    left, right = binaural_response(one_path(azimuth), 0, 0, ear_tables()).astype(float)
    lag = np.argmax(np.correlate(right[:400], left[:400], "full")) - 399
    assert lag / SAMPLE_RATE == pytest.approx(seconds, abs=1.01 / SAMPLE_RATE)
    assert decibels(np.sum(left**2) / np.sum(right**2)) == pytest.approx(level, abs=0.3)


def test_left_and_right_are_mirrored():
    tables = ear_tables()
    one, other = (binaural_response(one_path(a), 0, 0, tables) for a in (60, -60))
    np.testing.assert_allclose(one[LEFT], other[RIGHT], atol=1e-3 * np.abs(one).max())
    np.testing.assert_allclose(one[RIGHT], other[LEFT], atol=1e-3 * np.abs(one).max())


@pytest.mark.parametrize(
    ("sector", "least", "most"), [(3, 4, 14), (9, -14, -4), (0, -1, 1), (UP, -1, 1)]
)
def test_reverberation_leans_to_the_side_it_comes_from(sector, least, most):
    """The first 100 ms and the diffuse rest, at 2 kHz."""
    tables = ear_tables()
    for start, stop in ((0, SPLIT), (SPLIT, RIR_SAMPLES)):
        energy = np.mean(
            [
                band_energies(binaural_response(decaying(sector), 0, salt, tables), start, stop)
                for salt in range(10)
            ],
            axis=0,
        )
        difference = decibels(energy[LEFT, 4] / energy[RIGHT, 4])
        assert least < difference < most


def test_a_head_in_a_diffuse_field_hears_the_same_at_both_ears():
    tables = ear_tables()
    energy = np.mean(
        [
            band_energies(binaural_response(decaying(list(range(12))), 0, salt, tables))
            for salt in range(40)
        ],
        axis=0,
    )
    np.testing.assert_allclose(decibels(energy[LEFT] / energy[RIGHT]), 0, atol=0.8)


def test_the_salt_changes_the_noise_but_not_its_energy(nobody, row):
    response = row[0][1].copy()
    response["n_paths"] = 0
    heard = [binaural_response(response, 0, salt, nobody) for salt in range(12)]
    again = binaural_response(response, 0, 3, nobody)
    assert again.tobytes() == heard[3].tobytes()
    alike = [np.corrcoef(heard[0][0], other[0])[0, 1] for other in heard[1:]]
    assert np.abs(alike).max() < 0.5
    assert np.abs(alike).mean() < 0.2
    levels = decibels(np.array([band_energies(h) for h in heard]))
    assert np.std(levels, axis=0)[:, 3:].max() < 0.7
    assert np.abs(levels - levels.mean(axis=0))[..., 3:].max() < 1.5
    assert np.abs(levels - levels.mean(axis=0)).max() < 4  # a low octave has few periods


@pytest.mark.parametrize("salt", [0, -1, 2**70, np.int64(7), np.int32(-3)])
def test_any_integer_is_a_salt(nobody, salt):
    assert np.isfinite(binaural_response(decaying([0]), 0, salt, nobody)).all()


def test_silence_and_a_dirty_buffer(nobody):
    out = np.full((2, RIR_SAMPLES), np.nan, np.float32)
    heard = binaural_response(np.zeros(1, RESPONSE)[0], 2, 9, nobody, out)
    assert heard is out
    assert not heard.any()


def test_no_number_is_lost_at_the_ends(nobody):
    """A path at the very start, one at the last delay, and the loudest codes."""
    response = np.zeros(1, RESPONSE)[0]
    response["n_paths"] = 16
    response["path_delay"] = np.linspace(0, 65535, 16).astype(int)
    response["path_direction"][:, 0] = 127
    response["path_gain"] = 252
    response["energy"] = 200
    response["direction"] = 255
    for tables in (nobody, ear_tables()):
        heard = binaural_response(response, 3, 1, tables)
        assert np.isfinite(heard).all()
        assert heard[:, -100:].any()


def test_power_filters_share_out_all_energy():
    for n in (512, 8192, 16000):
        np.testing.assert_allclose(np.sum(octave_power_filters(n) ** 2, axis=0), 1, atol=1e-12)
    assert N_BINS == 65
