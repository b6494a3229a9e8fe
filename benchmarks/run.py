"""Agents play suites: `python -m av_envs.benchmarks.run --suite S --agent A:Factory --out DIR`.

One result file per suite, agent and seed. A file that exists is kept, and an interrupted
run goes on with the episode where it stopped. Fewer episodes than the suite has, or an
episode in which the agent failed, make the result incomplete: it is shown by the report
but not ranked.
"""

import argparse
import hashlib
import json
import shlex
import statistics
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import gymnasium as gym
from tqdm import tqdm

import av_envs
from av_envs.benchmarks.agents import AgentSpec, build_agent, describe_agent
from av_envs.benchmarks.command_line import UserError, non_negative_int, positive_int, run_command
from av_envs.benchmarks.episodes import Job, Played, make_env, play
from av_envs.benchmarks.journal import Journal
from av_envs.benchmarks.machine import git_state, hardware, packages
from av_envs.benchmarks.predictors import predictor_of
from av_envs.benchmarks.results import SCHEMA, canonical, read_result, summarise, write_result
from av_envs.benchmarks.source_code import source_hash
from av_envs.benchmarks.suites import SUITES, Suite, suite_named

DATA = Path(av_envs.__file__).parent / "data"


def run_suite(
    suite: Suite,
    agent: AgentSpec,
    seed: int,
    directory: Path,
    *,
    n_episodes: int | None = None,
    workers: int = 1,
    command: str = "",
) -> Path:
    """Play one seed unless its result exists; returns the result file.

    n_episodes  of every group of the suite; all by default
    """
    most = max(len(group.seeds) for group in suite.groups)
    job = Job(suite, agent, seed, min(n_episodes or most, most))
    path = directory / file_name(job)
    if path.exists():
        _check_kept(path, job)
        return path
    blocks = describe(job)
    journal = Journal(path.with_name(f"{path.name}.partial"), _identity(blocks))
    try:
        _play_with_progress(job, workers, journal)
    finally:
        journal.close()
    played = [journal.played[index] for index in job.indices]
    episodes = [one.record for one in played]
    result = {
        **blocks,
        "complete": is_complete(suite, episodes),
        "episodes": episodes,
        "summary": summarise(episodes),
        "timing": _timing(played, workers),
        "command": command,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    write_result(path, result)
    journal.remove()
    return path


def _timing(played: list[Played], workers: int) -> dict[str, Any]:
    """play_s adds up the seconds of all episodes, those played side by side too."""
    return {
        "play_s": sum(one.seconds for one in played),
        "env_steps": sum(one.record["length"] for one in played),
        "act_ms_p50": statistics.median([ms for one in played for ms in one.act_ms] or [0.0]),
        "workers": workers,
    }


def _identity(blocks: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for two halves of a run to make a whole."""
    return {key: blocks[key] for key in ("schema", "suite", "env", "agent", "seed", "git")}


def file_name(job: Job) -> str:
    """One name per run; a shortened run never stands in for the whole one."""
    is_whole = len(job.indices) == len(job.suite.episodes)
    short = "" if is_whole else f"--first-{job.n_episodes}"
    return f"{job.suite.name}--{job.agent.label}--seed-{job.seed}{short}.json"


def is_complete(suite: Suite, episodes: list[dict[str, Any]]) -> bool:
    """Every episode of the suite was played and the agent failed in none."""
    played = [(e["group"], e["episode"]) for e in episodes]
    wanted = [(episode.group.name, episode.seed) for episode in suite.episodes]
    return played == wanted and all(e["error"] is None for e in episodes)


def _check_kept(path: Path, job: Job) -> None:
    """An existing file must be a result of the same suite and the same agent."""
    kept = read_result(path)
    code = source_hash(job.agent.path, job.agent.kwargs)
    wanted = (job.suite.hash, job.agent.path, job.agent.kwargs, code)
    agent = kept["agent"]
    if (kept["suite"]["hash"], agent["path"], agent["kwargs"], agent["hash"]) != wanted:
        raise UserError(
            f"{path} was made with another suite definition or other agent code; "
            "choose another --out or delete it"
        )


def describe(job: Job) -> dict[str, Any]:
    """The blocks of the result that are known before playing."""
    specs = {}
    for group in job.suite.groups:
        env = make_env(job.suite, group)
        try:
            agent = build_agent(job.agent, env.observation_space, env.action_space, job.seed)
            predictor = predictor_of(env, job.agent, agent)
            specs[group.name] = _spec_of(env, job.suite)
        finally:
            env.close()
    suite = job.suite
    return {
        "schema": SCHEMA,
        "suite": {
            "name": suite.name,
            "version": suite.version,
            "split": suite.split,
            "hash": suite.hash,
        },
        "env": {
            "id": suite.env_id,
            "specs": specs,
            "hash": hashlib.sha256(canonical(specs).encode()).hexdigest(),
            "package_version": av_envs.__version__,
            "asset_hash": asset_hash(),
            "backend": suite.env_kwargs.get("backend", "traced"),
        },
        "agent": describe_agent(job.agent, agent, predictor.privileged if predictor else ()),
        "seed": job.seed,
        "hardware": hardware(),
        "packages": packages(),
        "git": git_state(),
    }


def _spec_of(env: gym.Env, suite: Suite) -> dict[str, Any]:
    """The environment's spec without the options that came after the suite."""
    spec = json.loads(env.spec.to_json())
    for name in suite.later_options:
        spec["kwargs"].pop(name, None)
    return spec


def asset_hash() -> str:
    """sha256 over names and bytes of the data files shipped with the environments."""
    digest = hashlib.sha256()
    for path in sorted(DATA.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(DATA).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _play_with_progress(job: Job, workers: int, journal: Journal) -> None:
    """Play what the journal lacks."""
    bar = tqdm(
        total=len(job.indices),
        initial=len(journal.played),
        desc=f"{job.suite.name}, {job.agent.label}, seed {job.seed}",
        unit="episode",
        file=sys.stderr,
    )
    with bar:
        for one in play(job, workers, journal.played):
            journal.add(one)
            bar.update()
            if one.record["error"]:
                bar.write(_complaint(one.record), file=sys.stderr)


def _complaint(record: dict[str, Any]) -> str:
    return f"episode {record['episode']} ({record['group']}) failed: {record['error']}"


def _run(arguments: argparse.Namespace) -> None:
    suites = [suite_named(name) for name in arguments.suite]
    agents = [AgentSpec.parse(path, arguments.agent_kwargs) for path in arguments.agent]
    for suite in suites:
        for agent in agents:
            for seed in arguments.seeds:
                path = run_suite(
                    suite,
                    agent,
                    seed,
                    arguments.out,
                    n_episodes=arguments.episodes,
                    workers=arguments.workers,
                    command=_command(arguments, suite.name, agent, seed),
                )
                print(path)


def _command(arguments: argparse.Namespace, suite: str, agent: AgentSpec, seed: int) -> str:
    """The command that makes this one file again."""
    words = ["--suite", suite, "--agent", agent.path, "--seeds", str(seed), "--out", "results"]
    if agent.kwargs_json != "{}":
        words += ["--agent-kwargs", agent.kwargs_json]
    if arguments.episodes:
        words += ["--episodes", str(arguments.episodes)]
    return shlex.join(["python", "-m", "av_envs.benchmarks.run", *words])


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.run", description=__doc__)
    parser.add_argument("--suite", required=True, nargs="+", help=" | ".join(sorted(SUITES)))
    parser.add_argument("--agent", required=True, nargs="+", help="module:Factory")
    parser.add_argument("--agent-kwargs", default="{}", help="JSON object for the factory")
    parser.add_argument("--episodes", type=positive_int, help="only the first N of every group")
    parser.add_argument("--seeds", type=non_negative_int, nargs="+", default=[0], help="default: 0")
    parser.add_argument("--out", type=Path, required=True, help="directory of the result files")
    parser.add_argument("--workers", type=positive_int, default=1, help="processes, default 1")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
