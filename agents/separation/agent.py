"""The learned agents of active separation: what distinguishes them, their networks, their files."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from av_envs.agents.separation.checkpoints import (
    Header,
    check_classes,
    network_header,
    save_network,
)
from av_envs.agents.separation.networks.locator import LocatorConfig, TargetLocator
from av_envs.agents.separation.networks.memory import PRESETS as MEMORIES
from av_envs.agents.separation.networks.memory import (
    MemoryConfig,
    RecurrentRefiner,
    TransformerMemory,
)
from av_envs.agents.separation.networks.policy import PRESETS as POLICIES
from av_envs.agents.separation.networks.policy import PolicyConfig, SeparationPolicy
from av_envs.agents.separation.networks.tcn import TCNConfig
from av_envs.agents.separation.refining import Refiner, RefinesRecurrently, RefinesWithTransformer
from av_envs.agents.separation.separator import Separator, config_from
from av_envs.agents.weight_files import MALFORMED, load_weights, one_line
from av_envs.options import check_choice

SIZES = ("small", "paper")
WEIGHTS = Path(__file__).parent.parent / "weights"
SEPARATOR = WEIGHTS / "separator.safetensors"  # the one that ships
LOCATOR = WEIGHTS / "locator.safetensors"  # likewise
MEMORYLESS = WEIGHTS / "memoryless.safetensors"  # likewise; others may move as it does


@dataclass(frozen=True)
class Kind:
    """What makes one learned agent different from the others.

    memory     "transformer", "recurrent" or None: what refines the passive estimates
    look_back  E, seconds before the present one that a transformer is trained to refine, too
    reward     option of the environment, or "novelty", see `novelty.NoveltyReward`
    """

    memory: str | None
    reward: str
    look_back: int = 0


KINDS = {
    "active": Kind("transformer", "si_sdr_gain", look_back=14),
    "single_step": Kind("transformer", "si_sdr_gain", look_back=0),
    "memoryless": Kind(None, "si_sdr_gain"),
    "move2hear": Kind("recurrent", "improvement"),
    "novelty": Kind(None, "novelty"),
}


@dataclass(frozen=True)
class AgentConfig:
    """What the networks of an agent are built from.

    kind       key of KINDS
    policy     its size and senses
    memory     of a transformer; of a recurrent one its `output`; None without one
    look_back  E, see `Kind`; also how long a refined second is made better with hindsight
    separator  digest of the weights that the agent was trained with, see `digest`
    locator    likewise; None without the feature "place"
    moves_as   digest of the policy of the memoryless agent that ships, if the agent moves as that
               one does: then its file holds the memory alone
    """

    kind: str
    policy: PolicyConfig
    memory: MemoryConfig | None
    look_back: int
    separator: str
    locator: str | None = None
    moves_as: str | None = None


class AgentNetworks(nn.Module):
    """Policy and memory of one agent; `memory` is None without one."""

    def __init__(self, config: AgentConfig):
        super().__init__()
        self.config = config
        self.policy = SeparationPolicy(config.policy)
        self.memory: nn.Module | None = None
        if KINDS[config.kind].memory == "recurrent":
            residual = config.memory is not None and config.memory.output == "residual"
            self.memory = RecurrentRefiner(residual=residual)
        elif config.memory is not None:
            self.memory = TransformerMemory(config.memory)

    def refiner(self, capacity: int) -> Refiner | None:
        """A new one with these weights, which remembers so many seconds; None without memory."""
        if isinstance(self.memory, TransformerMemory):
            return RefinesWithTransformer(self.memory, capacity)
        return None if self.memory is None else RefinesRecurrently(self.memory)


def agent_config(
    kind: str,
    size: str,
    separator: Separator,
    *,
    locator: TargetLocator | None = None,
    features: tuple[str, ...] | None = None,
    look_back: int | None = None,
) -> AgentConfig:
    """The configuration of an agent of that kind and size.

    locator    of the feature "place"
    features   what its policy perceives; None: those of the size
    look_back  E of its memory; None: that of the kind
    """
    check_choice("agent", kind, KINDS)
    check_choice("size", size, SIZES)
    policy = replace(POLICIES[size], n_actions=4, n_classes=separator.config.n_classes)
    if features is not None:
        chosen = set(features)
        policy = replace(
            policy,
            features=features,
            shares=policy.shares and {"mixture", "binaural"} <= chosen,
            compass=policy.compass and "pose" in chosen,
        )
    known = None
    if "place" in policy.features:
        if locator is None:
            raise ValueError('the feature "place" needs a locator')
        known = digest(locator)
    memory = MEMORIES[size] if KINDS[kind].memory else None
    look_back = KINDS[kind].look_back if look_back is None else look_back
    return AgentConfig(kind, policy, memory, look_back, digest(separator), known)


def digest(network: nn.Module) -> str:
    """Hexadecimal digits that tell the weights of networks apart."""
    found = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        found.update(name.encode())
        found.update(value.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def save_agent(
    networks: AgentNetworks, path: Path, classes: tuple[str, ...], made: dict[str, Any]
) -> None:
    """Write an agent; `made` says how, see `checkpoints.Header`."""
    config = networks.config
    header = Header(config.kind, asdict(config), classes, made)
    save_network(_of_its_own(networks), path, header)


def load_agent(path: Path, kind: str, separator: Separator) -> tuple[AgentNetworks, Header]:
    """The agent in a file; ValueError with its name unless it fits the kind and the separator."""
    header = network_header(path, kind)
    try:
        given = dict(header.config)
        memory = given.pop("memory")
        config = AgentConfig(
            policy=PolicyConfig(**given.pop("policy")),
            memory=None if memory is None else MemoryConfig(**memory),
            **given,
        )
        networks = AgentNetworks(config)
    except MALFORMED as error:
        raise ValueError(f"{path}: its networks cannot be built: {one_line(error)}") from error
    if config.separator != digest(separator):
        raise ValueError(
            f"{path}: was trained with the separator {config.separator}, this one is "
            f"{digest(separator)}"
        )
    if config.moves_as is not None:
        memoryless, _ = load_agent(MEMORYLESS, "memoryless", separator)
        if digest(memoryless.policy) != config.moves_as:
            raise ValueError(
                f"{path}: moves as the policy {config.moves_as}, that of {MEMORYLESS} is "
                f"{digest(memoryless.policy)}"
            )
        networks.policy.load_state_dict(memoryless.policy.state_dict())
    load_weights(_of_its_own(networks), path, "networks")
    return networks.eval(), header


def begun_with(
    policy: Path,
    kind: str,
    size: str,
    separator: Separator,
    classes: Sequence[str],
    *,
    locator: Path | None = None,
    look_back: int | None = None,
) -> tuple[AgentNetworks, TargetLocator | None]:
    """An agent that moves as the memoryless one in a file, with an untrained memory; its locator.

    The weights of the memory are drawn from torch's own random numbers. Other arguments as those
    of `agent_config` and `locator_for`; ValueError unless the policy knows the locator.
    """
    begun, _ = load_agent(policy, "memoryless", separator)
    perceived = begun.config.policy
    hears = locator_for(perceived.features, locator, classes)
    config = agent_config(
        kind, size, separator,
        locator=hears, features=perceived.features, look_back=look_back,
    )  # fmt: skip
    locator_of(begun.config, locator)  # must be the one that the policy knows
    networks = AgentNetworks(replace(config, policy=perceived))
    networks.policy.load_state_dict(begun.policy.state_dict())
    return networks, hears


def _of_its_own(networks: AgentNetworks) -> nn.Module:
    """What of an agent its file holds."""
    if networks.config.moves_as is None:
        return networks
    return nn.ModuleDict({"memory": networks.memory})


def load_separator(path: Path | None = None) -> tuple[Separator, Header]:
    """The separator in a file; None: the one that ships."""
    path = path or SEPARATOR
    header = network_header(path, "separator")
    try:
        separator = Separator(config_from(header.config))
    except MALFORMED as error:
        raise ValueError(f"{path}: its networks cannot be built: {one_line(error)}") from error
    load_weights(separator, path, "networks")
    return separator.eval(), header


def load_locator(path: Path | None = None) -> tuple[TargetLocator, Header]:
    """The locator in a file; None: the one that ships."""
    path = path or LOCATOR
    header = network_header(path, "locator")
    try:
        kept = dict(header.config)
        locator = TargetLocator(LocatorConfig(tcn=TCNConfig(**kept.pop("tcn")), **kept))
    except MALFORMED as error:
        raise ValueError(f"{path}: its networks cannot be built: {one_line(error)}") from error
    load_weights(locator, path, "networks")
    return locator.eval(), header


def chosen_features(size: str, features: Sequence[str] | None) -> tuple[str, ...]:
    """What a policy perceives; None: that of the size."""
    return POLICIES[size].features if features is None else tuple(features)


def locator_for(
    features: Sequence[str], path: Path | None, classes: Sequence[str]
) -> TargetLocator | None:
    """The locator in a file, None if no feature is made with one; ValueError if it knows others.

    path     None: the one that ships
    classes  of the corpus
    """
    if "place" not in features:
        return None
    locator, header = load_locator(path)
    check_classes(path or LOCATOR, header, classes)
    return frozen(locator)


def locator_of(config: AgentConfig, path: Path | None = None) -> TargetLocator | None:
    """The locator that an agent was trained with, None without; ValueError for another one."""
    if config.locator is None:
        return None
    locator, _ = load_locator(path)
    if config.locator != digest(locator):
        raise ValueError(
            f"{path or LOCATOR}: is the locator {digest(locator)}, the agent was trained with "
            f"{config.locator}"
        )
    return locator


def frozen(network: nn.Module) -> nn.Module:
    """The same network, which learns no more."""
    return network.eval().requires_grad_(requires_grad=False)
