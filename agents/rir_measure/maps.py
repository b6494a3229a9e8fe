"""A map as one more sense of robots: where the team has been, drawn from what they observe."""

import torch
from torch import Tensor

from av_envs.agents.ego_map import NEEDS, EgoMap
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.senses import FOOTPRINTS, Features


class Maps:
    """The maps of N teams while they walk; nothing is drawn for a policy that sees none."""

    def __init__(self, config: PolicyConfig, teams: int):
        self._drawing = EgoMap(teams, config.robots) if config.map else None

    def add(self, features: Features, starts: Tensor) -> Features:
        """Features (N, R, ...), and with them `footprints` (N, R, 3, 21, 21) float16 0 or 1.

        starts  (N,) bool, where an episode begins: its map begins anew

        Raises ValueError for positions that are not in one frame, see `EgoMap.drawn`.
        """
        if self._drawing is None:
            return features
        shape = features["position"].shape[:2]
        rows = {key: features[key].flatten(0, 1).cpu().numpy() for key in NEEDS}
        drawn = torch.from_numpy(self._drawing.drawn(rows, starts.cpu().numpy()))
        shown = drawn.half().unflatten(0, shape).to(features["position"].device)
        return {**features, FOOTPRINTS: shown}
