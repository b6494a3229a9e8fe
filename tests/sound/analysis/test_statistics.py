"""Measures and probe against known answers; the embedded classes are fair and hard enough."""

import numpy as np
import pytest
import soundfile

from av_envs.sound import SAMPLE_RATE
from av_envs.sound.analysis import statistics
from av_envs.sound.analysis.measures import (
    crest,
    mel_levels,
    modulation_peak,
    octave_levels,
    pitch_track,
)
from av_envs.sound.analysis.probe import excerpt_features, probe_accuracy
from av_envs.sound.analysis.statistics import (
    MUSIC_COLUMNS,
    VOICE_COLUMNS,
    corpus_accuracy,
    excerpts,
    main,
    music_measures,
    read_recordings,
    voice_measures,
)
from av_envs.sound.corpora import EMBEDDED
from av_envs.sound.embedded import EmbeddedCorpus
from tests.sound.synthesis.test_voice import OCTAVES_OF_READERS

TIME = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
TONE = np.sin(2 * np.pi * 1000 * TIME)


def test_a_tone_lies_in_its_octave_and_its_mel_band():
    levels = octave_levels(TONE)
    assert levels[3] == pytest.approx(0, abs=0.01)
    assert np.delete(levels, 3).max() < -40
    mel = mel_levels(TONE).mean(axis=0)
    edges = 700 * np.expm1(np.linspace(np.log1p(60 / 700), np.log1p(8000 / 700), 34))
    assert edges[mel.argmax()] < 1000 < edges[mel.argmax() + 2]


def test_a_tone_has_a_crest_of_three_decibels():
    assert crest(TONE) == pytest.approx(10 * np.log10(2), abs=0.01)


@pytest.mark.parametrize("hertz", [2.0, 5.0, 8.0])
def test_a_beat_is_the_strongest_modulation(hertz):
    noise = np.random.default_rng(0).standard_normal(len(TIME))
    assert modulation_peak(noise * (1 + np.sin(2 * np.pi * hertz * TIME))) == pytest.approx(
        hertz, abs=0.5
    )


def test_pitch_is_the_rate_of_pulses_and_noise_has_none():
    pulses = (np.arange(len(TIME)) % 100 == 0).astype(float)
    pitches, voiced = pitch_track(pulses)
    assert voiced > 0.95
    assert np.median(pitches) == pytest.approx(160, rel=0.01)
    assert pitch_track(np.random.default_rng(0).standard_normal(len(TIME)))[1] < 0.05


def test_the_probe_finds_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((8, 64))
    known, unseen = (
        [centre + 0.1 * rng.standard_normal((10, 64)) for centre in centres] for _ in range(2)
    )
    assert probe_accuracy(known, unseen) == 1
    noise = [[rng.standard_normal((40, 64)) for _ in range(8)] for _ in range(2)]
    assert probe_accuracy(*noise) == pytest.approx(1 / 8, abs=0.06)


def test_excerpts_cut_a_clip_without_overlap():
    parts = excerpt_features(np.concatenate([TONE, TONE**3]), 5)
    assert parts.shape == (4, 64)
    np.testing.assert_allclose(parts[0], parts[1], atol=1)
    assert np.abs(parts[0] - parts[3]).max() > 10
    with pytest.raises(ValueError, match="holds no excerpt of 20 s"):
        excerpt_features(TONE, 20)


@pytest.mark.slow
def test_voices_are_told_apart_but_not_in_one_second(corpus):
    few = EmbeddedCorpus(n_voices=10)
    accuracy = corpus_accuracy(few, (1, 5))
    assert 0.5 < accuracy[1] < 0.95
    assert accuracy[1] + 0.05 < accuracy[5]


@pytest.mark.slow
def test_102_classes_are_fair_and_hard_enough(corpus):
    accuracy = corpus_accuracy(corpus, (1, 5, 20))
    assert 0.3 < accuracy[1] < 0.7  # chance is 0.01
    assert 0.65 < accuracy[5] < 0.95
    assert accuracy[20] > 0.8


