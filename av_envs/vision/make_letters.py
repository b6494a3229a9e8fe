"""Makes the letters of pictures: `python -m av_envs.vision.make_letters` writes letters.npz.

The face is Aileron Regular by Sora Sagano (CC0), as Pillow carries it. Letters are drawn once, in
two sizes, so that pictures need no font engine and are the same on every machine.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from av_envs.vision.font import CHARACTERS, CUT, SIZES

OUT = Path(__file__).with_name("letters.npz")


def draw_letters(size: float, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Coverage (95, height, W) uint8, letters at the left; widths with the gap behind (95,) uint8.

    The top of a capital is row CUT.
    """
    font = ImageFont.load_default(size)
    top = font.getbbox("H")[1] - CUT
    advances = [round(font.getlength(character)) for character in CHARACTERS]
    advances[CHARACTERS.index(" ")] += 1  # rounded, words would run together
    pictures = []
    for character in CHARACTERS:
        picture = Image.new("L", (2 * height, height))
        ImageDraw.Draw(picture).text((CUT, -top), character, 255, font)
        pictures.append(np.asarray(picture))
    return np.stack(pictures), np.array(advances, np.uint8)


def main() -> None:
    rows = {}
    for scale, (size, height) in SIZES.items():
        rows[f"letters{scale}"], rows[f"widths{scale}"] = draw_letters(size, height)
    np.savez_compressed(OUT, **rows)
    print(f"{OUT}: {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
