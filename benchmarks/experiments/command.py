"""The experiments of the separation paper: `python -m av_envs.benchmarks.experiments --out DIR`.

Every agent plays the same episodes under the conditions of an experiment. For each experiment
there is then a table, DIR/NAME.md, and a plot, DIR/NAME.png, of means over episodes with 95 %
bootstrap intervals, beside one result file per experiment and agent. What is in DIR is not
played again, and an interrupted run goes on with the episode where it stopped.

Agents are named as in av_envs.agents.separation and av_envs.baselines.separation, or by
module:Factory; LABEL=NAME gives one another name, so that several checkpoints of one can play:

    --agents StandInPlace E4=Active E14=Active
    --agent-kwargs '{"E4": {"checkpoint": "a.safetensors"}, "E14": {"checkpoint": "b.safetensors"}}'

Differences in the tables are paired, to the agent that is named first.
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from av_envs.benchmarks.command_line import UserError, run_command
from av_envs.benchmarks.experiments.agents import SEPARATOR, agents_of
from av_envs.benchmarks.experiments.plot import check_can_draw, save_plot
from av_envs.benchmarks.experiments.rows import EXPERIMENTS, suite_of, tables_of
from av_envs.benchmarks.experiments.scores import Results, markdown, means
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.files import read_result, write_text
from av_envs.benchmarks.run import describe, run_suite
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.separation.config import SPLITS

EVERY = "all"


def write_report(name: str, results: Results, arguments: argparse.Namespace, command: str) -> Path:
    """Write the table and the plot of an experiment; returns the file of the table."""
    experiment, tables = EXPERIMENTS[name], tables_of(name)
    n_episodes = arguments.episodes
    houses = min(arguments.houses, n_episodes)  # the first ones, if there are fewer episodes
    played = (
        f"Columns: {experiment.axis}. {n_episodes} episodes in {houses} houses of the split "
        f"{arguments.split} in each; means over episodes with 95 % bootstrap intervals."
    )
    path = arguments.out / f"{name}.md"
    blocks = [
        f"## {experiment.title}",
        played,
        f"![{experiment.title}]({name}.png)",
        markdown(name, results, n_episodes),
        f"```\n{command}\n```",
    ]
    write_text(path, "\n\n".join(blocks) + "\n")
    first, *rest = tables
    rows = {agent: means(result, first) for agent, result in results.items()}
    refined = None
    if not experiment.look_backs:  # then the columns are of hindsight themselves
        refined = {agent: means(result, rest[0]) for agent, result in results.items()}
    title = f"{experiment.title}: {first.words}; {n_episodes} episodes"
    save_plot(path.with_suffix(".png"), title, experiment.axis, rows, refined)
    return path


def _job(name: str, agent: AgentSpec, arguments: argparse.Namespace) -> Job:
    suite = suite_of(name, arguments.split, arguments.episodes, arguments.houses)
    return Job(suite, agent, arguments.seed, isolated=not arguments.no_isolation)


def _experiments(arguments: argparse.Namespace) -> None:
    chosen = list(EXPERIMENTS) if EVERY in arguments.experiment else arguments.experiment
    agents = agents_of(arguments.agents, arguments.agent_kwargs, arguments.separator)
    check_can_draw()
    for agent in agents.values():  # before hours of others have played
        try:
            describe(_job(chosen[0], agent, arguments))
        except ValueError as error:  # of the environment's options
            raise UserError(str(error)) from error
    for name in dict.fromkeys(chosen):
        command, results = _command(name, arguments), {}
        for label, agent in agents.items():
            job = _job(name, agent, arguments)
            path = run_suite(job, arguments.out, workers=arguments.workers, command=command)
            results[label] = read_result(path)
        print(write_report(name, results, arguments, command))


def _command(name: str, arguments: argparse.Namespace) -> str:
    """The command that makes the report of one experiment again."""
    words: list[Any] = ["--out", "DIR", "--experiment", name, "--agents", *arguments.agents]
    parser = build_parser()
    for option in ("agent_kwargs", "separator", "episodes", "houses", "split", "seed"):
        value = getattr(arguments, option)
        if value != parser.get_default(option):
            words += [f"--{option.replace('_', '-')}", value]
    return shlex.join(["python", "-m", "av_envs.benchmarks.experiments", *map(str, words)])


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=path_argument, required=True, help="directory")
    parser.add_argument(
        "--experiment", nargs="+", choices=[*EXPERIMENTS, EVERY], default=[EVERY], help="which"
    )
    parser.add_argument("--agents", nargs="+", required=True, help="names, see above")
    parser.add_argument(
        "--agent-kwargs", default="{}", help="JSON object: arguments of agents, by name"
    )
    parser.add_argument(
        "--separator",
        default=SEPARATOR,
        help="estimator of the agents that do not learn, module:Factory or louder_ear; default: "
        "the separator that ships",
    )
    parser.add_argument("--episodes", type=positive_int, default=200, help="of each column")
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split")
    parser.add_argument("--split", choices=SPLITS, default="val", help="default: val")
    parser.add_argument("--seed", type=non_negative_int, default=0, help="of the agents")
    parser.add_argument("--workers", type=positive_int, default=1, help="processes, default 1")
    parser.add_argument(
        "--no-isolation", action="store_true", help="let agents play in this process, to debug"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_experiments, build_parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
