"""The sound of an episode, as a small file that a browser plays."""

import io
from typing import Any

import numpy as np
import soundfile

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.play.trajectories import TASKS, replay_actions, without_bumps
from av_envs.benchmarks.suites.suite import Suite

SAMPLE_RATE = 16_000  # Hz
LOUDEST = 0.9  # of full scale


def replayed_sound(suite: Suite, record: dict[str, Any]) -> np.ndarray:
    """(2, n) float32 at 16 kHz, what is heard when the actions of a record are taken again.

    A step may take a part of a second; see `hear` of the environments for what is heard.
    """
    episode = next(
        e for e in suite.episodes if (e.group.name, e.seed) == (record["group"], record["episode"])
    )
    log, heard = record["replay"], []
    env = make_env(suite, episode.group, **TASKS[log["task"]].replay)
    try:
        env.reset(seed=episode.seed, options=episode.options)
        for action in replay_actions(log, env):
            env.step(action)
            heard.append(env.unwrapped.hear())
        if without_bumps(env.unwrapped.replay_log()) != without_bumps(log):
            raise UserError(
                f"episode {record['episode']} of {suite.name} does not take the recorded way: the "
                "results come from another version of the environment; run them again, or report "
                "with --audio 0"
            )
    finally:
        env.close()
    return np.concatenate(heard, axis=1)


def ogg(waveform: np.ndarray, compression: float) -> bytes:
    """Ogg with Opus inside, scaled so that the loudest sample is the same for all.

    waveform     (2, n) float32 at 16 kHz
    compression  0 to 1, the smallest file
    """
    loud = waveform * (LOUDEST / max(float(np.abs(waveform).max()), 1e-9))
    file = io.BytesIO()
    soundfile.write(
        file, loud.T, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=compression
    )
    return file.getvalue()
