"""Held-out pairs, which tell whether a predictor generalises over the whole dwelling.

Beyond the paper: a fixed set of pairs that are never measured, predicted at growing
budgets of steps, after Majumder et al., "Few-Shot Audio-Visual Learning of
Environment Acoustics", NeurIPS 2022.
"""

from collections.abc import Sequence

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.scene.navigation import NavigationGraph

FIRST_BUDGETS, NEXT_BUDGETS = (10, 25), 50  # steps: at first dense, then every 50


def draw_queries(n: int, graph: NavigationGraph, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) int32 source node, receiver node, heading; uniform, the two nodes never the same."""
    nodes = len(graph)
    if nodes < 2:
        raise ValueError(f"a query needs two nodes, the graph has {nodes}")
    source = rng.integers(nodes, size=n)
    receiver = (source + rng.integers(1, nodes, size=n)) % nodes
    heading = rng.integers(N_HEADINGS, size=n)
    return np.stack([source, receiver, heading], axis=1).astype(np.int32)


def budgets(steps: int) -> tuple[int, ...]:
    """Steps after which the queries are asked: 10, 25, 50, 100, 150, ... and the last one."""
    if steps < 1:
        raise ValueError(f"an episode has at least one step, got {steps}")
    asked = (*FIRST_BUDGETS, *range(NEXT_BUDGETS, steps, NEXT_BUDGETS))
    return (*(budget for budget in asked if budget < steps), steps)


def area_under_curve(asked: Sequence[int], errors: Sequence[float]) -> float:
    """Mean error between the first and the last budget, by trapezoids; in the unit of errors.

    asked   increasing budgets, steps
    errors  one mean error per budget
    """
    if len(asked) != len(errors) or len(asked) == 0:
        raise ValueError(f"{len(asked)} budgets and {len(errors)} errors; both need the same")
    widths = np.diff(asked)
    if np.any(widths <= 0):
        raise ValueError(f"budgets must increase, got {tuple(asked)}")
    if len(asked) == 1:
        return float(errors[0])
    middles = (np.asarray(errors[1:], float) + errors[:-1]) / 2
    return float(np.average(middles, weights=widths))
