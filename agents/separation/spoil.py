"""What a policy has learned to use: `python -m av_envs.agents.separation.spoil`.

Plays the same episodes of validation houses again and again, each time with another of the
policy's senses exchanged for those of another episode, and prints the mean gain over standing
still and how much of it is lost, dB, with 95 % bootstrap intervals over episodes. What costs
nothing when it is spoilt was not used. The estimates stay the agent's own. "class" is what is
made with another class named, "memory" all that is remembered.
"""

import argparse
import sys
from typing import Any

import numpy as np
import torch

from av_envs.agents.intervals import mean_interval
from av_envs.agents.separation.agent import KINDS, WEIGHTS, load_agent, load_separator, locator_of
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.senses import Senses
from av_envs.agents.separation.trials import Trials
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import STARTS

WHOLE = ("class", "memory")  # what can be spoilt beside the features


class SpoiltTrials(Trials):
    """Trials in which a policy is told what is true of another episode.

    spoilt  feature of the policy, or of WHOLE, or None
    """

    spoilt: str | None = None

    def perceived(self, senses: Senses, observation: Any, starts: torch.Tensor) -> dict[str, Any]:
        """See `Trials`."""
        features = senses(observation, starts)
        if self.spoilt == "class":
            labels = np.asarray(observation["target"])
            other = Senses(
                self.separator, self.policy_config, None, self.device,
                locator=self.locator, separates=False,
            )  # fmt: skip
            wrong = other({**observation, "target": np.roll(labels, 1)}, starts)
            kept = ("collision", "previous_action")  # which only the first senses know
            return wrong | {key: features[key] for key in kept if key in features}
        if self.spoilt in features:
            features[self.spoilt] = features[self.spoilt].roll(1, dims=0)
        return features

    def remembered(self, state: torch.Tensor) -> torch.Tensor:
        """See `Trials`."""
        return torch.zeros_like(state) if self.spoilt == "memory" else state


def table(trials: SpoiltTrials) -> list[str]:
    """Rows of a Markdown table, as they are found."""
    rows = ["| spoilt | gain over standing | lost |", "|---|---|---|"]
    trials.spoilt = None
    whole = trials.gains()
    heard = np.isfinite(whole)
    rows.append(f"| nothing | {_words(whole[heard])} | |")
    for name in (*trials.policy_config.features, *WHOLE):
        trials.spoilt = name
        gains = trials.gains()
        rows.append(f"| {name} | {_words(gains[heard])} | {_words((whole - gains)[heard])} |")
    return rows


def _words(values: np.ndarray) -> str:
    return "{:.2f} [{:.2f}, {:.2f}]".format(*mean_interval(values))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.separation.spoil",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--agent", default="memoryless", choices=KINDS)
    parser.add_argument("--checkpoint", type=path_argument, help="file; default: the shipped one")
    parser.add_argument("--separator", type=path_argument, help="likewise")
    parser.add_argument("--locator", type=path_argument, help="likewise")
    parser.add_argument("--start", default="between", choices=STARTS)
    parser.add_argument("--steps", type=positive_int, default=20, help="of an episode")
    parser.add_argument("--episodes", type=positive_int, default=200)
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split val")
    arguments = parser.parse_args(argv)
    path = arguments.checkpoint or WEIGHTS / f"{arguments.agent}.safetensors"
    try:
        separator, header = load_separator(arguments.separator)
        check_classes("the separator", header, corpus_of("embedded").classes)
        networks, _ = load_agent(path, arguments.agent, separator)
        trials = SpoiltTrials(
            networks, separator, arguments.episodes, arguments.houses,
            {"start": arguments.start, "steps": arguments.steps, "estimator": "agent"},
            locator=locator_of(networks.config, arguments.locator),
        )  # fmt: skip
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    print("\n".join(table(trials)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
