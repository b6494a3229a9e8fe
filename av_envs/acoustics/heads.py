"""Head-related transfer functions by name or file.

The built-in table is the KEMAR dummy head with normal pinnae of Gardner and Martin,
"HRTF measurements of a KEMAR dummy-head microphone", MIT Media Lab Perceptual
Computing TR 280, 1994, resampled to 16 kHz. `python -m av_envs.acoustics.sofa
MIT_KEMAR_normal_pinna.sofa kemar.npz` made it from the file of Debian's libmysofa1.
Any other head comes from a SOFA file (AES69).
"""

import os
from functools import cache
from importlib.resources import as_file, files

import numpy as np

from av_envs.acoustics.hrtf import Hrtf
from av_envs.acoustics.sofa import read_sofa
from av_envs.paths import suffix_of, user_path


def load_hrtf(name: str | os.PathLike[str] = "kemar") -> Hrtf:
    """The built-in head, "kemar", or any head from the path of a SOFA file."""
    if name == "kemar":
        return _kemar()
    path = user_path(name, "hrtf")
    if suffix_of(path) == ".sofa":
        return read_sofa(path)
    raise ValueError(f'unknown hrtf {name!r}: choose "kemar" or the path of a .sofa file')


@cache
def _kemar() -> Hrtf:
    with as_file(files("av_envs") / "data" / "kemar.npz") as path, np.load(path) as table:
        responses = table["responses"].astype(np.float32) * table["scale"]
        return Hrtf("kemar", table["directions"], responses, int(table["lead"]))
