"""Make a folder of clips of a real corpus: what `sounds=DIR` reads.

LibriSpeech becomes a class per reader, ESC-50 and ESC-10 one per category, a folder of music one
per folder in it, the audio of the separation papers one per class in its file names. Repeat the
command with another corpus and the same --out to add its classes.
"""

import argparse
import sys
from pathlib import Path

from av_envs.arguments import parse
from av_envs.paths import path_argument
from av_envs.sound.importing.folders import DIVISIONS, Import, import_corpus
from av_envs.sound.importing.layouts import LAYOUTS


def main(arguments: list[str]) -> Path:
    """Do as the arguments say; returns the folder."""
    parser = argparse.ArgumentParser(
        prog="python -m av_envs.sound import",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=LAYOUTS)
    parser.add_argument("source", type=path_argument, metavar="SRC", help="directory of the corpus")
    parser.add_argument("--out", type=path_argument, required=True, metavar="DIR")
    parser.add_argument("--seconds", type=int, default=20, help="length of a clip (20)")
    parser.add_argument("--merge", metavar="CLASS", help="make one class of all")
    parser.add_argument("--distractors", nargs="*", metavar="CLASS", help="may only distract")
    parser.add_argument(
        "--divide",
        choices=DIVISIONS,
        default=DIVISIONS[0],
        help="what train, val and test do not share (recordings)",
    )
    parser.add_argument("--keep-pauses", action="store_true", help="clips may be silent for long")
    parser.add_argument("--skip", action="store_true", help="leave out what cannot be used")
    parser.add_argument("--min-minutes", type=float, default=0.0, help="of a class, else left out")
    parser.add_argument("--max-classes", type=int, help="only so many, the first ones")
    given = vars(parse(parser, arguments))
    source, root = given.pop("source"), given.pop("out")
    if given["distractors"] is not None:
        given["distractors"] = tuple(given["distractors"])
    try:
        left_out = import_corpus(source, root, Import(**given))
    except ValueError as error:
        sys.exit(f"error: {error}")
    for fault in left_out:
        print(f"left out: {fault}")
    return root
