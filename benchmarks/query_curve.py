r"""Errors of predictors on held-out pairs, while teams measure more and more.

    python -m av_envs.benchmarks.query_curve --kind flat --split val --episodes 20 \\
        --predictors interpolating interpolating_depth

All predictors hear and see the same walks, those of each `--team`, which all begin alike and are
asked for the same pairs. Prints means over episodes, one in each dwelling, with 95 % bootstrap
intervals, and what each team with each predictor differs by from the first, paired over episodes.
"""

import argparse
import json
import sys
from collections import deque
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  # registers environments
from av_envs.benchmarks.command_line import UserError, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.plugins import load
from av_envs.progress import progress_bar
from av_envs.rir_measure.measurement import Measurement, measured_between
from av_envs.rir_measure.metrics.room_errors import room_errors
from av_envs.rir_measure.metrics.stft_distance import distance, spectra
from av_envs.rir_measure.observation import MEMORY
from av_envs.rir_measure.predictors import (
    JointObservation,
    RIRPredictor,
    context_for,
    hidden_truth,
    open_predictor,
)
from av_envs.rir_measure.queries import draw_queries
from av_envs.scene.procedural.floorplan import KINDS
from av_envs.scene.procedural.splits import SPLITS

ENVIRONMENTS = {"flat": "AVRIRMeasure-v0", "house": "AVRIRMeasureHouse-v0"}
TEAM = "av_envs.baselines.rir_measure:SpreadOut"
OBSERVED = ("depth", "azimuth", "position", "action_mask")
DRAWS = 10_000  # of the bootstrap
ERRORS = {  # what is printed of it, with its digits
    "stft": ("STFT distance", 3),
    "rte_ms": ("T60, ms", 0),
    "edt_ms": ("EDT, ms", 0),
    "drr_db": ("DRR, dB", 1),
    "c50_db": ("C50, dB", 1),
}

Errors = dict[str, float]


def play(
    env: gym.Env,
    house: int,
    predictors: dict[str, RIRPredictor],
    asked: list[int],
    n_queries: int,
    team_path: str = TEAM,
) -> dict[str, list[Errors]]:
    """Errors of each predictor after each number of steps in `asked`, in one dwelling."""
    unwrapped: Any = env.unwrapped
    observation, _ = env.reset(seed=house, options={"house": house})
    team = load(team_path, "team")(env.observation_space, env.action_space, seed=house)
    team.reset(seed=house)
    dwelling, config = unwrapped.team.episode.dwelling, unwrapped.config
    nodes = draw_queries(n_queries, dwelling.scene.graph, np.random.default_rng(house))
    queries = measured_between(dwelling.acoustics, dwelling.scene.graph, nodes)
    names = tuple(f"robot_{k}" for k in range(config.robots))
    for predictor in predictors.values():
        predictor.reset(context_for(predictor, names, config.grid, config.steps, hidden_truth))
    history: deque[JointObservation] = deque(maxlen=MEMORY)
    errors: dict[str, list[Errors]] = {name: [] for name in predictors}
    for step in range(max(asked) + 1):
        history.append(
            {name: {key: observation[key][k] for key in OBSERVED} for k, name in enumerate(names)}
        )
        measured = unwrapped.measurement
        for name, predictor in predictors.items():
            predictor.predict(measured.pairs, history)
            predictor.observe(measured.pairs, measured.rirs)
            if step in asked:
                errors[name].append(errors_on(queries, predictor.predict(queries.pairs, history)))
        observation = env.step(team.act(observation))[0] if step < max(asked) else observation
    return errors


