"""RLlib's new API stack: a module for Dict observations, for which it has no encoder itself.

Needs `ray[rllib]`, which demands another version of Gymnasium and therefore an environment
of its own: `pip install -e ".[rllib]"`.
"""

from typing import Any

import torch
from gymnasium import spaces
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import TorchMultiCategorical
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor, nn

from av_envs.agents.adapters.encoder import ObservationEncoder

FORBIDDEN = -1e9  # logit of an action that the mask rules out


class AVTorchRLModule(TorchRLModule, ValueFunctionAPI):
    """`ObservationEncoder` with a policy and a value, for PPO and its kin.

    Give it as `RLModuleSpec(module_class=AVTorchRLModule, model_config={...})`. Of single
    environments, of the team as one agent, and of every robot of a `ParallelPettingZooEnv`.

    model_config  "encoder": keyword arguments of `ObservationEncoder`; "use_action_mask": whether
                  `action_mask` of the observation rules actions out (False). RLlib adds keys of
                  its own
    """

    def setup(self) -> None:
        given = self.model_config or {}
        self.encoder = ObservationEncoder(self.observation_space, **given.get("encoder", {}))
        features = self.encoder.head.out_features
        choices = _choices(self.action_space)
        if isinstance(self.action_space, spaces.MultiDiscrete):  # RLlib does not know what to do
            self.action_dist_cls = TorchMultiCategorical.get_partial_dist_cls(input_lens=choices)
        self.policy = nn.Linear(features, sum(choices))
        self.value = nn.Linear(features, 1)
        self._is_masked = given.get("use_action_mask", False)
        if self._is_masked and "action_mask" not in self.observation_space.spaces:
            raise ValueError("use_action_mask needs 'action_mask' among the observations")

    def _forward(self, batch: dict[str, Any], **kwargs) -> dict[str, Tensor]:
        observation = batch[Columns.OBS]
        features = self.encoder(observation)
        logits = self.policy(features)
        if self._is_masked:
            allowed = observation["action_mask"].flatten(1).bool()
            logits = torch.where(allowed, logits, FORBIDDEN)
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.EMBEDDINGS: features}

    def compute_values(self, batch: dict[str, Any], embeddings: Tensor | None = None) -> Tensor:
        """(B,) values; `embeddings` are the features, where they are known already."""
        features = self.encoder(batch[Columns.OBS]) if embeddings is None else embeddings
        return self.value(features)[..., 0]


def _choices(space: spaces.Space) -> list[int]:
    """How many there are for each part of an action."""
    if isinstance(space, spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, spaces.MultiDiscrete):
        return space.nvec.tolist()
    raise ValueError(f"actions must be Discrete or MultiDiscrete, got {space}")
