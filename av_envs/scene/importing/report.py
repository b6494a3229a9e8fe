"""Report of a mesh import."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MeshReport:
    """Read it before training in a mesh; `print` shows it in full.

    name        of the file or the plan
    n_read      triangles in the file
    dropped     triangles left out, by reason
    unit, up    how lengths and the vertical were read, and who said so
    size        (3,) metres east, north and up
    materials   labels by the material that they got, None for labels no rule fits
    n_nodes     places to stand
    n_islands   sets of nodes without a way between them; the largest is the graph
    n_beyond    nodes of the others
    levels      lowest and highest floor of the graph, metres
    n_flipped   triangles turned round to face the air
    lost        share of the rays from the nodes that meet nothing: sound that leaks out
    warnings    what may be wrong
    """

    name: str
    n_read: int
    dropped: dict[str, int]
    unit: str
    up: str
    size: tuple[float, float, float]
    materials: dict[str, tuple[str, ...]]
    defaulted: tuple[str, ...]
    default: str
    n_nodes: int
    n_islands: int
    n_beyond: int
    levels: tuple[float, float]
    n_flipped: int
    lost: float
    warnings: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        x, y, z = self.size
        dropped = ", ".join(f"{n} {reason}" for reason, n in self.dropped.items() if n)
        lines = [
            f"{self.name}: {x:.2f} x {y:.2f} m, {z:.2f} m high",
            f"  triangles  {self.n_read} read, {dropped or 'none'} dropped, "
            f"{self.n_flipped} turned to face the air",
            f"  unit       {self.unit}",
            f"  up         {self.up}",
            f"  nodes      {self.n_nodes} on floors at {_span(self.levels)}; "
            f"{_islands(self.n_islands, self.n_beyond)}",
            f"  leaks      {self.lost:.1%} of the rays from the nodes meet nothing",
        ]
        lines += [
            f"  {material:<17}{_list(labels)}"
            for material, labels in sorted(self.materials.items())
        ]
        if self.defaulted:
            lines.append(f"  {self.default + ' (no rule)':<17} {_list(self.defaulted)}")
        return "\n".join(lines + [f"  warning: {warning}" for warning in self.warnings])


def _span(levels: tuple[float, float]) -> str:
    low, high = (f"{level:.2f}" for level in levels)
    return f"{low} m" if low == high else f"{low} to {high} m"


def _islands(n_islands: int, n_beyond: int) -> str:
    if n_islands == 1:
        return "all hang together"
    others = "1 other set" if n_islands == 2 else f"{n_islands - 1} other sets"
    return f"{n_beyond} more in {others} out of reach"


def _list(labels: tuple[str, ...], most: int = 6) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more
