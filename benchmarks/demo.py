"""The whole path once: play, rank and film."""

import sys

from av_envs.benchmarks.options.demo import main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
import time
from pathlib import Path

from av_envs.benchmarks.board.film import film_episode
from av_envs.benchmarks.board.tables import plain_text
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job, make_env
from av_envs.benchmarks.report import NAME, write_report
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites.suite import Suite, suite_named

SUITE = "sep-demo-v2"
AGENTS = tuple(
    f"av_envs.baselines.separation:{name}" for name in ("Random", "StandInPlace", "Oracle")
)
STAR = AGENTS[-1]  # whose episode is filmed


def run_demo(suite: Suite, directory: Path) -> list[Path]:
    """Play, rank and film; returns the files worth opening."""
    _clear(directory, suite)
    _say(1, "opening the first house (the first run on a machine compiles for a minute)")
    first = suite.episodes[0]
    env = make_env(suite, first.group)
    env.reset(seed=first.seed, options=first.options)
    env.close()
    _say(2, f"{len(AGENTS)} agents, {len(suite.episodes)} episodes each, in houses never seen")
    results = {path: _play(suite, path, directory) for path in AGENTS}
    _say(3, "leaderboard")
    rows, reports = write_report(directory, n_audio=1)
    print(plain_text(rows))
    index = best_episode(results[STAR], suite)
    _say(4, f"film of the oracle's best episode, number {index}")
    film = film_episode(suite, AgentSpec(STAR), index, directory / "oracle.mp4")
    return [film, *(path for path in reports if path.suffix in (".html", ".md"))]


def _play(suite: Suite, agent: str, directory: Path) -> Path:
    command = f"python -m av_envs.benchmarks.run --suite {suite.name} --agent {agent} --out results"
    return run_suite(Job(suite, AgentSpec.parse(agent)), directory, command=command)


def best_episode(result: Path, suite: Suite) -> int:
    """Index of the episode with the best primary metric."""
    sign = 1 if suite.primary_metric.higher_is_better else -1
    scored = [
        (sign * e["metrics"][suite.primary], index)
        for index, e in enumerate(read_result(result)["episodes"])
        if e["metrics"][suite.primary] is not None
    ]
    return max(scored)[1]


def _clear(directory: Path, suite: Suite) -> None:
    """Remove what an earlier demo left, and nothing else."""
    for pattern in (f"{suite.name}--*.json*", f"{NAME}.*", "oracle.mp4"):
        for path in directory.glob(pattern):
            path.unlink()


def _say(step: int, text: str) -> None:
    print(f"\n[{step}/4] {text}", flush=True)


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    start = time.perf_counter()
    files = run_demo(suite_named(SUITE), arguments.out)
    print(f"\nDone in {time.perf_counter() - start:.0f} s. Look at")
    for path in files:
        print(f"  {path.resolve()}")
