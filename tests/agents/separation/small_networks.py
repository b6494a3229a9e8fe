"""Networks so small and untrained that tests with them are quick, in memory and as files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from av_envs.agents.separation.agent import AgentNetworks, agent_config, load_locator, save_agent
from av_envs.agents.separation.checkpoints import Header, save_network
from av_envs.agents.separation.networks.locator import LocatorConfig, TargetLocator
from av_envs.agents.separation.networks.tcn import TCNConfig
from av_envs.agents.separation.separator import Separator, SeparatorConfig
from av_envs.separation.audio import corpus_of

CLASSES = corpus_of("embedded").classes
TINY = TCNConfig(width=8, class_width=4, extractor_blocks=1, converter_blocks=1)


def small_separator(n_classes: int = len(CLASSES), seed: int = 0, **options: Any) -> Separator:
    """One that listens to the class: its modulation starts at random instead of at zero."""
    torch.manual_seed(seed)
    separator = Separator(SeparatorConfig(n_classes, tcn=TINY, **options))
    for name, weight in separator.named_parameters():
        if "modulate" in name:
            torch.nn.init.normal_(weight, std=0.5)
    return separator.eval()


def small_locator(seed: int = 0) -> TargetLocator:
    torch.manual_seed(seed)
    return TargetLocator(LocatorConfig(len(CLASSES), TINY, blocks=1, hidden=8)).eval()


def saved_locator(path: Path, locator: TargetLocator) -> Path:
    save_network(locator, path, Header("locator", asdict(locator.config), CLASSES, {}))
    return path


def saved_separator(
    path: Path, separator: Separator, classes: Sequence[str] = CLASSES, **changed: Any
) -> Path:
    """A file of it; `changed` are fields of its header."""
    fields = {"agent": "separator", "config": asdict(separator.config), "made": {}}
    save_network(separator, path, Header(**{**fields, "classes": tuple(classes), **changed}))
    return path


def small_agent(kind: str, separator: Separator, **options: Any) -> AgentNetworks:
    torch.manual_seed(1)
    locator = load_locator()[0]
    networks = AgentNetworks(agent_config(kind, "small", separator, locator=locator, **options))
    networks.eval()
    for name, weight in networks.named_parameters():  # as if trained: heads start near zero
        if any(part in name for part in ("memory.grow.1", "memory.polish.2", "actor")):
            torch.nn.init.normal_(weight, std=0.3)
    return networks


def saved_agent(path: Path, networks: AgentNetworks) -> Path:
    save_agent(networks, path, CLASSES, {})
    return path
