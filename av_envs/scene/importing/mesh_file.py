"""Reading mesh files: triangles, names and colours, as the file has them."""

import struct
from pathlib import Path

import numpy as np

from av_envs.paths import suffix_of, user_path
from av_envs.scene.importing.formats.dae import read_dae
from av_envs.scene.importing.formats.gltf import read_gltf
from av_envs.scene.importing.formats.obj import read_obj
from av_envs.scene.importing.formats.ply import read_ply
from av_envs.scene.importing.formats.stl import read_stl
from av_envs.scene.importing.surfaces import Surfaces

READERS = {
    ".obj": read_obj, ".ply": read_ply, ".glb": read_gltf, ".gltf": read_gltf, ".stl": read_stl,
    ".dae": read_dae,
}  # fmt: skip
FORMATS = tuple(READERS)
LARGEST_FILE = 2**30  # bytes, some ten million triangles
# What a file in the wrong form can raise while it is taken apart.
MALFORMED = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
    ValueError, struct.error,
)  # fmt: skip


def read_surfaces(path: str | Path) -> Surfaces:
    """The triangles of a mesh file. An error names the file and what is wrong with it."""
    path = user_path(path)
    if suffix_of(path) not in FORMATS:
        raise ValueError(f"{path}: not a mesh file; formats are {', '.join(FORMATS)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"{path}: has {size} bytes; at most {LARGEST_FILE} of a mesh are read")
    try:
        surfaces = READERS[suffix_of(path)](path)
    except ImportError as error:
        raise ImportError(f"{path}: {error}") from error
    except MALFORMED as error:
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"{path}: cannot be read as a mesh: {reason}") from error
    if not len(surfaces.triangles):
        raise ValueError("; ".join((f"{path}: holds no triangles", *surfaces.notes)))
    bad = ~np.isfinite(surfaces.triangles).all(axis=(1, 2))
    if bad.any():
        raise ValueError(f"{path}: {bad.sum()} triangles have corners that are not finite numbers")
    return surfaces
