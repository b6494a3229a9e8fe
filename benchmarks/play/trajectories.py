"""Where agents went and where the sources stood, compact enough to lie in every result."""

from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np

from av_envs.conventions import N_HEADINGS

FORWARD, LEFT, RIGHT, STAY = range(4)  # actions of the separation environments
MOVES = "SFLR"  # moves of a robot by their action in the measuring environments: S stays
NORMALS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # one step forward by heading, east first
TOLERANCE = 0.02  # m

Pose = list[float]  # x, y in metres, heading in quarter turns from east


def walk_of(env: gym.Env, observation: Any) -> dict[str, Any] | None:
    """The walk so far; None if the environment has no trajectory.

    Of one agent:
    poses    [x, y, heading] of the start and of every step, metres and quarter turns from east
    sources  [x, y] of every source, the target first
    target   class of the target's sound

    Of a team:
    stride     metres of a step forward
    robots     per robot its start [x, y, heading] and its moves, a letter of `MOVES` per step
    sources    [x, y] of the loudspeakers that stand still
    receivers  [x, y, heading] of the dummy heads that stand still
    """
    world = env.unwrapped
    if hasattr(world, "team"):
        return _team_walk(world.team)
    if not hasattr(world, "trajectory"):
        return None
    places = _places(world.scene)
    return {
        "poses": [[*places[node], int(heading)] for node, heading in world.trajectory],
        "sources": [places[node] for node in world.source_nodes],
        "target": world.corpus.classes[int(observation["target"])],
    }


def is_of_team(walk: dict[str, Any]) -> bool:
    """Whether several robots walked."""
    return "robots" in walk


def _places(scene: Any) -> list[list[float]]:
    return np.round(scene.graph.positions[:, :2].astype(float), 2).tolist()


def _team_walk(team: Any) -> dict[str, Any]:
    places, stride = _places(team.scene), float(team.config.grid)
    robots = []
    for trajectory in team.trajectories.values():
        poses = [[*places[node], int(heading)] for node, heading in trajectory]
        robot = {"start": poses[0], "moves": letters_of(poses)}
        if not np.allclose(poses_of(robot, stride), poses, rtol=0, atol=TOLERANCE):
            raise ValueError(f"{team.scene.name}: a step forward is not always {stride} m long")
        robots.append(robot)
    return {
        "stride": stride,
        "robots": robots,
        "sources": [places[node] for node in team.fixed_source_nodes],
        "receivers": [[*places[node], int(head)] for node, head in team.fixed_receiver_poses],
    }


def moves_of(poses: list[Pose]) -> list[int]:
    """Actions that lead through these poses; a blocked step forward reads as staying."""
    moves = []
    for (x0, y0, before), (x1, y1, after) in pairwise(poses):
        turned = (after - before) % N_HEADINGS
        if turned not in (0, 1, N_HEADINGS - 1):
            raise ValueError(f"no action turns by {turned} quarters, from {before} to {after}")
        if turned:
            moves.append(LEFT if turned == 1 else RIGHT)
        else:
            moves.append(STAY if (x0, y0) == (x1, y1) else FORWARD)
    return moves


def letters_of(poses: list[Pose]) -> str:
    """The moves of a robot through these poses, a letter of `MOVES` each."""
    letters = {STAY: "S", FORWARD: "F", LEFT: "L", RIGHT: "R"}
    return "".join(letters[move] for move in moves_of(poses))


def poses_of(robot: dict[str, Any], stride: float) -> list[Pose]:
    """The way back: [x, y, heading] of the start and after every move."""
    x, y, heading = robot["start"]
    poses = [[x, y, heading]]
    for letter in robot["moves"]:
        if letter == "F":
            x, y = (at + stride * by for at, by in zip((x, y), NORMALS[heading], strict=True))
        heading = (heading + {"L": 1, "R": -1}.get(letter, 0)) % N_HEADINGS
        poses.append([x, y, heading])
    return poses


def joint_actions(robots: list[dict[str, Any]]) -> np.ndarray:
    """(steps, robots) int actions of the measuring environments that walk the same way again.

    Staying is stopping, which in the suites keeps a robot where it is for one step.
    """
    return np.array([[MOVES.index(letter) for letter in robot["moves"]] for robot in robots]).T