@pytest.mark.slow
def test_all_voices_together_measure_like_readers(corpus):
    clips = [corpus.samples(f"voice-{i:02d}/test-0") for i in range(0, 100, 2)]
    mean = np.mean([voice_measures(clip) for clip in clips], axis=0)
    assert np.abs(mean[:7] - OCTAVES_OF_READERS[0]).max() < 2
    pitch, spread, voiced, modulation, peak = mean[7:12]
    assert 135 < pitch < 185
    assert 3.2 < spread < 6
    assert 0.47 < voiced < 0.63
    assert 3 < modulation < 5.5
    assert 18 < peak < 22


@pytest.mark.slow
def test_the_second_edition_is_as_hard_as_the_first():
    first, second = (corpus_accuracy(EmbeddedCorpus(30, name), (1, 5)) for name in EMBEDDED)
    assert second[1] == pytest.approx(first[1], abs=0.05)  # 0.03 with all 102 classes
    assert second[5] == pytest.approx(first[5], abs=0.05)


@pytest.mark.slow
def test_the_second_edition_moves_like_recorded_readers(second_edition, real_data):
    names = [f"voice-{i:02d}/test-0" for i in range(0, 100, 5)]
    synthetic = [voice_measures(second_edition.samples(name)) for name in names]
    real = [voice_measures(clip) for clip in read_recordings(real_data / "speech")[::3]]
    found = dict(zip(VOICE_COLUMNS, np.mean(synthetic, axis=0)[7:], strict=True))
    truth = dict(zip(VOICE_COLUMNS, np.mean(real, axis=0)[7:], strict=True))
    for column, tolerance in {"modul. Hz": 0.8, "2-8 Hz": 0.07, "in bands": 0.05}.items():
        assert found[column] == pytest.approx(truth[column], abs=tolerance), column
    assert found["quiet dB"] == pytest.approx(truth["quiet dB"], abs=4)
    assert found["rise ms"] == pytest.approx(truth["rise ms"], abs=14)


@pytest.mark.slow
def test_music_of_the_second_edition_is_nearer_to_recorded_music(corpus, second_edition, real_data):
    real = excerpts(read_recordings(real_data / "music"))
    truth = np.mean([music_measures(clip) for clip in real], axis=0)[7:]
    near, far = (
        np.mean([music_measures(one.samples(f"music/train-{i}")) for i in range(3)], axis=0)[7:]
        for one in (second_edition, corpus)
    )
    for column in ("flux dB", "range dB", "pitches"):
        k = MUSIC_COLUMNS.index(column)
        assert abs(near[k] - truth[k]) < abs(far[k] - truth[k]), column


def test_the_command_prints_both_editions_recordings_and_the_probe(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(statistics, "EXCERPTS", (1,))
    few = EmbeddedCorpus(2)
    for i in range(2):
        soundfile.write(tmp_path / f"{i}.wav", few.samples(f"voice-0{i}/val-0"), SAMPLE_RATE)
    main(["--voices", "2", "--real", str(tmp_path), "--music", str(tmp_path)])
    text = capsys.readouterr().out
    for title in ("embedded", "embedded-2"):
        assert f"{title} voices (2), mean" in text
        assert f"{title} music (5), mean" in text
        assert f"  {title:<12} 1 s " in text
    assert "recorded voices (2)" in text
    assert "recorded music (2)" in text
    assert "linear probe, 4 classes" in text


def test_excerpts_are_as_long_as_clips():
    cut = excerpts([np.zeros(50 * SAMPLE_RATE), np.zeros(23 * SAMPLE_RATE)])
    assert [len(part) // SAMPLE_RATE for part in cut] == [20, 20, 10, 20]


def test_a_folder_without_long_recordings_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.1 * TONE[:32_000], SAMPLE_RATE)
    with pytest.raises(SystemExit, match=r"none of the 1 sound files"):
        statistics.read_recordings(tmp_path)
