"""How fast this machine steps, measured and told."""

import argparse
import faulthandler
import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.results.provenance import cpu_model
from av_envs.benchmarks.speed import timings, vector_timings
from av_envs.registration import SEPARATION, VARIANTS
from av_envs.separation.estimators import load_estimator
from av_envs.threads import available_cores

LINES = (
    ("env_steps_per_s", "steps/s, one environment, resets included", "{:.0f}"),
    ("env_steps_per_s_without_resets", "steps/s, resets left out", "{:.0f}"),
    ("reference_audio_steps_per_s", "steps/s, audio alone as the papers make it", "{:.0f}"),
    ("ratio", "whole steps of ours per audio step of theirs", "{:.2f}"),
    ("rirs_per_s", "binaural responses/s, one core", "{:.0f}"),
    ("all_pairs_s", "s to trace all pairs of a house", "{:.1f}"),
    ("all_pairs_nodes", "nodes of that house", "{:.0f}"),
    ("view_fresh_ms", "ms, view in a house never seen, one core", "{:.2f}"),
    ("view_kept_ms", "ms, view that is kept", "{:.3f}"),
    ("reset_fresh_ms", "ms, reset in a house never seen", "{:.0f}"),
    ("reset_warm_ms", "ms, reset in the pool", "{:.2f}"),
    ("rss_mb", "MB, peak memory of one environment", "{:.0f}"),
)


BUSY = 0.5  # load average above which other processes disturb the timing


def in_new_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of this package in an interpreter of its own and return its answer."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=faulthandler.enable) as executor:
        return executor.submit(function, *arguments).result()


def measure(pool: timings.Pool) -> dict[str, Any]:
    """All figures; see `LINES` for their units."""
    load = load_average()
    in_new_process(timings.trace_pool, pool)
    steady = in_new_process(timings.steady_state, pool)
    return {
        **steady,
        **(_of_both_tasks() if "ratio" in steady else {}),
        "reset_fresh_ms": in_new_process(timings.reset_fresh_ms, pool.env_id),
        "env_id": pool.env_id,
        "houses": pool.houses,
        "cpu": cpu_model(),
        "load_before": load,
    }


def _of_both_tasks() -> dict[str, float]:
    """Of acoustics and views alone: the tasks share them, so that they are measured with one."""
    rirs_per_s, views_ms = map(in_new_process, (timings.responses_per_s, timings.views_ms))
    return {"rirs_per_s": rirs_per_s, **views_ms, **in_new_process(timings.all_pairs)}


def measure_vector(
    pool: timings.Pool, num_envs: int, there: vector_timings.OnDevice | None = None
) -> dict[str, Any]:
    """Steps per second and memory of many environments in all ways."""
    load = load_average()
    steps_per_s = in_new_process(vector_timings.steps_per_s, pool, num_envs, there)
    few, memory = max(1, num_envs // 2), {}
    for way in ("sync", "async", "native") if pool.estimator is None else ("sync", "native"):
        sizes = [
            in_new_process(vector_timings.memory_mb, pool, way, n) for n in (few, few + num_envs)
        ]
        memory[way] = vector_timings.mb_per_added(*sizes, num_envs)
    return {
        "steps_per_s": steps_per_s,
        "mb_per_added_env": memory,
        "env_id": pool.env_id,
        "num_envs": num_envs,
        "on_device": None if there is None else there._asdict(),
        "houses": pool.houses,
        "reward": pool.reward,
        "estimator": pool.estimator,
        "cpu": cpu_model(),
        "cores": available_cores(),
        "load_before": load,
    }


def load_average() -> float | None:
    """Mean number of runnable processes in the last minute; None where it is not counted."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def table(figures: dict[str, Any]) -> str:
    """The figures for a terminal."""
    lines = [f"{figures['cpu']}, pool of {figures['houses']} houses", ""]
    if (figures["load_before"] or 0) > BUSY:
        lines[1:1] = [
            f"the machine was busy (load {figures['load_before']:.1f}): too slow, ratio apart"
        ]
    lines += [
        f"{form.format(figures[key]):>8}  {what}" for key, what, form in LINES if key in figures
    ]
    lines += ["", "ms per step (resets included) by function, library calls with their caller:"]
    lines += [f"{ms:8.3f}  {name}" for name, ms in figures["breakdown_ms"].items()]
    return "\n".join(lines)


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    if arguments.estimator is not None:
        _check_estimator(arguments)
    pool = timings.Pool(arguments.env, arguments.houses, arguments.reward, arguments.estimator)
    if arguments.vector:
        n, device = arguments.num_envs, arguments.device
        there = device and vector_timings.OnDevice(device, arguments.device_envs or n)
        figures, shown = measure_vector(pool, n, there), vector_timings.table
    else:
        figures, shown = measure(pool), table
    print(json.dumps(figures, indent=1) if arguments.json else shown(figures))


def _check_estimator(arguments: argparse.Namespace) -> None:
    """Before houses are traced."""
    if VARIANTS[arguments.env][0] != SEPARATION:
        raise UserError(
            f"{arguments.env} has no estimator; one of separation has, such as "
            f"{timings.Pool.env_id}"
        )
    if arguments.device:
        raise UserError("a device scores the mixture only; leave out --device or --estimator")
    try:
        load_estimator(arguments.estimator)
    except ValueError as error:
        raise UserError(str(error)) from None
