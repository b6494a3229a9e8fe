"""What happens when a person plays an episode."""

import sys

from av_envs.benchmarks.options.play import FILM, main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from av_envs.benchmarks.board.film import chosen_episode, noted
from av_envs.benchmarks.board.film_file import write_film
from av_envs.benchmarks.board.listening import amplified, listening_gain_db
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.keyboard.playing import Front, Script, play
from av_envs.benchmarks.keyboard.session import Session
from av_envs.benchmarks.play.episodes import Job, make_env, open_job_player, play_episode
from av_envs.benchmarks.play.named import agent_of, senses_of, suite_of
from av_envs.benchmarks.play.varied import varied
from av_envs.benchmarks.suites.suite import Suite
from av_envs.registration import MEASURING, VARIANTS

RIVALS = {False: ("Random", "DoA", "Active"), True: ("Random", "SpreadOut", "PlaceChooser")}
LEARNED = ("Active", "PlaceChooser")  # which ship, and need torch


def rivals_of(suite: Suite) -> list[str]:
    """Who plays the same episode: at random, a rule, and what has learned if torch is there."""
    names = RIVALS[VARIANTS[suite.env_id][0] == MEASURING]
    return [name for name in names if name not in LEARNED or find_spec("torch") is not None]


def score_of(name: str, suite: Suite, index: int) -> float:
    """What an agent's score in that episode is."""
    job = Job(suite, agent_of(name, suite))
    env = make_env(suite, suite.episodes[index].group, **senses_of(suite))
    try:
        record = play_episode(env, open_job_player(job, env), job, index).record
    finally:
        env.close()
    if record["error"]:
        raise UserError(f"{name} failed: {record['error']}")
    return record["metrics"][suite.primary]


def table(session: Session, rivals: list[str]) -> str:
    """The player's score and those of the rivals, best first."""
    suite, metric = session.suite, session.suite.primary_metric
    you = "you (with the map)" if session.map_seen else "you"
    scores, failed = {you: session.score()}, []
    for name in rivals:
        try:
            scores[name] = score_of(name, suite, session.index)
        except UserError as reason:  # what a person has played is not lost for it
            failed.append(f"{name} could not play: {reason}")
    best_first = sorted(scores, key=scores.__getitem__, reverse=metric.higher_is_better)
    width = max(map(len, scores))
    unit = f" {metric.unit}" if metric.unit else ""
    lines = [f"{name:<{width}}  {scores[name]:8.3f}{unit}" for name in best_first]
    title = f"{metric.name} in episode {session.index} of {suite.name}:"
    return "\n".join([title, *lines, *failed])


def save_film(session: Session, path: Path) -> Path:
    """What was played so far, with its sound."""
    recording = session.recording()
    gain = listening_gain_db(recording.sound)
    frames = noted(recording.frames, f"you   sound {gain:+.0f} dB")
    write_film(frames, amplified(recording.sound, gain), path, fps=recording.fps)
    return path


def front_for(arguments: argparse.Namespace, title: str) -> Front:
    """Where the person sits: as asked for, or where there is a screen or a terminal."""
    if arguments.keys is not None:
        return _script(arguments.keys)
    if arguments.window or (has_screen() and not arguments.terminal):
        from av_envs.benchmarks.keyboard.window import Window

        return Window(title)
    if sys.stdin.isatty():
        from av_envs.benchmarks.keyboard.terminal import Terminal

        return Terminal()
    if arguments.terminal:
        raise UserError("standard input is no terminal; give --keys, such as --keys wwad")
    return _script(sys.stdin.read())


def has_screen() -> bool:
    """Whether a window can probably be opened, and pygame is there to do so."""
    elsewhere = sys.platform in ("win32", "darwin")
    shown = elsewhere or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shown and find_spec("pygame") is not None


def _script(keys: str) -> Script:
    try:
        return Script(keys)
    except ValueError as error:
        raise UserError(str(error)) from None


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    suite = varied(suite_of(arguments.what), arguments.env_kwargs)
    index = chosen_episode(suite, arguments.episode)
    rivals = rivals_of(suite) if arguments.against is None else arguments.against
    for name in rivals:
        agent_of(name, suite)  # before a person has played for minutes
    front = front_for(arguments, f"av-envs: {suite.env_id}")
    session = Session(suite, index)
    finished = play(session, front)
    out = arguments.out or (FILM if isinstance(front, Script) else None)
    if out is not None:
        print(f"film: {save_film(session, out)}")
    if finished:
        print(table(session, rivals))
    else:
        print(f"ended after {session.step} of {session.steps} steps: no score")
