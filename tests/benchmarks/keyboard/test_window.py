"""The window, drawn into memory: SDL's dummy drivers stand in for a screen and a loudspeaker."""

import os

import numpy as np
import pytest
from short_suites import SEPARATING

pygame = pytest.importorskip("pygame", reason="of the extra [play]")

from av_envs.benchmarks.keyboard.playing import play  # noqa: E402
from av_envs.benchmarks.keyboard.session import Session  # noqa: E402
from av_envs.benchmarks.keyboard.window import Window  # noqa: E402

KEYS = {"up": pygame.K_UP, "tab": pygame.K_TAB, "m": pygame.K_m, "d": pygame.K_d, "x": pygame.K_x}


@pytest.fixture
def window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    yield Window("a test")
    pygame.quit()
    assert os.environ["SDL_VIDEODRIVER"] == "dummy"


def press(*names):
    for name in names:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=KEYS[name]))


def test_keys_play_and_the_picture_is_shown(window):
    session = Session(SEPARATING, 0)
    screen = window._screen
    press("d", "x", "d")
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    pictures = []
    show = window.show

    def kept(session, with_map):
        show(session, with_map)
        pictures.append(pygame.surfarray.array3d(screen).swapaxes(0, 1))

    window.show = kept
    assert not play(session, window)  # the window was closed
    assert session.env.unwrapped.state.moves == "RR"
    assert len(pictures) == 3
    assert any((pictures[0] != pictures[2]).ravel())


def test_the_map_is_shown_on_request(window):
    session = Session(SEPARATING, 0)
    press("m")
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    screen = window._screen
    shown = []
    show = window.show

    def kept(session, with_map):
        show(session, with_map)
        shown.append(pygame.surfarray.array3d(screen).swapaxes(0, 1))

    window.show = kept
    play(session, window)
    np.testing.assert_array_equal(shown[-1], session.frames[0])
    assert session.map_seen


def test_the_sound_is_handed_to_the_loudspeaker(window):
    assert window._speaker.why_silent is None
    window.sound(np.full((2, 16_000), 0.1, np.float32))
    assert pygame.mixer.Channel(0).get_busy()
