"""Options of the commands that look at one trained team."""

import argparse

from av_envs.agents.rir_measure.presets import ENVIRONMENTS, PRESETS
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


def team_parser(command: str, description: str | None) -> argparse.ArgumentParser:
    """A parser that knows which team plays, where, and how long.

    command  its module in `av_envs.agents.rir_measure`
    """
    parser = argparse.ArgumentParser(
        prog=f"av_envs.agents.rir_measure.{command}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", type=path_argument, required=True, help="file of a team")
    parser.add_argument("--preset", default="macma", choices=PRESETS, help="of that team")
    parser.add_argument("--env", default="flats", choices=ENVIRONMENTS)
    parser.add_argument("--steps", type=positive_int, default=250, help="of an episode")
    parser.add_argument("--seed", type=non_negative_int, default=0)
    return parser
