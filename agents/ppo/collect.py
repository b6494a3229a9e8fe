"""Playing: what a policy does in a vector environment, step by step, kept for an update.

A vector environment says in its metadata when the episode after an ended one begins:

SAME_STEP  in the same step. The observation is already that of the next episode; the last one
           of the old is in infos["final_obs"].
NEXT_STEP  in the next step, whose action is ignored. That step is kept, since the value of the
           old episode's last observation is found there, but is not `valid`: no loss counts it.
DISABLED   when told, which is done here at once, as with SAME_STEP.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import isfunction
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.losses import alongside, log_prob
from av_envs.agents.ppo.plugins import Features, Peek, Plugins
from av_envs.agents.ppo.policy import Policy, PolicyOutput
from av_envs.agents.ppo.rollout import Rollout, Storage


class Collector:
    """Plays on where it stopped; `reset` comes first.

    envs     a vector environment of Gymnasium, on the host or on a device
    policy   see `policy.Policy`
    config   how long a rollout is and what a truncated episode is worth
    plugins  of these `perceive`, `answer`, `reward` and `label`
    device   of the policy

    To bootstrap from where an episode was truncated, its last observation must be perceived
    beside the first one of the next, except with NEXT_STEP. A plain function `perceive` is just
    called for it; an object that may remember must have a method

        peek(observation of K environments, rows (K,) int64) -> features, name -> (K, ...)

    which says what `perceive` would have said of these rows, all within their episode, and
    changes nothing. Raises ValueError if it lacks one.
    """

    def __init__(
        self,
        envs: gym.vector.VectorEnv,
        policy: Policy,
        config: PPOConfig,
        plugins: Plugins,
        device: torch.device,
    ):
        self.envs, self.policy, self.config, self.device = envs, policy, config, device
        self.mode = autoreset_mode(envs)
        self.perceive = plugins.perceive or as_floats(device)
        self.answer = plugins.answer or (lambda moves: moves.cpu().numpy())
        self.reward = plugins.reward or (
            lambda rewards, output: alongside(rewards, output.values[0]).float()
        )
        self.label = plugins.label or (lambda observation, infos: {})
        self.bootstraps = config.truncation == "bootstrap"
        self.peek = self._peek() if self.bootstraps else None
        self._storages = [Storage(config.rollout) for _ in range(3)]

    @torch.no_grad()
    def reset(self, seeds: Sequence[int]) -> None:
        """Begin episodes with these seeds, one for each environment."""
        observation, infos = self.envs.reset(seed=list(seeds))
        n = self.envs.num_envs
        self.starts = torch.ones(n, dtype=torch.bool, device=self.device)
        self.is_beginning = torch.zeros_like(self.starts)  # the next step ignores its action
        self.state = self.policy.initial_state(n)
        self.rewards, self.lengths = torch.zeros(2, n, device=self.device)
        self._take(observation, infos)

    @torch.no_grad()
    def collect(self, may_stop: Callable[[int], bool] | None = None) -> Rollout:
        """A rollout; its tensors are written over by the next one.

        may_stop  is told the number of steps so far and says whether these are enough

        `episodes` becomes (3,) float64: how many episodes ended, the sum of their rewards and
        that of their steps. Raises FloatingPointError for logits that are not finite.
        """
        seen, labelled, played = self._storages
        first_state = self.state
        self.episodes = torch.zeros(3, dtype=torch.float64, device=self.device)
        for t in range(self.config.rollout):
            seen.write(t, self.features)
            labelled.write(t, self.labels)
            output = self._outputs(self.features, self.state, self.starts)
            moves = self._drawn(output.logits[0])
            before = {"starts": self.starts, "valid": ~self.is_beginning}
            said = {"actions": moves, "values": output.values[0].float()}
            said["log_probs"] = log_prob(output.logits[0].float(), moves)
            self.state = output.state
            played.write(t, {**before, **said, **self._step(moves, output)})
            if may_stop is not None and may_stop(t + 1):
                break
        last_value = self._outputs(self.features, self.state, self.starts).values[0].float()
        rows = played.rows(t + 1)
        if self.mode is AutoresetMode.NEXT_STEP and self.bootstraps:
            following = torch.cat([rows["values"][1:], last_value[None]])
            rows["final_values"].copy_(following * alongside(rows["truncated"], following))
        del rows["truncated"]
        return Rollout(
            seen.rows(t + 1), labelled.rows(t + 1), **rows, last_value=last_value, state=first_state
        )

    def _step(self, moves: Tensor, output: PolicyOutput) -> dict[str, Tensor]:
        """Move all environments; what came of it, and what is seen next becomes the present.

        output  of the policy, from which the moves (N,) or, of teams, (N, R) were drawn
        """
        observation, *earned, infos = self.envs.step(self.answer(moves))
        rewards, terminated, truncated = (torch.as_tensor(x, device=self.device) for x in earned)
        rewards, done = rewards.float(), terminated | truncated
        truncated = truncated & ~terminated
        final_values = torch.zeros_like(output.values[0], dtype=torch.float32)
        if self.mode is AutoresetMode.NEXT_STEP:
            self.starts, self.is_beginning = self.is_beginning, done
        else:
            if self.bootstraps and truncated.any():
                ended = observation if self.mode is AutoresetMode.DISABLED else infos["final_obs"]
                final_values[truncated] = self._values_of(ended, truncated)
            if self.mode is AutoresetMode.DISABLED and done.any():
                observation, infos = self._begin(done.cpu().numpy(), infos)
            self.starts = done
        self._count(rewards, done)
        rewards = self.reward(rewards, output)
        self._take(observation, infos)
        return {
            "rewards": rewards, "dones": done, "truncated": truncated, "final_values": final_values
        }  # fmt: skip

    def _take(self, observation: Any, infos: Mapping[str, Any]) -> None:
        """Perceive what is there now."""
        self.features = self.perceive(observation, self.starts)
        self.labels = self.label(observation, infos)

    def _outputs(self, features: Features, state: Tensor, starts: Tensor) -> PolicyOutput:
        """What the policy says about one step."""
        one_step = {name: feature[None] for name, feature in features.items()}
        return self.policy(one_step, state, starts[None])

    def _drawn(self, logits: Tensor) -> Tensor:
        """Moves (N,) drawn with these logits (N, A), or (N, R) with (N, R, A)."""
        if logits.isnan().any():
            raise FloatingPointError("the policy's logits are nan: its features or its weights are")
        return torch.multinomial(logits.softmax(-1).flatten(0, -2), 1).view(logits.shape[:-1])

    def _values_of(self, ended: Any, which: Tensor) -> Tensor:
        """(K,) or (K, R) values of the last observations of these episodes, `which` (N,) bool."""
        rows = which.nonzero().flatten()
        features = self.peek(rows_of(ended, rows.cpu().numpy()), rows.cpu().numpy())
        within = torch.zeros(len(rows), dtype=torch.bool, device=self.device)
        return self._outputs(features, self.state[rows], within).values[0].float()

    def _begin(self, mask: np.ndarray, infos: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Begin episodes in these environments; the infos of the others stay."""
        observation, begun = self.envs.reset(options={"reset_mask": mask})
        return observation, replaced(infos, begun, mask)

    def _count(self, rewards: Tensor, done: Tensor) -> None:
        """Add up episodes; a step that begins one has no reward and no length."""
        self.rewards += rewards
        self.lengths += ~self.starts if self.mode is AutoresetMode.NEXT_STEP else 1
        ended = torch.stack([done.double(), self.rewards * done, self.lengths * done])
        self.episodes += ended.sum(1)
        self.rewards[done], self.lengths[done] = 0, 0

    def _peek(self) -> Peek | None:
        if self.mode is AutoresetMode.NEXT_STEP:
            return None
        perceive, device = self.perceive, self.device
        if hasattr(perceive, "peek"):
            return perceive.peek
        if not isfunction(perceive):
            raise ValueError(
                f"perceive is a {type(perceive).__name__} without peek(observation, rows), which "
                f"truncation 'bootstrap' needs with autoreset {self.mode.value}; give it one, make "
                "it a plain function if it remembers nothing, or choose truncation 'terminal' or "
                "autoreset NextStep"
            )
        return lambda observation, rows: perceive(
            observation, torch.zeros(len(rows), dtype=torch.bool, device=device)
        )


