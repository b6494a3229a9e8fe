"""Check a result file by playing some of it again: `python -m av_envs.benchmarks.verify FILE`.

Exit status 0: the file is whole and the episodes played again came out the same. 1: it was
edited, contradicts itself, or came out differently. 2: it cannot be checked here, for
example because the suite or the agent's code is another one.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from av_envs.benchmarks.agents import AgentSpec
from av_envs.benchmarks.command_line import UserError, positive_int, run_command
from av_envs.benchmarks.episodes import Job, play
from av_envs.benchmarks.machine import git_state
from av_envs.benchmarks.results import EditedFileError, canonical, read_result, rounded, summarise
from av_envs.benchmarks.run import asset_hash, is_complete
from av_envs.benchmarks.source_code import source_hash
from av_envs.benchmarks.suites import Suite, suite_named

N_EPISODES = 5
REFUTED = 1
TOLERANCE = 1e-3  # of every metric; other processors round differently, and far less than this
SERIES_TOLERANCE = 2e-2  # the series has two digits
EXACT = ("group", "episode", "scene", "length", "walk", "error")


class RefutedError(Exception):
    """What the file claims is not so."""


def verify(path: Path, n_episodes: int, rng: np.random.Generator) -> list[str]:
    """Check everything; returns what was found in order, raises `RefutedError` otherwise."""
    try:
        result = read_result(path)
    except EditedFileError as edited:
        raise RefutedError(str(edited)) from None
    suite = _suite_of(result)
    check_consistency(result, suite)
    agent = _agent_of(result)
    played = sorted(rng.choice(len(result["episodes"]), _at_most(n_episodes, result), False))
    compare(result, suite, agent, [int(place) for place in played])
    episodes = ", ".join(_title(result["episodes"][place]) for place in played)
    return [
        f"{path} is as it was written: {agent.path} on {suite.name}, seed {result['seed']}",
        f"{len(result['episodes'])} episodes, summary and completeness fit together",
        f"played again with the same outcome: {episodes}",
    ]


def check_consistency(result: dict[str, Any], suite: Suite) -> None:
    """What can be told without playing."""
    wanted = {(episode.group.name, episode.seed) for episode in suite.episodes}
    seen = set()
    for record in result["episodes"]:
        place = record["group"], record["episode"]
        if place not in wanted:
            raise RefutedError(f"{suite.name} has no {_title(record)}")
        if place in seen:
            raise RefutedError(f"{_title(record)} is there twice")
        seen.add(place)
        if set(record["metrics"]) != set(suite.metric_names):
            raise RefutedError(f"{_title(record)} reports other metrics than {suite.name}")
    if not seen:
        raise RefutedError("there are no episodes")
    if rounded(summarise(result["episodes"])) != result["summary"]:
        raise RefutedError("the summary is not the mean of the episodes")
    if result["complete"] != is_complete(suite, result["episodes"]):
        raise RefutedError(f"'complete' says {result['complete']}, the episodes say otherwise")


def compare(result: dict[str, Any], suite: Suite, agent: AgentSpec, places: list[int]) -> None:
    """Play the episodes at these places of the file again."""
    numbers = {(e.group.name, e.seed): index for index, e in enumerate(suite.episodes)}
    records = [result["episodes"][place] for place in places]
    claimed = {numbers[record["group"], record["episode"]]: record for record in records}
    job = Job(suite, agent, result["seed"], n_episodes=len(suite.episodes))
    others = set(range(len(suite.episodes))) - set(claimed)
    played = play(job, done=others)
    for one in tqdm(played, "playing again", total=len(claimed), file=sys.stderr):
        difference = difference_of(claimed[one.index], rounded(one.record))
        if difference:
            what = f"{agent.path}, {_title(one.record)}"
            raise RefutedError(f"{what} came out differently: {difference}{_hint(result)}")


def difference_of(claimed: dict[str, Any], played: dict[str, Any]) -> str:
    """Empty for two records of the same episode, otherwise the first thing that differs."""
    for key in EXACT:
        if canonical(claimed[key]) != canonical(played[key]):
            return f"the {key} is another"
    for name, value in played["metrics"].items():
        if not _alike(claimed["metrics"][name], value, TOLERANCE):
            return f"{name} is {value}, the file says {claimed['metrics'][name]}"
    pairs = list(zip(claimed["series"], played["series"], strict=False))
    alike = all(_alike(one, other, SERIES_TOLERANCE) for one, other in pairs)
    if not alike or len(claimed["series"]) != len(played["series"]):
        return "the series is another"
    return ""


def _alike(claimed: Any, played: float | None, tolerance: float) -> bool:
    if claimed is None or played is None:
        return claimed is played
    return isinstance(claimed, int | float) and abs(claimed - played) <= tolerance


def _suite_of(result: dict[str, Any]) -> Suite:
    suite = suite_named(result["suite"]["name"])
    if suite.hash != result["suite"]["hash"]:
        raise UserError(f"the file belongs to another definition of {suite.name}")
    return suite


def _agent_of(result: dict[str, Any]) -> AgentSpec:
    agent = AgentSpec.parse(result["agent"]["path"], canonical(result["agent"]["kwargs"]))
    if source_hash(agent.path, agent.kwargs) != result["agent"]["hash"]:
        raise UserError(
            f"the code of {agent.path} is not the one the file was made with"
            f"{_commit(result)}; check that out to verify it"
        )
    return agent


def _hint(result: dict[str, Any]) -> str:
    """Whether something but the file may be to blame."""
    if result["env"]["asset_hash"] != asset_hash():
        return f"; the data files of the environments have changed since{_commit(result)}"
    if result["git"].get("commit") != git_state()["commit"]:
        return f"; the file was made with other code{_commit(result)}"
    return ""


def _commit(result: dict[str, Any]) -> str:
    commit = result["git"].get("commit")
    return f" (commit {commit[:12]})" if commit else ""


def _at_most(n_episodes: int, result: dict[str, Any]) -> int:
    return min(n_episodes, len(result["episodes"]))


def _title(record: dict[str, Any]) -> str:
    return f"episode {record['episode']} ({record['group']})"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="a result of av_envs.benchmarks.run")
    parser.add_argument(
        "--episodes",
        type=positive_int,
        default=N_EPISODES,
        help=f"how many are drawn and played again, default {N_EPISODES}",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    parser = build_parser()
    status = 0

    def check(arguments: argparse.Namespace) -> None:
        nonlocal status
        # nobody can know in advance which episodes are drawn
        rng = np.random.default_rng()
        try:
            print("\n".join(verify(arguments.file, arguments.episodes, rng)))
        except RefutedError as reason:
            status = REFUTED
            print(f"{parser.prog}: {reason}", file=sys.stderr)

    return run_command(check, parser, argv) or status


if __name__ == "__main__":
    sys.exit(main())
