"""Task 2: robots that measure how a dwelling sounds, as PettingZoo and Gymnasium environments.

`parallel_env()` lets all robots act at once, `env()` one after the other; a Gymnasium view of
the whole team is `gymnasium.make("AVRIRMeasure-v0")`.
"""

from pettingzoo.utils import AECEnv, OrderEnforcingWrapper, parallel_to_aec

from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.env import MeasureEnv

__all__ = ["MeasureConfig", "MeasureEnv", "env", "parallel_env", "raw_env"]


def parallel_env(*, max_cycles: int | None = None, **options) -> MeasureEnv:
    """The PettingZoo environment; `options` are those of `MeasureConfig`, and `render_mode`.

    max_cycles  PettingZoo's name for the option `steps`
    """
    if max_cycles is not None:
        if "steps" in options:
            raise TypeError("max_cycles and steps are two names of one option; give one of them")
        options["steps"] = max_cycles
    return MeasureEnv(**options)


def raw_env(*, max_cycles: int | None = None, **options) -> AECEnv:
    """As `env`, without the wrapper that checks the order of calls."""
    return parallel_to_aec(parallel_env(max_cycles=max_cycles, **options))


def env(*, max_cycles: int | None = None, **options) -> AECEnv:
    """The robots act one after the other; the world moves when all have chosen."""
    return OrderEnforcingWrapper(raw_env(max_cycles=max_cycles, **options))
