"""Split of the recordings of a class into train, val and test."""

from collections.abc import Sequence
from itertools import accumulate, groupby
from pathlib import Path

from av_envs.sound.clips import SPLITS
from av_envs.sound.importing.layouts import Recording
from av_envs.sound_files import RECORDING, SoundFileError, read_header

ENDS = (0.6, 0.8)  # of the time of a class: train before the first, test after the second


def duration(path: Path) -> float:
    """Seconds, by the header of the file; 0 if there is none, which reading it will tell."""
    try:
        header = read_header(path, RECORDING)
    except SoundFileError:
        return 0.0
    return header.frames / header.rate


def divided(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """The recordings of one class by split; no session is in two of them.

    Sessions stay in their order: the first 60 % of the time are train, the next 20 % val, the
    last 20 % test, each at least one session. What has a split already keeps it.
    """
    if all(one.split is not None for one in recordings):
        return {split: [one for one in recordings if one.split == split] for split in SPLITS}
    ordered = sorted(recordings, key=_first_of_session(recordings))
    sessions = [list(some) for _, some in groupby(ordered, key=lambda one: one.session)]
    n = len(sessions)
    if n < len(SPLITS):
        raise ValueError(
            f"class {recordings[0].class_name!r}: {n} separate recordings, "
            f"{len(SPLITS)} are needed, one for each of {', '.join(SPLITS)}"
        )
    lengths = [sum(duration(one.path) for one in session) for session in sessions]
    middles = [end - length / 2 for end, length in zip(accumulate(lengths), lengths, strict=True)]
    starts = [sum(middle < end * sum(lengths) for middle in middles) for end in ENDS]
    val = min(max(starts[0], 1), n - 2)
    test = min(max(starts[1], val + 1), n - 1)
    shares = (sessions[:val], sessions[val:test], sessions[test:])
    return {
        split: [one for session in share for one in session]
        for split, share in zip(SPLITS, shares, strict=True)
    }


def _first_of_session(recordings: Sequence[Recording]):
    """A key that brings every session together where its first recording stands."""
    first: dict[str, int] = {}
    for i, one in enumerate(recordings):
        first.setdefault(one.session, i)
    return lambda one: first[one.session]


def divided_clips(n: int, class_name: str) -> dict[str, range]:
    """The numbers of n clips in a row by split: 60 %, 20 % and 20 % of them."""
    if n < len(SPLITS):
        raise ValueError(
            f"class {class_name!r}: {n} clips, {len(SPLITS)} are needed; ask for shorter ones"
        )
    held_out = max(1, round(0.2 * n))
    bounds = (0, n - 2 * held_out, n - held_out, n)
    return {split: range(bounds[i], bounds[i + 1]) for i, split in enumerate(SPLITS)}
