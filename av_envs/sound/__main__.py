"""List the classes of a corpus; with `--out DIR`, write its clips to listen to.

`python -m av_envs.sound import --help` says how to make one of a real corpus.
"""

import argparse
import sys
from pathlib import Path

import soundfile

from av_envs.arguments import parse
from av_envs.paths import path_argument
from av_envs.progress import progress_bar
from av_envs.sound import SAMPLE_RATE, SPLITS, Corpus, open_corpus, seconds
from av_envs.sound.clips import check_choice


def list_classes(corpus: Corpus) -> None:
    """Print label, name, role and the number of clips of every class."""
    print(f"{'label':>5}  {'class':<24}{'role':<12}" + "".join(f"{split:>6}" for split in SPLITS))
    for label, name in enumerate(corpus.classes):
        role = "target" if name in corpus.target_classes else "distractor"
        counts = "".join(f"{len(corpus.clips(split, name)):>6}" for split in SPLITS)
        print(f"{label:>5}  {name:<24}{role:<12}{counts}")


def write_clips(
    corpus: Corpus, directory: Path, classes: tuple[str, ...], splits: tuple[str, ...]
) -> int:
    """Write every clip of `classes` as directory/split/class/number.wav; seconds written."""
    chosen = [
        (directory / split / name / f"{i:03d}.wav", clip)
        for name in classes
        for split in splits
        for i, clip in enumerate(corpus.clips(split, name))
    ]
    total = 0
    for path, clip in progress_bar(chosen, unit="clip"):
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = corpus.samples(clip)
        soundfile.write(path, samples, SAMPLE_RATE)
        total += seconds(samples)
    return total


def main(arguments: list[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["import"]:
        from av_envs.sound.importing import command  # only now: scipy.signal is slow

        root = command.main(arguments[1:])
        list_classes(open_corpus(str(root)))
        return
    parser = argparse.ArgumentParser(prog="python -m av_envs.sound", description=__doc__)
    parser.add_argument(
        "--sounds", default="embedded", help="'embedded', 'embedded-2' or a directory"
    )
    parser.add_argument("--out", type=path_argument, help="write wav files below this directory")
    parser.add_argument("--classes", nargs="+", metavar="CLASS", help="only these; default all")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    options = parse(parser, arguments)
    try:
        corpus = open_corpus(options.sounds)
        classes = tuple(options.classes or corpus.classes)
        for name in classes:
            check_choice("class", name, corpus.classes)
    except ValueError as error:
        sys.exit(f"error: {error}")
    list_classes(corpus)
    if options.out is not None:
        total = write_clips(corpus, options.out, classes, tuple(options.splits))
        print(f"wrote {total} s of sound below {options.out}")


if __name__ == "__main__":
    main()
