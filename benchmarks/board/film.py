"""Films of episodes with sound."""

import sys

from av_envs.benchmarks.options.film import main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from av_envs.benchmarks.board.film_file import write_film
from av_envs.benchmarks.board.listening import amplified, listening_gain_db
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import (
    Job,
    agent_seed,
    choose_action,
    make_env,
    open_job_player,
)
from av_envs.benchmarks.play.named import agent_of, senses_of, suite_of
from av_envs.benchmarks.play.varied import varied
from av_envs.benchmarks.suites.suite import Group, Suite
from av_envs.progress import progress_bar
from av_envs.vision.drawing import Colour, draw_text
from av_envs.vision.font import text_mask

NOTE_COLOUR: Colour = (200, 204, 212)
NOTE_MARGIN, NOTE_ROW = 16, 11  # pixels, of the header of a frame


@dataclass(frozen=True)
class Recording:
    """What was seen and heard at every step of an episode, the first before the first action.

    frames  each (H, W, 3) uint8
    sound   (2, n) float32 at 16 kHz, as the agent hears it; frame k is shown from k / fps on
    """

    frames: Sequence[np.ndarray]
    sound: np.ndarray
    fps: float


def film_episode(
    suite: Suite,
    agent: AgentSpec,
    index: int,
    path: Path,
    beside: AgentSpec | None = None,
    steps: int | None = None,
) -> Path:
    """Play episode `index` of a suite again and write what was seen and heard at every step.

    beside  another agent in the same episode, seen on the right and not heard
    steps   so many are filmed, from the first on; None: all
    """
    recording = record_episode(suite, agent, index, steps)
    gain = listening_gain_db(recording.sound)
    frames = noted(recording.frames, f"{agent.label}   sound {gain:+.0f} dB")
    if beside is not None:
        silent = noted(
            record_episode(suite, beside, index, steps).frames, f"{beside.label}   not heard"
        )
        frames = side_by_side(frames, silent)
    write_film(frames, amplified(recording.sound, gain), path, fps=recording.fps)
    return path


def record_episode(
    suite: Suite, agent: AgentSpec, index: int, steps: int | None = None
) -> Recording:
    """Play episode `index` of a suite, or its first steps.

    UserError if its environment shows or sounds nothing.
    """
    group, seed, options = suite.episodes[index]
    _check_films(suite, group)
    env = make_env(suite, group, render_mode="rgb_array", **senses_of(suite))
    player = open_job_player(Job(suite, agent), env)
    observation, _ = env.reset(seed=seed, options=options)
    player.reset(agent_seed(0, group.name, seed))
    frames, sound, done = [env.render()], [env.unwrapped.hear()], False
    with progress_bar(desc=f"filming {agent.label}", unit="step") as bar:
        while not done:
            action = choose_action(player, env, observation)
            observation, _, terminated, truncated, _ = env.step(action)
            frames.append(env.render())
            sound.append(env.unwrapped.hear())
            done = terminated or truncated or len(frames) - 1 == steps
            bar.update()
    env.close()
    return Recording(frames, np.concatenate(sound, axis=1), env.metadata["render_fps"])


def noted(frames: Sequence[np.ndarray], note: str) -> list[np.ndarray]:
    """The frames with a line at the right end of their header."""
    width = text_mask(note, 2).shape[1]
    pictures = [np.array(frame) for frame in frames]
    for picture in pictures:
        corner = picture.shape[1] - NOTE_MARGIN - width, NOTE_ROW
        draw_text(picture, corner, note, NOTE_COLOUR, scale=2)
    return pictures


def side_by_side(left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Frames of two episodes beside each other; what ends earlier stands still."""
    steps = range(max(len(left), len(right)))
    pairs = [(left[min(k, len(left) - 1)], right[min(k, len(right) - 1)]) for k in steps]
    return [np.concatenate(pair, axis=1) for pair in pairs]


def _check_films(suite: Suite, group: Group) -> None:
    """Raise if the environment shows no pictures or lets nothing be heard."""
    env = make_env(suite, group)
    shown = "rgb_array" in env.metadata.get("render_modes", ())
    heard = hasattr(env.unwrapped, "hear")
    env.close()
    if not (shown and heard):
        lacking = "a method hear()" if shown else "the render mode 'rgb_array'"
        raise UserError(f"{suite.env_id} cannot be filmed: it lacks {lacking}")


def chosen_episode(suite: Suite, index: int) -> int:
    """The index, if the suite has it."""
    if index >= len(suite.episodes):
        last = len(suite.episodes) - 1
        raise UserError(f"{suite.name} has the episodes 0 to {last}, not {index}")
    return index


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    what = arguments.what or arguments.suite
    if what is None or (arguments.what and arguments.suite):
        raise UserError("name one environment or one suite")
    suite = varied(suite_of(what), arguments.env_kwargs)
    index = chosen_episode(suite, arguments.episode)
    agent = agent_of(arguments.agent, suite, arguments.agent_kwargs)
    beside = None if arguments.beside is None else agent_of(arguments.beside, suite)
    print(film_episode(suite, agent, index, arguments.out, beside, arguments.steps))
