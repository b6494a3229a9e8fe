"""Logs of episodes: what it takes to draw an episode, to hear it and to play it again."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from av_envs.scene import Scene
from av_envs.scene.navigation import STEPS

TOLERANCE = 0.02  # m

Pose = tuple[int, int]  # node, heading in quarter turns from east
Path = Sequence[Pose]


def replay_log(
    task: str,
    scene: Scene,
    walkers: Iterable[tuple[Path, str]],
    *,
    sources: Iterable[int],
    receivers: Iterable[Pose] = (),
    target: str | None = None,
) -> dict[str, Any]:
    """The log of an episode so far, as JSON-safe values.

    walkers  per agent its poses, that of the start first, and the initials of its actions, one
             letter per step: F forward, L left, R right, S stay or stop

    task       name of the task
    stride     metres of a step forward
    walkers    per agent `start` [x, y, heading], metres and quarter turns from east, and `moves`,
               the letters above, with f for a step forward that led nowhere
    sources    [x, y] of the sources that stand still; with a target, that of the target first
    receivers  [x, y, heading] of the receivers that stand still
    target     class of the target's sound, None without a target

    Raises ValueError where a step forward is not as long as the stride, since such a path cannot
    be told from its moves.
    """
    places = np.round(scene.graph.positions[:, :2].astype(float), 2)
    stride = float(scene.graph.grid)

    def pose(node: int, heading: int) -> list[float]:
        return [*places[node].tolist(), int(heading)]

    logs = []
    for path, moves in walkers:
        nodes, headings = np.array(path).T
        stepped = np.diff(nodes) != 0
        wanted = stride * STEPS[headings[:-1]] * stepped[:, np.newaxis]
        if not np.allclose(np.diff(places[nodes], axis=0), wanted, rtol=0, atol=TOLERANCE):
            raise ValueError(f"{scene.name}: a step forward is not always {stride} m long")
        marked = (
            "f" if move == "F" and not led else move
            for move, led in zip(moves, stepped, strict=True)
        )
        logs.append({"start": pose(*path[0]), "moves": "".join(marked)})
    return {
        "task": task,
        "stride": stride,
        "walkers": logs,
        "sources": [places[node].tolist() for node in sources],
        "receivers": [pose(*receiver) for receiver in receivers],
        "target": target,
    }
