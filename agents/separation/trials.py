"""What an agent is worth in validation houses while it learns."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch

from av_envs.agents.separation.agent import AgentNetworks
from av_envs.agents.separation.networks.locator import TargetLocator
from av_envs.agents.separation.senses import Senses, needed_observations
from av_envs.agents.separation.separator import Separator
from av_envs.separation.actions import Action

AT_ONCE = 50  # episodes side by side
SEED = 1_000_000  # of the first episode
BESIDE = 1.5  # metres: the nodes around the target


class Played(NamedTuple):
    """Of each of n episodes.

    si_sdr   (n,) mean over the seconds in which the target sounds, dB; NaN without any
    metres   (n,) to the target at the end
    visited  (n,) nodes at which the agent was
    """

    si_sdr: np.ndarray
    metres: np.ndarray
    visited: np.ndarray


class Trials:
    """The same episodes in validation houses again and again, with the likeliest move in each step.

    Standing still, with the same separator and no memory, is measured once, for comparison.
    Seconds in which the target is silent do not count.

    episodes     how many
    houses       of the split val
    env_options  of the environments in which the agent learns, too, with the "steps" of an episode
    locator      what the policy's feature "place" is made with
    """

    def __init__(
        self,
        networks: AgentNetworks,
        separator: Separator,
        episodes: int,
        houses: int,
        env_options: dict[str, Any],
        device: torch.device | str = "cpu",
        locator: TargetLocator | None = None,
    ):
        self.n, self.houses = episodes, houses
        self.networks, self.separator, self.device = networks, separator, torch.device(device)
        self.policy_config = networks.config.policy
        self.env_options, self.locator = env_options, locator
        self.steps = env_options["steps"]
        self._standing: np.ndarray | None = None

    def scores(self) -> dict[str, float]:
        """Means over the episodes: SI-SDR of the agent's estimates and gain over standing, dB.

        `gain_error` is the standard error of the gain, 0 for a single episode; `beside` the share
        of episodes that end within BESIDE metres of the target, `visited` how many nodes it saw.
        """
        ratios, metres, visited = self._play(moves=True)
        heard = np.isfinite(ratios)  # NaN: the target was silent all the time
        gain = (ratios - self.standing())[heard]
        n = max(len(gain), 1)
        return {
            "si_sdr": float(ratios[heard].sum() / n),
            "gain": float(gain.sum() / n),
            "gain_error": float(gain.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0,
            "beside": float((metres <= BESIDE).mean()),
            "visited": float(visited.mean()),
        }

    def gains(self) -> np.ndarray:
        """(n,) gain over standing of each episode, dB; NaN where the target was silent."""
        return self._play(moves=True).si_sdr - self.standing()

    def standing(self) -> np.ndarray:
        """(n,) mean SI-SDR of each episode while standing still."""
        if self._standing is None:
            self._standing = self._play(moves=False).si_sdr
        return self._standing

    def perceived(self, senses: Senses, observation: Any, starts: torch.Tensor) -> dict[str, Any]:
        """The features (N, ...) that the policy is told of."""
        return senses(observation, starts)

    def remembered(self, state: torch.Tensor) -> torch.Tensor:
        """What the policy remembers (N, S) of the steps before."""
        return state

    def _play(self, *, moves: bool) -> Played:
        parts = [
            self._play_together(SEED + first, min(AT_ONCE, self.n - first), moves)
            for first in range(0, self.n, AT_ONCE)
        ]
        return Played(*map(np.concatenate, zip(*parts, strict=True)))

    @torch.no_grad()
    def _play_together(self, seed: int, count: int, moves: bool) -> Played:
        envs = gym.make_vec(
            "AVDynamicSep-v0",
            count,
            autoreset_mode="Disabled",
            split="val",
            houses=self.houses,
            reward="si_sdr",
            observations=needed_observations(self.policy_config),
            **self.env_options,
        )
        refiner = self.networks.refiner(self.steps + 1) if moves else None
        senses = Senses(
            self.separator, self.policy_config, refiner, self.device, locator=self.locator
        )
        policy = self.networks.policy.eval()
        state = policy.initial_state(count)
        starts = torch.ones(count, dtype=torch.bool, device=self.device)
        observation, infos = envs.reset(seed=seed)
        heard, nodes = [], [infos["node"]]
        for _ in range(self.steps):
            told = self.perceived(senses, observation, starts)
            features = {key: value[None] for key, value in told.items()}
            if moves:
                output = policy(features, self.remembered(state), starts[None])
                state = output.state
                chosen = output.logits[0].argmax(-1)
            else:
                chosen = torch.full((count,), Action.STAY, device=self.device)
            starts = torch.zeros_like(starts)
            observation, *_, infos = envs.step(senses.answer(chosen))
            heard.append(infos["si_sdr"])
            nodes.append(infos["node"])
        policy.train()
        envs.close()
        ratios = np.array(heard, float)
        sounding = np.isfinite(ratios)
        counts = sounding.sum(axis=0)
        means = np.where(sounding, ratios, 0.0).sum(axis=0) / np.where(counts, counts, np.nan)
        visited = np.array([len(set(walk)) for walk in np.transpose(nodes).tolist()])
        return Played(means, np.asarray(infos["distance_to_target"]), visited)
