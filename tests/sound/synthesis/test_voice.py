"""The vocal tract does what its tracks say, and the voices measure like speech."""

import numpy as np
import pytest
from listening import quietest_second, share_between, spectral_slope, tone_frequency
from scipy.signal import find_peaks

from av_envs.sound.analysis.measures import (
    crest,
    modulation_peak,
    octave_levels,
    pitch_track,
    power_spectrum,
)
from av_envs.sound.synthesis.phonemes import (
    CODAS,
    CONSONANTS,
    DIPHTHONGS,
    ONSETS,
    STRESSED,
    UNSTRESSED,
    VOWELS,
)
from av_envs.sound.synthesis.speakers import speaker
from av_envs.sound.synthesis.vocal_tract import FRAME_RATE, NASAL_SPACING, Larynx, Tracks, sing_out
from av_envs.sound.synthesis.voice import talk

STEADY = Larynx(open_quotient=0.6, smoothness=0.0, breathiness=0.0, roughness=0.0)
CREAKING = STEADY._replace(roughness=0.02)


def steady_tracks(seconds=2, **changed):
    """A neutral vowel at 125 Hz unless `changed`."""
    values = {"pitch": 125.0, "voicing": 1.0, "aspiration": 0.0, "frication": 0.0}
    values |= {"noise_hz": 4000.0, "noise_q": 2.0, "damping": 1.0}
    values |= {"nasality": 0.0, "nasal_hz": 1500.0}
    values |= {"formants": [500.0, 1500.0, 2500.0], **changed}
    n_frames = seconds * FRAME_RATE
    held = {key: [value] * n_frames for key, value in values.items()}
    return Tracks(**{key: np.array(value) for key, value in held.items()})


def log_spectrum(samples):
    """(Hz, dB), smoothed over 5 bins."""
    frequency, power = power_spectrum(samples)
    return frequency, np.convolve(10 * np.log10(power), np.full(5, 0.2), mode="same")


def produce(larynx=STEADY, **changed):
    return sing_out(steady_tracks(**changed), larynx, 1.0, np.random.default_rng(0))


@pytest.mark.parametrize("pitch", [90.0, 133.3, 241.7])
def test_the_voice_has_the_pitch_it_is_told(pitch):
    voice = produce(pitch=pitch, formants=[pitch, 1500.0, 2500.0])
    assert tone_frequency(voice[4000:]) == pytest.approx(pitch, rel=1e-3)


def test_a_steady_voice_is_harmonics_and_nothing_else():
    power = np.abs(np.fft.rfft(produce(pitch=200.0)[-16_000:].astype(float))) ** 2  # 1 Hz bins
    harmonic = power[200::200].sum()
    assert power.sum() - harmonic < 1e-4 * harmonic  # aliases of the pulses lie between


@pytest.mark.parametrize("formants", [[300.0, 2300.0, 3000.0], [750.0, 1150.0, 2600.0]])
def test_resonances_are_where_the_formants_are(formants):
    breath = produce(seconds=20, voicing=0.0, aspiration=1.0, formants=formants)
    frequency, level = log_spectrum(breath)
    peaks = frequency[find_peaks(level, prominence=2)[0]]
    for formant in formants:
        assert np.abs(peaks - formant).min() < 50, (formant, peaks)


@pytest.mark.parametrize("centre", [2000.0, 4000.0, 6000.0])
def test_hiss_has_its_band_and_its_loudness(centre):
    hiss = produce(voicing=0.0, frication=0.5, noise_hz=centre, noise_q=4.0)
    assert np.std(hiss) == pytest.approx(0.5, rel=0.1)
    assert share_between(hiss, centre / 1.25, centre * 1.25) > 0.6


def test_a_rough_voice_is_less_regular_than_a_steady_one():
    smooth, rough = (pitch_track(produce(larynx))[0] for larynx in (STEADY, CREAKING))
    assert np.std(smooth) < 0.3 < np.std(rough)


@pytest.mark.parametrize("scale", [0.85, 1.2])
def test_the_upper_formants_follow_the_length_of_the_tract(scale):
    tracks = steady_tracks(20, voicing=0.0, aspiration=1.0, formants=[500.0, 1500.0, 2200.0])
    frequency, level = log_spectrum(sing_out(tracks, STEADY, scale, np.random.default_rng(0)))
    peaks = frequency[find_peaks(level, prominence=2)[0]]
    assert np.abs(peaks - 3500 * scale).min() < 80, peaks


