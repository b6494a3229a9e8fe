"""Random dwellings: `House(seed).scene()` is always the same house for the same seed."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from av_envs.scene.materials import MATERIALS
from av_envs.scene.navigation import build_graph
from av_envs.scene.procedural.blocks import Block, Rectangle, mesh_of
from av_envs.scene.procedural.decay import RoomShell, soften
from av_envs.scene.procedural.finishes import Finish, draw_finishes
from av_envs.scene.procedural.floorplan import KINDS, WALL, FloorPlan, draw_plan
from av_envs.scene.procedural.furnishing import Furniture, furnish
from av_envs.scene.procedural.openings import Door, Window, assign_uses, draw_doors, draw_windows
from av_envs.scene.procedural.shell import reveal_blocks, room_blocks, wall_obstacles
from av_envs.scene.scene import Room, Scene

CEILING_HEIGHTS = (2.4, 3.0)  # m
DECAY_TIMES = (0.33, 0.52)  # s, Eyring; what rays and ears find is about a third longer
GRIDS = (0.5, 1.0)  # m between navigation nodes; the lattice of the plans suits no other


class Design(NamedTuple):
    """Design of a dwelling. Tuples over rooms follow `plan.rooms`; lengths in metres.

    uses     what each room is for: "kitchen", "bedroom", ...
    windows  windows and the front door
    """

    plan: FloorPlan
    height: float
    uses: tuple[str, ...]
    doors: tuple[Door, ...]
    windows: tuple[Window, ...]
    furniture: tuple[Furniture, ...]
    finishes: tuple[Finish, ...]

    def room_blocks(self, room: int) -> list[Block]:
        """Everything solid in one room: its inside and its furniture."""
        openings = self.doors, self.windows
        shell = room_blocks(self.plan, room, self.height, *openings, self.finishes[room])
        pieces = (piece for piece in self.furniture if piece.room == room)
        return shell + [block for piece in pieces for block in piece.blocks]

    @property
    def blocks(self) -> list[Block]:
        """Everything solid in the dwelling."""
        rooms = range(len(self.uses))
        inside = [block for room in rooms for block in self.room_blocks(room)]
        return inside + reveal_blocks(self.doors, self.finishes)

    @property
    def floors(self) -> list[Rectangle]:
        """The floor of each room, inside its walls."""
        return [self.plan.inside(room) for room in range(len(self.uses))]

    @property
    def obstacles(self) -> list[Rectangle]:
        """Footprints of walls and of all furniture but rugs and pictures."""
        walls = wall_obstacles(self.plan, self.doors, WALL / 2)
        return walls + [piece.footprint for piece in self.furniture if piece.blocks_the_way]


@dataclass(frozen=True)
class House:
    """A dwelling drawn from a seed.

    kind  "house": 4-8 rooms, 100-180 m2; "flat": 2-4 rooms, 48-80 m2
    """

    seed: int
    kind: str = "house"

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of dwelling {self.kind!r}; choose from {sorted(KINDS)}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)):
            raise TypeError(f"the seed of a dwelling must be an integer, got {self.seed!r}")
        if self.seed < 0:
            raise ValueError(f"the seed of a dwelling must not be negative, got {self.seed}")

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.seed}"

    @cached_property
    def design(self) -> Design:
        """The design of the dwelling, drawn on first use."""
        kind = KINDS[self.kind]
        rng = np.random.default_rng([kind.number, int(self.seed)])
        plan = draw_plan(rng, kind)
        height = float(rng.uniform(*CEILING_HEIGHTS))
        uses = assign_uses(rng, plan)
        doors = draw_doors(rng, plan, uses)
        windows = draw_windows(rng, plan, uses)
        furniture = furnish(rng, plan, uses, doors, windows, height)
        bare = Design(plan, height, uses, doors, windows, furniture, draw_finishes(rng, uses))
        seconds = float(rng.uniform(*DECAY_TIMES))
        finishes = [
            soften(
                rng,
                RoomShell(plan, room, height, uses[room]),
                finish,
                bare.room_blocks(room),
                seconds,
            )
            for room, finish in enumerate(bare.finishes)
        ]
        return bare._replace(finishes=tuple(finishes))

    def scene(self, grid: float | None = None) -> Scene:
        """The dwelling as surfaces with a navigation graph.

        grid  metres between nodes, 0.5 or 1.0; by default 1.0 for a house, 0.5 for a flat
        """
        grid = KINDS[self.kind].grid if grid is None else grid
        if grid not in GRIDS:
            raise ValueError(f"the grid must be one of {GRIDS} m, got {grid!r}")
        design = self.design
        mesh = mesh_of(design.blocks)
        graph = build_graph(
            np.array(design.floors),
            np.array([door.floor for door in design.doors]),
            np.array(design.obstacles),
            mesh.triangles,
            float(grid),
        )
        used, material = np.unique(mesh.material, return_inverse=True)
        catalogue = tuple(MATERIALS.values())
        return Scene.build(
            self.name,
            mesh._replace(material=material),
            tuple(catalogue[index] for index in used),
            tuple(map(Room, _numbered(design.uses), design.floors)),
            graph,
        )


def _numbered(uses: tuple[str, ...]) -> list[str]:
    """Unique names: bedroom, bedroom 2, bedroom 3, ..."""
    counts = [uses[: index + 1].count(use) for index, use in enumerate(uses)]
    return [use if n == 1 else f"{use} {n}" for use, n in zip(uses, counts, strict=True)]
