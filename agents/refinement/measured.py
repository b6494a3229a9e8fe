"""Refiners in measured rooms: `python -m av_envs.agents.refinement.measured --folder DIR`.

DIR holds, at any depth, the SOFA files of the University of Surrey whose walls are known, see
`measured_rooms.py`. Each room is simulated, refined, and compared with what was measured. One half
of the measured directions, every second one, says what the simulation must know: the absorption of
the room, and one gain per ear and band for comparison; the other half judges. Errors are those of
`metrics.py`, with 95 % bootstrap intervals over directions; they say nothing about other rooms.

No simulation knows the colour of the loudspeaker and of the dummy head that were measured with.
Where DIR has their responses without a room, all ways are also "coloured" with them: one gain per
ear and band, by which those responses differ from simulated direct sounds.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from av_envs.acoustics.measured.backend import RecordedAcoustics
from av_envs.acoustics.measured.rooms import SAME_PLACE
from av_envs.acoustics.measures import DIRECT_WINDOW, octave_bands, onset
from av_envs.agents.intervals import mean_interval
from av_envs.agents.refinement.band_eq import BandEq
from av_envs.agents.refinement.evaluate import SHOWN
from av_envs.agents.refinement.measured_rooms import ROOMS, Geometry, fitted_absorption, scene_of
from av_envs.agents.refinement.metrics import SILENCE, errors, means
from av_envs.agents.refinement.pairs import Heard, Place, pairs_of
from av_envs.agents.refinement.refiner import SHIPPED, Refined
from av_envs.agents.refinement.tiers import RAYS, tier_acoustics
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE
from av_envs.paths import path_argument

ANECHOIC = "UniS_Anechoic_BRIR_16k.sofa"
MEASURED = "measured"
SHOWN_BANDS = BANDS_HZ[2:]  # in which milliseconds can be told apart
BEST_TIER = "T3"  # what the gains per band of a room are fitted for

Heards = dict[str, list[np.ndarray]]  # responses (2, 16000) by what they are


def rooms_in(folder: Path) -> dict[str, Path]:
    """The files of rooms whose walls are known, by name; ValueError if there is none."""
    found = {path.name: path for path in sorted(folder.rglob("*.sofa")) if path.name in ROOMS}
    if not found:
        raise ValueError(f"{folder}: has none of {', '.join(ROOMS)}")
    return found


def heard_in(
    name: str,
    geometry: Geometry,
    recorded: RecordedAcoustics,
    refiners: Mapping[str, Refined],
    anechoic: RecordedAcoustics | None = None,
) -> tuple[Heards, np.ndarray]:
    """What is heard from the directions that judge, in each way, and the absorption (7,).

    anechoic  the same places without a room; None: nothing is coloured
    """
    room = recorded.room
    told, judged = (list(range(first, len(room.poses), 2)) for first in (0, 1))
    absorption = fitted_absorption(name, geometry, room, told)
    scene = scene_of(name, geometry, room, absorption)
    places = [Place(0, *map(int, pose)) for pose in room.poses]

    def pairs(tier: str, truth: RecordedAcoustics, rows: Sequence[int]) -> list[Heard]:
        return list(pairs_of(scene, [places[row] for row in rows], tiers[tier], truth))

    used = {cheap_tier_of(refiner) for refiner in refiners.values()} | {"T0", BEST_TIER}
    tiers = {tier: tier_acoustics(scene, tier=tier) for tier in used}
    heard = {tier: pairs(tier, recorded, judged) for tier in sorted(used - {"T0"})}
    found: Heards = {MEASURED: [one.truth for one in heard[BEST_TIER]]}
    found |= {tier_name(tier): [one.cheap for one in row] for tier, row in heard.items()}
    for which, refiner in refiners.items():
        row = heard[cheap_tier_of(refiner)]
        found[which] = [refiner.refine(one.cheap, one.pose) for one in row]
    if anechoic is not None:
        colour = BandEq.fitted(pairs("T0", anechoic, range(len(places))))
        for which in [each for each in found if each != MEASURED]:
            found[f"{which}, coloured"] = [colour.refine(signal) for signal in found[which]]
    gains = BandEq.fitted(pairs(BEST_TIER, recorded, told))
    best = [one.cheap for one in heard[BEST_TIER]]
    found["T3, gain per band of this room"] = [gains.refine(signal) for signal in best]
    return found, absorption


def without_a_room(folder: Path, recorded: RecordedAcoustics) -> RecordedAcoustics | None:
    """The responses of the same places in no room, if the folder has them."""
    path = next(iter(sorted(folder.rglob(ANECHOIC))), None)
    if path is None:
        return None
    found = RecordedAcoustics.open(path, clockwise=True)
    if not np.array_equal(found.room.poses, recorded.room.poses) or not np.allclose(
        found.room.positions, recorded.room.positions, atol=SAME_PLACE
    ):
        raise ValueError(f"{path}: has other places than {recorded.room.name}")
    return found


def cheap_tier_of(refiner: Refined) -> str:
    """The tier that a refiner has learned to refine; ValueError if its file does not say so."""
    tier = refiner.header.made.get("options", {}).get("cheap") if refiner.header else None
    if tier not in RAYS:
        raise ValueError(f"a refiner must say which tier of {', '.join(RAYS)} it refines: {tier!r}")
    return tier


def tier_name(tier: str) -> str:
    return f"{tier}, {RAYS[tier]:,} rays"


def error_table(found: Heards) -> str:
    """Markdown: errors against what was measured, a row for each way."""
    lines = [f"| | {' | '.join(SHOWN)} |", "|---" * (len(SHOWN) + 1) + "|"]
    for name in (which for which in found if which != MEASURED):
        pairs = zip(found[name], found[MEASURED], strict=True)
        rows = [errors(signal, truth, SAMPLE_RATE) for signal, truth in pairs]
        mean = means(rows)
        value, low, high = mean_interval(np.array([row["levels"] for row in rows]))
        cells = [f"{value:.2f} ({low:.2f} to {high:.2f})", *(f"{mean[e]:.2f}" for e in SHOWN[1:])]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def band_tables(found: Heards) -> list[str]:
    """Markdown: by how many dB each way is too loud in the direct sound, and in all after it."""
    measured, tables = _parts_db(found[MEASURED]), []
    for part, what in enumerate((f"first {1000 * DIRECT_WINDOW:g} ms", "all after them")):
        lines = [f"| dB too loud, {what} | {' | '.join(f'{band:g} Hz' for band in SHOWN_BANDS)} |"]
        lines.append("|---" * (len(SHOWN_BANDS) + 1) + "|")
        for name in (which for which in found if which != MEASURED):
            apart = (_parts_db(found[name])[part] - measured[part]).mean(axis=(0, 1))
            lines.append(f"| {name} | {' | '.join(f'{value:+.1f}' for value in apart)} |")
        tables.append("\n".join(lines))
    return tables


def _parts_db(signals: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(P, 2, bands) of the direct sounds, and of the rest."""
    heard = np.stack(signals)
    since = np.arange(heard.shape[-1]) - onset(heard)[..., None]
    direct = since < DIRECT_WINDOW * SAMPLE_RATE
    bands = (octave_bands(heard * part, np.array(SHOWN_BANDS)) for part in (direct, ~direct))
    return [10 * np.log10(np.square(part, dtype=float).sum(axis=-1) + SILENCE) for part in bands]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.refinement.measured",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=path_argument, required=True, help="of measured rooms")
    names = ", ".join(SHIPPED)
    parser.add_argument("--refiner", nargs="*", default=[*SHIPPED], help=f"{names}, or files")
    given = parser.parse_args(argv)
    torch.set_num_threads(1)
    parts = []
    try:
        refiners = {name: Refined(name) for name in given.refiner}
        for name, path in rooms_in(given.folder).items():
            recorded = RecordedAcoustics.open(path, clockwise=True)
            anechoic = without_a_room(given.folder, recorded)
            found, absorption = heard_in(path.stem, ROOMS[name], recorded, refiners, anechoic)
            fitted = ", ".join(f"{value:.2f}" for value in absorption)
            title = f"{name}: {len(found[MEASURED])} directions; absorption {fitted}"
            title += "" if anechoic else f"; without {ANECHOIC}, nothing is coloured"
            parts.append("\n\n".join([title, error_table(found), *band_tables(found)]))
    except (ValueError, OSError, ModuleNotFoundError) as mistake:
        parser.error(str(mistake))
    print("\n\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
