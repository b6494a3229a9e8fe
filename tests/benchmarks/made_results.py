"""Results made by hand, for tests of the report."""

from dataclasses import replace

import numpy as np
from fake_separation import FAKE_SUITE, GROUPED_SUITE

from av_envs.acoustics.bank import ENGINE_VERSION
from av_envs.benchmarks.results.consistency import hash_of
from av_envs.benchmarks.results.files import SCHEMA, rounded, summarise, write_result
from av_envs.benchmarks.results.provenance import asset_hash

SUITE = replace(FAKE_SUITE, metrics=FAKE_SUITE.metrics[:1])
GROUPED = replace(GROUPED_SUITE, metrics=SUITE.metrics)
REPLAY = {
    "task": "separation",
    "stride": 1.0,
    "walkers": [{"start": [1.5, 2.5, 0], "moves": "FLS"}],
    "sources": [[4.5, 2.5], [1.5, 4.5]],
    "receivers": [],
    "target": "voice 1",
}
ENV = {
    "id": SUITE.env_id,
    "specs": {},
    "hash": "",
    "package_version": "0",
    "engine_version": ENGINE_VERSION,
    "asset_hash": asset_hash(),
    "backend": "",
}


def identity(suite):
    identity = {"name": suite.name, "version": 1, "split": suite.split, "hash": suite.hash}
    return identity | {"secret_seeds": None}


def make_result(
    name="A", gain=1.0, seed=0, spread=0.5, n=None, privileged=(), suite=SUITE, **changes
):
    rng = np.random.default_rng([seed, int(100 * abs(gain))])
    episodes = [
        {
            "group": episode.group.name,
            "episode": episode.seed,
            "scene": f"house-{episode.seed % 4}",
            "length": 3,
            "metrics": {"si_sdr_gain": gain + spread * float(rng.normal())},
            "series": [0.1, None, 0.25],
            "replay": REPLAY,
            "error": None,
        }
        for episode in suite.episodes[:n]
    ]
    agent = {"path": f"m:{name}", "kwargs": {}, "hash": "h", "name": name, "authors": None}
    agent |= {"url": None, "checkpoint_sha256": None, "train": None, "privileged": privileged}
    specs = {group.name: {} for group in suite.groups}
    hardware = {"cpu": "Chip", "count": 2, "gpu": None, "ram_gb": 8.0, "features": "x"}
    result = {
        "schema": SCHEMA,
        "complete": n is None,
        "suite": identity(suite),
        "env": ENV | {"specs": specs, "hash": hash_of(specs)},
        "isolated": True,
        "agent": agent,
        "seed": seed,
        "episodes": episodes,
        "summary": summarise(episodes),
        "timing": {"play_s": 1.0, "env_steps": 3 * len(episodes), "act_ms_p50": 0.1, "workers": 1},
        "hardware": hardware,
        "packages": {},
        "git": {"commit": None, "dirty": None},
        "command": f"python -m av_envs.benchmarks.run --agent m:{name} --seeds {seed}",
        "created": "2026-01-01T00:00:00+00:00",
    }
    return rounded(result | changes)


def write(directory, *results):
    for index, result in enumerate(results):
        whole = result | {"summary": summarise(result["episodes"])}
        write_result(directory / f"{index}.json", whole)
