"""How well directions were found: the measures of the reference code, folded ones, and confusions.

As in the code of Adavanne et al., WASPAA 2021: of each frame as many predictions as possible are
assigned to sources; a pair counts as found however far apart it is. So LE says how far, and
recall and precision say only how often the number of sources was right. `clear_mot.py` has
measures with a threshold.
"""

from typing import NamedTuple

import numpy as np
import torch

from av_envs.agents.localization.assignment import assign
from av_envs.agents.localization.directions import angles_between, folded

NEAR_SIDE = np.radians(10)  # of the plane through the ears: who is there is neither front nor back


class Frames(NamedTuple):
    """L frames of one recording, N tracks.

    found, sounding  (L, N, 3) unit vectors and (L, N) bool, what a localiser says
    truth, active    (L, N, 3) unit vectors and (L, N) bool, what is true
    sight            (L, N) bool, which sources are in the line of sight
    """

    found: np.ndarray
    sounding: np.ndarray
    truth: np.ndarray
    active: np.ndarray
    sight: np.ndarray


class Matched(NamedTuple):
    """M pairs of a prediction and a source: errors in degrees, and what the source is like.

    error        angle between them
    folded       the same with both mirrored to the front
    confused     bool, whether one is in front and the other behind
    either_side  bool, whether the source is clearly in front or behind
    sight        bool, whether the source is in the line of sight
    """

    error: np.ndarray
    folded: np.ndarray
    confused: np.ndarray
    either_side: np.ndarray
    sight: np.ndarray


class Counts(NamedTuple):
    """Of all frames: sources, predictions, pairs, false alarms, misses, and onsets of tracks."""

    sources: int
    predictions: int
    pairs: int
    false_alarms: int
    misses: int
    onsets: int


def matched_directions(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Found (M, 3), true (M, 3) and in sight (M,) of the pairs of every frame.

    Those that the assignment with the least sum of angles makes.
    """
    angle = angles_between(frames.found[:, :, None], frames.truth[:, None])  # (L, N, N)
    pairs = assign(*map(torch.from_numpy, (angle, frames.sounding, frames.active))).numpy()
    frame, track, source = np.nonzero(pairs)
    return frames.found[frame, track], frames.truth[frame, source], frames.sight[frame, source]


def matched_pairs(frames: Frames) -> Matched:
    """What the pairs of one recording are like."""
    found, truth, sight = matched_directions(frames)
    return Matched(
        np.degrees(angles_between(found, truth)),
        np.degrees(angles_between(folded(found), folded(truth))),
        found[:, 0] * truth[:, 0] < 0,
        np.abs(truth[:, 0]) > np.sin(NEAR_SIDE),
        sight,
    )


def counts_of(frames: Frames) -> Counts:
    """Counts of one recording; its first frame has no onset."""
    there, said = frames.active.sum(axis=1), frames.sounding.sum(axis=1)
    return Counts(
        int(there.sum()),
        int(said.sum()),
        int(np.minimum(there, said).sum()),
        int(np.maximum(said - there, 0).sum()),
        int(np.maximum(there - said, 0).sum()),
        int((frames.sounding[1:] & ~frames.sounding[:-1]).sum()),
    )


def scores(recordings: list[Frames], says_activity: bool = True) -> dict[str, float]:
    """All measures, over all frames of all recordings; NaN for what there is nothing of.

    says_activity  False for a localiser that takes all tracks as active: then the number of
                   switches, false alarms and misses, and so MOTA, mean nothing and are NaN

    le, folded_le  degrees, mean over pairs; le_sight and le_hidden those in the line of sight
                   or not, likewise folded_le_sight and folded_le_hidden
    confusions     share of front-back confusions among sources clearly in front or behind
    lr, lp, lf     recall, precision and their harmonic mean, percent
    mota           percent; ids as in the reference code, where a switch is an onset of a track
    """
    return summary([(matched_pairs(one), counts_of(one)) for one in recordings], says_activity)


def summary(parts: list[tuple[Matched, Counts]], says_activity: bool = True) -> dict[str, float]:
    """`scores` of recordings whose pairs and counts are known."""
    found, counted = zip(*parts, strict=True)
    pairs = Matched(*map(np.concatenate, zip(*found, strict=True)))
    total = Counts(*map(sum, zip(*counted, strict=True)))
    recall = 100 * _ratio(total.pairs, total.sources)
    precision = 100 * _ratio(total.pairs, total.predictions)
    wrong = total.false_alarms + total.misses + total.onsets
    return {
        "le": _mean(pairs.error),
        "folded_le": _mean(pairs.folded),
        "le_sight": _mean(pairs.error[pairs.sight]),
        "folded_le_sight": _mean(pairs.folded[pairs.sight]),
        "le_hidden": _mean(pairs.error[~pairs.sight]),
        "folded_le_hidden": _mean(pairs.folded[~pairs.sight]),
        "confusions": _mean(pairs.confused[pairs.either_side]),
        "lr": recall,
        "lp": precision,
        "lf": _ratio(2 * recall * precision, recall + precision),
        "mota": 100 * (1 - _ratio(wrong, total.sources)) if says_activity else np.nan,
        "ids": float(total.onsets) if says_activity else np.nan,
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
