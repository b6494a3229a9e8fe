"""Pictures and figures of docs/acoustics.md: `python -m docs.acoustics` draws and prints them.

All are of one training house, of the sound from one place of its living room to another place of
that room and to another room.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.backend import TracedAcoustics
from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import interaural_differences
from av_envs.acoustics.measures import (
    c50,
    decay_curve_db,
    direct_to_reverberant_db,
    octave_bands,
    onset,
    t20,
)
from av_envs.acoustics.response import BIN_CENTRES, DELAY_STEPS, ENERGY_OF_CODE, GAIN_OF_CODE
from av_envs.agents.line_chart import LineChart
from av_envs.command_line.dwelling import decay_times
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.scene import scene_name
from av_envs.vision.drawing import Colour
from av_envs.vision.panels import BLUE, GREEN, ORANGE, REDDISH, VERMILION
from av_envs.worlds.base import Dwelling
from av_envs.worlds.traced import open_dwelling

HERE = Path(__file__).parent
ROOM, OTHER_ROOM = "living room", "bedroom"
FLOOR = -50.0  # dB, of the echogram
AWAY = 3.0  # m, about, in the same room
COLOURS: dict[str, Colour] = {
    "all": (40, 40, 40), "125 Hz": VERMILION, "1 kHz": GREEN, "8 kHz": BLUE,
    "paths": VERMILION, "the rest": BLUE, "house": BLUE, "flat": ORANGE,
    "KEMAR": BLUE, "sphere": REDDISH, "500 Hz": GREEN, "2 kHz": ORANGE,
}  # fmt: skip
HEAD_RADIUS = 0.0875  # m, of the sphere


class Place(NamedTuple):
    """Where somebody listens to the source: its node, metres from it, and what arrives."""

    node: int
    metres: float
    response: np.ndarray  # (2, 16000), left ear first, facing east


class Example(NamedTuple):
    """A source in a house, heard three metres away in its room, and in another room."""

    dwelling: Dwelling
    source: int
    here: Place
    there: Place


def example() -> Example:
    """The house `train:0`, its source, and the two places."""
    dwelling = open_dwelling(scene_name("train", 0, "house"), 1.0)
    graph, names = dwelling.scene.graph, [room.name for room in dwelling.scene.rooms]
    inside = np.flatnonzero(graph.room == names.index(ROOM))
    source = int(inside[0])
    apart = np.linalg.norm(graph.heads[inside] - graph.heads[source], axis=1)
    near = int(inside[np.abs(apart - AWAY).argmin()])
    others = np.flatnonzero(graph.room == names.index(OTHER_ROOM))
    away = int(others[graph.walking_distances[source, others].argmin()])
    places = []
    for node in (near, away):
        metres = float(np.linalg.norm(graph.heads[source] - graph.heads[node]))
        places.append(Place(node, metres, dwelling.acoustics.rir(source, node, 0)))
    return Example(dwelling, source, *places)


def decay(shown: Example) -> np.ndarray:
    """What is still to come, in dB, after each moment: of all, and of three octave bands."""
    left = shown.here.response[0]
    bands = octave_bands(left, np.array([125.0, 1000.0, 8000.0]))
    curves = dict(zip(["all", "125 Hz", "1 kHz", "8 kHz"], [left, *bands], strict=True))
    chart = LineChart(
        "energy still to come, dB", "ms", (0, 800), range(0, 801, 200), range(-60, 1, 10)
    )
    return chart.draw({name: [_until(curve, -60)] for name, curve in curves.items()}, COLOURS)


def _until(response: np.ndarray, floor: float) -> list[tuple[float, float]]:
    """Points (ms, dB) of the decay curve, every 5 ms while it is above the floor."""
    level = decay_curve_db(response)[:: SAMPLE_RATE // 200]
    return [(5.0 * k, float(value)) for k, value in enumerate(level[:160]) if value >= floor]


def echogram(shown: Example) -> np.ndarray:
    """Early paths as lines, and the energy of everything else in bins of 5 ms."""
    acoustics = shown.dwelling.acoustics
    assert isinstance(acoustics, TracedAcoustics)
    compact = acoustics.bank.row(shown.source)[shown.here.node]
    count = int(compact["n_paths"])
    samples = compact["path_delay"][:count] / DELAY_STEPS
    spread = np.square(samples / SAMPLE_RATE * SPEED_OF_SOUND)
    paths = np.mean(GAIN_OF_CODE[compact["path_gain"][:count]] ** 2, axis=1) / spread
    rest = np.mean(ENERGY_OF_CODE[compact["energy"]], axis=1)
    lines: Mapping[str, list[Sequence[tuple[float, float]]]] = {
        "paths": [
            [(ms, FLOOR), (ms, level)]
            for ms, level in zip(samples / 16, _decibels(paths), strict=True)
        ],
        "the rest": [
            [
                (1000 * at, level)
                for at, level in zip(BIN_CENTRES, _decibels(rest), strict=True)
                if at < 0.1
            ]
        ],
    }
    chart = LineChart(
        "dB re direct sound at 1 m", "ms", (0, 100), range(0, 101, 20), range(-50, 1, 10)
    )
    return chart.draw(lines, COLOURS)


def _decibels(energy: np.ndarray) -> np.ndarray:
    return np.maximum(10 * np.log10(np.maximum(energy, 1e-12)), FLOOR)


def band_times() -> dict[str, np.ndarray]:
    """T20 (7,) in seconds by octave band, of the first training house and flat."""
    grids = {"house": 1.0, "flat": 0.5}
    return {
        kind: decay_times(open_dwelling(scene_name("train", 0, kind), grid))
        for kind, grid in grids.items()
    }


def bands(times: Mapping[str, np.ndarray]) -> np.ndarray:
    """T20 over octave bands."""
    names = ["125", "250", "500", "1k", "2k", "4k", "8k"]
    chart = LineChart(
        "T20, s", "octave band, Hz", (0, 6), range(7), np.arange(0, 0.81, 0.2),
        dots=True, names=names,
    )  # fmt: skip
    lines = {kind: [list(enumerate(map(float, found)))] for kind, found in times.items()}
    return chart.draw(lines, COLOURS)


def around() -> tuple[np.ndarray, np.ndarray]:
    """Azimuths (degrees, to the left) of the horizon, and the rows of KEMAR there."""
    head = load_hrtf("kemar")
    degrees = np.arange(-180, 181, 5)
    angles = np.radians(degrees)
    towards = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    return degrees, np.array([head.nearest(direction) for direction in towards])


def time_differences() -> np.ndarray:
    """How much earlier the left ear hears, beside Woodworth's sphere."""
    degrees, rows = around()
    head = load_hrtf("kemar")
    measured = [1e6 * interaural_differences(head, row)[0] for row in rows]
    front = np.radians(np.where(np.abs(degrees) > 90, np.sign(degrees) * 180 - degrees, degrees))
    sphere = 1e6 * HEAD_RADIUS / SPEED_OF_SOUND * (front + np.sin(front))
    lines = {
        "KEMAR": [list(zip(degrees, measured, strict=True))],
        "sphere": [list(zip(degrees, sphere, strict=True))],
    }
    return _over_azimuth("left ear earlier, us", range(-1000, 1001, 500)).draw(lines, COLOURS)


