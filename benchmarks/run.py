"""Let an agent play a suite: `python -m benchmarks.run --suite S --agent module:Factory --out DIR`.

One result file per seed; a file that exists is kept, so an interrupted run goes on
where it stopped. Fewer episodes than the suite has, or an episode in which the agent
failed, make the result incomplete: it is shown by the report but not ranked.
"""

import argparse
import hashlib
import shlex
import statistics
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tqdm import tqdm

import av_envs
from benchmarks.agents import AgentSpec, build_agent, describe_agent, source_hash
from benchmarks.command_line import UserError, non_negative_int, positive_int, run_command
from benchmarks.episodes import Job, Played, make_env, play
from benchmarks.machine import git_state, hardware, packages
from benchmarks.results import SCHEMA, read_result, summarise, write_result
from benchmarks.suites import SUITES, Suite

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
    """Play one seed unless its result exists; returns the result file."""
    job = Job(suite, agent, seed, min(n_episodes or len(suite.seeds), len(suite.seeds)))
    path = directory / file_name(job)
    if path.exists():
        _check_kept(path, job)
        return path
    blocks = _describe(job)
    start = time.perf_counter()
    played = _play_with_progress(job, workers)
    wall = time.perf_counter() - start
    episodes = [p.record for p in played]
    timing = {
        "wall_s": wall,
        "env_steps": sum(e["length"] for e in episodes),
        "act_ms_p50": statistics.median([ms for p in played for ms in p.act_ms] or [0.0]),
        "workers": workers,
    }
    result = {
        **blocks,
        "complete": is_complete(suite, episodes),
        "episodes": episodes,
        "summary": summarise(episodes),
        "timing": timing,
        "command": command,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    write_result(path, result)
    return path


def file_name(job: Job) -> str:
    """One name per run; a shortened run never stands in for the whole one."""
    short = "" if job.n_episodes == len(job.suite.seeds) else f"--first-{job.n_episodes}"
    return f"{job.suite.name}--{job.agent.label}--seed-{job.seed}{short}.json"


def is_complete(suite: Suite, episodes: list[dict[str, Any]]) -> bool:
    """Every episode of the suite was played and the agent failed in none."""
    played = tuple(e["episode"] for e in episodes)
    return played == suite.seeds and all(e["error"] is None for e in episodes)


def _check_kept(path: Path, job: Job) -> None:
    """An existing file must be a result of the same suite and the same agent."""
    kept = read_result(path)
    wanted = (job.suite.hash, job.agent.path, job.agent.kwargs, source_hash(job.agent.path))
    agent = kept["agent"]
    if (kept["suite"]["hash"], agent["path"], agent["kwargs"], agent["hash"]) != wanted:
        raise UserError(
            f"{path} was made with another suite definition or other agent code; "
            "choose another --out or delete it"
        )


def _describe(job: Job) -> dict[str, Any]:
    """The blocks of the result that are known before playing."""
    env = make_env(job.suite)
    try:
        agent = build_agent(job.agent, env.observation_space, env.action_space, job.seed)
        spec = env.spec.to_json()
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
            "spec": spec,
            "hash": hashlib.sha256(spec.encode()).hexdigest(),
            "package_version": av_envs.__version__,
            "asset_hash": asset_hash(),
            "backend": suite.env_kwargs.get("backend", "traced"),
        },
        "agent": describe_agent(job.agent, agent),
        "seed": job.seed,
        "hardware": hardware(),
        "packages": packages(),
        "git": git_state(),
    }


def asset_hash() -> str:
    """sha256 over names and bytes of the data files shipped with the environments."""
    digest = hashlib.sha256()
    for path in sorted(DATA.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(DATA).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _play_with_progress(job: Job, workers: int) -> list[Played]:
    title = f"{job.agent.label}, seed {job.seed}"
    played = []
    with tqdm(total=job.n_episodes, desc=title, unit="episode", file=sys.stderr) as bar:
        for one in play(job, workers):
            played.append(one)
            bar.update()
            if one.record["error"]:
                bar.write(
                    f"episode {one.record['episode']} failed: {one.record['error']}",
                    file=sys.stderr,
                )
    return played


def _run(arguments: argparse.Namespace) -> None:
    if arguments.suite not in SUITES:
        raise UserError(f"unknown suite {arguments.suite!r}; there is {', '.join(sorted(SUITES))}")
    suite = SUITES[arguments.suite]
    agent = AgentSpec.parse(arguments.agent, arguments.agent_kwargs)
    for seed in arguments.seeds:
        path = run_suite(
            suite,
            agent,
            seed,
            arguments.out,
            n_episodes=arguments.episodes,
            workers=arguments.workers,
            command=arguments.command,
        )
        print(path)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument("--suite", required=True, help=" | ".join(sorted(SUITES)))
    parser.add_argument("--agent", required=True, help="module:Factory")
    parser.add_argument("--agent-kwargs", default="{}", help="JSON object for the factory")
    parser.add_argument("--episodes", type=positive_int, help="only the first N; not ranked")
    parser.add_argument("--seeds", type=non_negative_int, nargs="+", default=[0], help="default: 0")
    parser.add_argument("--out", type=Path, required=True, help="directory of the result files")
    parser.add_argument("--workers", type=positive_int, default=1, help="processes, default 1")
    return parser


def main(argv: list[str] | None = None) -> int:
    parser = build_parser()
    words = sys.argv[1:] if argv is None else argv
    parser.set_defaults(command=shlex.join(["python", "-m", "benchmarks.run", *words]))
    return run_command(_run, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
