"""What follows from where the robots have been; a walk is a list of (node, heading)."""

from collections.abc import Iterable, Sequence

Walk = Sequence[tuple[int, int]]


def hull_nodes(walks: Iterable[Walk]) -> list[int]:
    """Nodes of the hull that is rewarded: where the robots are and were one step before."""
    walks = list(walks)
    return [path[k][0] for k in (-1, -2) for path in walks if len(path) >= -k]
