"""Teams so small and untrained that tests with them are quick, and what they observe."""

from dataclasses import replace
from typing import Any

import gymnasium as gym
import torch

from av_envs.agents.rir_measure.networks.encoders import SenseConfig
from av_envs.agents.rir_measure.networks.generator import GeneratorConfig
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.presets import PRESETS
from av_envs.agents.rir_measure.team import TeamConfig, TeamNetworks

SENSES = SenseConfig(pixels=16, picture_size=8, azimuth="circle")
GENERATOR = GeneratorConfig(latent_size=8, channels=(8, 4))
ONE_FLAT: dict[str, Any] = {"houses": 1, "steps": 6}


def small_team(preset: str = "macma", seed: int = 1, **changed: Any) -> TeamNetworks:
    """As if trained: what starts near zero does not here; `changed` are fields of its config."""
    torch.manual_seed(seed)
    config = TeamConfig(
        preset, "small", SENSES, PolicyConfig(state_size=8), GENERATOR, PRESETS[preset].rho
    )
    networks = TeamNetworks(replace(config, **changed)).eval()
    for name, weight in networks.named_parameters():
        if "actor" in name or name.startswith("generator.decoder.layers"):
            torch.nn.init.normal_(weight, std=0.1)
    return networks


def features(
    *axes: int, robots: int = 2, senses: SenseConfig = SENSES, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Random ones, (*axes, robots, ...)."""
    made = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.rand(*axes, robots, *shape, generator=made)

    mask = torch.ones(*axes, robots, 4, dtype=torch.int8)
    mask[..., 0] = 0
    found = {"azimuth": drawn(2), "position": 10 * drawn(3), "action_mask": mask}
    if senses.channels:
        found["pictures"] = drawn(senses.channels, senses.pixels, senses.pixels).half()
    return found


def spaces_of(**options: Any) -> tuple[gym.Space, gym.Space]:
    """Of observations and actions of a team."""
    env = gym.make("AVRIRMeasure-v0", **{**ONE_FLAT, **options})
    return env.observation_space, env.action_space
