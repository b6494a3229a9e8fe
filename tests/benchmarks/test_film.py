import sys

import av
import numpy as np
import pytest

from benchmarks.film import SAMPLE_RATE, write_film

HEIGHT, WIDTH = 64, 96


def coloured_frames(n):
    """Frames whose red rises from one to the next, with a blue left half."""
    frames = np.zeros((n, HEIGHT, WIDTH, 3), np.uint8)
    frames[..., 0] = np.linspace(20, 220, n)[:, None, None]
    frames[:, :, : WIDTH // 2, 2] = 200
    return list(frames)


def tones(seconds, left=400.0, right=0.0, level=0.5):
    """A tone of `left` hertz in the left ear, of `right` in the right; 0 is silence."""
    time = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    return level * np.sin(2 * np.pi * np.array([[left], [right]]) * time).astype(np.float32)


def read_film(path):
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        rate, duration = film.streams.video[0].average_rate, film.duration / av.time_base
    with av.open(str(path)) as film:
        chunks = [chunk.to_ndarray() for chunk in film.decode(audio=0)]
        assert film.streams.audio[0].codec_context.sample_rate == SAMPLE_RATE
    return frames, np.concatenate(chunks, 1), float(rate), duration


def test_every_frame_is_there_for_a_second(tmp_path):
    write_film(coloured_frames(5), tones(5), tmp_path / "film.mp4")
    frames, _, rate, duration = read_film(tmp_path / "film.mp4")
    assert len(frames) == 5
    assert rate == 1
    assert duration == pytest.approx(5, abs=0.15)
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    reds = [frame[:, -20:, 0].mean() for frame in frames]
    np.testing.assert_allclose(reds, np.linspace(20, 220, 5), atol=8)
    assert frames[2][:, :20, 2].mean() > frames[2][:, -20:, 2].mean() + 120


def test_the_sound_keeps_its_level_pitch_and_sides(tmp_path):
    audio = tones(3)
    write_film(coloured_frames(3), audio, tmp_path / "film.mp4")
    _, heard, _, _ = read_film(tmp_path / "film.mp4")
    assert heard.shape[1] == pytest.approx(3 * SAMPLE_RATE, abs=2048)
    middle = heard[:, SAMPLE_RATE : 2 * SAMPLE_RATE]
    assert np.sqrt((middle[0] ** 2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert np.abs(middle[1]).max() < 0.02
    assert np.abs(np.fft.rfft(middle[0])).argmax() == 400


def test_too_loud_a_sound_is_turned_down_not_clipped(tmp_path):
    write_film(coloured_frames(2), tones(2, right=700, level=4.0), tmp_path / "film.mp4")
    _, heard, _, _ = read_film(tmp_path / "film.mp4")
    spectrum = np.abs(np.fft.rfft(heard[0, 4000:20000]))
    assert np.abs(heard).max() < 1.1
    assert spectrum[1100:1300].max() < 0.01 * spectrum.max()  # clipping would add the third


def test_faster_films(tmp_path):
    write_film(coloured_frames(8), tones(2), tmp_path / "new" / "film.mp4", fps=4)
    frames, _, rate, duration = read_film(tmp_path / "new" / "film.mp4")
    assert (len(frames), rate) == (8, 4)
    assert duration == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("frames", "audio", "message"),
    [
        ([], tones(1), "at least one frame"),
        ([np.zeros((63, 64, 3), np.uint8)], tones(1), "even"),
        ([np.zeros((64, 64, 3))], tones(1), "uint8"),
        ([np.zeros((64, 64, 3), np.uint8), np.zeros((32, 64, 3), np.uint8)], tones(1), "frame 1"),
        (coloured_frames(1), tones(1)[0], r"\(2, n\)"),
        (coloured_frames(1), tones(1) * np.nan, "finite"),
    ],
)
def test_bad_films_are_refused(tmp_path, frames, audio, message):
    with pytest.raises(ValueError, match=message):
        write_film(frames, audio, tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()


def test_without_the_video_extra_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"av-envs\[video\]"):
        write_film(coloured_frames(1), tones(1), tmp_path / "film.mp4")
