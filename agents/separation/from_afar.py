"""Where the target is far away: one policy walks there, another one takes over.

`--agent av_envs.agents.separation.from_afar:FromAfar` on the suite `separate-far-v1`.
"""

from pathlib import Path
from typing import Any

from gymnasium import spaces

from av_envs.agents.separation.play import Memoryless, Move2Hear
from av_envs.separation.actions import Action

WEIGHTS = Path(__file__).parent.parent / "weights" / "from_afar.safetensors"


class FromAfar(Move2Hear):
    """`Move2Hear` whose first `switch` moves are those of a policy that was taught from far away.

    far  file of that policy, an agent without a memory of sounds as `imitate` leaves one; None:
         the one that ships

    The other options are those of `Move2Hear`. With the default of `switch` an episode of 80 steps
    is walked by the far policy alone.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        far: str | None = None,
        separator: str | None = None,
        locator: str | None = None,
        **options: Any,
    ):
        super().__init__(
            observation_space, action_space,
            seed=seed, separator=separator, locator=locator, **options,
        )  # fmt: skip
        self._explorer = Memoryless(
            observation_space, spaces.Discrete(len(Action)), seed=seed,
            checkpoint=str(WEIGHTS) if far is None else far, separator=separator, locator=locator,
        )  # fmt: skip
        self.reset(seed=seed)
