"""How well a localiser hears where sounds are: `python -m av_envs.agents.localization.evaluate`.

In takes of unseen houses, or on the test fold of recordings laid out as DCASE 2020 Task 3 (--data
FOLDER, with the features beside it in FOLDER/features). The measures are those of `metrics.py`,
each with a 95 % bootstrap interval over takes or recordings; --clear-mot adds those of
`clear_mot.py`. With --track what is found is followed, see `tracking.py`; with --gcc the delay
between the ears is what is found, see `gcc_only.py`.
"""

import argparse
import json
import sys

import numpy as np

from av_envs.agents.localization.clear_mot import FARTHEST, clear_mot
from av_envs.agents.localization.gcc_only import KIND, gcc_found_in
from av_envs.agents.localization.listening import found_in
from av_envs.agents.localization.localizer import load_localizer
from av_envs.agents.localization.metrics import Frames, counts_of, matched_pairs, summary
from av_envs.agents.localization.recordings import Recordings
from av_envs.agents.localization.sequences import Simulated, with_tracks
from av_envs.agents.localization.takes import TakeConfig
from av_envs.agents.localization.tracking import tracked
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.separation.config import SPLITS

DRAWS = 500  # of the bootstrap

Interval = tuple[float, float, float]  # value, low, high


def evaluate(recordings: list[Frames], says_activity: bool) -> dict[str, Interval]:
    """Every measure over all recordings, and its interval when recordings are drawn anew."""
    parts = [(matched_pairs(one), counts_of(one)) for one in recordings]
    draws = np.random.default_rng(0).integers(len(parts), size=(DRAWS, len(parts)))
    drawn = [summary([parts[k] for k in draw], says_activity) for draw in draws]
    found = {}
    for name, value in summary(parts, says_activity).items():
        values = np.array([one[name] for one in drawn])
        known = values[np.isfinite(values)]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        found[name] = (value, float(low), float(high))
    return found


def add_hearing_options(parser: argparse.ArgumentParser) -> None:
    """Who listens, and to what."""
    parser.add_argument("--localizer", type=path_argument, help="file; default: the shipped one")
    parser.add_argument("--gcc", action="store_true", help="the control that learned nothing")
    parser.add_argument("--data", type=path_argument, help="folder; default: simulated takes")
    parser.add_argument("--split", default="val", choices=SPLITS)
    parser.add_argument("--houses", type=positive_int, default=10, help="of the split")
    parser.add_argument("--sounds", default="embedded", help="corpus")
    parser.add_argument("--sequences", type=positive_int, default=200, help="takes")
    parser.add_argument("--seconds", type=positive_int, default=5, help="of a sequence")
    parser.add_argument("--sources", type=positive_int, help="at a time; default: all tracks")
    parser.add_argument("--track", action="store_true", help="follow what is found over time")
    parser.add_argument("--towards", default="straight", choices=("straight", "arrival"))


def heard(given: argparse.Namespace) -> tuple[list[Frames], bool]:
    """What is found in each recording or take that the options name, and whether with activity."""
    found, headings, says_activity = _untracked(given)
    if given.track:
        pairs = zip(found, headings, strict=True)
        return [tracked(one, heading) for one, heading in pairs], True
    return found, says_activity


def _untracked(
    given: argparse.Namespace,
) -> tuple[list[Frames], list[np.ndarray | None], bool]:
    """The same without tracking, with headings of the listener, None for who does not turn."""
    if given.gcc:
        if given.data is not None or given.localizer is not None:
            raise ValueError("--gcc hears simulated takes, without --data and --localizer")
        played = takes(given, KIND, given.sources or 1)
        return [gcc_found_in(one) for one in played.held_out()], played.held_out_headings(), False
    localizer, _ = load_localizer(given.localizer)
    tracks, kind = localizer.config.network.tracks, localizer.config.kind
    headings: list[np.ndarray | None]
    if given.data is not None:
        kept = given.data / "features"
        folder = Recordings(given.data, kind, tracks, given.seconds, kept, "test", trains=False)
        sequences = folder.held_out()
        headings = [None] * len(sequences)
    else:
        sources = given.sources or tracks
        if sources > tracks:
            raise ValueError(f"the localiser has {tracks} tracks, --sources is {sources}")
        played = takes(given, kind, sources)
        sequences = [with_tracks(one, tracks) for one in played.held_out()]
        headings = [*played.held_out_headings()]
    found = [found_in(localizer, one) for one in sequences]
    return found, headings, localizer.config.network.activity


def takes(given: argparse.Namespace, kind: str, sources: int) -> Simulated:
    """Simulated takes with at most so many sources at a time."""
    config = TakeConfig(
        split=given.split,
        houses=given.houses,
        sounds=given.sounds,
        seconds=given.seconds,
        tracks=sources,
    )
    return Simulated(kind, config, config, given.sequences, given.towards)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.localization.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_hearing_options(parser)
    parser.add_argument("--clear-mot", action="store_true", help="needs motmetrics")
    parser.add_argument("--json", type=path_argument, help="write the figures into this file, too")
    given = parser.parse_args(argv)
    try:
        found, says_activity = heard(given)
        rows = evaluate(found, says_activity)
        tracked = clear_mot(found) if given.clear_mot else {}
    except (ValueError, OSError, ModuleNotFoundError) as mistake:
        parser.error(str(mistake))
    print("| measure | value | 95 % interval |\n|---|---|---|")
    for name, (value, low, high) in rows.items():
        print(f"| {name} | {value:.2f} | {low:.2f} to {high:.2f} |")
    for name, value in tracked.items():
        print(f"| {name} ({FARTHEST:g} degrees) | {value:.3f} | |")
    if given.json:
        given.json.write_text(json.dumps({**rows, **tracked}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
