"""Pictures of textures, read where the triangles are."""

import io
import warnings
from pathlib import Path

import numpy as np

LARGEST_PICTURE = 8192 * 8192  # pixels, 201 MB of colours
# Weights of the corners at the four points of a triangle where its texture is read.
_SAMPLES = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]]) / [[3], [6], [6], [6]]


class TooLargeError(ValueError):
    """A picture with more pixels than are read."""


def read_picture(source: bytes | Path, name: str) -> np.ndarray | None:
    """(height, width, 3) uint8, None for what is no picture that can be read.

    Raises an error that names a picture with too many pixels before it is unpacked.
    """
    try:
        from PIL import Image  # of the extra [mesh]; files without textures do without
    except ImportError as error:
        raise ImportError("textures need pillow: pip install -e '.[mesh]'") from error

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        with image:
            width, height = image.size
            if width * height > LARGEST_PICTURE:
                raise TooLargeError(
                    f"the picture {name!r} has {width} x {height} pixels; {_most()}"
                )
            return np.asarray(image.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise TooLargeError(f"the picture {name!r}: {error}; {_most()}") from None
    except TooLargeError:
        raise
    except (OSError, SyntaxError, ValueError):  # what damaged pictures raise
        return None


def texels(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(F,3) mean colour at four points of each triangle; uv (F,3,2), v upwards, repeating."""
    height, width = image.shape[:2]
    u, v = np.moveaxis(np.einsum("sc,fcd->fsd", _SAMPLES, uv), -1, 0) % 1.0
    columns = np.minimum((u * width).astype(int), width - 1)
    rows = np.minimum(((1 - v) * height).astype(int), height - 1)
    return image[rows, columns].mean(axis=1)


def _most() -> str:
    return f"at most {LARGEST_PICTURE} are read"
