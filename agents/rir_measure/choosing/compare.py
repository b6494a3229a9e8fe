"""A chooser against the rule it learned from: `... rir_measure.choosing.compare`.

Both cover the same unseen dwellings from the same starts, in silence. Prints the coverage, mean
over the steps and at the end, with 95 % bootstrap intervals, and their paired difference.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.intervals import mean_interval
from av_envs.agents.rir_measure.choosing.files import load_chooser
from av_envs.agents.rir_measure.choosing.imitate import TEACHER, advised
from av_envs.agents.rir_measure.choosing.walking import SEED, chosen_by, covered, measure_config
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.scene.procedural.splits import SPLITS

WEIGHTS = Path(__file__).parent.parent.parent / "weights" / "place_chooser.safetensors"
DRAWS = 10_000  # of the bootstrap


def interval(values: np.ndarray) -> str:
    """Mean of values (E,) and its 95 % bootstrap interval."""
    mean, low, high = mean_interval(values, DRAWS)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.rir_measure.choosing.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint", type=path_argument, default=WEIGHTS, help="default: the one that ships"
    )
    parser.add_argument("--env", default="flats", choices=ENVIRONMENTS)
    parser.add_argument("--split", default="val", choices=SPLITS)
    parser.add_argument("--houses", type=positive_int, default=20, help="an episode in each")
    parser.add_argument("--seed", type=non_negative_int, default=SEED)
    given = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        policy = load_chooser(given.checkpoint)
        config = measure_config(given.env, 2, given.split, given.houses)
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    teams = {
        "PlaceChooser": chosen_by(policy),
        TEACHER.rpartition(":")[2]: lambda book, offered: advised(book, offered).argmax(-1),
    }
    found = {
        name: covered(choose, config, range(given.houses), given.seed)
        for name, choose in teams.items()
    }
    ours, rule = (np.stack(each) for each in found.values())
    print("| team | mean coverage | coverage at the end |\n|---|---|---|")
    for name, (means, ends) in zip((*found, "difference"), (ours, rule, ours - rule), strict=True):
        print(f"| {name} | {interval(means)} | {interval(ends)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