def level_differences() -> np.ndarray:
    """How much louder the left ear hears, in three octave bands."""
    degrees, rows = around()
    ears = load_hrtf("kemar").responses[rows].astype(float)  # (D, 2, taps)
    energy = np.square(octave_bands(ears, np.array([500.0, 2000.0, 8000.0]))).sum(axis=-1)
    louder = 10 * np.log10(energy[:, 0] / energy[:, 1])  # (D, 3)
    lines = {
        name: [list(zip(degrees, louder[:, k], strict=True))]
        for k, name in enumerate(["500 Hz", "2 kHz", "8 kHz"])
    }
    return _over_azimuth("left ear louder, dB", range(-40, 41, 20)).draw(lines, COLOURS)


def _over_azimuth(title: str, levels: Sequence[float]) -> LineChart:
    return LineChart(
        title, "degrees to the left of ahead", (-180, 180), range(-180, 181, 90), levels
    )


def figures(shown: Example, times: Mapping[str, np.ndarray]) -> list[str]:
    """What stands on the page."""
    lines = ["place           metres  arrives, ms  DRR, dB  C50, dB  T20, s"]
    for name, place in (("the same room", shown.here), ("another room", shown.there)):
        ear = place.response[0]
        values = 1000 * onset(ear) / SAMPLE_RATE, direct_to_reverberant_db(ear), c50(ear)
        cells = "".join(
            f"{value:>{width}.1f}" for value, width in zip(values, (13, 9, 9), strict=True)
        )
        lines.append(f"{name:<15} {place.metres:6.1f}{cells}{t20(ear):8.2f}")
    lines += ["", "T20, s   " + "".join(f"{band:>7g}" for band in BANDS_HZ)]
    lines += [
        f"{kind:<9}" + "".join(f"{seconds:7.2f}" for seconds in found)
        for kind, found in times.items()
    ]
    return lines


def main() -> None:
    from PIL import Image  # extra [mesh]

    shown, times = example(), band_times()
    for name, picture in (
        ("decay", decay(shown)),
        ("echogram", echogram(shown)),
        ("bands", bands(times)),
        ("time_differences", time_differences()),
        ("level_differences", level_differences()),
    ):
        path = HERE / f"acoustics_{name}.png"
        Image.fromarray(picture).quantize(64).save(path, optimize=True)
        print(path)
    print("\n".join(figures(shown, times)))


if __name__ == "__main__":
    main()