def test_every_sound_of_the_language_is_known():
    assert (set(ONSETS) | set(CODAS)) - {""} <= set(CONSONANTS)
    assert set(STRESSED) | set(UNSTRESSED) <= set(VOWELS) | set(DIPHTHONGS)
    assert {vowel for pair in DIPHTHONGS.values() for vowel in pair} <= set(VOWELS)


def test_an_open_nose_takes_a_band_out_and_nothing_else_changes_it():
    breath = {"seconds": 20, "voicing": 0.0, "aspiration": 1.0}
    shut = produce(**breath)
    frequency, without = log_spectrum(shut)
    _, nasal = log_spectrum(produce(**breath, nasality=1.0))
    change = nasal - without
    taken = frequency[change.argmin()]
    assert taken == pytest.approx(1500 * (1 - NASAL_SPACING), abs=60)
    assert change.min() < -6
    above = change[(frequency > 3000) & (frequency < 7500)]
    assert -6 < above.min() < above.max() < 0  # a hum is duller than a vowel, everywhere alike
    np.testing.assert_allclose(shut, produce(**breath, nasal_hz=900.0), atol=1e-6 * shut.std())


# Mean and deviation of 63 recorded readers:
# `python -m av_envs.sound.analysis.statistics --real DIR`.
OCTAVES_OF_READERS = np.array(
    [[-13.1, -7.4, -5.2, -9.9, -12.4, -14.4, -21.3], [6.2, 2.8, 2.0, 3.2, 4.0, 5.3, 6.5]]
)


@pytest.mark.parametrize("index", [0, 31, 62, 99])
def test_a_voice_measures_like_speech(index):
    # Every bound lies within three deviations of the mean of recorded readers.
    voice = talk(speaker(index), 20, np.random.default_rng(index))
    pitches, voiced = pitch_track(voice)
    mean, deviation = OCTAVES_OF_READERS
    assert np.abs((octave_levels(voice) - mean) / deviation).max() < 3
    assert -13 < spectral_slope(voice) < -2
    assert 2 <= modulation_peak(voice) <= 7.5
    assert 0.35 < voiced < 0.75
    assert 2 < np.std(12 * np.log2(pitches / np.median(pitches))) < 8
    assert 15.5 < crest(voice) < 25.5
    assert quietest_second(voice) > 0.2


def test_voices_together_have_the_spectrum_of_readers():
    voices = [talk(speaker(i), 5, np.random.default_rng(i)) for i in range(24)]
    mean = np.mean([octave_levels(voice) for voice in voices], axis=0)
    assert np.abs(mean - OCTAVES_OF_READERS[0]).max() < 2.5


@pytest.mark.slow
def test_speakers_keep_their_pitch_and_differ_from_each_other():
    told = np.array([speaker(i).pitch for i in range(10)])
    heard = np.array(
        [
            [
                np.median(pitch_track(talk(speaker(i), 10, np.random.default_rng(take)))[0])
                for take in (0, 1)
            ]
            for i in range(10)
        ]
    )
    semitones = 12 * np.log2(heard / told[:, None])
    assert np.abs(semitones).max() < 2.5
    assert abs(semitones.mean()) < 0.7
    assert np.abs(np.diff(semitones)).max() < 2.5  # one speaker, two takes
    assert 12 * np.log2(heard.max() / heard.min()) > 12  # an octave from lowest to highest


def test_speakers_stay_different_when_there_are_a_hundred():
    people = [speaker(i) for i in range(100)]
    traits = np.array(
        [
            [12 * np.log2(p.pitch), 40 * p.tract_scale, 4 * p.rate, 2 * p.liveliness, 6 * p.hiss]
            for p in people
        ]
    )  # roughly in just noticeable differences
    distance = np.linalg.norm(traits[:, None] - traits, axis=2) + 1e9 * np.eye(100)
    assert distance.min() > 1


def test_takes_of_a_speaker_differ():
    first, second = (talk(speaker(0), 2, np.random.default_rng(take)) for take in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


@pytest.mark.slow
def test_real_speech_passes_the_same_measures(real_data):
    import soundfile

    files = sorted((real_data / "speech").glob("*.flac"))[:12]
    clips = [soundfile.read(path)[0] for path in files]
    slopes = [spectral_slope(clip) for clip in clips]
    assert -13 < np.mean(slopes) < -2
    octaves = np.mean([octave_levels(clip) for clip in clips], axis=0)
    assert np.abs(octaves - OCTAVES_OF_READERS[0]).max() < 3
    assert 2 <= np.mean([modulation_peak(clip) for clip in clips if len(clip) > 80_000]) <= 8
    assert np.mean([share_between(clip, 0, 4000) for clip in clips]) > 0.85
    assert 0.35 < np.mean([pitch_track(clip)[1] for clip in clips]) < 0.75
