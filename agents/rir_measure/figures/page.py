"""What the figures have in common: a page with titles, and the PNG file it becomes."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from av_envs.scene import Scene
from av_envs.vision.drawing import Colour, draw_text
from av_envs.vision.font import text_mask
from av_envs.vision.panels import BLUE, GREEN, INK, ORANGE, REDDISH, SKY, VERMILION
from av_envs.whole_files import replacing

COLOURS = (BLUE, ORANGE, GREEN, REDDISH, VERMILION, SKY)  # of robots, senses, moves
WHITE = 255
LINE = 18  # pixels, height of a line of text of twice the smallest size
MARGIN = 12  # pixels
AROUND = 0.35  # metres that are drawn around a dwelling
MOST_COLOURS = 128  # of a file
FAULTS = (ValueError, OSError)  # of options and files: one line says what is wrong


def blank(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8, white."""
    return np.full((height, width, 3), WHITE, np.uint8)


def write(
    page: np.ndarray, left: int, top: int, text: str, colour: Colour = INK, scale: int = 1
) -> int:
    """A line of printable ASCII; the column after its last letter."""
    draw_text(page, (left, top), text, colour, scale)
    return left + text_mask(text, scale).shape[1]


def map_height(scene: Scene, width: int) -> int:
    """Pixels that a map of a dwelling needs which is as wide as that, and no higher."""
    low, high = scene.bounds.astype(float)
    across, along = (high - low)[:2] + 2 * AROUND
    return min(width, math.ceil(width * along / across))


def save_png(page: np.ndarray, path: Path) -> None:
    """Write the page, whole or not at all; ValueError where Pillow is missing."""
    try:
        from PIL import Image  # of the extra [mesh]
    except ImportError:
        raise ValueError("figures need Pillow: pip install pillow") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        Image.fromarray(page).quantize(MOST_COLOURS).save(draft, format="PNG", optimize=True)


def run_figure(
    draw: Callable[[argparse.Namespace], np.ndarray],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
) -> int:
    """Parse, draw, and write into `--out`; the exit status."""
    given = parser.parse_args(argv)
    try:
        save_png(draw(given), given.out)
    except FAULTS as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 1
    return 0
