"""Compare the embedded voices and music with recordings, and probe how hard their classes are.

python -m av_envs.sound.analysis.statistics                 # both editions, three minutes
python -m av_envs.sound.analysis.statistics --real DIR      # beside the speech in DIR
python -m av_envs.sound.analysis.statistics --music DIR     # beside the music in DIR
python -m av_envs.sound.analysis.statistics --voices 10     # a glance
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.progress import progress_bar
from av_envs.sound.analysis.envelopes import (
    chroma,
    envelope,
    levels,
    octave_envelopes,
    onset_rate,
    rise_times,
    spectral_flux,
    syllabic_share,
)
from av_envs.sound.analysis.measures import (
    OCTAVES_HZ,
    crest,
    modulation_peak,
    octave_levels,
    pitch_track,
)
from av_envs.sound.analysis.probe import excerpt_features, probe_accuracy
from av_envs.sound.clips import SAMPLE_RATE, SPLITS
from av_envs.sound.corpora import EMBEDDED
from av_envs.sound.embedded import CLIP_SECONDS, N_VOICES, EmbeddedCorpus
from av_envs.sound.listing import sound_files
from av_envs.sound.preparation import prepared
from av_envs.sound_files import RECORDING, read_sound

EXCERPTS = (1, 5, CLIP_SECONDS)  # s
HALF = 5  # s, how much of a recording the probe knows, and how much it has not heard
VOICE_COLUMNS = ("pitch Hz", "spread st", "voiced", "modul. Hz", "crest dB",
                 "2-8 Hz", "in bands", "rise ms", "quiet dB")  # fmt: skip
MUSIC_COLUMNS = ("onsets /s", "flux dB", "pitches", "moves", "range dB", "crest dB")


def voice_measures(clip: np.ndarray) -> np.ndarray:
    """(16,) octave levels in dB, then VOICE_COLUMNS.

    Those are the median pitch, its deviation in semitones, the share of voiced frames, the
    strongest modulation and the crest factor; the share of all modulation that lies between
    2 and 8 Hz, and the mean of that in octave bands; the median time in which syllables rise;
    and what the level is below in the quietest tenth of the clip.
    """
    pitches, voiced = pitch_track(clip)
    middle = np.median(pitches)
    spread = np.std(12 * np.log2(pitches / middle))
    bands = np.mean([syllabic_share(band) for band in octave_envelopes(clip)])
    rest = (middle, spread, voiced, modulation_peak(clip), crest(clip))
    moves = (syllabic_share(envelope(clip)), bands, 1000 * np.median(rise_times(clip)))
    return np.array([*octave_levels(clip), *rest, *moves, np.percentile(levels(clip), 10)])


def music_measures(clip: np.ndarray) -> np.ndarray:
    """(13,) octave levels in dB, then MUSIC_COLUMNS.

    Those are onsets per second, the mean spectral flux, how many pitch classes sound as often
    as if all did alike, how much of them changes in a quarter of a second (at most 2), dB
    between the quietest and the loudest tenth of 50 ms frames, and the crest factor.
    """
    pitches = chroma(clip)
    mean = pitches.mean(axis=0)
    n_pitches = np.exp(-np.sum(mean * np.log(mean + 1e-12)))
    moves = np.abs(np.diff(pitches, axis=0)).sum(axis=1).mean()
    soft, loud = np.percentile(levels(clip, 0.05), (10, 90))
    rest = (
        onset_rate(clip),
        spectral_flux(clip).mean(),
        n_pitches,
        moves,
        loud - soft,
        crest(clip),
    )
    return np.array([*octave_levels(clip), *rest])


def corpus_accuracy(corpus: EmbeddedCorpus, seconds: Iterable[int]) -> dict[int, float]:
    """{s: accuracy} of a probe fitted to the training clips on the test clips."""
    known: dict[int, list[np.ndarray]] = {length: [] for length in seconds}
    unseen: dict[int, list[np.ndarray]] = {length: [] for length in known}
    for name in progress_bar(corpus.classes, unit="class"):
        for split, features in (("train", known), ("test", unseen)):
            clips = [corpus.samples(clip) for clip in corpus.clips(split, name)]
            for length, found in features.items():
                parts = [excerpt_features(clip, length) for clip in clips]
                found.append(np.concatenate(parts))
    return {length: probe_accuracy(known[length], unseen[length]) for length in known}


def halves_accuracy(clips: list[np.ndarray]) -> float:
    """Accuracy on 1 s excerpts: HALF seconds of each clip are known, the next HALF unseen."""
    n = HALF * SAMPLE_RATE
    return probe_accuracy(
        [excerpt_features(clip[:n], 1) for clip in clips],
        [excerpt_features(clip[n : 2 * n], 1) for clip in clips],
    )


def read_recordings(directory: Path) -> list[np.ndarray]:
    """All recordings below `directory` that last 2 * HALF seconds, prepared like clips."""
    try:
        files = list(sound_files(directory))
        clips = [prepared(*read_sound(path, RECORDING, "float64")) for path in files]
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    long = [clip for clip in clips if len(clip) >= 2 * HALF * SAMPLE_RATE]
    if not long:
        raise SystemExit(
            f"error: none of the {len(files)} sound files below {directory} lasts {2 * HALF} s"
        )
    return long


def excerpts(clips: Iterable[np.ndarray]) -> list[np.ndarray]:
    """The clips cut to CLIP_SECONDS each; shorter ones stay whole."""
    n = CLIP_SECONDS * SAMPLE_RATE
    cut = [clip[k : k + n] for clip in clips for k in range(0, len(clip), n)]
    return [part for part in cut if len(part) >= HALF * SAMPLE_RATE]


def print_measures(title: str, columns: tuple[str, ...], measures: list[np.ndarray]) -> None:
    """Mean and deviation of rows of octave levels and columns."""
    print(f"{title} ({len(measures)}), mean and deviation")
    print("".join(f"{hertz:>7}" for hertz in OCTAVES_HZ) + "".join(f"{c:>11}" for c in columns))
    for row in (np.mean(measures, axis=0), np.std(measures, axis=0)):
        n = len(OCTAVES_HZ)
        print("".join(f"{x:7.1f}" for x in row[:n]) + "".join(f"{x:11.2f}" for x in row[n:]))


def print_voices(corpora: list[EmbeddedCorpus], recordings: Path | None) -> None:
    """Measures of one clip of every voice, beside recordings of one speaker each."""
    tests = {corpus.edition: _test_voices(corpus) for corpus in corpora}
    for edition, clips in tests.items():
        print_measures(f"{edition} voices", VOICE_COLUMNS, [voice_measures(c) for c in clips])
    if recordings is None:
        return
    real = read_recordings(recordings)
    print_measures("recorded voices", VOICE_COLUMNS, [voice_measures(clip) for clip in real])
    n = min(len(real), *(len(clips) for clips in tests.values()))
    print(f"\nlinear probe, {n} voices, 1 s, later in the same recording")
    found = {edition: halves_accuracy(clips[:n]) for edition, clips in tests.items()}
    found["real"] = halves_accuracy(real[:n])
    print("".join(f"  {name} {accuracy:.2f}" for name, accuracy in found.items()))


def _test_voices(corpus: EmbeddedCorpus) -> list[np.ndarray]:
    voices = [name for name in corpus.classes if name.startswith("voice")]
    return [corpus.samples(corpus.clips("test", name)[0]) for name in voices]


def print_music(corpora: list[EmbeddedCorpus], recordings: Path | None) -> None:
    """Measures of all clips of music, beside recordings cut to the same length."""
    print()
    for corpus in corpora:
        clips = [corpus.samples(c) for split in SPLITS for c in corpus.clips(split, "music")]
        title = f"{corpus.edition} music"
        print_measures(title, MUSIC_COLUMNS, [music_measures(clip) for clip in clips])
    if recordings is not None:
        real = excerpts(read_recordings(recordings))
        print_measures("recorded music", MUSIC_COLUMNS, [music_measures(clip) for clip in real])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--voices", type=positive_int, default=N_VOICES, help="how many embedded voices"
    )
    parser.add_argument(
        "--sounds", nargs="+", choices=EMBEDDED, default=list(EMBEDDED), help="which editions"
    )
    parser.add_argument(
        "--real", type=path_argument, metavar="DIR", help="recordings, one speaker each"
    )
    parser.add_argument("--music", type=path_argument, metavar="DIR", help="recordings of music")
    options = parser.parse_args(arguments)
    corpora = [EmbeddedCorpus(options.voices, edition) for edition in options.sounds]
    print_voices(corpora, options.real)
    print_music(corpora, options.music)
    n = len(corpora[0].classes)
    print(f"\nlinear probe, {n} classes, unseen clips, chance {1 / n:.3f}")
    for corpus in corpora:
        for seconds, accuracy in corpus_accuracy(corpus, EXCERPTS).items():
            print(f"  {corpus.edition:<12}{seconds:>2} s {accuracy:.2f}")


if __name__ == "__main__":
    main()
