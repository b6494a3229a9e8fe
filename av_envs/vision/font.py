"""Letters for the labels in pictures: printable ASCII, smooth edges, two sizes.

`av_envs.vision.make_letters` has drawn them.
"""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np

CHARACTERS = "".join(map(chr, range(ord(" "), ord("~") + 1)))
CUT = 2  # rows above capitals and columns left of a letter, for what reaches out
SIZES = {1: (11.5, 15), 2: (17.0, 22)}  # {scale: (size of the face, rows of a line) in pixels}


@lru_cache(maxsize=512)
def text_mask(text: str, scale: int = 1) -> np.ndarray:
    """(rows, columns) uint8 coverage, 0 to 255, of a line of text; read-only.

    scale  1 for captions of plots, 2 for headings; a line has 15 or 22 rows, and its capitals
           begin in row CUT

    Characters outside printable ASCII are refused.
    """
    strange = [character for character in text if not " " <= character <= "~"]
    if strange:
        raise ValueError(f"the font has printable ASCII only, got {strange[0]!r} in {text!r}")
    if scale not in SIZES:
        raise ValueError(f"letters come in the scales {', '.join(map(str, SIZES))}, not {scale}")
    letters, widths = _letters(scale)
    codes = [ord(character) - ord(" ") for character in text]
    ends = np.cumsum(widths[codes], dtype=int)
    mask = np.zeros((letters.shape[1], (ends[-1] if len(codes) else 0) + 2 * CUT), np.uint8)
    for code, end in zip(codes, ends, strict=True):
        left = end - widths[code]
        width = min(letters.shape[2], mask.shape[1] - left)
        place = mask[:, left : left + width]
        np.maximum(place, letters[code][:, :width], out=place)
    mask.setflags(write=False)
    return mask


def trimmed(mask: np.ndarray) -> np.ndarray:
    """The mask of some letters without the empty rows and columns around them."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@cache
def _letters(scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Coverage (95, rows, W) uint8, and the width (95,) of each letter in pixels."""
    with np.load(Path(__file__).with_name("letters.npz"), allow_pickle=False) as rows:
        return rows[f"letters{scale}"], rows[f"widths{scale}"]
