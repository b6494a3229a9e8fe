"""What an agent sees in an episode, as one small picture of many tiles."""

import base64
import struct
import zlib
from typing import Any

import numpy as np

BUDGET = 150_000  # bytes of the views of an episode, before base64
SIZES = (128, 64)  # pixels of a tile; the smaller one where the budget asks for it
COLUMNS = 8  # of tiles
N_COLOURS = 64
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def view_sheet(views: np.ndarray) -> dict[str, Any]:
    """The views of an episode for the page, at most BUDGET bytes.

    views  (steps + 1, walkers, 128, 128, 3) uint8

    png      base64 of all different views, COLUMNS in a row
    size     pixels of each
    columns  how many are in a row
    every    steps from one shown view to the next: more than 1 where the budget asks for it
    tiles    per walker the numbers of its views, one for every shown step
    """
    different, numbers = _numbered(views)
    size, every = SIZES[0], 1
    while True:
        shown, tiles = np.unique(numbers[::every], return_inverse=True)
        png = indexed_png(_laid_out(_smaller(different[shown], size)))
        if len(png) <= BUDGET:
            break
        size, every = SIZES[-1], every if size > SIZES[-1] else 2 * every
    return {
        "png": base64.b64encode(png).decode(),
        "size": size,
        "columns": min(COLUMNS, len(shown)),
        "every": every,
        "tiles": tiles.reshape(-1, numbers.shape[1]).T.tolist(),
    }


def _smaller(views: np.ndarray, size: int) -> np.ndarray:
    """Views (n, size, size, 3) of larger ones, each pixel a mean."""
    n, height, width, _ = views.shape
    blocks = views.reshape(n, size, height // size, size, width // size, 3)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)


def _numbered(views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different views (n, size, size, 3) in order of appearance, and numbers (steps, walkers)."""
    numbers: dict[bytes, int] = {}
    flat = views.reshape(-1, *views.shape[2:])
    tiles = [numbers.setdefault(view.tobytes(), len(numbers)) for view in flat]
    firsts = [tiles.index(number) for number in range(len(numbers))]
    return flat[firsts], np.array(tiles).reshape(views.shape[:2])


def _laid_out(tiles: np.ndarray) -> np.ndarray:
    """One picture of tiles (n, size, size, 3), the last row filled up with black ones."""
    columns, size = min(COLUMNS, len(tiles)), tiles.shape[1]
    rows = -(-len(tiles) // columns)
    grid = np.zeros((rows * columns, size, size, 3), np.uint8)
    grid[: len(tiles)] = tiles
    grid = grid.reshape(rows, columns, size, size, 3).swapaxes(1, 2)
    return grid.reshape(rows * size, columns * size, 3)


def indexed_png(picture: np.ndarray) -> bytes:
    """A PNG of N_COLOURS colours at most, those that fit the picture.

    picture  (H, W, 3) uint8
    """
    height, width, _ = picture.shape
    palette, indices = reduced(picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, by palette
    lines = np.pad(indices, ((0, 0), (1, 0)))  # each begins with filter 0, none
    return SIGNATURE + b"".join(
        [
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def reduced(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A palette (n, 3) uint8 and the numbers (H, W) uint8 of each pixel's colour in it.

    Heckbert, "Color image quantization for frame buffer display", SIGGRAPH 1982: the box of
    colours that costs most is cut in two until there are enough.
    """
    codes = picture.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])
    found, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    boxes, costs = [np.arange(len(counts))], [np.inf]
    while len(boxes) < min(N_COLOURS, len(counts)):
        costliest = int(np.argmax(costs))
        del costs[costliest]
        parts = _cut(boxes.pop(costliest), colours, counts)
        costs += [_scatter(colours[box], counts[box]).max() for box in parts]
        boxes += parts
    palette = np.stack([np.average(colours[box], 0, counts[box]) for box in boxes])
    number = np.empty(len(counts), np.uint8)
    for k, box in enumerate(boxes):
        number[box] = k
    return np.rint(palette).astype(np.uint8), number[where.reshape(codes.shape)]


def _scatter(colours: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(3,) summed squared distances from the mean along each channel."""
    return counts @ np.square(colours - np.average(colours, 0, counts))


def _cut(box: np.ndarray, colours: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    """Two boxes, cut at the mean along the channel with the largest scatter."""
    axis = int(np.argmax(_scatter(colours[box], counts[box])))
    values = colours[box, axis]
    low = values <= np.average(values, weights=counts[box])
    return [box[low], box[~low]]
