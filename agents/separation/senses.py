"""What a policy perceives: sounds heard, separated, refined, and turned to its features.

The same object serves training, where it perceives for many environments at once, and playing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.separation.networks.delays import delays, spectra_of
from av_envs.agents.separation.networks.encoders import bands, walls
from av_envs.agents.separation.networks.locator import TargetLocator, phases_of
from av_envs.agents.separation.networks.policy import PolicyConfig
from av_envs.agents.separation.refining import Refiner
from av_envs.agents.separation.separator import Separator
from av_envs.separation.actions import Action

# Feature -> what it is made of.
OBSERVED = {"rgb": "rgb", "walls": "depth", "delays": "waveform", "place": "waveform"}
STILL = 0.1  # metres: a pose that moved by less is the same node


def needed_observations(config: PolicyConfig) -> tuple[str, ...]:
    """Keys of the environment's observation that the features of a policy are made of."""
    wanted = [key for feature, key in OBSERVED.items() if feature in config.features]
    return (*dict.fromkeys(wanted), "mixture", "target", "pose")


class Senses:
    """`perceive` and `answer` of `agents.ppo.plugins`, for environments with estimator="agent".

    separator  what both the policy and the estimate are made from; it does not learn here
    config     which features the policy wants
    refiner    makes the estimate out of the separator's; None: they are the same
    locator    says where the target may be, needed for the feature "place"
    device     of all networks
    separates  False: nobody asks for estimates, which saves the dry sound where no feature is it

    `passive` and `refined` (N, 512, 32) are the estimates of the seconds heard last.
    """

    def __init__(
        self,
        separator: Separator,
        config: PolicyConfig,
        refiner: Refiner | None = None,
        device: torch.device | str = "cpu",
        *,
        locator: TargetLocator | None = None,
        separates: bool = True,
    ):
        if locator is None and "place" in config.features:
            raise ValueError('the feature "place" needs a locator')
        self.separates = separates or "mono" in config.features
        self.locator = locator
        self.separator, self.config, self.refiner = separator.eval(), config, refiner
        self.device = torch.device(device)
        self._moves: Tensor | None = None  # (N,) the last ones
        self._pose: Tensor | None = None  # (N, 4) before them

    @torch.no_grad()
    def __call__(self, observation: Mapping[str, Any], starts: Tensor) -> dict[str, Tensor]:
        """Features (N, ...) by name.

        observation  arrays (N, ...) by key, see `needed_observations`
        starts       (N,) bool, where an episode begins
        """
        mixture = torch.expm1(self._tensor(observation["mixture"]))
        label = self._tensor(observation["target"]).long()
        pose = self._tensor(observation["pose"])
        sounds = {"mixture": mixture}
        if self.separates:
            sounds["binaural"], mono = self.separator(mixture, label)
            self.passive = self.refined = mono.clamp(min=0)
            if self.refiner is not None:
                steps = pose[:, 3].round().long()
                self.refined = self.refiner.refine(self.passive, steps, starts).clamp(min=0)
            sounds["mono"] = self.refined[:, None]
        elif self._wants("binaural") or self._wants("delays"):
            sounds["binaural"] = self.separator.image(mixture, label)
        made = {key: self._sound(value) for key, value in sounds.items() if self._wants(key)}
        if self._wants("rgb"):
            made["rgb"] = self._tensor(observation["rgb"])
        if self._wants("walls"):
            made["walls"] = walls(self._tensor(observation["depth"]))
        if self._wants("delays") or self._wants("place"):
            spectra = spectra_of(self._tensor(observation["waveform"]))
        if self._wants("delays"):
            made["delays"] = delays(spectra, mixture, sounds["binaural"])
        if self.locator is not None and self._wants("place"):
            made["place"] = self.locator.place(mixture, phases_of(spectra), label)
        made |= {"pose": pose, "target": label, **self._motion(pose, starts)}
        self._pose = pose
        return {key: made[key] for key in self.config.features}

    def answer(self, moves: Tensor) -> dict[str, np.ndarray] | np.ndarray:
        """The moves (N,) int64 as actions, with the estimates of the seconds heard last.

        Without the estimates if nobody asks for them.
        """
        self.moved(moves)
        chosen = moves.cpu().numpy()
        if not self.separates:
            return chosen
        return {"move": chosen, "estimate": self.refined.cpu().numpy()}

    def moved(self, moves: Tensor) -> None:
        """Remember the moves (N,) int64 that were made, where no estimates are asked for."""
        self._moves = moves

    def _motion(self, pose: Tensor, starts: Tensor) -> dict[str, Tensor]:
        """The moves before, and whether something was in the way of them."""
        if self._moves is None or self._pose is None or len(self._moves) != len(pose):
            moves = torch.zeros(len(pose), dtype=torch.long, device=self.device)
            return {"previous_action": moves, "collision": torch.zeros_like(starts)}
        walked = (pose[:, :2] - self._pose[:, :2]).norm(dim=1)
        blocked = (self._moves == Action.FORWARD) & (walked < STILL) & ~starts
        return {"previous_action": self._moves, "collision": blocked}

    def _sound(self, spectrograms: Tensor) -> Tensor:
        """Spectrograms (N, C, 512, 32) as the policy reads them."""
        return bands(spectrograms) if self.config.sound_input == "bands" else spectrograms

    def _wants(self, key: str) -> bool:
        return key in self.config.features

    def _tensor(self, array: Any) -> Tensor:
        return torch.as_tensor(array, device=self.device)
