"""How teams of each size learn, unless an option says otherwise."""

from dataclasses import dataclass, replace
from typing import Any

from av_envs.agents.rir_measure.presets import SIZES
from av_envs.options import check_choice, check_share, check_whole

MOST = 10**9


@dataclass(frozen=True)
class Recipe:
    """The defaults are table 9 of Yu et al., IJCAI 2023, for flats."""

    steps: int = 30_000_000  # of all teams together
    num_envs: int = 5  # teams of a rank
    rollout: int = 150  # steps of each team per update
    epochs: int = 4
    minibatches: int = 1
    learning_rate: float = 2e-4
    decays: bool = False  # learning rate and clip, linearly to 0
    clip: float = 0.1
    clip_value: bool = True
    gamma: float = 0.99
    gae_lambda: float = 0.95
    entropy: float = 0.02
    mse_share: float = 1.0  # w^MSE of the generator's loss
    generator_steps: int = 4  # of its optimiser per update
    generator_teams: int = 0  # moments of teams in each; 0: the whole rollout
    # factors of the components xi, zeta, psi and phi of the reward
    scales: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)

    def __post_init__(self):
        object.__setattr__(self, "scales", tuple(self.scales))
        check_share("mse_share", self.mse_share)
        check_whole("generator_steps", self.generator_steps, 1, MOST)
        check_whole("generator_teams", self.generator_teams, 0, MOST)
        if len(self.scales) != 4:
            raise ValueError(f"scales must be 4 numbers, got {self.scales}")


# A new node is worth 0.01 and a square metre 1, so that the coverage would drown in the noise of
# the hull: its changes cancel out over an episode, those of the coverage add up.
SMALL = Recipe(
    steps=1_000_000,
    num_envs=32,
    rollout=50,
    minibatches=4,
    learning_rate=5e-4,
    decays=True,
    clip=0.2,
    clip_value=False,
    entropy=0.01,
    mse_share=0.5,
    generator_steps=1,
    generator_teams=48,
    scales=(1.0, 100.0, 0.1, 0.1),
)
IN_HOUSES: dict[str, dict[str, Any]] = {"paper": {"steps": 90_000_000, "num_envs": 10}}


def recipe(size: str, env: str, given: dict[str, Any]) -> Recipe:
    """Of a size in an environment; what is `given` and not None counts more.

    Raises ValueError for what cannot be.
    """
    check_choice("size", size, SIZES)
    usual = SMALL if size == "small" else Recipe()
    there = IN_HOUSES.get(size, {}) if env == "houses" else {}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(usual, **{**there, **chosen})
