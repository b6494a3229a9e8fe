"""Impulse responses and their predictions as pictures."""

from collections.abc import Iterable, Sequence

import numpy as np

from av_envs.conventions import SAMPLE_RATE
from av_envs.vision.drawing import Colour, draw_mask, draw_text
from av_envs.vision.font import text_mask
from av_envs.vision.panels import WHITE, Panel, heat, put
from av_envs.vision.plots import draw_ending

WINDOW, HOP = 256, 64  # samples
QUIET_DB, LOUD_DB = -75.0, 0.0  # from black to bright; 0 dB is the direct sound at 1 m
SCALE_NOTE = f"{QUIET_DB:.0f} to {LOUD_DB:.0f} dB"
DECAY_TOP_DB, DECAY_FLOOR_DB = 5, -65
AXIS_LENGTHS = (25, 50, 100, 250, 300, 500, 1000, 2500, 5000)  # steps
GRID: Colour = (214, 214, 210)
FAINT: Colour = (120, 122, 128)
PALE: Colour = (190, 192, 198)  # on dark


def spectrogram_picture(response: np.ndarray, columns: int) -> np.ndarray:
    """(128, columns, 3) uint8 of a response (n,) at 16 kHz: 4 ms a column, 8 kHz on top."""
    needed = WINDOW + HOP * (columns - 1)
    samples = np.zeros(needed, np.float32)
    usable = response[: needed - WINDOW // 2]
    samples[WINDOW // 2 : WINDOW // 2 + len(usable)] = usable
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectra = np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)
    decibels = 20 * np.log10(np.abs(spectra[:, 1:]) + 1e-6)
    return heat((decibels.T[::-1] - QUIET_DB) / (LOUD_DB - QUIET_DB))


def draw_response(
    canvas: np.ndarray, panels: tuple[Panel, Panel], response: np.ndarray | None
) -> None:
    """The spectrograms of both ears, the left one on top; `response` is (2, n) or None."""
    for panel, ear, name in zip(panels, range(2), "LR", strict=True):
        left, top, width, height = panel
        if response is None:
            canvas[top : top + height, left : left + width] = GRID
            if ear == 0:
                draw_text(canvas, (left + 10, top + 10), "none", FAINT, scale=2)
            continue
        put(canvas, panel, spectrogram_picture(response[ear], width))
        draw_text(canvas, (left + width - 16, top + 6), name, WHITE, scale=2)
        seconds = (width * HOP + WINDOW - HOP) / SAMPLE_RATE
        draw_ending(canvas, (left + width - 22, top + 8), "8 kHz", PALE)
        draw_ending(canvas, (left + width - 4, top + height - 12), f"{seconds:.2f} s", PALE)


def decay_db(response: np.ndarray, columns: int) -> np.ndarray:
    """(columns,) energy still to come at the start of each column in dB, mean over the ears.

    Absolute: 0 dB is the energy of the direct sound at 1 m. Backward integral of Schroeder,
    "New method of measuring reverberation time", JASA 1965.
    """
    energy = np.square(response, dtype=np.float64).mean(axis=0)
    remaining = np.cumsum(energy[::-1])[::-1][: columns * HOP : HOP]
    return 10 * np.log10(remaining + 1e-10)


def draw_curve(canvas: np.ndarray, panel: Panel, heights: np.ndarray, colour: Colour) -> None:
    """A line through heights (w,) from 0, the bottom of the panel, to 1, one per column."""
    left, top, _, height = panel
    rows = (1 - np.clip(heights, 0, 1)) * (height - 3) + 1
    following = np.append(rows[1:], rows[-1:])
    low, high = np.minimum(rows, following) - 1, np.maximum(rows, following) + 1
    row = np.arange(height)[:, None]
    draw_mask(canvas, (left, top), (row >= low) & (row <= high), colour)


def draw_decays(
    canvas: np.ndarray,
    panel: Panel,
    responses: Iterable[tuple[np.ndarray | None, Colour]],
) -> None:
    """Decays of (response, colour) on lines every 20 dB; None has no decay."""
    left, top, width, height = panel
    blank_plot(canvas, panel)
    for level in range(0, DECAY_FLOOR_DB, -20):
        row = top + round((1 - _share(level)) * (height - 3)) + 1
        canvas[row, left : left + width] = GRID
        label = str(level)
        if level < 0:
            right = left + width - 4 - text_mask(label, 2).shape[1]
            draw_text(canvas, (right, row - 16), label, FAINT, scale=2)
    for response, colour in responses:
        if response is not None:
            draw_curve(canvas, panel, _share(decay_db(response, width)), colour)


def _share(decibels):
    """0 at the bottom of the plot of decays, 1 at its top."""
    return (decibels - DECAY_FLOOR_DB) / (DECAY_TOP_DB - DECAY_FLOOR_DB)


def draw_history(
    canvas: np.ndarray, panel: Panel, history: Sequence[float], colour: Colour
) -> None:
    """A ratio between 0 and 1 at every step so far; the axis grows in jumps."""
    left, top, width, height = panel
    blank_plot(canvas, panel)
    canvas[top + height // 2, left : left + width] = GRID
    steps = len(history) - 1
    last = next((length for length in AXIS_LENGTHS if length >= steps), steps)
    label = str(last)
    corner = left + width - 4 - text_mask(label, 2).shape[1], top + height - 17
    draw_text(canvas, corner, label, FAINT, scale=2)
    if steps > 0:
        columns = max(2, round(width * steps / last))
        at = np.linspace(0, steps, columns)
        draw_curve(canvas, panel, np.interp(at, np.arange(steps + 1), history), colour)


def blank_plot(canvas: np.ndarray, panel: Panel) -> None:
    left, top, width, height = panel
    canvas[top : top + height, left : left + width] = GRID
    canvas[top + 1 : top + height - 1, left + 1 : left + width - 1] = WHITE
