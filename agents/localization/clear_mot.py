"""CLEAR-MOT measures and IDF1 of tracks of directions, by the library motmetrics.

Bernardin and Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT
metrics", EURASIP JIVP 2008; Ristani et al., "Performance measures and a data set for
multi-target, multi-camera tracking", ECCV workshops 2016. The distance is the angle.
"""

import numpy as np

from av_envs.agents.localization.directions import angles_between
from av_envs.agents.localization.metrics import Frames

FARTHEST = 30.0  # degrees, beyond which nothing is found
MEASURES = ("mota", "motp", "idf1", "num_switches", "num_false_positives", "num_misses")


def clear_mot(recordings: list[Frames], farthest: float = FARTHEST) -> dict[str, float]:
    """MEASURES over all recordings; `motp` in degrees, shares of one otherwise.

    The identity of a prediction is its track, that of a source its slot in the labels. Raises
    ModuleNotFoundError, which says what to install, without motmetrics.
    """
    try:
        import motmetrics
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "CLEAR-MOT measures need motmetrics: pip install -e '.[tracking]'", name=error.name
        ) from error
    kept = [_accumulated(motmetrics.MOTAccumulator(), one, farthest) for one in recordings]
    table = motmetrics.metrics.create().compute_many(
        kept, metrics=[*MEASURES, "num_detections"], generate_overall=True
    )
    overall = {name: float(table.loc["OVERALL", name]) for name in MEASURES}
    # The library's own mean is NaN as soon as nothing is found in one of the recordings.
    each = table.drop(index="OVERALL")
    found = each["num_detections"]
    overall["motp"] = float((each["motp"] * found).sum() / found.sum()) if found.sum() else np.nan
    return overall


def _accumulated(accumulator, frames: Frames, farthest: float):
    angle = np.degrees(angles_between(frames.truth[:, :, None], frames.found[:, None]))
    angle[angle > farthest] = np.nan  # (L, sources, tracks)
    for k, (active, sounding) in enumerate(zip(frames.active, frames.sounding, strict=True)):
        sources, tracks = np.flatnonzero(active), np.flatnonzero(sounding)
        accumulator.update(sources, tracks, angle[k][np.ix_(sources, tracks)], frameid=k)
    return accumulator
