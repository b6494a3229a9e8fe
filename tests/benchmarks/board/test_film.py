import sys
from dataclasses import replace

import av
import numpy as np
import pytest
from fake_separation import FAKE_SUITE

from av_envs.benchmarks.board import film
from av_envs.benchmarks.board.film_file import SAMPLE_RATE, write_film
from av_envs.benchmarks.board.listening import LEVEL_DB, PEAK_DB, amplified, listening_gain_db
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.suites.suite import SUITES, Group

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
    with av.open(str(path)) as reel:
        frames = [frame.to_ndarray(format="rgb24") for frame in reel.decode(video=0)]
        rate, duration = reel.streams.video[0].average_rate, reel.duration / av.time_base
    with av.open(str(path)) as reel:
        chunks = [chunk.to_ndarray() for chunk in reel.decode(audio=0)]
        assert reel.streams.audio[0].codec_context.sample_rate == SAMPLE_RATE
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
    with pytest.raises(ImportError, match=r"pip install -e '\.\[video\]'"):
        write_film(coloured_frames(1), tones(1), tmp_path / "film.mp4")


def test_sound_and_picture_stay_together(tmp_path):
    """Clicks at the beginning of every second are heard within a hundredth of it."""
    audio = np.zeros((2, 4 * SAMPLE_RATE), np.float32)
    for second in range(4):
        audio[:, second * SAMPLE_RATE : second * SAMPLE_RATE + 80] = 0.8
    write_film(coloured_frames(4), audio, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as reel:
        shown = [float(frame.pts * frame.time_base) for frame in reel.decode(video=0)]
    with av.open(str(tmp_path / "film.mp4")) as reel:
        chunks = [(float(c.pts * c.time_base), c.to_ndarray()[0]) for c in reel.decode(audio=0)]
    times = np.concatenate([start + np.arange(len(heard)) / SAMPLE_RATE for start, heard in chunks])
    heard = np.abs(np.concatenate([heard for _, heard in chunks]))
    assert shown == [0, 1, 2, 3]
    for second in (1, 2, 3):
        around = np.abs(times - second) < 0.4
        first = times[around][np.flatnonzero(heard[around] > 0.3)[0]]
        assert first == pytest.approx(second, abs=0.01)


def recorded(monkeypatch):
    """What `film_episode` hands over to be written."""
    calls = []
    monkeypatch.setattr(film, "write_film", lambda *arguments, fps: calls.append((arguments, fps)))
    return calls


def test_an_episode_is_seen_and_heard_at_every_step(tmp_path, monkeypatch):
    calls = recorded(monkeypatch)
    agent = AgentSpec("av_envs.baselines.separation:Oracle")
    assert film.film_episode(FAKE_SUITE, agent, 3, tmp_path / "film.mp4") == tmp_path / "film.mp4"
    (frames, audio, path), fps = calls[0]
    assert path == tmp_path / "film.mp4"
    assert [frame[0, 0, 0] for frame in frames] == list(range(0, 210, 10))
    assert audio.shape == (2, 21 * SAMPLE_RATE)
    steps = audio[0, 8000::16000]
    gain = listening_gain_db(np.repeat(np.arange(21) / 100, SAMPLE_RATE)[None].repeat(2, 0))
    np.testing.assert_allclose(steps, np.arange(21) / 100 * 10 ** (gain / 20), atol=1e-3)
    assert fps == 1


def test_two_agents_play_the_same_episode_beside_each_other(tmp_path, monkeypatch):
    calls = recorded(monkeypatch)
    agents = [AgentSpec(f"av_envs.baselines.separation:{name}") for name in ("Oracle", "Random")]
    film.film_episode(FAKE_SUITE, agents[0], 3, tmp_path / "film.mp4", agents[1])
    film.film_episode(FAKE_SUITE, agents[0], 3, tmp_path / "film.mp4")
    (both, sound, _), _ = calls[0]
    (alone, alone_sound, _), _ = calls[1]
    width = alone[0].shape[1]
    assert both[0].shape[1] == 2 * width
    np.testing.assert_array_equal(both[5][:, :width], alone[5])
    np.testing.assert_array_equal(sound, alone_sound)


def test_what_ends_earlier_stands_still():
    short, long = coloured_frames(2), coloured_frames(4)
    joined = film.side_by_side(short, long)
    assert len(joined) == 4
    np.testing.assert_array_equal(joined[3][:, :WIDTH], short[1])
    np.testing.assert_array_equal(joined[3][:, WIDTH:], long[3])


def test_a_note_stands_in_the_header_and_spoils_no_frame():
    frames = [np.zeros((80, 400, 3), np.uint8)] * 2
    first, second = film.noted(frames, "Oracle   sound +12 dB")
    np.testing.assert_array_equal(first, second)
    assert not frames[0].any()
    rows, columns = np.nonzero(first.any(axis=-1))
    assert rows.max() < 36
    assert 400 - film.NOTE_MARGIN - 8 <= columns.max() < 400 - film.NOTE_MARGIN


def test_people_hear_an_episode_at_one_level():
    rng = np.random.default_rng(0)
    quiet = (1e-3 * rng.standard_normal((2, 32_000))).astype(np.float32)
    gain = listening_gain_db(quiet)
    level = 20 * np.log10(np.sqrt(np.square(amplified(quiet, gain)).mean()))
    assert LEVEL_DB - 1 <= level <= LEVEL_DB
    assert gain == 40 == round(gain)
    assert listening_gain_db(10 * quiet) == pytest.approx(gain - 20, abs=1)


def test_no_sample_is_clipped_and_silence_stays():
    clap = np.zeros((2, 16_000), np.float32)
    clap[:, 100] = 0.5
    gain = listening_gain_db(clap)
    assert PEAK_DB - 1 <= 20 * np.log10(np.abs(amplified(clap, gain)).max()) <= PEAK_DB
    assert listening_gain_db(np.zeros((2, 100))) == 0


@pytest.fixture
def short_suite(monkeypatch):
    """Three steps of the measuring task."""
    suite = replace(
        SUITES["rir-replica-like-v2"],
        name="rir-short-v1",
        env_kwargs={"houses": 1, "steps": 3, "predictor": "zero"},
        groups=(Group("all", {}, (0,), ({"house": 0},)),),
    )
    monkeypatch.setitem(SUITES, suite.name, suite)
    return suite


def test_a_measuring_episode_becomes_a_film_of_claps(tmp_path, short_suite):
    words = ["--suite", short_suite.name, "--agent", "fake_rir_measure:Walkers"]
    assert film.main([*words, "--out", str(tmp_path / "team.mp4")]) == 0
    frames, heard, rate, duration = read_film(tmp_path / "team.mp4")
    assert (len(frames), rate) == (4, 4)
    assert duration == pytest.approx(1, abs=0.15)
    assert frames[0].shape == (608, 992, 3)
    beats = heard[:, : 4 * 4000].reshape(2, 4, 4000)
    energy = np.square(beats).sum(-1).max(0)
    assert (energy > 0.01).all()
    assert (np.square(beats[..., -200:]).sum(-1).max(0) < 0.01 * energy).all()


def test_no_more_than_the_first_steps_are_filmed(tmp_path, short_suite):
    words = ["--suite", short_suite.name, "--agent", "fake_rir_measure:Walkers", "--steps", "2"]
    assert film.main([*words, "--out", str(tmp_path / "team.mp4")]) == 0
    frames, _, _, duration = read_film(tmp_path / "team.mp4")
    assert len(frames) == 3
    assert duration == pytest.approx(0.75, abs=0.15)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--suite", "films", "--agent", "a:B"], "unknown suite 'films'"),
        (["--suite", "sep-demo-v2", "--agent", "a:B", "--episode", "24"], "0 to 23, not 24"),
        (["--suite", "sep-demo-v2", "--agent", "Orcale"], "unknown agent 'Orcale'; give a name of"),
        (["AVFilm-v0", "--agent", "Oracle"], "or an environment: AVDynamicSep-v0"),
        (["AVFarSep-v0", "--suite", "sep-demo-v2", "--agent", "Oracle"], "one environment or one"),
        (["--agent", "Oracle"], "name one environment or one suite"),
    ],
)
def test_mistakes_are_told_in_a_sentence(capsys, words, message):
    assert film.main(words) == 2
    assert message in capsys.readouterr().err
