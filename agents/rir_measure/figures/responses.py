"""Responses and what predictors make of them: `... figures.responses --out PNG`.

The rule SpreadOut measures; then held-out pairs are asked. A row for each pair, with the
spectrograms of one ear and the waveform beneath: the truth first, then each predictor, with its
distance from the truth. As in figures 5 and 9 of Yu et al., IJCAI 2023. A generator is drawn with
`--checkpoint`: it predicts what the robots have just measured, and so do all others then.
"""

import argparse
from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.rir_measure.figures.page import (
    COLOURS,
    LINE,
    MARGIN,
    blank,
    run_figure,
    write,
)
from av_envs.agents.rir_measure.predictor import Generated
from av_envs.agents.rir_measure.presets import ENVIRONMENTS, PRESETS
from av_envs.agents.rir_measure.team import load_team
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.plugins import load
from av_envs.rir_measure.measurement import Measurement, measured_between
from av_envs.rir_measure.metrics.stft_distance import distance, spectra
from av_envs.rir_measure.observation import MEMORY
from av_envs.rir_measure.predictors import context_for, hidden_truth, open_predictor
from av_envs.rir_measure.queries import draw_queries
from av_envs.rir_measure.rendering.responses import spectrogram_picture
from av_envs.vision.panels import INK

TEAM = "av_envs.baselines.rir_measure:SpreadOut"
WIDTH, TALL, WAVE = 200, 128, 44  # pixels of a spectrogram, and the height of a waveform
SHOWN = 0.25  # seconds of the waveform
RATE = 16_000


def asked(
    env: gym.Env, house: int, steps: int, pairs: int, predictors: dict[str, Any], of_robots: bool
) -> tuple[Measurement, dict[str, np.ndarray]]:
    """The truth of some pairs after so many steps, and what predictors say (P, 2, 16000).

    of_robots  the pairs that are measured next, else held-out ones
    """
    unwrapped = env.unwrapped
    observation, _ = env.reset(seed=house, options={"house": house})
    team = load(TEAM, "team")(env.observation_space, env.action_space, seed=house)
    team.reset(seed=house)
    config, dwelling = unwrapped.config, unwrapped.team.dwelling
    names = tuple(unwrapped.team.possible_agents)
    for predictor in predictors.values():
        predictor.reset(context_for(predictor, names, config.grid, config.steps, hidden_truth))
    history: deque = deque(maxlen=MEMORY)
    for step in range(steps + 1):
        seen = {
            name: {key: value[k] for key, value in observation.items()}
            for k, name in enumerate(names)
        }
        history.append(seen)
        if step == steps:
            break
        for predictor in predictors.values():
            predictor.predict(unwrapped.measurement.pairs, history)
            predictor.observe(unwrapped.measurement.pairs, unwrapped.measurement.rirs)
        observation = env.step(team.act(observation))[0]
    if of_robots:
        truth = unwrapped.measurement
    else:
        graph = dwelling.scene.graph
        drawn = draw_queries(pairs, graph, np.random.default_rng(house))
        truth = measured_between(dwelling.acoustics, graph, drawn)
    return truth, {
        name: predictor.predict(truth.pairs, history) for name, predictor in predictors.items()
    }


def drawn(truth: np.ndarray, predicted: dict[str, np.ndarray]) -> np.ndarray:
    """Of responses (P, 2, n), the left ear."""
    columns = {"measured": truth, **predicted}
    tall = TALL + WAVE + 2 * LINE
    page = blank(MARGIN + len(columns) * (WIDTH + MARGIN), len(truth) * tall + MARGIN)
    known = spectra(truth)
    errors = {name: distance(known, spectra(rirs)) for name, rirs in predicted.items()}
    for row, loudest in enumerate(np.abs(truth[:, 0]).max(axis=1)):
        for column, (name, rirs) in enumerate(columns.items()):
            left, top = MARGIN + column * (WIDTH + MARGIN), MARGIN + row * tall
            error = f", {float(errors[name][row].mean()):.2f}" if name in errors else ""
            write(page, left, top, name.rpartition(":")[2] + error)
            shown = page[top + LINE : top + LINE + TALL, left : left + WIDTH]
            shown[:] = spectrogram_picture(rirs[row, 0], WIDTH)
            colour = COLOURS[5] if name == "measured" else COLOURS[4]
            _draw_wave(page, left, top + LINE + TALL + 4, rirs[row, 0], loudest, colour)
    return page


def _draw_wave(
    page: np.ndarray, left: int, top: int, response: np.ndarray, loudest: float, colour: tuple
) -> None:
    """Highest and lowest sample of each column, on a cube root's scale: tails are quiet."""
    parts = np.array_split(response[: round(SHOWN * RATE)], WIDTH)
    middle = top + WAVE // 2
    page[middle, left : left + WIDTH] = INK
    for column, part in enumerate(parts):
        high, low = (np.cbrt(np.clip(x / loudest, -1, 1)) for x in (part.max(), part.min()))
        first, last = middle - round(high * WAVE / 2), middle - round(low * WAVE / 2)
        page[first : last + 1, left + column] = colour


def draw(given: argparse.Namespace) -> np.ndarray:
    predictors = {name: open_predictor(name) for name in given.predictors}
    if given.checkpoint is not None:
        networks, _ = load_team(given.checkpoint, given.preset)
        predictors["generator"] = Generated(networks.generator, networks.config.senses)
    if any(getattr(predictor, "privileged", ()) for predictor in predictors.values()):
        raise ValueError("a predictor that knows the truth has nothing to show")
    env = gym.make(
        ENVIRONMENTS[given.env],
        split=given.split,
        houses=given.house + 1,
        steps=given.steps + 1,
        prediction="none",
    )
    is_of_robots = given.checkpoint is not None
    truth, predicted = asked(env, given.house, given.steps, given.pairs, predictors, is_of_robots)
    return drawn(truth.rirs, predicted)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.rir_measure.figures.responses",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--predictors",
        nargs="+",
        default=["interpolating", "interpolating_depth", "av_envs.agents.rir_measure:SetPredictor"],
        help="names or import paths 'module:Factory'",
    )
    parser.add_argument("--checkpoint", type=path_argument, help="file of a team")
    parser.add_argument("--preset", default="macma", choices=PRESETS, help="of that team")
    parser.add_argument("--env", default="flats", choices=ENVIRONMENTS)
    parser.add_argument("--split", default="val")
    parser.add_argument("--house", type=non_negative_int, default=0, help="dwelling of that split")
    parser.add_argument("--steps", type=positive_int, default=100, help="measured before")
    parser.add_argument("--pairs", type=positive_int, default=3, help="held-out pairs")
    parser.add_argument("--out", type=path_argument, required=True, help="PNG file")
    return run_figure(draw, parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
