"""What a person sees who plays by the same rules as an agent: the view, and no map."""

import numpy as np

from av_envs.acoustics.spectrogram import stft
from av_envs.benchmarks.keyboard.playing import HELP
from av_envs.benchmarks.keyboard.session import Session
from av_envs.vision.drawing import draw_text
from av_envs.vision.panels import INK, blank_canvas, draw_caption, put
from av_envs.vision.plots import draw_scale, draw_spectrogram

VIEW = (16, 52, 512, 512)
EARS = (("left ear", (580, 76, 160, 200)), ("right ear", (772, 76, 160, 200)))
SCALE = (940, 76, 8, 200)
KEYS_HELP = (580, 330)
LINE_ROWS = 26  # pixels from one line of the help to the next


def person_frame(session: Session, with_map: bool) -> np.ndarray:
    """(608, 992, 3) uint8: view and ears, or the whole picture with the map.

    A team has no secrets on its map, so that it is always shown.
    """
    if with_map or session.is_team:
        return session.frames[-1]
    canvas = blank_canvas()
    draw_caption(canvas, f"step {session.step} of {session.steps}   {session.wanted()}")
    put(canvas, VIEW, session.view())
    ears = np.abs(stft(session.sounds[-1]))  # (2, 512, 32), on one scale: one may be louder
    for (name, panel), heard in zip(EARS, ears, strict=True):
        draw_text(canvas, (panel[0], panel[1] - 18), name, INK)
        is_left = panel is EARS[0][1]
        draw_spectrogram(canvas, panel, heard, has_axis=is_left, brightest=float(ears.max()))
    draw_scale(canvas, SCALE)
    for k, line in enumerate(HELP):
        draw_text(canvas, (KEYS_HELP[0], KEYS_HELP[1] + k * LINE_ROWS), line, INK, scale=2)
    return canvas


def levels_db(session: Session) -> tuple[float, float]:
    """How loud the last step was at the left and the right ear, dB relative to full scale."""
    power = np.square(session.sounds[-1], dtype=float).mean(axis=1)
    left, right = 10 * np.log10(power + 1e-12)
    return float(left), float(right)
