"""Separation in torch: houses, sounds and episodes stay on one device. `device=` brings it in.

The only room of `av_envs` that imports torch, and nothing imports it unless asked to.
"""

from typing import Any

import gymnasium as gym


def device_envs(**arguments: Any) -> gym.vector.VectorEnv:
    """A `DeviceSeparationVectorEnv`, see there."""
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"device={arguments.get('device')!r} needs torch: pip install -e '.[agents]'"
        ) from error
    from av_envs.separation.device.vector import DeviceSeparationVectorEnv

    return DeviceSeparationVectorEnv(**arguments)
