"""The networks of a learned team, their sizes and their files."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from av_envs.agents.rir_measure.networks.encoders import REDUCED, SenseConfig
from av_envs.agents.rir_measure.networks.generator import GeneratorConfig, RIRGenerator
from av_envs.agents.rir_measure.networks.policy import PolicyConfig, TeamPolicy
from av_envs.agents.rir_measure.presets import NO_SHARING, PRESETS, SIZES
from av_envs.agents.rir_measure.sharing import RewardAssignment
from av_envs.agents.weight_files import (
    MALFORMED,
    check_agent,
    load_weights,
    one_line,
    read_header,
    save_weights,
)
from av_envs.options import check_choice

VERSION = 1  # of the networks: raise it when the same weights would give other outputs
GENERATOR = "rir generator"  # agent that a file with a generator alone names


@dataclass(frozen=True)
class TeamConfig:
    """What the networks of a team are built from.

    preset  key of PRESETS, the reward that they learn from
    size    key of SIZES
    rho     see `presets.Preset`
    """

    preset: str
    size: str
    senses: SenseConfig
    policy: PolicyConfig
    generator: GeneratorConfig
    rho: float = NO_SHARING


class TeamNetworks(nn.Module):
    """Policy, generator and, where rewards are shared out, the network that does it, or None."""

    def __init__(self, config: TeamConfig):
        super().__init__()
        self.config = config
        self.policy = TeamPolicy(config.policy, config.senses)
        self.generator = RIRGenerator(config.generator, config.senses)
        self.assignment: RewardAssignment | None = None
        if config.rho != NO_SHARING:
            robots = config.policy.robots
            self.assignment = RewardAssignment(robots * config.policy.state_size, robots)


def sizes(size: str) -> tuple[SenseConfig, PolicyConfig, GeneratorConfig]:
    """The paper's networks, or ones that learn on two cores."""
    check_choice("size", size, SIZES)
    if size == "paper":
        return SenseConfig(), PolicyConfig(), GeneratorConfig()
    return (
        SenseConfig(pixels=REDUCED, picture_size=64, azimuth="circle"),
        PolicyConfig(state_size=128),
        GeneratorConfig(latent_size=128, channels=(64, 32, 16, 16)),
    )


def team_config(
    preset: str,
    size: str,
    *,
    vision: str = "rgbd",
    kappa: int = 2,
    rho: float | None = None,
    robots: int = 2,
    weights: str = "separate",
    critic: str = "central",
    map: bool = False,
) -> TeamConfig:
    """The configuration of a team of that preset and size.

    rho  None: that of the preset
    """
    check_choice("preset", preset, PRESETS)
    senses, policy, generator = sizes(size)
    return TeamConfig(
        preset,
        size,
        replace(senses, vision=vision),
        replace(policy, robots=robots, weights=weights, critic=critic, map=map),
        replace(generator, kappa=kappa),
        PRESETS[preset].rho if rho is None else rho,
    )


@dataclass(frozen=True)
class Header:
    """What a file says of the networks in it; JSON-safe.

    agent    the preset of a team, or GENERATOR
    config   what they are built from
    made     how: the command, its options, scores
    version  of the networks
    """

    agent: str
    config: dict[str, Any]
    made: dict[str, Any]
    version: int = VERSION


def save_team(networks: TeamNetworks, path: Path, made: dict[str, Any]) -> None:
    """Write a team; `made` says how, see `Header`."""
    config = networks.config
    save_weights(networks, path, asdict(Header(config.preset, asdict(config), made)))


def load_team(path: Path, preset: str) -> tuple[TeamNetworks, Header]:
    """The team in a file; ValueError with its name unless it is one of that preset."""
    header = _header(path, preset)
    try:
        given = dict(header.config)
        config = TeamConfig(
            senses=SenseConfig(**given.pop("senses")),
            policy=PolicyConfig(**given.pop("policy")),
            generator=GeneratorConfig(**given.pop("generator")),
            **given,
        )
        networks = TeamNetworks(config)
    except MALFORMED as error:
        raise ValueError(f"{path}: its networks cannot be built: {one_line(error)}") from error
    load_weights(networks, path, "networks")
    return networks.eval(), header


def save_generator(
    generator: RIRGenerator, senses: SenseConfig, path: Path, made: dict[str, Any]
) -> None:
    """Write a generator alone, to begin with, see `load_generator`."""
    config = {"senses": asdict(senses), "generator": asdict(generator.config)}
    save_weights(generator, path, asdict(Header(GENERATOR, config, made)))


def load_generator(path: Path, senses: SenseConfig, config: GeneratorConfig) -> RIRGenerator:
    """The generator in a file; ValueError unless it has this configuration."""
    header = _header(path, GENERATOR)
    wanted = {"senses": asdict(senses), "generator": asdict(config)}
    wanted["generator"]["channels"] = list(config.channels)
    found = {
        f"{part} {key}": header.config.get(part, {}).get(key)
        for part in wanted
        for key in wanted[part]
    }
    other = [
        f"{name} {value!r:.40} (wanted {wanted[name.split()[0]][name.split()[1]]!r:.40})"
        for name, value in found.items()
        if value != wanted[name.split()[0]][name.split()[1]]
    ]
    if other:
        raise ValueError(f"{path}: is a generator of another size or kind: {', '.join(other)}")
    generator = RIRGenerator(config, senses)
    load_weights(generator, path, "generator")
    return generator


def _header(path: Path, agent: str) -> Header:
    """The header of a file; ValueError with its name unless it is one of this agent."""
    kept = read_header(path, "header", "network of av_envs.agents")
    try:
        header = Header(**kept)
        if not isinstance(header.config, dict) or not isinstance(header.made, dict):
            raise TypeError("config and made must be JSON objects")
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error
    check_agent(path, (header.agent, header.version), agent, VERSION)
    return header
