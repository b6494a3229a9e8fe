"""Floor plans as SVG paths: one unit is a metre, y points down as in SVG."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.suites.suite import Suite
from av_envs.scene import House, Scene
from av_envs.vision import GroundPlan, ground_plan

MARGIN = 0.4  # m around the dwelling

Rectangle = tuple[float, float, float, float]  # x0, y0, x1, y1 with y up


def map_of(suite: Suite, group: str, seed: int, scene_name: str) -> dict[str, Any]:
    """`house_map` of the dwelling of an episode; of another than a procedural one `scene_map`.

    group, seed  of the episode, which is begun again where only it knows its dwelling
    """
    if suite.env_kwargs.get("backend", "traced") == "traced":
        return house_map(scene_name)
    episode = next(e for e in suite.episodes if (e.group.name, e.seed) == (group, seed))
    env = make_env(suite, episode.group)
    env.reset(seed=episode.seed, options=episode.options)
    scene = env.unwrapped.scene  # type: ignore[attr-defined]
    env.close()
    return scene_map(scene)


def scene_map(scene: Scene) -> dict[str, Any]:
    """`house_map` of any scene, as it looks from above; doors and rugs are not told from floors."""
    plan = ground_plan(scene)
    height, width = np.array(plan.floor.shape) / plan.pixels_per_metre
    x, y = plan.corner
    return {
        "box": [_number(value) for value in (x, -y, width, height)],
        "floors": path_of(_strips(plan.floor, plan)),
        "doors": "",
        "rugs": "",
        "things": path_of(_strips(plan.things, plan)),
        "rooms": [],
    }


def _strips(mask: np.ndarray, plan: GroundPlan) -> Iterable[Rectangle]:
    """Rectangles that cover a mask, one for each run in its rows; those below each other join."""
    scale, (left, top) = 1 / plan.pixels_per_metre, plan.corner
    open_runs: dict[tuple[int, int], int] = {}  # (start, stop): first row
    for row in range(len(mask) + 1):
        here = np.flatnonzero(np.diff(np.pad(mask[row], 1).astype(int))) if row < len(mask) else []
        runs = {(int(a), int(b)) for a, b in zip(here[::2], here[1::2], strict=True)}
        for a, b in sorted(set(open_runs) - runs):
            first = open_runs.pop((a, b))
            yield left + a * scale, top - row * scale, left + b * scale, top - first * scale
        for run in runs:
            open_runs.setdefault(run, row)


def house_map(scene_name: str) -> dict[str, Any]:
    """What a drawing of the dwelling needs, ready for JSON.

    box     x, y, width, height of the whole drawing
    floors, doors, rugs, things   paths: floors of rooms, gaps in the walls, what lies flat,
                                  what stands in the way
    rooms   [name, x, y, width] with the middle of the room
    """
    kind, _, seed = scene_name.partition("-")
    design = House(int(seed), kind).design
    standing = [piece.footprint for piece in design.furniture if piece.blocks_the_way]
    flat = [piece.footprint for piece in design.furniture if not piece.blocks_the_way]
    return {
        "box": _box(design.floors),
        "floors": path_of(design.floors),
        "doors": path_of(door.floor for door in design.doors),
        "rugs": path_of(flat),
        "things": path_of(standing),
        "rooms": [
            [use, _number((x0 + x1) / 2), _number(-(y0 + y1) / 2), _number(x1 - x0)]
            for use, (x0, y0, x1, y1) in zip(design.uses, design.floors, strict=True)
        ],
    }


def path_of(rectangles: Iterable[Rectangle]) -> str:
    """One path of many rectangles, to the centimetre."""
    return "".join(
        f"M{_number(x0)} {_number(-y1)}h{_number(x1 - x0)}v{_number(y1 - y0)}h{_number(x0 - x1)}z"
        for x0, y0, x1, y1 in rectangles
    )


def _box(floors: list[Rectangle]) -> list[float]:
    x0, y0 = (min(floor[axis] for floor in floors) - MARGIN for axis in (0, 1))
    x1, y1 = (max(floor[axis] for floor in floors) + MARGIN for axis in (2, 3))
    return [_number(value) for value in (x0, -y1, x1 - x0, y1 - y0)]


def _number(value: float) -> float:
    return round(float(value), 2) + 0.0
