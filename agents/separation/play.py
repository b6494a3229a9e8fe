"""Learned agents as entries of the boards: they play the weights that ship, or others.

`--agent av_envs.agents.separation:Active --agent-kwargs '{"checkpoint": "FILE"}'` after
`python -m av_envs.benchmarks.run --suite separate-between-unheard-v1 --out results`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from av_envs.agents.separation.agent import WEIGHTS, load_agent, load_separator, locator_of
from av_envs.agents.separation.refining import RefinesWithTransformer
from av_envs.agents.separation.senses import Senses, needed_observations
from av_envs.options import check_whole
from av_envs.separation.actions import Action

MOST_SECONDS = 101  # that are remembered of an episode


class LearnedAgent:
    """A trained policy with its separator and memory.

    checkpoint  file of the agent; None: the one that ships
    separator   file of the separator it was trained with; None: the one that ships
    locator     likewise
    likeliest   take the likeliest move; False draws one, as the papers do: an agent in doubt then
                turns back and forth

    After `act`, `belief` is where it believes the target to be, (17, 17) log probabilities about
    the agent, see `networks.belief.Belief`; None if its policy has none.

    With the action space `Discrete(4)` an action is the move; with `Dict(move, estimate)`, the
    space of `estimator="agent"`, it has the agent's own estimate of the second heard last.
    """

    kind = ""  # key of KINDS

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        checkpoint: str | None = None,
        separator: str | None = None,
        locator: str | None = None,
        likeliest: bool = True,
    ):
        networks, header = load_separator(None if separator is None else Path(separator))
        path = WEIGHTS / f"{self.kind}.safetensors" if checkpoint is None else Path(checkpoint)
        if checkpoint is None and not path.exists():
            raise ValueError(
                f"no weights of {type(self).__name__} ship with this version; train some, "
                f"python -m av_envs.agents.separation.train --agent {self.kind} --out DIR, "
                "and pass checkpoint='DIR/best.safetensors'"
            )
        self.networks, _ = load_agent(path, self.kind, networks)
        config = self.networks.config.policy
        here = observation_space.spaces
        missing = [key for key in needed_observations(config) if key not in here]
        if missing:
            raise ValueError(
                f"{type(self).__name__} needs the observations {', '.join(missing)}; make the "
                f"environment with observations={(*here, *missing)}"
            )
        n_classes = int(observation_space["target"].n)
        if n_classes != len(header.classes):
            raise ValueError(
                f"{path}: was trained on {len(header.classes)} classes, the environment has "
                f"{n_classes}"
            )
        self._estimates = isinstance(action_space, spaces.Dict)
        self._likeliest = likeliest
        chosen = None if locator is None else Path(locator)
        hears = locator_of(self.networks.config, chosen)
        self._senses = Senses(networks, config, locator=hears)
        self.reset(seed=seed)

    def reset(self, *, seed: int | None = None) -> None:
        """Begin an episode."""
        if seed is not None:
            self._draws = torch.Generator().manual_seed(seed)
        self._senses.refiner = self.networks.refiner(MOST_SECONDS)
        self._state = self.networks.policy.initial_state(1)
        self._starts = torch.ones(1, dtype=torch.bool)  # whether the next second heard is the first
        self._begins = torch.ones(1, dtype=torch.bool)  # likewise, of those the policy was told of
        self.belief: np.ndarray | None = None
        self._refined: list[np.ndarray] = []  # of every second so far, without hindsight

    @torch.no_grad()
    def act(self, observation: dict[str, Any]) -> int | dict[str, Any]:
        """The next move, with the estimate of the second heard last if it is asked for."""
        features = self._hear(observation)
        one_step = {key: value[None] for key, value in features.items()}
        output = self.networks.policy(one_step, self._state, self._begins[None])
        self._state, self._begins = output.state, torch.zeros_like(self._begins)
        believed = output.extra.get("belief")
        self.belief = None if believed is None else believed[0, 0].numpy()
        logits = output.logits[0]
        if self._likeliest:
            moves = logits.argmax(-1)
        else:
            moves = torch.multinomial(logits.softmax(-1), 1, generator=self._draws).squeeze(-1)
        actions = self._senses.answer(moves)
        move = np.int64(actions["move"][0])
        return {"move": move, "estimate": actions["estimate"][0]} if self._estimates else int(move)

    def refine(self, observation: dict[str, Any]) -> np.ndarray:
        """(K, 512, 32) of all seconds of the episode, with hindsight.

        observation  the last one, to which there is no move

        The estimate of a second is that of the memory E seconds later, or at the end.
        """
        self._hear(observation)
        look_back = self.networks.config.look_back
        return self.refine_within(look_back) if look_back else np.stack(self._refined)

    def refine_within(self, look_back: int) -> np.ndarray:
        """(K, 512, 32) of all seconds with the hindsight of so many; asked after `refine`.

        A second that the memory holds no more stays as it was refined when it was heard, and so
        do all without a memory that refines in hindsight.
        """
        refined, refiner = np.stack(self._refined), self._senses.refiner
        if isinstance(refiner, RefinesWithTransformer):
            held = refiner.hindsight_within(look_back)[0].clamp(min=0).numpy()
            refined[-len(held) :] = held
        return refined

    def _hear(self, observation: dict[str, Any]) -> dict[str, torch.Tensor]:
        """The features of this second, whose estimate is kept as the memory has it now."""
        batch = {
            key: np.asarray(observation[key])[None]
            for key in needed_observations(self.networks.config.policy)
        }
        features = self._senses(batch, self._starts)
        self._starts = torch.zeros_like(self._starts)
        self._refined.append(self._senses.refined[0].numpy())
        return features


class Active(LearnedAgent):
    """Moves and refines with a memory: Majumder and Grauman, ECCV 2022."""

    kind = "active"


class SingleStep(LearnedAgent):
    """`Active` with a memory that refines the present second only: E = 0."""

    kind = "single_step"


class Memoryless(LearnedAgent):
    """`Active` without a memory of sounds."""

    kind = "memoryless"


class Move2Hear(LearnedAgent):
    """Is paid for improvement, with a recurrent memory: Majumder et al., ICCV 2021.

    far     file of another `Move2Hear`, trained from far away with `--reward approach`, which
            makes the moves of the first `switch` steps; None: nobody does
    switch  steps after which a target that was far is near

    The memory of sounds is the near policy's all along; its GRU begins at the switch.
    """

    kind = "move2hear"

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        far: str | None = None,
        switch: int = 80,
        separator: str | None = None,
        locator: str | None = None,
        **options: Any,
    ):
        check_whole("switch", switch, 0, 100_000)
        self._switch, self._explorer = switch, None
        if far is not None:
            self._explorer = Move2Hear(
                observation_space, spaces.Discrete(len(Action)),
                seed=seed, checkpoint=far, separator=separator, locator=locator,
            )  # fmt: skip
        super().__init__(
            observation_space, action_space,
            seed=seed, separator=separator, locator=locator, **options,
        )  # fmt: skip

    def reset(self, *, seed: int | None = None) -> None:
        """Begin an episode, far from the target if there is a policy for it."""
        super().reset(seed=seed)
        self._acted = 0
        if self._explorer is not None:
            self._explorer.reset(seed=seed)

    def act(self, observation: dict[str, Any]) -> int | dict[str, Any]:
        """See `LearnedAgent`."""
        if self._explorer is None or self._acted >= self._switch:
            return super().act(observation)
        self._acted += 1
        move = self._explorer.act(observation)
        self._hear(observation)
        actions = self._senses.answer(torch.tensor([move]))
        if not self._estimates:
            return move
        return {"move": np.int64(move), "estimate": actions["estimate"][0]}


class Novelty(LearnedAgent):
    """Is paid for places where it has not been, and separates what it happens to hear."""

    kind = "novelty"


ENTRIES = {
    entry.kind: entry for entry in (Active, SingleStep, Memoryless, Move2Hear, Novelty)
}  # by key of KINDS
