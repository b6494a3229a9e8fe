"""What a step costs an agent: `python -m av_envs.agents.separation.step_cost`.

Plays training houses at random with the policy that ships, and prints milliseconds of processor
time for a step of one of the environments, by part; medians over steps. The last column says what
the arithmetic of a network alone needs at the speed of a product of two large matrices here.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.separation.agent import WEIGHTS, load_agent, load_separator, locator_of
from av_envs.agents.separation.networks.delays import delays, spectra_of
from av_envs.agents.separation.networks.locator import phases_of
from av_envs.agents.separation.senses import Senses, needed_observations
from av_envs.options import positive_int
from av_envs.separation.actions import Action

T = TypeVar("T")
SIDE = 1024  # of the matrices that are multiplied
PARTS = ("environment", "spectra", "separator", "locator", "delays", "all senses", "policy")


class StepCost:
    """Times of the parts of steps of a batch of environments.

    num_envs  side by side
    houses    of the split train
    """

    def __init__(self, num_envs: int, houses: int):
        self.separator, _ = load_separator()
        networks, _ = load_agent(WEIGHTS / "memoryless.safetensors", "memoryless", self.separator)
        config = networks.config.policy
        self.locator, self.policy = locator_of(networks.config), networks.policy
        self.senses = Senses(self.separator, config, locator=self.locator)
        self.n = num_envs
        self.envs = gym.make_vec(
            "AVDynamicSep-v0", num_envs, autoreset_mode="SameStep", split="train", houses=houses,
            estimator="agent", observations=needed_observations(config),
        )  # fmt: skip
        self.seconds: dict[str, list[float]] = {part: [] for part in PARTS}
        self.operations: dict[str, float] = {}  # floating-point, of a step of one environment

    @torch.no_grad()
    def play(self, steps: int, seed: int = 0) -> None:
        """Measure so many steps, after two that warm up."""
        draws = torch.Generator().manual_seed(seed)
        observation, _ = self.envs.reset(seed=seed)
        state = self.policy.initial_state(self.n)
        starts = torch.ones(self.n, dtype=torch.bool)
        for t in range(steps + 2):
            if t == 2:
                self.seconds = {part: [] for part in PARTS}
            self._hear(observation)
            features = self._timed("all senses", lambda: self.senses(observation, starts))  # noqa: B023
            told = {name: value[None] for name, value in features.items()}
            output = self._timed("policy", lambda: self.policy(told, state, starts[None]))  # noqa: B023
            state, starts = output.state, torch.zeros_like(starts)
            moves = torch.randint(len(Action), (self.n,), generator=draws)
            actions = self.senses.answer(moves)
            observation, *_ = self._timed("environment", lambda: self.envs.step(actions))  # noqa: B023

    def milliseconds(self) -> dict[str, float]:
        """Of a step of one environment, by part."""
        return {part: 1e3 * float(np.median(s)) / self.n for part, s in self.seconds.items()}

    def _hear(self, observation: dict[str, Any]) -> None:
        """The costly parts of the senses, each by itself."""
        mixture = torch.expm1(torch.from_numpy(observation["mixture"]))
        label = torch.from_numpy(observation["target"]).long()
        waveform = torch.from_numpy(observation["waveform"])
        spectra = self._timed("spectra", lambda: spectra_of(waveform))
        image, _ = self._timed("separator", lambda: self.separator(mixture, label))
        self._timed("locator", lambda: self.locator.place(mixture, phases_of(spectra), label))
        self._timed("delays", lambda: delays(spectra, mixture, image))
        if not self.operations:
            self.operations = {
                "separator": operations(lambda: self.separator(mixture, label)) / self.n,
                "locator": operations(
                    lambda: self.locator.place(mixture, phases_of(spectra), label)
                )
                / self.n,
            }

    def _timed(self, part: str, work: Callable[[], T]) -> T:
        begun = time.process_time()
        done = work()
        self.seconds[part].append(time.process_time() - begun)
        return done


def operations(work: Callable[[], Any]) -> float:
    """Floating-point operations of products of matrices and convolutions."""
    with FlopCounterMode(display=False) as counted:
        work()
    return float(counted.get_total_flops())


def operations_per_second(times: int = 20) -> float:
    """Of a product of two matrices, in single precision; the best of several."""
    one, other = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    spent = []
    for _ in range(times):
        begun = time.process_time()
        _product: Tensor = one @ other
        spent.append(time.process_time() - begun)
    return 2.0 * SIDE**3 / min(spent)


def table(cost: StepCost) -> list[str]:
    """Rows of a Markdown table."""
    speed = operations_per_second()
    rows = ["| part | ms per step | arithmetic alone, ms |", "|---|---|---|"]
    for part, spent in cost.milliseconds().items():
        bound = f"{1e3 * cost.operations[part] / speed:.2f}" if part in cost.operations else ""
        rows.append(f"| {part} | {spent:.2f} | {bound} |")
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.separation.step_cost",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--num-envs", type=positive_int, default=32)
    parser.add_argument("--houses", type=positive_int, default=8, help="of the split train")
    parser.add_argument("--steps", type=positive_int, default=40, help="that are measured")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    cost = StepCost(arguments.num_envs, arguments.houses)
    cost.play(arguments.steps)
    print("\n".join(table(cost)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
