"""What an agent heard in an episode, as a small file that a browser plays."""

import io
from typing import Any

import gymnasium as gym
import numpy as np
import soundfile
from gymnasium import spaces

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.play.trajectories import is_of_team, joint_actions, moves_of, walk_of
from av_envs.benchmarks.suites.suite import Suite

SAMPLE_RATE = 16_000  # Hz
# Of a team that only walks again: nothing is seen, predicted or scored.
BARE = {
    "observations": ("position",),
    "prediction": "none",
    "queries": 0,
    "room_errors": False,
}
LOUDEST = 0.9  # of full scale
COMPRESSION = 0.95  # about 30 kbit/s for two ears
CLAPS_COMPRESSION = 0.99  # about 18: a team's minute of claps is longer than most walks


def heard_on_walk(suite: Suite, record: dict[str, Any]) -> np.ndarray:
    """(2, n) float32 at 16 kHz: walk the way of a record again, and hear every step.

    A step of a team takes a part of a second; see `hear` of the environments for what is heard.
    """
    episode = next(
        e for e in suite.episodes if (e.group.name, e.seed) == (record["group"], record["episode"])
    )
    walk, heard = record["walk"], []
    env = make_env(suite, episode.group, **(BARE if is_of_team(walk) else {}))
    moves = joint_actions(walk["robots"]) if is_of_team(walk) else moves_of(walk["poses"])
    try:
        observation, _ = env.reset(seed=episode.seed, options=episode.options)
        for move in moves:
            observation, *_ = env.step(_action(env, move))
            heard.append(env.unwrapped.hear())
        if walk_of(env, observation) != walk:
            raise UserError(
                f"episode {record['episode']} of {suite.name} does not take the recorded way: the "
                "results come from another version of the environment; run them again, or report "
                "with --audio 0"
            )
    finally:
        env.close()
    return np.concatenate(heard, axis=1)


def _action(env: gym.Env, move: int) -> Any:
    """The move as an action, with an empty estimate where one is asked for."""
    if not isinstance(env.action_space, spaces.Dict):
        return move
    estimate = env.action_space["estimate"]
    return {"move": move, "estimate": np.zeros(estimate.shape, estimate.dtype)}


def ogg(waveform: np.ndarray, compression: float = COMPRESSION) -> bytes:
    """Ogg with Opus inside, turned up so that the loudest moment of the walk is the same for all.

    waveform     (2, n) float32 at 16 kHz
    compression  0 to 1, the smallest file
    """
    loud = waveform * (LOUDEST / max(float(np.abs(waveform).max()), 1e-9))
    file = io.BytesIO()
    soundfile.write(
        file, loud.T, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=compression
    )
    return file.getvalue()
