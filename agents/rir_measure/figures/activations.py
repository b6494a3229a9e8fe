"""Where on the map robots are how active: `... figures.activations --checkpoint FILE --out PNG`.

A map for what every robot expects to earn, and for each of its memory cells that vary most over an
episode. A place has the colour of the mean over all moments at which the robot was there.
"""

import argparse

import numpy as np

from av_envs.agents.rir_measure.figures.page import (
    LINE,
    MARGIN,
    blank,
    map_height,
    run_figure,
    write,
)
from av_envs.agents.rir_measure.figures.playing import Played, play, room
from av_envs.agents.rir_measure.team import load_team
from av_envs.agents.rir_measure.team_options import team_parser
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.vision.drawing import draw_disc
from av_envs.vision.panels import draw_map, heat

SIDE = 230  # pixels of a map
DOT = 4.2  # pixels


def cells_of(states: np.ndarray, count: int) -> np.ndarray:
    """(count,) numbers of the cells of memories (T, S) that vary most, the first most of all."""
    return np.argsort(-states.std(axis=0), kind="stable")[:count]


def by_node(nodes: np.ndarray, activity: np.ndarray) -> dict[int, float]:
    """Mean of an activity (T,) at each of the nodes (T,)."""
    return {int(node): float(activity[nodes == node].mean()) for node in np.unique(nodes)}


def drawn(played: Played, cells: int) -> np.ndarray:
    """A row of maps for each robot."""
    robots = played.nodes.shape[1]
    height = map_height(played.scene, SIDE)
    page = blank(MARGIN + (cells + 1) * (SIDE + MARGIN), robots * (height + 2 * LINE) + MARGIN)
    positions = played.scene.graph.positions
    for robot in range(robots):
        shown = {"expected reward": played.values[:, robot]}
        for cell in cells_of(played.states[:, robot], cells):
            shown[f"cell {cell}"] = played.states[:, robot, cell]
        top = robot * (height + 2 * LINE) + MARGIN
        for column, (name, activity) in enumerate(shown.items()):
            left = MARGIN + column * (SIDE + MARGIN)
            low, high = activity.min(), activity.max()
            write(page, left, top, f"robot {robot}: {name}")
            write(page, left, top + 12, f"{low:.2f} dark to {high:.2f} bright")
            placed = draw_map(page, played.scene, (left, top + 26, SIDE, height))
            for node, mean in by_node(played.nodes[:, robot], activity).items():
                share = np.array([(mean - low) / max(high - low, 1e-9)])
                colour = tuple(int(part) for part in heat(share)[0])
                draw_disc(page, placed.place(positions[node]), DOT, colour)
    return page


def draw(given: argparse.Namespace) -> np.ndarray:
    networks, _ = load_team(given.checkpoint, given.preset)
    count = given.house + 1
    env = room(given.env, networks, split=given.split, houses=count, steps=given.steps)
    return drawn(play(networks, env, given.seed, given.house), given.cells)


def main(argv: list[str] | None = None) -> int:
    parser = team_parser("figures.activations", __doc__)
    parser.add_argument("--split", default="val")
    parser.add_argument("--house", type=non_negative_int, default=0, help="dwelling of that split")
    parser.add_argument("--cells", type=positive_int, default=3, help="of each robot")
    parser.add_argument("--out", type=path_argument, required=True, help="PNG file")
    return run_figure(draw, parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
