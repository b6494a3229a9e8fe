"""Go where the target is believed to be: a learned locator that drives a planner.

The counterpart of the baseline `DoA`, which is told where the target is: here a
`TargetLocator` listens for it, a Bayes filter adds its seconds up on a map, and a shortest way
over what is not known to be blocked leads to a place beside the likeliest cell. Nothing but the
locator is learned, so what a learned policy is worth beyond it can be seen.
"""

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from av_envs.agents.separation.agent import (
    frozen,
    load_locator,
)
from av_envs.agents.separation.expert import TOWARDS
from av_envs.agents.separation.networks.belief import AROUND, Belief
from av_envs.agents.separation.networks.delays import spectra_of
from av_envs.agents.separation.networks.gcc import gcc_place
from av_envs.agents.separation.networks.locator import phases_of
from av_envs.agents.separation.passive import Passive
from av_envs.conventions import N_HEADINGS
from av_envs.options import check_choice
from av_envs.separation.actions import Action

HEAR = ("locator", "gcc")
EARS = (*HEAR, "random")
MODES = ("face_and_hold", "face_and_track", "face_and_approach")
LISTENING = 3  # seconds of turning before anything else is done
SURE = 0.5  # probability, within a metre and a half of the goal, from which on it walks
CLEAR = 1.3  # metres of depth ahead, below which there is no way forward
DEPTH_METRES = 10.0  # of 1 in the observation
STRIP = slice(52, 76)  # columns and rows of the view about straight ahead
NEEDS = ("mixture", "waveform", "depth", "target", "pose")
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # ahead, left, behind, right, in the frame of the start

Cell = tuple[int, int]


