"""Where teams walk: `... figures.walks --agents TEAM TEAM --out PNG`.

Every team plays the same episode; a map for each, with its walks, coverage, prediction error and
WCR, as in figure 4 of Yu et al., IJCAI 2023. Teams are entries of the boards, "module:Factory";
those of the rules and of `av_envs.agents.rir_measure` go by their name alone.
"""

import argparse
import itertools

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.rir_measure.figures.page import (
    COLOURS,
    LINE,
    MARGIN,
    blank,
    map_height,
    run_figure,
    write,
)
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.runs import json_object
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.plugins import is_import_path, load
from av_envs.vision.drawing import draw_disc, draw_line
from av_envs.vision.panels import INK, draw_body, draw_map

SIDE = 300  # pixels of a map
ASIDE = 2.5  # pixels between walks along the same way
RULES = ("Random", "Curiosity", "Occupancy", "NearestNeighbor", "Frontier", "SpreadOut")


def entry(name: str) -> str:
    """The import path of a team."""
    if is_import_path(name):
        return name
    folder = "baselines" if name in RULES else "agents"
    return f"av_envs.{folder}.rir_measure:{name}"


def walked(name: str, options: dict, env: gym.Env, house: int, seed: int) -> dict[str, float]:
    """Let a team play an episode in `env`; the scores, with the mean coverage `cr_mean`."""
    team = load(entry(name), "team")(env.observation_space, env.action_space, seed=seed, **options)
    if getattr(team, "privileged", ()):
        raise ValueError(f"{name} knows the truth; figures show teams that do not")
    unwrapped = env.unwrapped.team
    unwrapped.use_predictor(getattr(team, "predictor", "zero"))
    observation, _ = env.reset(seed=seed, options={"house": house})
    team.reset(seed=seed)
    covered, is_over = [], False
    while not is_over:
        observation, _, terminated, truncated, info = env.step(team.act(observation))
        covered.append(float(info["cr"]))
        is_over = terminated or truncated
    return {**unwrapped.scores(), "cr_mean": float(np.mean(covered))}


def drawn_walks(env: gym.Env) -> np.ndarray:
    """The map and the walks of the episode that has just been played."""
    team = env.unwrapped.team
    height = map_height(team.scene, SIDE)
    page = blank(SIDE, height)
    placed = draw_map(page, team.scene, (0, 0, SIDE, height))
    positions = team.scene.graph.positions
    for node in np.flatnonzero(team.visited):
        draw_disc(page, placed.place(positions[node]), 1.6, INK)
    for k, walk in enumerate(team.trajectories.values()):
        shift = ASIDE * (k - (len(team.trajectories) - 1) / 2)
        path = [np.add(placed.place(positions[node]), shift) for node, _ in walk]
        for start, end in itertools.pairwise(path):
            if (start != end).any():
                draw_line(page, tuple(start), tuple(end), 2, COLOURS[k])
        draw_body(page, tuple(path[-1]), walk[-1][1], COLOURS[k])
    return page


def draw(given: argparse.Namespace) -> np.ndarray:
    env = gym.make(
        ENVIRONMENTS[given.env],
        split=given.split,
        houses=given.house + 1,
        steps=given.steps,
        predictor="zero",
    )
    parts = []
    for name in given.agents:
        scores = walked(name, given.agent_kwargs.get(name, {}), env, given.house, given.seed)
        said = {"WCR": scores["wcr"], "CR": scores["cr"], "mean CR": scores["cr_mean"]}
        said["PE"] = scores["pe_mean"]
        numbers = "  ".join(f"{key} {value:.2f}" for key, value in said.items())
        parts.append((name.rpartition(":")[2], numbers, drawn_walks(env)))
    columns = min(len(parts), given.columns)
    tall = len(parts[0][2]) + 2 * LINE + MARGIN
    page = blank(MARGIN + columns * (SIDE + MARGIN), -(-len(parts) // columns) * tall + MARGIN)
    for k, (name, numbers, picture) in enumerate(parts):
        left, top = MARGIN + k % columns * (SIDE + MARGIN), MARGIN + k // columns * tall
        write(page, left, top, name)
        write(page, left, top + 14, numbers)
        below = top + 2 * LINE
        page[below : below + len(picture), left : left + SIDE] = picture
    return page


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.rir_measure.figures.walks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--agents", nargs="+", required=True, help="entries of the boards")
    parser.add_argument(
        "--agent-kwargs", type=json_object, default={}, help="JSON object by the names of --agents"
    )
    parser.add_argument("--env", default="flats", choices=ENVIRONMENTS)
    parser.add_argument("--split", default="val")
    parser.add_argument("--house", type=non_negative_int, default=0, help="dwelling of that split")
    parser.add_argument("--steps", type=positive_int, default=250, help="of the episode")
    parser.add_argument("--columns", type=positive_int, default=3)
    parser.add_argument("--seed", type=non_negative_int, default=0)
    parser.add_argument("--out", type=path_argument, required=True, help="PNG file")
    return run_figure(draw, parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
