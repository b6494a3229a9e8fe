"""Learned teams as entries of the boards: they play the weights of a run.

`--agent av_envs.agents.rir_measure:Macma --agent-kwargs '{"checkpoint": "FILE"}'` after
`python -m av_envs.benchmarks.run --suite SUITE --out results`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from av_envs.agents.rir_measure.choosing.files import load_chooser
from av_envs.agents.rir_measure.choosing.places import NEEDED, PlaceBook
from av_envs.agents.rir_measure.choosing.walking import chosen_by
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.predictor import Generated
from av_envs.agents.rir_measure.senses import features_of, needed_observations
from av_envs.agents.rir_measure.team import load_team
from av_envs.options import check_choice
from av_envs.rir_measure.actions import Action

WEIGHTS = Path(__file__).parent.parent / "weights"
OWN = "generator"
SHIPPED = ("flats", "houses")  # what teams that ship were trained in


class LearnedTeam:
    """A trained team: every robot acts on what it observes itself.

    trained_in  which of the teams that ship, one of SHIPPED; None: flats
    checkpoint  file of another one, `best.safetensors` of a run
    predictor   "generator": the team's own, or any other, see `av_envs.rir_measure.predictors`
    likeliest   take the likeliest move instead of drawing one
    """

    preset = ""  # key of PRESETS

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        trained_in: str | None = None,
        checkpoint: str | None = None,
        predictor: str = OWN,
        likeliest: bool = False,
    ):
        if checkpoint is not None and trained_in is not None:
            raise ValueError("trained_in is for teams that ship, not for the one of a checkpoint")
        path = self.shipped(trained_in or SHIPPED[0]) if checkpoint is None else Path(checkpoint)
        self.networks, _ = load_team(path, self.preset)
        config = self.networks.config
        self._check_spaces(observation_space, action_space, path)
        self.card = {"name": self._called(trained_in, predictor)}
        self.predictor = (
            Generated(self.networks.generator, config.senses) if predictor == OWN else predictor
        )
        self._likeliest = likeliest
        self.reset(seed=seed)

    def shipped(self, where: str) -> Path:
        """The file that ships for such dwellings, one of SHIPPED; ValueError if none does."""
        check_choice("trained_in", where, SHIPPED)
        ending = "" if where == SHIPPED[0] else f"_{where}"
        path = WEIGHTS / f"{self.preset}{ending}.safetensors"
        if not path.exists():
            raise ValueError(
                f"no weights of {type(self).__name__} for {where} ship with this version; train "
                f"some, python -m av_envs.agents.rir_measure.train --preset {self.preset} "
                f"--env {where} --out DIR, and pass checkpoint='DIR/best.safetensors'"
            )
        return path

    def _called(self, trained_in: str | None, predictor: str) -> str:
        """On boards."""
        name = type(self).__name__
        if trained_in in SHIPPED[1:]:
            name = f"{name} of {trained_in}"
        return name if predictor == OWN else f"{name} + {predictor} predictor"

    def reset(self, *, seed: int | None = None) -> None:
        """Begin an episode; without a seed the sequence of draws goes on."""
        if seed is not None:
            self._draws = torch.Generator().manual_seed(seed)
        self._state = self.networks.policy.initial_state(1)
        self._maps = Maps(self.networks.config.policy, 1)
        self._starts = torch.ones(1, 1, dtype=torch.bool)

    @torch.no_grad()
    def act(self, observation: dict[str, Any]) -> np.ndarray:
        """(robots,) int64, the next moves."""
        senses = self.networks.config.senses
        seen = {key: np.asarray(observation[key])[None] for key in needed_observations(senses)}
        here = self._maps.add(features_of(seen, senses), self._starts[0])
        features = {key: value[None] for key, value in here.items()}
        output = self.networks.policy(features, self._state, self._starts)
        self._state, self._starts = output.state, torch.zeros_like(self._starts)
        logits = output.logits[0, 0]
        if self._likeliest:
            return logits.argmax(-1).numpy()
        return torch.multinomial(logits.softmax(-1), 1, generator=self._draws)[:, 0].numpy()

    def _check_spaces(
        self, observation_space: spaces.Dict, action_space: spaces.Space, path: Path
    ) -> None:
        """The team must have been trained on what it is going to meet."""
        config, name = self.networks.config, type(self).__name__
        here = observation_space.spaces
        missing = [key for key in needed_observations(config.senses) if key not in here]
        if missing:
            raise ValueError(
                f"{name} needs the observations {', '.join(missing)}; make the environment with "
                f"observations={(*here, *missing)}"
            )
        wanted = spaces.MultiDiscrete([len(Action)] * config.policy.robots)
        if action_space != wanted:
            raise ValueError(
                f"{path}: was trained with {config.policy.robots} robots, {wanted}; here actions "
                f"are {action_space}"
            )


class Macma(LearnedTeam):
    """Is paid for accuracy, coverage, a large hull and a short perimeter: Yu et al., IJCAI 2023."""

    preset = "macma"


class Macmara(LearnedTeam):
    """`Macma` where a network shares out a part of the reward."""

    preset = "macmara"


class Occupancy(LearnedTeam):
    """The network of `Macma`, paid for accuracy and the area of the hull."""

    preset = "occupancy"


class Curiosity(LearnedTeam):
    """The network of `Macma`, paid for accuracy and coverage."""

    preset = "curiosity"


class PlaceChooser:
    """Walks on the map that the rules draw; which place a robot goes to next is learned.

    Not end to end: map and ways are those of `av_envs.baselines.rir_measure`.

    checkpoint  file of `python -m av_envs.agents.rir_measure.choosing.train`; None: the one that
                ships
    predictor   of the responses, see `av_envs.rir_measure.predictors`
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        checkpoint: str | None = None,
        predictor: str = "interpolating",
    ):
        path = WEIGHTS / "place_chooser.safetensors" if checkpoint is None else Path(checkpoint)
        self._choose = chosen_by(load_chooser(path))
        missing = [key for key in NEEDED if key not in observation_space.spaces]
        moves = getattr(action_space, "nvec", None)
        if missing or moves is None or (moves != len(Action)).any():
            raise ValueError(
                f"PlaceChooser needs the observations {', '.join(NEEDED)} and MultiDiscrete "
                f"actions of {len(Action)} moves, got {observation_space} and {action_space}"
            )
        usual = predictor == "interpolating"
        self.card = {"name": "PlaceChooser" if usual else f"PlaceChooser + {predictor} predictor"}
        self.predictor = predictor
        self._book = PlaceBook(len(moves))

    def reset(self, *, seed: int | None = None) -> None:
        """Begin an episode; nothing is drawn."""
        self._book.reset()

    def act(self, observation: dict[str, Any]) -> np.ndarray:
        """(robots,) int64, moves towards the places that are thought best."""
        chosen = self._choose(self._book, self._book.offer(observation))
        return self._book.take(chosen).astype(np.int64)
