"""Random dwellings: `House(seed).scene()` is always the same house for the same seed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from av_envs.scene.blocks import Block, mesh_of
from av_envs.scene.finishes import Finish, draw_finishes
from av_envs.scene.floorplan import KINDS, WALL, FloorPlan, draw_plan
from av_envs.scene.furnishing import Furniture, furnish
from av_envs.scene.materials import MATERIALS
from av_envs.scene.navigation import build_graph
from av_envs.scene.openings import Door, Window, assign_uses, draw_doors, draw_windows
from av_envs.scene.scene import Room, Scene
from av_envs.scene.shell import shell_blocks, wall_obstacles

GRIDS = (0.5, 1.0)  # m between navigation nodes; the lattice of the plans suits no other


@dataclass(frozen=True)
class House:
    """A dwelling drawn from a seed.

    kind  "house": 4-8 rooms, 100-180 m2; "flat": 2-4 rooms, 40-80 m2
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

    @property
    def plan(self) -> FloorPlan:
        return self._drawing[0]

    @property
    def height(self) -> float:
        """Metres from floor to ceiling."""
        return self._drawing[1]

    @property
    def uses(self) -> tuple[str, ...]:
        """What each room is for: "kitchen", "bedroom", ..."""
        return self._drawing[2]

    @property
    def doors(self) -> tuple[Door, ...]:
        return self._drawing[3]

    @property
    def windows(self) -> tuple[Window, ...]:
        """Windows and the front door."""
        return self._drawing[4]

    @property
    def furniture(self) -> tuple[Furniture, ...]:
        return self._drawing[5]

    @property
    def finishes(self) -> list[Finish]:
        return self._drawing[6]

    @cached_property
    def _drawing(self):
        kind = KINDS[self.kind]
        rng = np.random.default_rng([kind.number, int(self.seed)])
        plan = draw_plan(rng, kind)
        height = float(rng.uniform(2.4, 3.0))
        uses = assign_uses(rng, plan)
        doors = draw_doors(rng, plan, uses)
        windows = draw_windows(rng, plan, uses)
        furniture = furnish(rng, plan, uses, doors, windows, height)
        finishes = draw_finishes(rng, uses)
        return plan, height, uses, doors, windows, furniture, finishes

    @property
    def blocks(self) -> list[Block]:
        """Everything solid: the shell and the furniture."""
        shell = shell_blocks(self.plan, self.height, self.doors, self.windows, self.finishes)
        return shell + [block for piece in self.furniture for block in piece.blocks]

    def scene(self, grid: float | None = None) -> Scene:
        """The dwelling as surfaces with a navigation graph.

        grid  metres between nodes, 0.5 or 1.0; by default 1.0 for a house, 0.5 for a flat
        """
        grid = KINDS[self.kind].grid if grid is None else grid
        if grid not in GRIDS:
            raise ValueError(f"the grid must be one of {GRIDS} m, got {grid!r}")
        mesh = mesh_of(self.blocks)
        rooms = [self.plan.inside(room) for room in range(len(self.uses))]
        obstacles = wall_obstacles(self.plan, self.doors, WALL / 2)
        obstacles += [piece.footprint for piece in self.furniture if piece.blocks_the_way]
        passages = np.array([door.floor for door in self.doors])
        graph = build_graph(
            np.array(rooms), passages, np.array(obstacles), mesh.triangles, float(grid)
        )
        used, material = np.unique(mesh.material, return_inverse=True)
        everything = tuple(MATERIALS.values())
        return Scene.build(
            self.name,
            mesh.triangles,
            material,
            mesh.colour,
            mesh.pattern,
            tuple(everything[index] for index in used),
            tuple(map(Room, _numbered(self.uses), rooms)),
            graph,
        )


def _numbered(uses: tuple[str, ...]) -> list[str]:
    """Unique names: bedroom, bedroom 2, bedroom 3, ..."""
    counts = [uses[: index + 1].count(use) for index, use in enumerate(uses)]
    return [use if n == 1 else f"{use} {n}" for use, n in zip(uses, counts, strict=True)]
