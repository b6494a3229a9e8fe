"""What moves depend on, step by step: `... figures.senses --checkpoint FILE --out PNG`.

The shares of `av_envs.agents.rir_measure.importance` (equation 18 of Yu et al., IJCAI 2023) over an
episode, a stacked bar per step and a row per robot, as in their figure 11.
"""

import argparse
from collections.abc import Sequence

import gymnasium as gym
import numpy as np

from av_envs.agents.rir_measure.figures.page import (
    COLOURS,
    LINE,
    MARGIN,
    blank,
    run_figure,
    write,
)
from av_envs.agents.rir_measure.importance import importance, senses_of
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.senses import needed_observations
from av_envs.agents.rir_measure.team import load_team
from av_envs.agents.rir_measure.team_options import team_parser
from av_envs.options import positive_int
from av_envs.paths import path_argument

BAR, HEIGHT = 3, 110  # pixels


def drawn(shares: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Of shares (steps, robots, senses) of senses with these names."""
    steps, robots, _ = shares.shape
    page = blank(2 * MARGIN + max(BAR * steps, 420), robots * (HEIGHT + 2 * LINE) + MARGIN)
    for robot in range(robots):
        top = robot * (HEIGHT + 2 * LINE) + MARGIN
        column = write(page, MARGIN, top, f"robot {robot}, {steps} steps:") + MARGIN
        for k, sense in enumerate(names):
            mean = f"{sense} {100 * shares[:, robot, k].mean():.0f} %"
            column = write(page, column, top, mean, COLOURS[k]) + MARGIN
        edges = np.cumsum(shares[:, robot], axis=1)
        for step, ends in enumerate(edges):
            left, below = MARGIN + BAR * step, 0
            for k, end in enumerate(np.rint(ends * HEIGHT).astype(int)):
                bottom = top + LINE + HEIGHT
                page[bottom - end : bottom - below, left : left + BAR] = COLOURS[k]
                below = end
    return page


def draw(given: argparse.Namespace) -> np.ndarray:
    networks, _ = load_team(given.checkpoint, given.preset)
    env = gym.make(
        ENVIRONMENTS[given.env],
        split=given.split,
        houses=given.houses,
        steps=given.steps,
        predictor="zero",
        robots=networks.config.policy.robots,
        observations=needed_observations(networks.config.senses),
    )
    names = senses_of(networks.config.policy)
    return drawn(importance(networks, env, given.seed), names)


def main(argv: list[str] | None = None) -> int:
    parser = team_parser("figures.senses", __doc__)
    parser.add_argument("--split", default="val")
    parser.add_argument("--houses", type=positive_int, default=3, help="of that split")
    parser.add_argument("--out", type=path_argument, required=True, help="PNG file")
    return run_figure(draw, parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
