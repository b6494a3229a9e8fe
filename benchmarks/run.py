"""Agents play suites: one result file per suite, agent and seed."""

import sys

from av_envs.benchmarks.options.run import main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
import json
import shlex
import statistics
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import gymnasium as gym

import av_envs
from av_envs.acoustics.bank import ENGINE_VERSION
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec, describe_agent
from av_envs.benchmarks.play.episodes import Job, Played, make_env, open_job_player, play
from av_envs.benchmarks.play.journal import Journal
from av_envs.benchmarks.play.player import Declared
from av_envs.benchmarks.results.consistency import hash_of, is_complete
from av_envs.benchmarks.results.files import SCHEMA, canonical, read_result, summarise, write_result
from av_envs.benchmarks.results.provenance import asset_hash, git_state, hardware, packages
from av_envs.benchmarks.suites.secret_seeds import check_enough, read_secret_seeds
from av_envs.benchmarks.suites.suite import Group, Suite, playable_suite
from av_envs.progress import progress_bar

WORDS = {
    "suite": "suite definition or other secret seeds",
    "env": "version of the environment",
    "agent": "agent, agent code, checkpoint or predictor",
    "seed": "seed",
    "isolated": "kind of isolation",
}
KEPT = tuple(WORDS)  # what makes a result the one that is wanted, and how it is called


def run_suite(job: Job, directory: Path, *, workers: int = 1, command: str = "") -> Path:
    """Play a job unless its result exists; returns the result file."""
    if job.secret is not None:
        check_enough(job.secret, job.suite)
    path = directory / file_name(job)
    blocks, declared = describe(job)
    if path.exists():
        _check_kept(path, blocks)
        return path
    job = replace(job, declared=declared)
    journal = Journal(path.with_name(f"{path.name}.partial"), _identity(blocks))
    try:
        _play_with_progress(job, workers, journal)
    finally:
        journal.close()
    played = [journal.played[index] for index in job.indices]
    episodes = [one.record for one in played]
    result = {
        **blocks,
        "complete": is_complete(job.suite, episodes),
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
    return {key: blocks[key] for key in (*KEPT, "schema", "git", "packages")}


def file_name(job: Job) -> str:
    """One name per run; a shortened run never stands in for the whole one."""
    is_whole = len(job.indices) == len(job.suite.episodes)
    short = "" if is_whole else f"--first-{job.n_episodes}"
    secret = f"--secret-{job.secret.commitment[:8]}" if job.secret else ""
    shared = "" if job.isolated else "--not-isolated"
    return f"{job.suite.name}--{job.agent.label}--seed-{job.seed}{short}{secret}{shared}.json"


def _check_kept(path: Path, blocks: dict[str, Any]) -> None:
    """An existing file must be of the same suite, environment, agent code and weights."""
    kept = read_result(path)
    for key in KEPT:
        if canonical(kept[key]) != canonical(blocks[key]):
            raise UserError(
                f"{path} was made with another {WORDS[key]}; choose another --out or delete it"
            )


def describe(job: Job) -> tuple[dict[str, Any], Declared]:
    """The blocks of the result that are known before playing, and what the agent declared."""
    specs, declared = {}, None
    for group in job.suite.groups:
        env = make_env(job.suite, group)
        try:
            player = open_job_player(replace(job, declared=declared), env)
            declared = player.declared
            specs[group.name] = spec_of(env, job.suite, group)
        finally:
            env.close()
    blocks = {
        "schema": SCHEMA,
        "suite": {
            "name": job.suite.name,
            "version": job.suite.version,
            "split": job.suite.split,
            "hash": job.suite.hash,
            "secret_seeds": job.secret.commitment if job.secret else None,
        },
        "env": env_block(job.suite, specs),
        "agent": describe_agent(job.agent, declared.card, declared.all_privileged),
        "isolated": job.isolated,
        "seed": job.seed,
        "hardware": hardware(),
        "packages": packages(),
        "git": git_state(),
    }
    return blocks, declared


def env_block(suite: Suite, specs: dict[str, Any]) -> dict[str, Any]:
    """The `env` block of a result file; specs by group."""
    return {
        "id": suite.env_id,
        "specs": specs,
        "hash": hash_of(specs),
        "package_version": av_envs.__version__,
        "engine_version": ENGINE_VERSION,
        "asset_hash": asset_hash(),
        "backend": suite.env_kwargs.get("backend", "traced"),
    }


def spec_of(env: gym.Env, suite: Suite, group: Group) -> dict[str, Any]:
    """The environment's spec without the options that came after the suite."""
    spec = json.loads(env.spec.to_json())
    for name in suite.later_options(group):
        spec["kwargs"].pop(name, None)
    return spec


def _play_with_progress(job: Job, workers: int, journal: Journal) -> None:
    """Play what the journal lacks."""
    bar = progress_bar(
        total=len(job.indices),
        initial=len(journal.played),
        desc=f"{job.suite.name}, {job.agent.label}, seed {job.seed}",
        unit="episode",
    )
    with bar:
        for one in play(job, workers, journal.played):
            journal.add(one)
            bar.update()
            if one.record["error"]:
                bar.write(_complaint(one), file=sys.stderr)


def _complaint(one: Played) -> str:
    record = one.record
    words = f"episode {record['episode']} ({record['group']}) failed: {record['error']}"
    return f"{words}\n{one.traceback}".rstrip()


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    suites = {given: playable_suite(given) for given in arguments.suite}
    agents = [AgentSpec.parse(path, arguments.agent_kwargs) for path in arguments.agent]
    secret = read_secret_seeds(arguments.secret_seeds) if arguments.secret_seeds else None
    for given, suite in suites.items():
        for agent in agents:
            for seed in arguments.seeds:
                job = Job(
                    suite,
                    agent,
                    seed,
                    arguments.episodes,
                    isolated=not arguments.no_isolation,
                    timeout=arguments.timeout,
                    secret=secret,
                )
                command = _command(arguments, given, agent, seed)
                path = run_suite(job, arguments.out, workers=arguments.workers, command=command)
                print(path)


def _command(arguments: argparse.Namespace, suite: str, agent: AgentSpec, seed: int) -> str:
    """The command that makes this one file again."""
    words = ["--suite", suite, "--agent", agent.path, "--seeds", str(seed), "--out", "results"]
    if agent.kwargs_json != "{}":
        words += ["--agent-kwargs", agent.kwargs_json]
    if arguments.episodes:
        words += ["--episodes", str(arguments.episodes)]
    if arguments.secret_seeds:
        words += ["--secret-seeds", "FILE"]
    if arguments.no_isolation:
        words.append("--no-isolation")
    return shlex.join(["python", "-m", "av_envs.benchmarks.run", *words])
