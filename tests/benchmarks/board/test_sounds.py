"""Sounds of the page: small, ears apart, and all equally loud."""

import base64
import io

import numpy as np
import pytest
import soundfile

from av_envs.benchmarks.board.listening import LEVEL_DB, PEAK_DB, even_gains_db
from av_envs.benchmarks.board.replaying import Replay
from av_envs.benchmarks.board.sounds import ogg, tracks
from av_envs.benchmarks.play.trajectories import TASKS

N = 20 * 16000
TONE = np.sin(2 * np.pi * 440 * np.arange(N) / 16000).astype(np.float32)


def read(data):
    return soundfile.read(io.BytesIO(data), always_2d=True)


def level_db(sound):
    return 20 * np.log10(np.sqrt(np.mean(np.square(sound))))


def test_sounds_keep_their_ears_apart_and_are_small():
    data = ogg(np.stack([TONE / 2, 0 * TONE]), TASKS["separation"].compression)
    assert len(data) < 90_000
    samples, rate = read(data)
    assert rate == 16000
    middle = samples[32000:-32000]
    assert 0.4 < np.abs(middle[:, 0]).max() < 0.6
    assert np.abs(middle[:, 1]).max() < 0.05


def test_quiet_and_loud_become_equally_loud():
    sounds = [0.001 * TONE, 0.9 * TONE, np.stack([0.1 * TONE, 0.1 * TONE])]
    for sound, gain in zip(sounds, even_gains_db(sounds), strict=True):
        assert level_db(sound) + gain == pytest.approx(LEVEL_DB, abs=0.01)


def test_a_sound_of_peaks_holds_all_others_down():
    click = np.zeros((1, N), np.float32)
    click[0, ::16000] = 0.5
    gains = even_gains_db([click, TONE, 0 * TONE])
    assert 20 * np.log10(0.5) + gains[0] == pytest.approx(PEAK_DB, abs=0.01)
    assert level_db(TONE) + gains[1] == pytest.approx(level_db(click) + gains[0], abs=0.01)
    assert gains[2] == 0


def test_tracks_are_the_mixture_the_estimate_and_the_truth():
    heard = 0.01 * np.stack([TONE, TONE])
    taken = Replay(heard, truth=0.5 * TONE, estimate=2 * TONE, remark="as scored", views=None)
    made = tracks(taken, 0.95)
    assert [track["name"] for track in made] == ["mixture", "estimate", "truth"]
    assert made[1]["note"] == "as scored"
    sounds = [read(base64.b64decode(track["ogg"]))[0] for track in made]
    assert [sound.shape[1] for sound in sounds] == [2, 1, 1]
    for sound in sounds:
        assert level_db(sound[16000:-16000]) == pytest.approx(LEVEL_DB, abs=0.5)


def test_a_team_claps_only():
    taken = Replay(np.stack([TONE, TONE]), truth=None, estimate=None, remark="", views=None)
    assert [track["name"] for track in tracks(taken, 0.99)] == ["clap"]
