"""Check a result file by playing some of it again."""

import sys

from av_envs.benchmarks.options.verify import N_EPISODES, main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec, describe_agent
from av_envs.benchmarks.play.episodes import Job, make_env, open_job_player, play
from av_envs.benchmarks.play.source_code import file_hash, source_hash
from av_envs.benchmarks.play.trajectories import without_bumps
from av_envs.benchmarks.play.trust import SAFE, files_with_code
from av_envs.benchmarks.results.consistency import RefutedError, check_consistency, title
from av_envs.benchmarks.results.differences import Comparison, compare_records
from av_envs.benchmarks.results.files import (
    SCHEMA,
    EditedFileError,
    canonical,
    read_result,
    rounded,
)
from av_envs.benchmarks.results.provenance import git_state, hardware, packages
from av_envs.benchmarks.run import env_block, spec_of
from av_envs.benchmarks.suites.secret_seeds import SecretSeeds, check_enough, read_secret_seeds
from av_envs.benchmarks.suites.suite import Suite, add_suite, suite_named
from av_envs.paths import user_path
from av_envs.progress import progress_bar

REFUTED = 1  # exit status
NUMERIC = ("numpy", "scipy", "numba", "llvmlite")  # packages that decide the last bits


class UndecidedError(Exception):
    """A claim of the file can neither be confirmed nor refuted here."""


@dataclass(frozen=True)
class Check:
    """What is verified, and how.

    n_episodes  drawn and played again; None for all
    trust       whether a checkpoint that may hold code is loaded
    secret      the seeds of a result with secret ones
    """

    n_episodes: int | None = N_EPISODES
    trust: bool = False
    secret: SecretSeeds | None = None


def verify(path: Path, check: Check, rng: np.random.Generator) -> list[str]:
    """What was found, in order. Raises `RefutedError`, `UndecidedError`, or `UserError` for what
    cannot be checked here.
    """
    try:
        result = read_result(path)
    except EditedFileError as edited:
        raise RefutedError(str(edited)) from None
    suite = _suite_of(result, check)
    check_consistency(result, suite)
    _check_env(result, suite)
    agent = _agent_of(result, check)
    job = Job(suite, agent, result["seed"], secret=check.secret)
    _check_agent(result, job)
    n_all = len(result["episodes"])
    n = n_all if check.n_episodes is None else min(check.n_episodes, n_all)
    places = sorted(int(place) for place in rng.choice(n_all, n, replace=False))
    _play_again(result, job, places)
    episodes = ", ".join(title(result["episodes"][place]) for place in places)
    return [
        f"{path} is as it was written: {agent.path} on {suite.name}, seed {result['seed']}",
        f"{n_all} episodes, summary and completeness fit together",
        f"environment and agent are those of the file ({result['agent']['hash']})",
        f"played again with the same outcome: {episodes}",
    ]


def _suite_of(result: dict[str, Any], check: Check) -> Suite:
    suite, claimed = suite_named(result["suite"]["name"]), result["suite"]
    if suite.hash != claimed["hash"]:
        raise UserError(f"the file belongs to another definition of {suite.name}")
    commitment = check.secret.commitment if check.secret else None
    if claimed["secret_seeds"] != commitment:
        seeds = claimed["secret_seeds"] or "those of the suite"
        raise UserError(f"the file was made with other seeds: {seeds}; see --secret-seeds")
    if check.secret is not None:
        check_enough(check.secret, suite)
    return suite


def _check_env(result: dict[str, Any], suite: Suite) -> None:
    """The environment of the file is the one that this checkout makes."""
    specs = {}
    for group in suite.groups:
        env = make_env(suite, group)
        specs[group.name] = spec_of(env, suite, group)
        env.close()
    here, claimed = rounded(env_block(suite, specs)), result["env"]
    for key in ("engine_version", "package_version", "asset_hash"):
        if claimed[key] != here[key]:
            raise UserError(
                f"the file was made with {key} {claimed[key]}, here it is {here[key]}"
                f"{_commit(result)}"
            )
    for key, value in here.items():
        if canonical(claimed[key]) != canonical(value):
            raise RefutedError(f"env.{key} is not what {suite.name} is played with")


