"""Playing in a window, by pygame."""

import os
from collections.abc import Iterator

import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.keyboard.picture import person_frame
from av_envs.benchmarks.keyboard.playing import KEYS
from av_envs.benchmarks.keyboard.session import Session
from av_envs.benchmarks.keyboard.speaker import Speaker
from av_envs.vision.panels import HEIGHT, WIDTH

ARROWS = {"up": "forward", "left": "left", "right": "right", "down": "stay"}
NAMED = {"space": " ", "tab": "\t"}  # keys that pygame calls by another name
PAUSE_MS = 20


class Window:
    """Keys from a window, pictures into it."""

    def __init__(self, title: str):
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame  # extra [play]
        except ModuleNotFoundError:
            raise UserError("a window needs pygame: pip install -e '.[play]'") from None
        self._pygame = pygame
        try:
            pygame.display.init()
            self._screen = pygame.display.set_mode((WIDTH, HEIGHT))
        except pygame.error as error:
            raise UserError(f"no window can be opened ({error}); try --terminal") from None
        pygame.display.set_caption(title)
        self._speaker = Speaker()

    def commands(self) -> Iterator[str]:
        pygame = self._pygame
        try:
            while True:
                for event in pygame.event.get():
                    if event.type == pygame.QUIT:
                        yield "quit"
                    elif event.type == pygame.KEYDOWN:
                        name = pygame.key.name(event.key)
                        command = ARROWS.get(name) or KEYS.get(NAMED.get(name, name))
                        if command is not None:
                            yield command
                pygame.time.wait(PAUSE_MS)
        finally:
            self._speaker.close()
            pygame.display.quit()

    def show(self, session: Session, with_map: bool) -> None:
        picture = person_frame(session, with_map)
        surface = self._pygame.image.frombuffer(picture.tobytes(), (WIDTH, HEIGHT), "RGB")
        self._screen.blit(surface, (0, 0))
        self._pygame.display.flip()

    def sound(self, samples: np.ndarray) -> None:
        self._speaker.play(samples)
