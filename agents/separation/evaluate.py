"""What a separator is worth where episodes begin: `python -m av_envs.agents.separation.evaluate`.

For every start: SI-SDR with oracle phase of the mixture at the better ear and of the estimate, what
the estimate gains over it, and what is lost if another class is named, in dB. Means over episodes
in houses and with clips of the split, with 95 % bootstrap intervals over episodes.
"""

import argparse
import json
import sys

import numpy as np

from av_envs.agents.intervals import Interval, mean_interval
from av_envs.agents.separation.agent import load_separator
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.separator import Separator
from av_envs.agents.separation.validation import heard_at_start, si_sdr_of, wrong_labels
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SPLITS, STARTS, SeparationConfig

SECONDS = (0, 5, 10, 15)  # of every episode


def evaluate(
    separator: Separator, config: SeparationConfig, n_episodes: int
) -> dict[str, Interval]:
    """Means over episodes and their intervals, dB, by name."""
    heard = heard_at_start(config, n_episodes, SECONDS)
    ratio = si_sdr_of(separator, heard, heard.label)
    wrong = si_sdr_of(separator, heard, wrong_labels(heard, separator.config.n_classes))
    found = {
        "mixture": heard.si_sdr_mixture,
        "estimate": ratio,
        "over mixture": ratio - heard.si_sdr_mixture,
        "lost with another class": ratio - wrong,
    }
    return {name: _interval(values, heard.episode) for name, values in found.items()}


def _interval(values: np.ndarray, episodes: np.ndarray) -> Interval:
    """Mean over episodes of the means of their seconds, with its interval."""
    return mean_interval(np.array([values[episodes == one].mean() for one in np.unique(episodes)]))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.separation.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--separator", type=path_argument, help="file; default: the shipped one")
    parser.add_argument("--starts", nargs="+", default=["near", "between"], choices=STARTS)
    parser.add_argument("--split", default="val", choices=SPLITS)
    parser.add_argument("--episodes", type=positive_int, default=200, help="of each start")
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split")
    parser.add_argument("--num-sources", type=positive_int, default=2)
    parser.add_argument("--sounds", default="embedded", help="corpus, as in training")
    parser.add_argument("--json", type=path_argument, help="write the figures into this file, too")
    arguments = parser.parse_args(argv)
    found = {}
    try:
        separator, header = load_separator(arguments.separator)
        path = arguments.separator or "the shipped separator"
        check_classes(path, header, corpus_of(arguments.sounds).classes)
        for start in arguments.starts:
            config = SeparationConfig(
                split=arguments.split,
                houses=arguments.houses,
                start=start,
                num_sources=arguments.num_sources,
                sounds=arguments.sounds,
            )
            found[start] = evaluate(separator, config, arguments.episodes)
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    names = list(next(iter(found.values())))
    print("| start | " + " | ".join(names) + " |\n" + "|---" * (1 + len(names)) + "|")
    for start, rows in found.items():
        cells = [f"{mean:.2f} [{low:.2f}, {high:.2f}]" for mean, low, high in rows.values()]
        print(f"| {start} | " + " | ".join(cells) + " |")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
