"""Draw what a localiser finds: `python -m av_envs.agents.localization.picture --out PNG`.

`--show tracks`     azimuth over time of the first takes: what is true as thick lines, green where
                    the source is in sight and grey elsewhere, what is found as dots, a colour for
                    each track
`--show errors`     how often azimuths are wrong by how much, as areas, for sources in sight and
                    for others
`--show confusion`  what is found for sources at each azimuth; the diagonal is right, and the two
                    lines across it are where front is taken for back

Who listens to what is said as in `evaluate.py`.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from av_envs.agents.localization.directions import angles_of
from av_envs.agents.localization.evaluate import add_hearing_options, heard
from av_envs.agents.localization.features import LABEL_SECONDS
from av_envs.agents.localization.metrics import Frames, matched_directions, scores
from av_envs.agents.rir_measure.figures.page import COLOURS, MARGIN, blank, run_figure, write
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.vision.drawing import draw_convex, draw_disc, draw_line, draw_ring
from av_envs.vision.font import text_mask
from av_envs.vision.panels import BLUE, GREEN, INK, ORANGE, heat

WIDE, TALL, AXIS = 620, 132, 44  # pixels of the chart of a take, and left of it
CAPTION, FOOT = 20, 30  # pixels above a chart, and below it
GRID, HIDDEN = (228, 228, 228), (170, 170, 170)
TRACKS = (BLUE, ORANGE, COLOURS[3])
QUARTERS = (180, 90, 0, -90, -180)  # degrees
SECTORS, RADIUS = 36, 130  # of the polar histogram
RINGS = (0.05, 0.2, 0.5)  # shares of all pairs
BINS, CELL = 24, 16  # 15 degrees each, and pixels
MIDDLE = 6  # rows from the top of a line of text to the middle of its digits
FULL = 0.5  # share of a true azimuth's frames that is drawn brightest


def tracks_page(recordings: Sequence[Frames], says_activity: bool) -> np.ndarray:
    """(H, W, 3) uint8: the charts of recordings below each other."""
    page = blank(AXIS + WIDE + MARGIN, MARGIN + len(recordings) * (CAPTION + TALL + FOOT))
    for k, frames in enumerate(recordings):
        top = MARGIN + k * (CAPTION + TALL + FOOT)
        found = scores([frames], says_activity)
        errors = f"LE {found['le']:.0f} degrees, folded {found['folded_le']:.0f}"
        write(page, AXIS, top, f"take {k}, azimuth in degrees over seconds; {errors}")
        _draw_tracks(page, top + CAPTION, frames)
    return page


def _draw_tracks(page: np.ndarray, top: int, frames: Frames) -> None:
    length = len(frames.truth)

    def place(frame: float, degrees: float) -> tuple[float, float]:
        return AXIS + frame / length * WIDE, top + (180 - degrees) / 360 * TALL

    for degrees in QUARTERS:
        draw_line(page, place(0, degrees), place(length, degrees), 1, GRID)
        text = f"{degrees:d}"
        write(page, AXIS - 6 - _width(text), round(place(0, degrees)[1]) - MIDDLE, text)
    for second in range(round(length * LABEL_SECONDS) + 1):
        frame = second / LABEL_SECONDS
        draw_line(page, place(frame, -180), place(frame, 180), 1, GRID)
        write(page, round(place(frame, 0)[0]) - 3, top + TALL + 5, f"{second}")
    true, found = (np.degrees(angles_of(part)[0]) for part in (frames.truth, frames.found))
    for frame, source in np.argwhere(frames.active):
        y = true[frame, source]
        colour = GREEN if frames.sight[frame, source] else HIDDEN
        draw_line(page, place(frame, y), place(frame + 1, y), 6, colour)
    for frame, track in np.argwhere(frames.sounding):
        draw_disc(page, place(frame + 0.5, found[frame, track]), 2.6, TRACKS[track])


def errors_page(recordings: Sequence[Frames]) -> np.ndarray:
    """(H, W, 3) uint8: two polar histograms of errors in azimuth, left ones to the left."""
    found, truth, sight = _pairs(recordings)
    side = 2 * (RADIUS + 3 * MARGIN)
    page = blank(2 * side, side + 3 * MARGIN)
    for k, (name, of) in enumerate({"in sight": sight, "not in sight": ~sight}.items()):
        centre = (k * side + side / 2, 3 * MARGIN + side / 2)
        write(page, k * side + MARGIN, MARGIN, f"error in azimuth, degrees, {name}: {of.sum():,}")
        shares = shares_of_errors(found[of] - truth[of])
        largest = max(RINGS[-1], shares.max())
        _draw_rose(page, centre, RADIUS * np.sqrt(shares / largest))
        for ring in RINGS:
            radius = RADIUS * np.sqrt(ring / largest)
            draw_ring(page, centre, radius, 1, HIDDEN)
            write(page, round(centre[0] + radius * 0.71) + 2, round(centre[1] + radius * 0.71),
                  f"{ring:.0%}")  # fmt: skip
        for degrees in (0, 90, 180, -90):
            x, y = _on_circle(centre, RADIUS + 16, np.radians(degrees))
            write(page, round(x) - 8, round(y) - MIDDLE, f"{degrees:d}")
    return page


def shares_of_errors(degrees: np.ndarray) -> np.ndarray:
    """(36,) shares of errors (n,) that round to 0, 10, ..., 350 degrees; 0 where there are none."""
    sector = np.round(degrees / 360 * SECTORS).astype(int) % SECTORS
    return np.bincount(sector, minlength=SECTORS) / max(len(degrees), 1)


def _draw_rose(page: np.ndarray, centre: tuple[float, float], radii: np.ndarray) -> None:
    half = np.pi / SECTORS
    for sector, radius in enumerate(radii):
        if radius > 0:
            arc = 2 * half * sector + np.linspace(-half, half, 5)
            corners = [centre, *(_on_circle(centre, radius, angle) for angle in arc)]
            draw_convex(page, np.array(corners), BLUE)


def _on_circle(centre: tuple[float, float], radius: float, angle: float) -> tuple[float, float]:
    """The place at an angle, which counts counter-clockwise from the top."""
    return centre[0] - radius * float(np.sin(angle)), centre[1] - radius * float(np.cos(angle))


def confusion_page(recordings: Sequence[Frames]) -> np.ndarray:
    """(H, W, 3) uint8: columns are true azimuths, rows found ones; both 180 to -180 degrees."""
    found, truth, _ = _pairs(recordings)
    size, top = BINS * CELL, 2 * CAPTION
    page = blank(AXIS + size + 3 * MARGIN, top + size + 3 * MARGIN + CAPTION)
    write(page, AXIS, MARGIN, "azimuth found (rows) by true azimuth (columns), degrees")
    cells = heat(np.minimum(confusion(found, truth) / FULL, 1.0))  # (24, 24, 3)
    page[top : top + size, AXIS : AXIS + size] = cells.repeat(CELL, 0).repeat(CELL, 1)

    def place(true: float, said: float) -> tuple[float, float]:
        return AXIS + (180 - true) / 360 * size, top + (180 - said) / 360 * size

    for start, end in (((180, 0), (0, 180)), ((0, -180), (-180, 0))):
        draw_line(page, place(*start), place(*end), 1, HIDDEN)
    for degrees in QUARTERS:
        text = f"{degrees:d}"
        across = _width(text)
        write(page, AXIS - 6 - across, round(place(0, degrees)[1]) - MIDDLE, text)
        write(page, round(place(degrees, 0)[0]) - across // 2, top + size + 6, text)
    write(page, AXIS, top + size + CAPTION + 4,
          f"dark: never, bright: {FULL:.0%} of that column or more", INK)  # fmt: skip
    return page


def _width(text: str) -> int:
    """Pixels of a text."""
    return text_mask(text).shape[1]


def confusion(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(24, 24) share of the sources in each bin (column) that is found in each bin (row).

    found, truth  (n,) degrees; bins go down from 180 to -180
    """
    rows, columns = (
        np.clip(((180 - each) / 360 * BINS).astype(int), 0, BINS - 1) for each in (found, truth)
    )
    counts = np.zeros((BINS, BINS))
    np.add.at(counts, (rows, columns), 1)
    return counts / np.maximum(counts.sum(axis=0), 1)


def _pairs(recordings: Sequence[Frames]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Found and true azimuth in degrees and in sight, (n,), of all pairs."""
    parts = zip(*map(matched_directions, recordings), strict=True)
    found, truth, sight = map(np.concatenate, parts)
    return np.degrees(angles_of(found)[0]), np.degrees(angles_of(truth)[0]), sight


def draw(given: argparse.Namespace) -> np.ndarray:
    recordings, says_activity = heard(given)
    if given.show == "tracks":
        return tracks_page(recordings[: given.takes], says_activity)
    return errors_page(recordings) if given.show == "errors" else confusion_page(recordings)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.localization.picture",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=path_argument, required=True, help="PNG file")
    parser.add_argument("--show", default="tracks", choices=("tracks", "errors", "confusion"))
    parser.add_argument("--takes", type=positive_int, default=4, help="with --show tracks")
    add_hearing_options(parser)
    return run_figure(draw, parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
