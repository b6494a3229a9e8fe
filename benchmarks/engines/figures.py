"""Room-acoustic parameters by which engines are compared, and how much their estimates vary."""

import time
from collections.abc import Sequence

import numpy as np

from av_envs.acoustics import measures
from av_envs.acoustics.binaural import binaural_response
from av_envs.benchmarks.engines.heard import RLR, Engine, Native, headless_ears
from av_envs.benchmarks.engines.rooms import Pair
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.scene import Scene

KEY_BAND = BANDS_HZ.index(1000.0)
# Decay times are means over these bands: in a single one, the few hundred independent samples
# of noise that make up 20 dB of decay leave them uncertain by some percent
DECAY_BANDS = (500.0, 1000.0, 2000.0, 4000.0)  # Hz
DRAWS = 6  # answers of which the scatter is taken
RAY_COUNTS = (125, 500, 2000)  # of the other engine, for its scatter
Figures = dict[str, np.ndarray]


def band_levels(response: np.ndarray) -> np.ndarray:
    """(..., n) to (..., 7) dB per octave band, relative to sound of amplitude 1."""
    impulse = np.zeros(response.shape[-1])
    impulse[len(impulse) // 4] = 1
    centres = np.array(BANDS_HZ)
    unit = np.sum(measures.octave_bands(impulse, centres) ** 2, axis=-1)
    bands = measures.octave_bands(np.asarray(response, float), centres)
    return 10 * np.log10(np.sum(bands**2, axis=-1) / unit)


def figures_of(engine: Engine, pair: Pair) -> dict[str, float | np.ndarray]:
    """Parameters of the response of one pair; NaN where undefined, and all of a silent one."""
    mono = engine.mono(pair.source, pair.receiver).astype(float)
    if not mono.any():  # no ray found the way
        silent = dict.fromkeys(("t20", "t30", "c50", "drr", "delay", "ild"), np.nan)
        return {**silent, "level": np.full(len(BANDS_HZ), np.nan)}
    bands = measures.octave_bands(mono, np.array(DECAY_BANDS))
    arrival = int(np.argmax(np.abs(mono) > 0.1 * np.abs(mono).max()))
    expected = pair.distance / SPEED_OF_SOUND * SAMPLE_RATE
    figures: dict[str, float | np.ndarray] = {
        "t20": float(measures.t20(bands).mean()),
        "t30": float(measures.t30(bands).mean()),
        "c50": float(measures.c50(bands).mean()),
        "drr": float(measures.direct_to_reverberant_db(mono)),
        "delay": arrival - expected if pair.visible else np.nan,
        "level": band_levels(mono),
        "ild": np.nan,
    }
    ears = engine.ears(pair.source, pair.receiver)
    if ears is not None:
        left, right = band_levels(ears)[:, KEY_BAND]
        figures["ild"] = left - right
    return figures


def figures(engine: Engine, pairs: Sequence[Pair]) -> Figures:
    """Arrays over pairs; "level" has the bands as its second axis."""
    rows = [figures_of(engine, pair) for pair in pairs]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def joined(parts: Sequence[Figures]) -> Figures:
    """Parameters of several scenes, concatenated."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def difference(ours: Figures, theirs: Figures, visible: np.ndarray) -> dict[str, float]:
    """Medians of theirs minus ours; times in percent of ours."""
    found: dict[str, float] = {}
    for key in ("t20", "t30"):
        off = 100 * (theirs[key] / ours[key] - 1)
        found |= {key: _median(off), f"{key}_spread": _median(np.abs(off))}
    for key in ("c50", "drr", "ild"):
        off = theirs[key] - ours[key]
        found |= {key: _median(off), f"{key}_spread": _median(np.abs(off))}
    off = theirs["level"] - ours["level"]
    for kind, chosen in (("visible", visible), ("occluded", ~visible)):
        for band, frequency in enumerate(BANDS_HZ):
            found[f"level_{kind}_{frequency:.0f}"] = _median(off[chosen, band])
        levels = [f["level"][chosen, KEY_BAND] for f in (theirs, ours)]
        energies = [np.nansum(10 ** (level / 10)) for level in levels]
        found[f"level_{kind}_mean"] = _decibels(*energies)
    found["delay"] = _median(theirs["delay"] - ours["delay"])
    found["delay_most"] = _most(theirs["delay"])
    return found


def summary(one: Figures, visible: np.ndarray) -> dict[str, float]:
    """Medians of an engine's own figures."""
    found = {key: _median(one[key]) for key in ("t20", "t30", "c50", "drr")}
    for kind, chosen in (("visible", visible), ("occluded", ~visible)):
        found[f"level_{kind}"] = _median(one["level"][chosen, KEY_BAND])
    return {**found, "ild": _median(np.abs(one["ild"])), "delay_most": _most(one["delay"])}


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan


def _most(values: np.ndarray) -> float:
    values = np.abs(values[np.isfinite(values)])
    return float(values.max()) if len(values) else np.nan


def _decibels(energy: float, reference: float) -> float:
    return float(10 * np.log10(energy / reference)) if energy > 0 and reference > 0 else np.nan


def scatter(levels: np.ndarray) -> float:
    """Standard deviation in dB over draws, (draws, pairs, bands), pooled over the rest."""
    return float(np.sqrt(np.mean(np.var(levels, axis=0, ddof=1))))


def native_cost(scene: Scene, pairs: Sequence[Pair], n_rays: int) -> dict[str, float]:
    """Scatter of levels over seeds and CPU milliseconds per response, on one thread.

    A source is traced to all nodes at once; its time is shared among their responses.
    """
    tables, n_nodes = headless_ears(), len(scene.graph)
    Native(scene, n_rays=64).mono(pairs[0].source, pairs[0].receiver)  # compiles
    levels, spent = [], 0.0
    for seed in range(DRAWS):
        engine = Native(scene, n_rays, seed)
        heard = []
        for pair in pairs:
            start = time.process_time()
            row = engine.row(pair.source)
            spent += (time.process_time() - start) / n_nodes
            start = time.process_time()
            salt = pair.source * n_nodes + pair.receiver
            heard.append(binaural_response(row[pair.receiver], 0, salt, tables)[0])
            spent += time.process_time() - start
        levels.append(band_levels(np.array(heard)))
    ms = 1e3 * spent / (DRAWS * len(pairs))
    return {"rays": n_rays, "scatter_db": scatter(np.array(levels)), "ms": ms}


def rlr_cost(scene: Scene, pairs: Sequence[Pair], n_rays: int) -> dict[str, float]:
    """Standard deviation and cost of RLR, which simulates every pair separately."""
    engine = RLR(scene, n_rays)
    start = time.process_time()
    heard = np.array([engine.draws(pair.source, pair.receiver, DRAWS) for pair in pairs])
    spent = time.process_time() - start
    levels = band_levels(np.swapaxes(heard, 0, 1))
    return {
        "rays": n_rays,
        "scatter_db": scatter(levels),
        "ms": 1e3 * spent / (DRAWS * len(pairs)),
    }


def at_equal_scatter(ours: dict[str, float], theirs: Sequence[dict[str, float]]) -> dict:
    """What RLR costs where its levels scatter as ours: along the line through its logarithms."""
    scatters = np.log([cost["scatter_db"] for cost in theirs])
    slope, level = np.polyfit(scatters, np.log([cost["ms"] for cost in theirs]), 1)
    ms = float(np.exp(level + slope * np.log(ours["scatter_db"])))
    return {"ms": ms, "times_faster": ms / ours["ms"]}