def errors_on(queries: Measurement, predicted: np.ndarray) -> Errors:
    """Mean errors of predicted responses (P, 2, 16000), by the keys of `ERRORS`."""
    found = room_errors(queries.rirs, predicted)
    found["stft"] = float(distance(spectra(queries.rirs), spectra(predicted)).mean())
    return {key: found[key] for key in ERRORS}


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean (n,) over episodes, and the ends of its 95 % bootstrap interval."""
    draws = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def tables(played: list[dict[str, list[Errors]]], asked: list[int]) -> str:
    """One Markdown table for each error: who measures and predicts, by numbers of steps."""
    names, text = list(played[0]), []
    for key, (title, digits) in ERRORS.items():
        curves = {
            name: np.array([[one[key] for one in episode[name]] for episode in played])
            for name in names
        }
        rows = {name: curves[name] for name in names}
        rows |= {f"{name} less {names[0]}": curves[name] - curves[names[0]] for name in names[1:]}
        text.append(f"\n| {title} | " + " | ".join(map(str, asked)) + " |")
        text.append("|---" * (1 + len(asked)) + "|")
        for name, curve in rows.items():
            cells = (interval(column) for column in curve.T)
            said = (f"{m:.{digits}f} [{lo:.{digits}f}, {hi:.{digits}f}]" for m, lo, hi in cells)
            text.append(f"| {name} | " + " | ".join(said) + " |")
    return "\n".join(text)


def _compare(arguments: argparse.Namespace) -> None:
    try:
        predictors = {name: open_predictor(name) for name in arguments.predictors}
    except ValueError as mistake:
        raise UserError(str(mistake)) from mistake
    if any(getattr(predictor, "privileged", ()) for predictor in predictors.values()):
        raise UserError("a predictor that knows the truth needs no held-out pairs")
    teams = _labelled(arguments.team)
    asked = sorted(set(arguments.steps))
    houses = range(arguments.first, arguments.first + arguments.episodes)
    env = gym.make(
        ENVIRONMENTS[arguments.kind],
        split=arguments.split,
        houses=houses.stop,
        prediction="none",
        observations=OBSERVED,
        steps=max(max(asked), 1),
    )
    played: list[dict[str, list[Errors]]] = []
    for house in progress_bar(houses, f"walking through {arguments.kind}s of {arguments.split}"):
        played.append({})
        for label, team in teams.items():
            of_run = [arguments.kind, arguments.split, house, asked, arguments.queries]
            of_run += [] if team == TEAM else [team]
            kept = _kept(arguments.out, of_run, list(predictors)) if arguments.out else None
            if kept is None:
                kept = play(env, house, predictors, asked, arguments.queries, team)
                if arguments.out:
                    with arguments.out.open("a") as file:
                        file.write(json.dumps([of_run, kept]) + "\n")
            played[-1] |= {label + name: errors for name, errors in kept.items()}
    print(tables(played, asked))


def _labelled(paths: list[str]) -> dict[str, str]:
    """Import paths of teams by what stands before the name of a predictor; UserError for others."""
    for path in paths:
        try:
            team = load(path, "team")
        except ValueError as mistake:
            raise UserError(str(mistake)) from mistake
        if getattr(team, "privileged", ()):
            raise UserError(f"team {path!r} knows {', '.join(team.privileged)}; no other team does")
    if len(set(paths)) == 1:
        return {"": paths[0]}
    short = [path.partition(":")[2] for path in paths]
    names = short if len(set(short)) == len(set(paths)) else paths
    return {f"{name}, ": path for name, path in zip(names, paths, strict=True)}


def _kept(path: Path, of_run: list, names: list[str]) -> dict[str, list[Errors]] | None:
    """What a file holds of an episode with these predictors; None: nothing."""
    if not path.exists():
        return None
    for line in path.read_text().splitlines():
        told, errors = json.loads(line)
        if told == of_run and set(names) <= set(errors):
            return {name: errors[name] for name in names}
    return None


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.query_curve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--predictors",
        nargs="+",
        default=["interpolating", "interpolating_depth", "mean", "zero"],
        help="names or import paths 'module:Factory'; the others are compared with the first",
    )
    parser.add_argument(
        "--team",
        nargs="+",
        default=[TEAM],
        metavar="MODULE:FACTORY",
        help="that measures; of several, the others are compared with the first",
    )
    parser.add_argument("--kind", choices=tuple(KINDS), default="flat", help="of dwelling")
    parser.add_argument("--split", choices=SPLITS, default="val")
    parser.add_argument("--first", type=non_negative_int, default=0, help="dwelling of the split")
    parser.add_argument("--episodes", type=positive_int, default=20, help="a dwelling each")
    parser.add_argument("--queries", type=positive_int, default=32, help="held-out pairs of each")
    parser.add_argument(
        "--steps", type=positive_int, nargs="+", default=[25, 50, 100, 250], help="asked after"
    )
    parser.add_argument(
        "--out",
        type=path_argument,
        help="file with a line of JSON for each episode; those it holds are not played again",
    )
    return run_command(_compare, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
