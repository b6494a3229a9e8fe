"""Measures how the average pair sounds: `python -m av_envs.rir_measure.predictors.measure_mean`.

Draws pairs of nodes and a heading uniformly in the first flats (0.5 m grid) and houses
(1 m) of the train split, and writes what `mean.mean_table` reads.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from av_envs.acoustics.response import MIN_LENGTH
from av_envs.conventions import N_HEADINGS
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.progress import progress_bar
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.envelope import SEEN, decompose
from av_envs.rir_measure.predictors.geometry import azimuths, distances
from av_envs.scene.procedural.splits import scene_name
from av_envs.worlds.traced import open_dwelling

GRIDS = {"flat": 0.5, "house": 1.0}  # m
SOURCES, RECEIVERS = 10, 30  # per dwelling; a source is traced once for all its receivers


def sample_responses(dwellings: int) -> Iterator[tuple[Pairs, np.ndarray]]:
    """Pairs and their responses (RECEIVERS, 2, 16000), one source at a time."""
    generator = np.random.default_rng(0)
    for kind, grid in GRIDS.items():
        for index in progress_bar(range(dwellings), f"listening in {kind}s"):
            dwelling = open_dwelling(scene_name("train", index, kind), grid)
            heads = dwelling.scene.graph.heads
            for source in generator.choice(len(heads), SOURCES, replace=False):
                receivers = generator.choice(len(heads), RECEIVERS, replace=False)
                headings = generator.integers(N_HEADINGS, size=RECEIVERS)
                rirs = [
                    dwelling.acoustics.rir(source, receiver, heading)
                    for receiver, heading in zip(receivers, headings, strict=True)
                ]
                emitters = np.repeat(heads[source][None], RECEIVERS, axis=0)
                yield Pairs(emitters, heads[receivers], headings), np.stack(rirs)


def lines_over_distance(log_distance: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    """(2, N_TIMES, 7) value at 1 m and slope of the least-squares lines through (P, N_TIMES, 7)."""
    basis = np.stack([np.ones_like(log_distance), log_distance], axis=1)
    lines = np.linalg.lstsq(basis, envelope.reshape(len(envelope), -1), rcond=None)[0]
    return lines.reshape(2, *envelope.shape[1:])


def measure(dwellings: int) -> dict[str, np.ndarray]:
    """The arrays of `mean.MeanTable`, the waveform relative to its peak `scale`."""
    waveforms, log_distance, direct, envelope, sides, tilt = [], [], [], [], [], []
    for pairs, rirs in sample_responses(dwellings):
        waveforms.append(rirs.mean(axis=0, dtype=float))
        parts = decompose(pairs, rirs)
        log_distance.append(np.log(np.maximum(distances(pairs), MIN_LENGTH)))
        direct.append(parts.direct)
        envelope.append(parts.envelope.mean(axis=1))
        tilt.append(parts.envelope[:, 0] - parts.envelope[:, 1])
        sides.append(np.sin(azimuths(pairs)))
    log_distance, envelope = np.concatenate(log_distance), np.concatenate(envelope)
    seen, side = np.concatenate(direct) > SEEN, np.concatenate(sides)
    lateral = np.tensordot(side, np.concatenate(tilt), 1) / np.sum(side**2)
    waveform = np.mean(waveforms, axis=0)
    return {
        "waveform": waveform / np.abs(waveform).max(),
        "scale": np.abs(waveform).max(),
        "seen": lines_over_distance(log_distance[seen], envelope[seen]),
        "hidden": lines_over_distance(log_distance[~seen], envelope[~seen]),
        "lateral": lateral,
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dwellings", type=positive_int, default=32, help="of each kind")
    parser.add_argument("--out", type=path_argument, default=Path("av_envs/data/mean_rir.npz"))
    args = parser.parse_args(argv)
    table = {key: np.float16(array) for key, array in measure(args.dwellings).items()}
    np.savez_compressed(args.out, **table)


if __name__ == "__main__":
    main()
