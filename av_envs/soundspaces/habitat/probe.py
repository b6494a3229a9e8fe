"""Capabilities of an installation of habitat-sim, probed in a separate process.

A build without audio ends the process that creates an audio sensor, and mixed libraries end
it on import, so nothing of this runs in the caller's. From 0.3.1 on, builds with audio take
the source's coordinates from wrong places of memory (`lastSourcePos_[1], [2], [3]` in
AudioSensor.cpp, https://github.com/facebookresearch/habitat-sim/issues/2632) and sound from
somewhere else; version numbers do not tell, so sources around a listener are heard.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.scene import Scene
from av_envs.scene.bvh import occluded
from av_envs.soundspaces.habitat.simulator import MARK, SceneFiles

SECONDS = 300  # that a scene may take to open
DELAY_ERROR = 3.0  # samples that direct sounds may differ from d / c and a common latency
SIDE_DB = 1.0  # that the ear on the source's side must at least be louder


class HabitatError(RuntimeError):
    """An installation of habitat-sim that cannot do what is asked of it."""


class SourcePositionError(HabitatError):
    """A build whose audio sources are not where they were put."""


class Capabilities(NamedTuple):
    """version as habitat-sim tells it; audio "legacy", "new", or None: built without."""

    version: str
    audio: str | None


class Trial(NamedTuple):
    """A listener on a node that faces a heading, and sources on other nodes that it sees."""

    listener: int
    heading: int
    sources: tuple[int, ...]


def capabilities() -> Capabilities:
    """Capabilities of the installed habitat-sim."""
    return Capabilities(**_ask({"ask": "capabilities"}))


def latency(files: SceneFiles, scene: Scene) -> int:
    """Samples by which the audio sensor is late; raises if sources are not where they were put."""
    trial = draw_trial(scene)
    floors = scene.graph.positions.astype(float)
    question = {
        "ask": "hear",
        "files": list(files),
        "listener": floors[trial.listener].tolist(),
        "heading": trial.heading,
        "sources": floors[list(trial.sources)].tolist(),
    }
    heard = _ask(question)
    return judge(trial, floors, heard["onsets"], heard["left_over_right_db"], heard["version"])


def draw_trial(scene: Scene) -> Trial:
    """The node with most air around it, and up to eight visible nodes at many distances."""
    graph = scene.graph
    for listener in np.argsort(-graph.clearance, kind="stable"):
        here = np.repeat(graph.heads[[listener]], len(graph), 0)
        seen = np.flatnonzero(~occluded(scene.bvh, here, graph.heads))
        seen = seen[seen != listener]
        if len(seen) >= 2:
            away = np.linalg.norm(graph.heads[seen] - graph.heads[listener], axis=1)
            order = seen[np.argsort(away, kind="stable")]
            chosen = order[np.unique(np.linspace(0, len(order) - 1, 8).astype(int))]
            # to face along the axis in which sources spread less puts most of them at the sides
            spread = np.abs(graph.heads[chosen] - graph.heads[listener]).sum(axis=0)
            return Trial(int(listener), int(spread[0] > spread[1]), tuple(map(int, chosen)))
    raise ValueError(f"scene {scene.name!r}: no node sees two others, as the self-test needs")


def judge(
    trial: Trial,
    floors: np.ndarray,
    onsets: Sequence[float],
    left_over_right_db: Sequence[float],
    version: str,
) -> int:
    """The sensor's latency in samples, from direct sounds of sources whose places are known.

    floors  (N, 3) metres, of all nodes
    """
    offsets = floors[list(trial.sources)] - floors[trial.listener]
    expected = np.linalg.norm(offsets, axis=1) / SPEED_OF_SOUND * SAMPLE_RATE
    late = np.asarray(onsets, float) - expected
    common = float(np.median(late))
    if np.abs(late - common).max() > DELAY_ERROR:
        worst = int(np.abs(late - common).argmax())
        raise SourcePositionError(
            _refusal(
                version,
                f"a source {np.linalg.norm(offsets[worst]):.2f} m away is heard after "
                f"{onsets[worst]:.0f} samples, where {expected[worst] + common:.0f} belong",
            )
        )
    angle = np.arctan2(offsets[:, 1], offsets[:, 0]) - trial.heading * np.pi / 2
    for side, level in zip(np.sin(angle), left_over_right_db, strict=True):
        if abs(side) > 0.7 and np.sign(side) * level < SIDE_DB:
            where = "left" if side > 0 else "right"
            raise SourcePositionError(
                _refusal(version, f"a source on the {where} is {level:+.1f} dB louder on the left")
            )
    return round(common)


def _refusal(version: str, finding: str) -> str:
    return (
        f"habitat-sim {version} puts audio sources in wrong places: {finding}. Builds from 0.3.1 "
        "on do (https://github.com/facebookresearch/habitat-sim/issues/2632); use an older or "
        'mended one, or audio="traced" to hear the built-in engine instead'
    )


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    """Put a question to a new process."""
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "av_envs.soundspaces.habitat.simulator", json.dumps(question)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HabitatError(f"habitat-sim did not answer within {SECONDS} s") from None
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(MARK):
            answer = json.loads(line.removeprefix(MARK))
            if "missing" in answer:
                raise ImportError(answer["missing"])
            return answer
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    raise HabitatError(f"habitat-sim ended the process (status {done.returncode}): {last}")
