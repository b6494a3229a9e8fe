"""What each start of the separation task asks for: `python -m av_envs.benchmarks.starts`.

Two tables, of validation houses. Of every start: how loud the target is against the rest at the
better ear, and how much SI-SDR perfect separation would win where the agent begins. Of the
agents that do not learn, in the same episodes: what their moves are worth over standing still,
and how much more an agent that knows the target gains than one that walks to the nearest source.
Means over episodes, with 95 % bootstrap intervals of the paired differences.
"""

import argparse
import json
import sys
from typing import Any

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.benchmarks.command_line import run_command
from av_envs.benchmarks.play.agents import load_factory
from av_envs.options import positive_int
from av_envs.progress import progress_bar
from av_envs.separation.config import STARTS

AGENTS = ("Oracle", "DoA", "ProximityPrior", "GoToNearest", "GoToLoudest", "StandInPlace", "Random")
KNOWS, CONTROL = "DoA", "GoToNearest"  # compared in the last line
HOUSES = 20
DRAWS = 2000  # of the bootstrap
AGENT_SEED = 1_000_000  # added to the number of the episode, which is the seed of the environment


def make(start: str, **options: Any) -> gym.Env:
    """The task in validation houses with this start, hearing only."""
    return gym.make(
        "AVDynamicSep-v0",
        split="val",
        houses=HOUSES,
        start=start,
        observations=("pose", "mixture"),
        disable_env_checker=True,
        **options,
    )


def first_seconds(start: str, n_episodes: int) -> dict[str, float]:
    """What is heard at the start poses, dB; `to_win` is SI-SDR of ideal separation over none."""
    env = make(start, extra_scores=("si_sdr_ideal",))
    infos = [_reset(env, k)[1] for k in progress_bar(range(n_episodes), start)]
    ratio = np.array([info["target_to_rest_db"] for info in infos], float)
    to_win = np.array([info["si_sdr_ideal"] - info["si_sdr_mixture"] for info in infos], float)
    return {
        "target_to_rest_mean": float(ratio.mean()),
        "target_to_rest_median": float(np.median(ratio)),
        "to_win_mean": float(to_win.mean()),
        "to_win_median": float(np.median(to_win)),
    }


def gains(name: str, start: str, n_episodes: int) -> np.ndarray:
    """(n_episodes, 2) dB, `si_sdr_gain` of an agent: mean of the episode, and its last one."""
    env = make(start)
    factory = load_factory(f"av_envs.baselines.separation:{name}")
    agent = factory(env.observation_space, env.action_space, seed=0)
    rows = []
    for episode in progress_bar(range(n_episodes), name):
        observation, _ = _reset(env, episode)
        agent.reset(seed=AGENT_SEED + episode)
        heard, done = [], False
        while not done:
            keys = getattr(agent, "privileged", ())
            truth = [{key: env.unwrapped.privileged(key) for key in keys}] if keys else []
            observation, _, _, done, info = env.step(agent.act(observation, *truth))
            heard.append(info["si_sdr_gain"])
        rows.append([np.nanmean(heard), heard[-1]])
    return np.array(rows, float)


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of values (n,)."""
    draws = np.random.default_rng(seed).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def measure(n_episodes: int, start: str) -> dict[str, Any]:
    """All figures: of every start, and of the agents with one of them."""
    starts = {each: first_seconds(each, n_episodes) for each in STARTS}
    played = {name: gains(name, start, n_episodes) for name in AGENTS}
    agents = {
        name: {"gain_mean": both[:, 0].mean(), "gain_final": both[:, 1].mean()}
        for name, both in played.items()
    }
    difference = played[KNOWS] - played[CONTROL]
    return {
        "n_episodes": n_episodes,
        "starts": starts,
        "start_of_agents": start,
        "agents": {n: {k: float(v) for k, v in row.items()} for n, row in agents.items()},
        "difference": {
            key: {"mean": float(values.mean()), "interval": interval(values)}
            for key, values in zip(("gain_mean", "gain_final"), difference.T, strict=True)
        },
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{figures['n_episodes']} episodes in {HOUSES} validation houses, dB",
        "",
        "| start | target over rest, mean | median | ideal minus mixture, mean | median |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {start} | " + " | ".join(f"{value:.1f}" for value in row.values()) + " |"
        for start, row in figures["starts"].items()
    ]
    lines += [
        "",
        f"| start `{figures['start_of_agents']}` | SI-SDR gain, mean of 20 s | last second |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['gain_mean']:+.2f} | {row['gain_final']:+.2f} |"
        for name, row in figures["agents"].items()
    ]
    cells = [
        f"{one['mean']:+.2f} [{one['interval'][0]:.2f}, {one['interval'][1]:.2f}]"
        for one in figures["difference"].values()
    ]
    return "\n".join([*lines, f"| {KNOWS} minus {CONTROL} | {' | '.join(cells)} |"])


def _reset(env: gym.Env, episode: int) -> tuple[dict, dict]:
    """Begin an episode: as many in each house, the same for every agent."""
    return env.reset(seed=episode, options={"house": episode % HOUSES})


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m av_envs.benchmarks.starts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--episodes", type=positive_int, default=200, help="default 200")
    parser.add_argument("--start", choices=STARTS, default=STARTS[0], help="of the agents")
    parser.add_argument("--json", action="store_true", help="instead of Markdown")
    return run_command(_print_figures, parser, argv)


def _print_figures(arguments: argparse.Namespace) -> None:
    figures = measure(arguments.episodes, arguments.start)
    print(json.dumps(figures, indent=2) if arguments.json else table(figures))


if __name__ == "__main__":
    sys.exit(main())
