"""Configuration of an export."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from av_envs.paths import user_path
from av_envs.soundspaces.layout import GRIDS, SAMPLE_RATES, Layout, standard_layout
from av_envs.worlds.base import Dwelling, WorldSettings, open_world


@dataclass(frozen=True)
class Export:
    """Options of an export."""

    root: Path
    world: WorldSettings  # that the scenes come from; its grid is that of the data set
    dataset: str = "mp3d"  # whose conventions the tree keeps: mp3d or replica
    rate: int | None = None  # Hz, of the responses; None: as those of the data set
    trimmed: bool = False  # leave out the silence that ends a response
    near: float | None = None  # m; responses between nodes farther apart are left out

    def __post_init__(self):
        object.__setattr__(self, "root", user_path(self.root, "root"))
        standard_layout(self.root, self.dataset)  # which knows the data sets
        if self.world.grid != GRIDS[self.dataset]:
            raise ValueError(
                f"the software of {self.dataset} knows nodes {GRIDS[self.dataset]:g} m apart, "
                f"got {self.world.grid:g} m"
            )
        if self.rate is None:
            object.__setattr__(self, "rate", SAMPLE_RATES[self.dataset])
        if self.rate not in SAMPLE_RATES.values():
            rates = " or ".join(str(rate) for rate in sorted(SAMPLE_RATES.values()))
            raise ValueError(f"rate must be {rates} Hz, got {self.rate!r}")
        if self.near is not None and not self.near >= 0:
            raise ValueError(f"near must be metres and not negative, got {self.near!r}")

    @cached_property
    def layout(self) -> Layout:
        return standard_layout(self.root, self.dataset)

    def open(self, name: str) -> Dwelling:
        """The dwelling that its world knows by that name; its scene's name must suit a folder."""
        dwelling = open_world(self.world).open(name)
        if Path(dwelling.scene.name).name != dwelling.scene.name:
            raise ValueError(f"scene {dwelling.scene.name!r} cannot name a folder")
        return dwelling
