"""SetPredictor: what was measured anywhere tells how other pairs will sound.

env = gymnasium.make("AVRIRMeasure-v0", predictor="av_envs.agents.rir_measure:SetPredictor")
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from av_envs.agents.rir_measure.set_predictor.knowledge import Knowledge, Question
from av_envs.agents.rir_measure.set_predictor.network import Compact, NetworkConfig, SetNetwork
from av_envs.agents.separation.checkpoints import Header, network_header, save_network
from av_envs.agents.weight_files import MALFORMED, load_weights, one_line
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import JointObservation, PredictionContext
from av_envs.rir_measure.predictors.envelope import Decomposition, compose

AGENT = "set_predictor"
SHIPPED = Path(__file__).parents[2] / "weights" / "set_predictor.safetensors"


class SetPredictor:
    """Predicts pairs from the whole set of measured ones, of which the order is nothing.

    checkpoint  file of a network; None: the one that ships
    hrtf        the robots' head: "kemar" or the path of a SOFA file
    looks       whether it uses depth images, which robots must then observe, and their positions
                in the frame of the scene

    Exactly the same pair as before, head included, sounds exactly as it did. Before anything
    was measured, it predicts from the geometry and the mean of the training dwellings alone.
    """

    def __init__(
        self, checkpoint: str | Path | None = None, hrtf: str = "kemar", looks: bool = True
    ):
        self.network, self.header = load_set_network(checkpoint)
        self._hrtf, self._looks = hrtf, looks

    def reset(self, context: PredictionContext) -> None:
        self._n_samples = context.n_samples
        self._knowledge = Knowledge(self._hrtf, self._looks)
        self._recorded: dict[bytes, np.ndarray] = {}

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        new = np.array([key not in self._recorded for key in _keys(pairs)], bool)
        pairs, rirs = Pairs(*(ends[new] for ends in pairs)), rirs[new]
        self._recorded |= {key: rir.copy() for key, rir in zip(_keys(pairs), rirs, strict=True)}
        self._knowledge.measure(pairs, rirs)

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        self._knowledge.look(history)
        parts = self.compact(pairs)
        rirs = compose(pairs, parts, self._n_samples, self._hrtf)
        for rir, key in zip(rirs, _keys(pairs), strict=True):
            if key in self._recorded:
                rir[:] = self._recorded[key]
        return rirs

    def compact(self, pairs: Pairs) -> Decomposition:
        """The compact responses that `predict` renders."""
        found = answer(self.network, self._knowledge.question(pairs))
        return Decomposition(found.direct.numpy(), found.envelope.numpy())


def answer(network: SetNetwork, question: Question) -> Compact:
    """What the network says, without gradients."""
    asked = {key: torch.from_numpy(array) for key, array in question._asdict().items()}
    asked.pop("arrival")
    with torch.inference_mode():
        return network(**asked)


def save_set_network(network: SetNetwork, path: str | Path, made: dict[str, Any]) -> None:
    """Write a network; `made` says how."""
    save_network(network, path, Header(AGENT, asdict(network.config), (), made))


def load_set_network(path: str | Path | None = None) -> tuple[SetNetwork, Header]:
    """The network in a file; None: the one that ships. ValueError with its name if it is none."""
    path = SHIPPED if path is None else path
    header = network_header(path, AGENT)
    try:
        network = SetNetwork(NetworkConfig(**header.config))
    except MALFORMED as error:
        raise ValueError(f"{path}: its network cannot be built: {one_line(error)}") from error
    load_weights(network, path, "network")
    return network.eval(), header


def _keys(pairs: Pairs) -> list[bytes]:
    """What tells one pair from another, the heading of the receiver included."""
    rows = np.column_stack([pairs.emitter, pairs.receiver, pairs.heading]).astype(np.float32)
    return [row.tobytes() for row in rows]
