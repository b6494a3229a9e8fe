"""Loudspeakers by pygame, and none where there is no pygame or no device."""

import os

import numpy as np

from av_envs.benchmarks.board.listening import amplified

SAMPLE_RATE = 16_000  # Hz
FULL_SCALE = 32_767
GAIN_DB = 18.0  # of a person's ears: episodes are quiet


class Speaker:
    """Plays one sound at a time; `why_silent` says why it does not, if so."""

    def __init__(self) -> None:
        self.why_silent: str | None = None
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame  # extra [play]
        except ModuleNotFoundError:
            self.why_silent = "no sound: pip install -e '.[play]'"
            return
        self._pygame = pygame
        try:
            pygame.mixer.init(SAMPLE_RATE, -16, 2, 512)
        except pygame.error as error:
            self.why_silent = f"no sound: {error}"

    def play(self, samples: np.ndarray) -> None:
        """(2, n) float32 at 16 kHz, in place of what is being played."""
        if self.why_silent is not None:
            return
        sound = self._pygame.mixer.Sound(buffer=as_integers(samples).tobytes())
        self._pygame.mixer.Channel(0).play(sound)

    def close(self) -> None:
        if self.why_silent is None:
            self._pygame.mixer.quit()


def as_integers(samples: np.ndarray) -> np.ndarray:
    """(n, 2) int16 of (2, n) float32, turned up for people; what is too loud then is limited."""
    loud = np.clip(amplified(samples, GAIN_DB), -1, 1)
    return np.ascontiguousarray((loud.T * FULL_SCALE).round().astype(np.int16))
