"""Does it know where the target is? `python -m av_envs.agents.localization.facing`.

In episodes of the separation task an agent stands, turns to the left every second, and listens.
From the map that `LearnedDoA` makes of what it heard, the likelier of four quarters is taken: is
the target in it? As shares of seconds after the first few, means over houses with 95 % bootstrap
intervals over houses; with the shipped locator, which is told the class of the target, and with
the delay between the ears alone, which knows no class. The truth is the straight line to the
target, and beside it the direction that its strongest sound arrives from.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import NamedTuple

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.intervals import Interval, mean_interval
from av_envs.agents.localization.directions import angles_of, seen_from
from av_envs.agents.localization.takes import strongest_arrival
from av_envs.agents.separation.learned_doa import HEAR, NEEDS, LearnedDoA
from av_envs.agents.separation.networks.belief import AROUND
from av_envs.conventions import N_HEADINGS
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.scene import occluded
from av_envs.separation.actions import Action
from av_envs.separation.config import SPLITS, STARTS
from av_envs.separation.state import EpisodeState

EDGE = 1e-6  # radians: who stands between two quarters is in both


class Heard(NamedTuple):
    """S seconds.

    house     (S,) int
    second    (S,) int, how many were heard before
    sight     (S,) bool, whether the target is in the line of sight
    straight  (S,) bool, whether it is in the likeliest quarter
    arrival   (S,) bool, whether its strongest sound arrives from there
    """

    house: np.ndarray
    second: np.ndarray
    sight: np.ndarray
    straight: np.ndarray
    arrival: np.ndarray


def listen(env: gym.Env, agents: dict[str, LearnedDoA], per_house: int) -> dict[str, Heard]:
    """What each agent would say in every second of so many episodes of each house."""
    rows: dict[str, list[tuple]] = {name: [] for name in agents}
    core = env.unwrapped
    for house in range(core.config.houses):
        for episode in range(per_house):
            seed = house * per_house + episode
            observation, _ = env.reset(seed=seed, options={"house": house})
            for agent in agents.values():
                agent.reset(seed=seed)
            ended = False
            while not ended:
                sight, truths = directions_to_target(core.state)
                for name, agent in agents.items():
                    agent.hear(observation)
                    said = int(quarters(agent.belief).argmax())
                    right = (in_quarter(azimuth, said) for azimuth in truths)
                    rows[name].append((house, core.state.t, sight, *right))
                observation, _, terminated, truncated, _ = env.step(int(Action.LEFT))
                ended = terminated or truncated
    return {name: Heard(*map(np.array, zip(*of, strict=True))) for name, of in rows.items()}


def directions_to_target(state: EpisodeState) -> tuple[bool, tuple[float, float]]:
    """Whether the target is in sight, and azimuths in radians: straight to it, and of arrival."""
    node, heading = state.pose
    scene = state.dwelling.scene
    here, there = scene.graph.heads[node], scene.graph.heads[state.target.node]
    arrival = strongest_arrival(state.dwelling.acoustics.bank.row(state.target.node)[node])
    world = np.stack([there - here, arrival]).astype(float)
    straight, arriving = angles_of(seen_from(np.array(heading), world))[0]
    hidden = occluded(scene.bvh, here[None], there[None])[0]
    return not hidden, (float(straight), float(arriving))


def quarters(belief: np.ndarray) -> np.ndarray:
    """(4,) probabilities ahead, left, behind and right, of a map (17, 17) ahead by left.

    A cell between two quarters counts half in each; the one in the middle not at all.
    """
    along = np.arange(-AROUND, AROUND + 1)
    ahead, left = np.meshgrid(along, along, indexing="ij")
    azimuth = np.arctan2(left, ahead)
    member = np.stack([in_quarter(azimuth, quarter) for quarter in range(N_HEADINGS)])
    member = member & ((ahead != 0) | (left != 0))
    share = member / np.maximum(member.sum(axis=0), 1)
    return (share * belief).sum(axis=(1, 2))


def in_quarter(azimuth: np.ndarray | float, quarter: int) -> np.ndarray:
    """Whether azimuths in radians are at most 45 degrees from that many left turns; bool."""
    turn = 2 * np.pi / N_HEADINGS
    apart = (azimuth - quarter * turn + np.pi) % (2 * np.pi) - np.pi
    return np.abs(apart) <= turn / 2 + EDGE


def by_house(right: np.ndarray, house: np.ndarray) -> Interval:
    """Mean over houses of the share that is right, and its interval over houses; NaN of nothing."""
    if len(right) == 0:
        return (np.nan,) * 3
    return mean_interval(np.array([right[house == one].mean() for one in np.unique(house)]))


def shares(heard: Heard, after: int) -> dict[str, Interval]:
    """Shares that are right of the seconds from `after` on."""
    late = heard.second >= after
    seen, hidden = late & heard.sight, late & ~heard.sight
    return {
        "all": by_house(heard.straight[late], heard.house[late]),
        "in sight": by_house(heard.straight[seen], heard.house[seen]),
        "not in sight": by_house(heard.straight[hidden], heard.house[hidden]),
        "all, of arrival": by_house(heard.arrival[late], heard.house[late]),
    }


def table(rows: dict[str, dict[str, Interval]]) -> str:
    """Markdown, in percent."""
    names = list(next(iter(rows.values())))
    lines = [f"| heard by | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for name, found in rows.items():
        lines.append(f"| {name} | {' | '.join(map(percent, found.values()))} |")
    return "\n".join(lines)


def percent(interval: Interval) -> str:
    """Mean and interval."""
    mean, low, high = (100 * value for value in interval)
    return f"{mean:.0f} [{low:.0f}, {high:.0f}]"


def by_second(heard: dict[str, Heard], seconds: Iterable[int]) -> str:
    """Markdown: a column for each number of seconds that were heard."""
    seconds = list(seconds)
    lines = [
        f"| seconds heard | {' | '.join(map(str, seconds))} |",
        "|---" * (1 + len(seconds)) + "|",
    ]
    for name, of in heard.items():
        then = [of.second == second - 1 for second in seconds]
        cells = [percent(by_house(of.straight[part], of.house[part])) for part in then]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.localization.facing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--locator", type=path_argument, help="file; default: the shipped one")
    parser.add_argument("--split", default="val", choices=SPLITS)
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split")
    parser.add_argument("--episodes", type=positive_int, default=10, help="in each house")
    parser.add_argument("--start", default="between", choices=STARTS)
    parser.add_argument("--num-sources", type=positive_int, default=2)
    parser.add_argument("--seconds", type=positive_int, default=20, help="of an episode")
    parser.add_argument("--after", type=positive_int, default=5, help="seconds that do not count")
    parser.add_argument("--json", type=path_argument, help="write the figures into this file, too")
    given = parser.parse_args(argv)
    try:
        if given.after >= given.seconds:
            raise ValueError(f"--after must be below --seconds {given.seconds}, got {given.after}")
        env = gym.make(
            "AVDynamicSep-v0",
            split=given.split,
            houses=given.houses,
            start=given.start,
            num_sources=given.num_sources,
            steps=given.seconds,
            observations=NEEDS,
        )
        spaces = (env.observation_space, env.action_space)
        locator = None if given.locator is None else str(given.locator)
        agents = {e: LearnedDoA(*spaces, seed=0, ears=e, locator=locator) for e in HEAR}
        heard = listen(env, agents, given.episodes)
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    found = {name: shares(of, given.after) for name, of in heard.items()}
    print(table(found), by_second(heard, (1, 2, 3, 5, given.seconds)), sep="\n\n")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