def _agent_of(result: dict[str, Any], check: Check) -> AgentSpec:
    """The agent, known by its hashes; nothing of it has been imported or loaded."""
    claimed = result["agent"]
    agent = AgentSpec.parse(claimed["path"], canonical(claimed["kwargs"]))
    if source_hash(agent.path, agent.kwargs) != claimed["hash"]:
        raise UserError(
            f"the code of {agent.path} is not the one the file was made with"
            f"{_commit(result)}; check that out to verify it"
        )
    checkpoint = agent.kwargs.get("checkpoint")
    hashed = file_hash(user_path(checkpoint, "checkpoint")) if checkpoint else None
    if hashed != claimed["checkpoint_sha256"]:
        raise UserError(f"{checkpoint} is not the checkpoint that the file was made with")
    for name, value in files_with_code(agent).items():
        if not check.trust:
            raise UserError(
                f"{name} {value} may hold code that runs when it is loaded; "
                f"only {SAFE} is loaded without --trust"
            )
    return agent


def _check_agent(result: dict[str, Any], job: Job) -> None:
    """What the agent declares when it is built is what the file says."""
    env = make_env(job.suite, job.suite.groups[0])
    try:
        declared = open_job_player(job, env).declared
    finally:
        env.close()
    here = rounded(describe_agent(job.agent, declared.card, declared.all_privileged))
    for key, value in here.items():
        if canonical(result["agent"][key]) != canonical(value):
            claimed = result["agent"][key]
            raise RefutedError(f"agent.{key} says {claimed!r}, the agent itself {value!r}")


def _play_again(result: dict[str, Any], job: Job, places: list[int]) -> None:
    """Play the episodes at these places of the file again, and compare."""
    numbers = {(e.group.name, e.seed): index for index, e in enumerate(job.suite.episodes)}
    records = [result["episodes"][place] for place in places]
    claimed = {numbers[record["group"], record["episode"]]: record for record in records}
    others = set(range(len(job.suite.episodes))) - set(claimed)
    elsewhere = _rounds_differently(result)
    doubts = []
    played = play(job, done=others)
    for one in progress_bar(played, "playing again", total=len(claimed)):
        record = one.record
        if result["schema"] != SCHEMA and record["replay"] is not None:
            record = {**record, "replay": without_bumps(record["replay"])}
        comparison, words = compare_records(
            claimed[one.index], rounded(record), job.suite, other_rounding=bool(elsewhere)
        )
        what = f"{title(one.record)}: {words}"
        if comparison is Comparison.DIFFERENT:
            raise RefutedError(
                f"{job.agent.path}, {title(one.record)} came out differently: {words}"
                f"{_hint(result)}"
            )
        if comparison is Comparison.DOUBTFUL:
            doubts.append(what)
    if doubts:
        raise UndecidedError(
            f"{len(doubts)} of {len(claimed)} episodes came out the same but for rounding, or for "
            f"a way that rounding may have changed ({doubts[0]}); the file was made with "
            f"{elsewhere}, verify it on such a machine to be sure"
        )


def _rounds_differently(result: dict[str, Any]) -> str:
    """What of the file's machine may round otherwise than this one; empty if nothing may."""
    there, here = result["packages"], packages()
    differing = [name for name in NUMERIC if there.get(name) != here.get(name)]
    words = [f"{name} {there.get(name)}" for name in differing]
    if result["hardware"]["features"] != hardware()["features"]:
        words.insert(0, f"another processor ({result['hardware']['cpu']})")
    return ", ".join(words)


def _hint(result: dict[str, Any]) -> str:
    """Whether something but the file may be to blame."""
    if result["git"].get("commit") != git_state()["commit"]:
        return f"; the file was made with other code{_commit(result)}"
    return ""


def _commit(result: dict[str, Any]) -> str:
    commit = result["git"].get("commit")
    return f" (commit {commit[:12]})" if commit else ""


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    if arguments.suite:
        add_suite(arguments.suite)
    secret = read_secret_seeds(arguments.secret_seeds) if arguments.secret_seeds else None
    n_episodes = None if arguments.all else arguments.episodes
    rng = np.random.default_rng()  # unseeded: the drawn episodes cannot be foreseen
    try:
        found = verify(arguments.file, Check(n_episodes, arguments.trust, secret), rng)
    except RefutedError as reason:
        raise UserError(str(reason), REFUTED) from None
    except UndecidedError as reason:
        raise UserError(str(reason)) from None
    print("\n".join(found))
