"""Where those look who begin an episode: with `starts_facing="open"` not at a wall before them."""

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.vision import MAX_DEPTH
from av_envs.worlds.base import Dwelling

STARTS_FACING = ("any", "open")
ROOM_AHEAD = 1.0  # m, median depth of a view that is open


def heading_facing(
    starts_facing: str, dwelling: Dwelling, node: int, heading: int, rng: np.random.Generator
) -> int:
    """The heading, or by lot an open one if that one is not and "open" is asked for.

    heading  quarter turns, as drawn; it stays where no heading is open
    Raises ValueError if "open" is asked for in a dwelling that has no views.
    """
    if starts_facing == "any":
        return heading
    if not dwelling.has_views:
        raise ValueError(
            f"starts_facing 'open' looks at views, and {dwelling.scene.name!r} has none; "
            "choose 'any'"
        )
    if _is_open(dwelling, node, heading):
        return heading
    others = [h for h in range(N_HEADINGS) if h != heading and _is_open(dwelling, node, h)]
    return int(rng.choice(others)) if others else heading


def _is_open(dwelling: Dwelling, node: int, heading: int) -> bool:
    """Whether half of what is seen is ROOM_AHEAD away or more."""
    _, depth = dwelling.views.view(node, heading)
    return bool(np.median(depth) * MAX_DEPTH >= ROOM_AHEAD)
