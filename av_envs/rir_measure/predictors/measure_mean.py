"""Measures how the average pair sounds: `python -m av_envs.rir_measure.predictors.measure_mean`.

Draws pairs of nodes and a heading uniformly in the first flats (0.5 m grid) and houses
(1 m) of the train split, and writes what `mean.mean_table` reads.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from av_envs.conventions import N_HEADINGS
from av_envs.dwelling import open_dwelling
from av_envs.rir_measure.pairs import Pairs
from av_envs.scene.splits import scene_name

GRIDS = {"flat": 0.5, "house": 1.0}  # m
SOURCES, RECEIVERS = 10, 30  # per dwelling; a source is traced once for all its receivers


def sample_responses(dwellings: int) -> Iterator[tuple[Pairs, np.ndarray]]:
    """Pairs and their responses (RECEIVERS, 2, 16000), one source at a time."""
    generator = np.random.default_rng(0)
    for kind, grid in GRIDS.items():
        for index in tqdm(range(dwellings), f"listening in {kind}s"):
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


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dwellings", type=int, default=32, help="of each kind")
    parser.add_argument("--out", type=Path, default=Path("av_envs/data/mean_rir.npz"))
    args = parser.parse_args(argv)
    means = [rirs.mean(axis=0, dtype=float) for _, rirs in sample_responses(args.dwellings)]
    waveform = np.mean(means, axis=0)
    scale = np.float32(np.abs(waveform).max())
    np.savez_compressed(args.out, waveform=np.float16(waveform / scale), scale=scale)


if __name__ == "__main__":
    main()
