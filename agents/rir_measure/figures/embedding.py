"""What robots remember, as points: `... figures.embedding --checkpoint FILE --out PNG`.

The memories of each robot at every step of some episodes, in two dimensions and coloured by the
move that followed: appendix A.8 of Yu et al., IJCAI 2023. By UMAP (McInnes et al., 2018) where
umap-learn is installed, else by the first two principal components; `--method` chooses. Beside the
picture, a file .npz holds the points.
"""

import argparse
import importlib.util

import numpy as np

from av_envs.agents.rir_measure.figures.page import (
    COLOURS,
    LINE,
    MARGIN,
    blank,
    run_figure,
    write,
)
from av_envs.agents.rir_measure.figures.playing import play, room
from av_envs.agents.rir_measure.team import load_team
from av_envs.agents.rir_measure.team_options import team_parser
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.rir_measure.actions import Action
from av_envs.vision.drawing import draw_disc
from av_envs.whole_files import replacing

METHODS = ("auto", "umap", "pca")
SIDE = 360  # pixels of a diagram
NEIGHBOURS, APART = 15, 0.1  # of UMAP


def in_two_dimensions(states: np.ndarray, method: str) -> tuple[np.ndarray, str]:
    """(K, 2) of memories (K, S), and how: "umap" or "pca". ValueError where that is missing."""
    has_umap = importlib.util.find_spec("umap") is not None
    if method == "umap" and not has_umap:
        raise ValueError("--method umap needs umap-learn: pip install umap-learn")
    if method == "pca" or not has_umap:
        return principal(states), "pca"
    from umap import UMAP

    made = UMAP(n_neighbors=NEIGHBOURS, min_dist=APART, random_state=0, n_jobs=1)
    return np.asarray(made.fit_transform(states)), "umap"


def principal(states: np.ndarray) -> np.ndarray:
    """(K, 2), the first two principal components; each so that its largest number is positive."""
    centred = states - states.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    found = centred @ axes.T
    largest = np.abs(found).argmax(axis=0)
    return found * np.sign(found[largest, np.arange(found.shape[1])])


def drawn(points: list[np.ndarray], moves: list[np.ndarray], how: str) -> np.ndarray:
    """A diagram of the points (K, 2) of each robot, coloured by moves (K,)."""
    page = blank(MARGIN + len(points) * (SIDE + MARGIN), SIDE + 3 * LINE)
    for robot, (places, taken) in enumerate(zip(points, moves, strict=True)):
        left = MARGIN + robot * (SIDE + MARGIN)
        low, high = places.min(axis=0), places.max(axis=0)
        shares = (places - low) / np.maximum(high - low, 1e-9)
        for (x, y), move in zip(shares, taken, strict=True):
            place = (left + 6 + x * (SIDE - 12), 2 * LINE + SIDE - 6 - y * (SIDE - 12))
            draw_disc(page, place, 2.2, COLOURS[int(move)])
        write(page, left, 6, f"robot {robot}: {len(places)} memories, {how}")
        column = left
        for action in Action:
            if (taken == action).any():
                column = write(page, column, 24, action.name.lower(), COLOURS[action]) + MARGIN
    return page


def draw(given: argparse.Namespace) -> np.ndarray:
    networks, _ = load_team(given.checkpoint, given.preset)
    env = room(given.env, networks, split=given.split, houses=given.houses, steps=given.steps)
    episodes = [
        play(networks, env, seed) for seed in range(given.seed, given.seed + given.episodes)
    ]
    points, moves = [], []
    for robot in range(networks.config.policy.robots):
        states = np.concatenate([one.states[:, robot] for one in episodes])
        places, how = in_two_dimensions(states, given.method)
        points.append(places)
        moves.append(np.concatenate([one.moves[:, robot] for one in episodes]))
    with replacing(given.out.with_suffix(".npz")) as draft, draft.open("wb") as file:
        np.savez_compressed(file, points=np.stack(points), moves=np.stack(moves))
    return drawn(points, moves, how)


def main(argv: list[str] | None = None) -> int:
    parser = team_parser("figures.embedding", __doc__)
    parser.add_argument("--split", default="val")
    parser.add_argument("--houses", type=positive_int, default=3, help="of that split")
    parser.add_argument("--episodes", type=positive_int, default=3)
    parser.add_argument("--method", default="auto", choices=METHODS)
    parser.add_argument("--out", type=path_argument, required=True, help="PNG file")
    return run_figure(draw, parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
