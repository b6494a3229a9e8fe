"""Compare the embedded voices with recorded speech, and probe how hard their classes are.

python -m av_envs.sound.analysis.statistics                 # one or two minutes
python -m av_envs.sound.analysis.statistics --real DIR      # beside the recordings in DIR
python -m av_envs.sound.analysis.statistics --voices 10     # a glance
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.progress import progress_bar
from av_envs.sound.analysis.measures import (
    OCTAVES_HZ,
    crest,
    modulation_peak,
    octave_levels,
    pitch_track,
)
from av_envs.sound.analysis.probe import excerpt_features, probe_accuracy
from av_envs.sound.clips import SAMPLE_RATE
from av_envs.sound.embedded import CLIP_SECONDS, N_VOICES, EmbeddedCorpus
from av_envs.sound.listing import sound_files
from av_envs.sound.preparation import prepared
from av_envs.sound_files import RECORDING, read_sound

EXCERPTS = (1, 5, CLIP_SECONDS)  # s
HALF = 5  # s, how much of a recording the probe knows, and how much it has not heard
COLUMNS = ("pitch Hz", "spread st", "voiced", "modul. Hz", "crest dB")


def voice_measures(clip: np.ndarray) -> np.ndarray:
    """(12,) octave levels in dB, then COLUMNS: the median pitch, its deviation in semitones,
    the share of voiced frames, the strongest modulation and the crest factor.
    """
    pitches, voiced = pitch_track(clip)
    middle = np.median(pitches)
    spread = np.std(12 * np.log2(pitches / middle))
    rest = (middle, spread, voiced, modulation_peak(clip), crest(clip))
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


def print_measures(title: str, measures: list[np.ndarray]) -> None:
    print(f"{title} ({len(measures)}), mean and deviation")
    print("".join(f"{hertz:>7}" for hertz in OCTAVES_HZ) + "".join(f"{c:>11}" for c in COLUMNS))
    for row in (np.mean(measures, axis=0), np.std(measures, axis=0)):
        n = len(OCTAVES_HZ)
        print("".join(f"{x:7.1f}" for x in row[:n]) + "".join(f"{x:11.2f}" for x in row[n:]))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--voices", type=positive_int, default=N_VOICES, help="how many embedded voices"
    )
    parser.add_argument(
        "--real", type=path_argument, metavar="DIR", help="recordings, one speaker each"
    )
    options = parser.parse_args(arguments)
    corpus = EmbeddedCorpus(options.voices)
    voices = [name for name in corpus.classes if name.startswith("voice")]
    tests = [corpus.samples(corpus.clips("test", name)[0]) for name in voices]
    print_measures("embedded voices", [voice_measures(clip) for clip in tests])
    if options.real is not None:
        real = read_recordings(options.real)
        print_measures("recorded voices", [voice_measures(clip) for clip in real])
        n = min(len(real), len(tests))
        print(f"\nlinear probe, {n} voices, 1 s, later in the same recording")
        print(f"  embedded {halves_accuracy(tests[:n]):.2f}  real {halves_accuracy(real[:n]):.2f}")
    n = len(corpus.classes)
    print(f"\nlinear probe, {n} classes, unseen clips, chance {1 / n:.3f}")
    for seconds, accuracy in corpus_accuracy(corpus, EXCERPTS).items():
        print(f"  {seconds:>2} s {accuracy:.2f}")


if __name__ == "__main__":
    main()
