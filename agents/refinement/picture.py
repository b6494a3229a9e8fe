"""One response cheap, refined and true: `python -m av_envs.agents.refinement.picture --out FILE`.

Spectrograms of the left ear, from 0 to 8 kHz, over the first 600 ms, 60 dB from black to white.
"""

import argparse
import sys

import numpy as np
import torch
from PIL import Image

from av_envs.agents.refinement.metrics import level_error_db, spectrum
from av_envs.agents.refinement.pairs import Heard, PairConfig, heard_pairs
from av_envs.agents.refinement.refiner import SHIPPED, Refined
from av_envs.agents.refinement.tiers import TIERS
from av_envs.conventions import SAMPLE_RATE
from av_envs.options import non_negative_int
from av_envs.paths import path_argument
from av_envs.vision.drawing import draw_text
from av_envs.whole_files import replacing

SECONDS, RANGE_DB = 0.6, 60.0
SCALE_X = 3  # pixels per window of the spectrogram
GAP, TITLE, FOOT = 12, 24, 20  # pixels
INK = (40, 40, 40)


def picture(panels: dict[str, np.ndarray]) -> np.ndarray:
    """(h, w, 3) uint8: spectrograms side by side, on one scale."""
    levels = {
        name: 20 * np.log10(np.abs(spectrum(signal[:1, : round(SECONDS * SAMPLE_RATE)])[0]) + 1e-12)
        for name, signal in panels.items()
    }
    top = max(level.max() for level in levels.values())
    drawn = [
        np.repeat(np.clip((level[::-1] - top) / RANGE_DB + 1, 0, 1), SCALE_X, axis=1)
        for level in levels.values()
    ]
    height, width = drawn[0].shape
    total = len(drawn) * (width + GAP) + GAP
    canvas = np.full((TITLE + height + FOOT, total, 3), 255, np.uint8)
    for k, (name, grey) in enumerate(zip(levels, drawn, strict=True)):
        left = GAP + k * (width + GAP)
        shade = np.stack([grey**1.5, grey, np.sqrt(grey) * 0.9], axis=-1)  # dark blue to white
        canvas[TITLE : TITLE + height, left : left + width] = np.round(255 * shade)
        draw_text(canvas, (left, 8), name, INK)
        draw_text(canvas, (left, TITLE + height + 6), "0", INK)
        draw_text(canvas, (left + width - 42, TITLE + height + 6), f"{SECONDS:g} s", INK)
    return canvas


def panels_of(heard: Heard, refiner: Refined, tiers: tuple[str, str]) -> dict[str, np.ndarray]:
    """The three signals by what is written above them: name, and error of the levels."""
    refined = refiner.refine(heard.cheap, heard.pose)
    before, after = (level_error_db(signal, heard.truth) for signal in (heard.cheap, refined))
    cheap, truth = tiers
    return {
        f"{cheap}, off by {before:.1f} dB": heard.cheap,
        f"refined, {after:.1f} dB": refined,
        truth: heard.truth,
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.refinement.picture",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--refiner", default="few_rays", help=f"{', '.join(SHIPPED)}, or a file")
    parser.add_argument("--out", type=path_argument, required=True, help="file, PNG")
    parser.add_argument("--cheap", default="T2", choices=TIERS)
    parser.add_argument("--truth", default="T3", choices=TIERS)
    parser.add_argument("--receiver", type=non_negative_int, default=0, help="which of ten")
    given = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        refiner = Refined(given.refiner)
        config = PairConfig(given.cheap, given.truth, "test", houses=1, sources=1, receivers=10)
        pairs = list(heard_pairs(config))
        if given.receiver >= len(pairs):
            raise ValueError(f"--receiver must be below {len(pairs)}, got {given.receiver}")
        panels = panels_of(pairs[given.receiver], refiner, (given.cheap, given.truth))
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    with replacing(given.out) as draft:
        image = Image.fromarray(picture(panels)).quantize(64)
        image.save(draft, format="PNG", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