class LearnedDoA:
    """Turns to listen, then faces or approaches where it believes the target to be.

    mode       "face_and_hold"      listens, turns towards the target once, and holds
               "face_and_track"     goes on listening, and turns whenever it believes otherwise
               "face_and_approach"  walks beside the likeliest place and faces it
    ears       "locator", a `TargetLocator`; "gcc", the control that learned nothing and knows no
               class, see `networks.gcc`; or "random", the one that hears nothing, and is sure of
               another place every second
    locator    file; None: the one that ships
    listening  seconds of turning before anything else is done
    sure       how probable the likeliest place and those around it must be before it walks
    separator  file of what makes the estimates; None: the one that ships

    With the action space `Discrete(4)` an action is the move; with `Dict(move, estimate)`, the
    space of `estimator="agent"`, it has the separator's estimate of the second heard last.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        mode: str = "face_and_approach",
        ears: str = "locator",
        locator: str | None = None,
        listening: int = LISTENING,
        sure: float = SURE,
        separator: str | None = None,
    ):
        check_choice("mode", mode, MODES)
        check_choice("ears", ears, EARS)
        missing = [key for key in NEEDS if key not in observation_space.spaces]
        if missing:
            raise ValueError(
                f"{type(self).__name__} needs the observations {', '.join(missing)}; make the "
                f"environment with observations={(*observation_space.spaces, *missing)}"
            )
        self._locator, header = load_locator(None if locator is None else Path(locator))
        n_classes = int(observation_space["target"].n)
        if n_classes != len(header.classes):
            raise ValueError(
                f"the locator was trained on {len(header.classes)} classes, the environment has "
                f"{n_classes}"
            )
        self.ears, self.mode, self.listening, self.sure = ears, mode, listening, sure
        self._filter = frozen(Belief())
        self._separator = Passive(separator) if isinstance(action_space, spaces.Dict) else None
        self.reset(seed=seed)

    def reset(self, *, seed: int | None = None) -> None:
        """Begin an episode; nothing but "random" ears is left to chance."""
        if seed is not None:
            self._draws = np.random.default_rng(seed)
        self._state = self._filter.initial_state(1)
        self._starts = torch.ones(1, 1, dtype=torch.bool)
        self._blocked: set[tuple[Cell, int]] = set()
        self._before: tuple[Cell, int, int] | None = None  # cell, heading and move
        self._held: int | None = None  # heading that is held
        self.belief: np.ndarray | None = None

    @torch.no_grad()
    def hear(self, observation: dict[str, Any]) -> None:
        """Add a second to the map; `belief` is (17, 17) probabilities about the agent."""
        if self.ears == "random":
            self.belief = np.zeros((2 * AROUND + 1, 2 * AROUND + 1), dtype=np.float32)
            self.belief[tuple(self._draws.integers(len(self.belief), size=2))] = 1.0
            return
        spectra = spectra_of(torch.as_tensor(observation["waveform"])[None])
        mixture = torch.expm1(torch.as_tensor(observation["mixture"]))[None]
        if self.ears == "gcc":
            place = gcc_place(spectra, mixture)
        else:
            label = torch.as_tensor([int(observation["target"])])
            place = self._locator.place(mixture, phases_of(spectra), label)
        pose = torch.as_tensor(observation["pose"])[None, None]
        shown, self._state = self._filter(place[None], pose, self._state, self._starts)
        self._starts = torch.zeros_like(self._starts)
        self.belief = shown[0, 0].exp().numpy()

    def act(self, observation: dict[str, Any]) -> int | dict[str, Any]:
        """The move as an action, with the estimate of the second heard last if it is asked for."""
        move = self.move(observation)
        if self._separator is None:
            return int(move)
        mixture = np.expm1(np.asarray(observation["mixture"]))[None]
        label = np.array([int(observation["target"])])
        return {"move": move, "estimate": self._separator.estimate_batch(mixture, label, [])[0][0]}

    def move(self, observation: dict[str, Any]) -> np.int64:
        """The next move."""
        self.hear(observation)
        forward, left, angle, second = (float(value) for value in observation["pose"])
        cell, heading = (round(forward), round(left)), round(angle / (np.pi / 2)) % N_HEADINGS
        self._learn_of_walls(cell, heading, observation["depth"])
        if second < self.listening:
            move = Action.LEFT
        elif self.mode == "face_and_approach":
            move = self._approach(cell, heading)
        elif self.mode == "face_and_track" or self._held is None:
            turn = quarter_of(*self._likeliest())
            self._held = (heading + turn) % N_HEADINGS
            move = turn_to(turn)
        else:
            move = turn_to((self._held - heading) % N_HEADINGS)
        self._before = (cell, heading, int(move))
        return np.int64(move)

    def _likeliest(self) -> tuple[int, int]:
        """Metres ahead and to the left of the likeliest place, smoothed over its neighbours."""
        worth = _around(self.belief) + self.belief  # of a sure cell's neighbours, itself
        row, column = np.unravel_index(worth.argmax(), worth.shape)
        return int(row) - AROUND, int(column) - AROUND

    def _approach(self, cell: Cell, heading: int) -> int:
        ahead, left = self._likeliest()
        near = _around(self.belief)[ahead + AROUND, left + AROUND]
        if near < self.sure:
            return Action.LEFT
        if max(abs(ahead), abs(left)) <= 1:
            return turn_to(quarter_of(ahead, left))
        to_x, to_y = turned((ahead, left), heading)
        way = first_step(cell, (cell[0] + to_x, cell[1] + to_y), self._blocked)
        return Action.STAY if way is None else TOWARDS[(way - heading) % N_HEADINGS]

    def _learn_of_walls(self, cell: Cell, heading: int, depth: np.ndarray) -> None:
        if float(np.median(depth[STRIP, STRIP])) * DEPTH_METRES < CLEAR:
            self._blocked.add((cell, heading))
        if self._before is not None and self._before == (cell, heading, Action.FORWARD):
            self._blocked.add((cell, heading))


def _around(chances: np.ndarray) -> np.ndarray:
    """(H, W) sums over each cell and its eight neighbours."""
    padded = np.pad(chances, 1)
    height, width = chances.shape
    return sum(padded[i : i + height, j : j + width] for i in range(3) for j in range(3))


def turn_to(quarters: int) -> int:
    """The turn that begins to face what lies so many counter-clockwise quarter turns away."""
    return Action.STAY if quarters == 0 else TOWARDS[quarters]


def quarter_of(ahead: float, left: float) -> int:
    """Counter-clockwise quarter turns to what lies there, 0 if it is here."""
    return round(np.arctan2(left, ahead) / (np.pi / 2)) % N_HEADINGS


def turned(offset: Cell, quarters: int) -> Cell:
    """An offset ahead and to the left, in the frame that lies `quarters` turns clockwise of it."""
    ahead, left = offset
    for _ in range(quarters % N_HEADINGS):
        ahead, left = -left, ahead
    return ahead, left


def first_step(start: Cell, goal: Cell, blocked: set[tuple[Cell, int]]) -> int | None:
    """Direction of STEPS that begins a shortest way beside a goal; None if there is no way.

    blocked  cells and directions in which they cannot be left; all others can
    """
    reach = 2 * AROUND
    queue, first = deque([start]), {start: -1}
    while queue:
        cell = queue.popleft()
        for direction, (dx, dy) in enumerate(STEPS):
            after = (cell[0] + dx, cell[1] + dy)
            far = max(abs(after[0] - start[0]), abs(after[1] - start[1])) > reach
            if (cell, direction) in blocked or after in first or far:
                continue
            if after == goal:
                return None if cell == start else first[cell]
            first[after] = direction if cell == start else first[cell]
            queue.append(after)
    return None