def autoreset_mode(envs: gym.vector.VectorEnv) -> AutoresetMode:
    """When the next episode begins, see the module; ValueError if the environment tells not."""
    mode = (envs.metadata or {}).get("autoreset_mode")
    if mode is None:
        raise ValueError(
            f"{type(envs).__name__} has no metadata['autoreset_mode']; "
            f"choose from {', '.join(each.value for each in AutoresetMode)}"
        )
    return AutoresetMode(mode)


def as_floats(device: torch.device) -> Callable[[Any, Tensor], Features]:
    """The `perceive` that takes arrays as they are, in float32."""

    def perceive(observation: Any, starts: Tensor) -> Features:
        if not isinstance(observation, Mapping):
            observation = {"observation": observation}
        return {
            name: torch.as_tensor(values, device=device).float()
            for name, values in observation.items()
        }

    return perceive


def rows_of(observation: Any, rows: np.ndarray) -> Any:
    """The observations of these environments, stacked.

    observation  of all: an array or tensor (N, ...), a dict of them, or (N,) objects, each the
                 observation of one environment
    """
    if isinstance(observation, Mapping):
        return {key: rows_of(values, rows) for key, values in observation.items()}
    if isinstance(observation, Tensor):
        return observation[torch.as_tensor(rows, device=observation.device)]
    if observation.dtype != object:
        return observation[rows]
    ended = [observation[row] for row in rows]
    if isinstance(ended[0], Mapping):
        return {key: np.stack([one[key] for one in ended]) for key in ended[0]}
    return np.stack(ended)


def replaced(infos: Mapping[str, Any], begun: Mapping[str, Any], mask: np.ndarray) -> dict:
    """Infos in which the rows of `mask` (N,) bool are those of episodes that have just begun."""
    merged = dict(infos)
    for key, new in begun.items():
        old = infos.get(key)
        if isinstance(new, Mapping):
            merged[key] = replaced(old or {}, new, mask)
        elif old is None:
            merged[key] = new
        else:
            where = torch.as_tensor(mask, device=new.device) if isinstance(new, Tensor) else mask
            merged[key] = new.clone() if isinstance(new, Tensor) else new.copy()
            merged[key][~where] = old[~where]
    return merged
