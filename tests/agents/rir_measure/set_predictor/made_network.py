"""A network with random weights, also where training starts from zero."""

from pathlib import Path

import torch

from av_envs.agents.rir_measure.set_predictor.network import NetworkConfig, SetNetwork
from av_envs.agents.rir_measure.set_predictor.predictor import save_set_network


def random_network(seed: int = 0) -> SetNetwork:
    torch.manual_seed(seed)
    network = SetNetwork(NetworkConfig(attention=8, trunk=16, patterns=4, words=3))
    with torch.no_grad():
        for part in (network.compare, network.trunk):
            part[-1].weight.normal_(0, 0.05)
            part[-1].bias.normal_(0, 0.1)
    return network.eval()


def random_checkpoint(folder: Path) -> Path:
    path = folder / "random.safetensors"
    save_set_network(random_network(), path, {"command": "made"})
    return path
