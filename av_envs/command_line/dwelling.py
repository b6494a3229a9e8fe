"""What `av-envs view` prints and draws of a dwelling."""

import argparse
import sys
from pathlib import Path

import numpy as np

from av_envs.acoustics.measures import octave_bands, t20
from av_envs.command_line.view import GRIDS
from av_envs.conventions import BANDS_HZ
from av_envs.scene import SPLITS, Scene, scene_name
from av_envs.worlds.base import Dwelling
from av_envs.worlds.inspect_mesh import picture
from av_envs.worlds.traced import open_dwelling

PAIRS = 6  # responses that the decay times are medians of


def show(options: argparse.Namespace) -> None:
    """Print what a dwelling is like, and draw it; ValueError if there is none of that name."""
    name = named(options.scene, options.kind)
    dwelling = open_dwelling(name, options.grid or GRIDS.get(name.partition("-")[0], 1.0))
    print("\n".join(size_lines(dwelling.scene)))
    if not options.no_sound:
        print("\n".join(decay_lines(decay_times(dwelling))))
    print(save(picture(dwelling.scene), options.out or Path(f"{name}.png")))


def named(text: str, kind: str) -> str:
    """The name of the dwelling that SPLIT:INDEX, or its name, means."""
    split, colon, index = text.partition(":")
    if not colon:
        return text
    if split not in SPLITS or not index.isdigit():
        raise ValueError(f"{text!r} must be SPLIT:INDEX with a split of {', '.join(SPLITS)}")
    return scene_name(split, int(index), kind)


def size_lines(scene: Scene) -> list[str]:
    """Size, rooms and graph."""
    low, high = scene.bounds
    width, depth, height = high - low
    sizes = [(room.name, _area(room.bounds)) for room in scene.rooms]
    return [
        f"{scene.name}: {width:.1f} x {depth:.1f} m, {height:.1f} m high, "
        f"{len(scene.triangles)} triangles, {len(scene.graph)} nodes every {scene.graph.grid:g} m",
        "rooms: " + ", ".join(f"{name} {area:.0f} m2" for name, area in sizes),
    ]


def _area(bounds: tuple[float, float, float, float]) -> float:
    x0, y0, x1, y1 = bounds
    return (x1 - x0) * (y1 - y0)


def decay_times(dwelling: Dwelling, pairs: int = PAIRS) -> np.ndarray:
    """(7,) seconds, T20 of the octave bands: medians over pairs of nodes in the same room.

    Sources and receivers are drawn with a fixed seed; a room with one node gives none.
    """
    graph = dwelling.scene.graph
    rng = np.random.default_rng(0)
    counts = np.bincount(graph.room)
    rooms = rng.choice(np.flatnonzero(counts > 1), pairs)
    chosen = [rng.choice(np.flatnonzero(graph.room == room), 2, replace=False) for room in rooms]
    heard = [dwelling.acoustics.rir(int(source), int(ear), 0)[0] for source, ear in chosen]
    return np.nanmedian(t20(octave_bands(np.array(heard), np.array(BANDS_HZ))), axis=0)


def decay_lines(times: np.ndarray) -> list[str]:
    """A table of decay times by octave band."""
    return [
        "band, Hz " + "".join(f"{band:>7g}" for band in BANDS_HZ),
        "T20, s   " + "".join(f"{seconds:7.2f}" for seconds in times),
    ]


def save(image: np.ndarray, path: Path) -> Path:
    """Write a PNG; its path."""
    try:
        from PIL import Image  # extra [mesh]
    except ModuleNotFoundError:
        sys.exit("error: pictures need pillow: pip install -e '.[mesh]'")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path
