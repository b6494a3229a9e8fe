"""The control that follows the louder ear."""

import gymnasium as gym
import numpy as np
import pytest
from flat_world import FORWARD, LEFT, OBSERVATIONS, RIGHT, STAY, FlatWorld
from gymnasium import spaces

import av_envs  # noqa: F401
from av_envs.baselines.separation import GoToLoudest

MOVES = spaces.Discrete(4)
EAR_AXIS_DB = 8.0  # what is on one side is louder there by so much


def heard(world, levels):
    """log1p spectrogram (2, 512, 32) of sources in the open, with heads that shade one side.

    levels  energy of each source at 1 m
    """
    left = np.array(
        [np.cos((world.heading + 1) * np.pi / 2), np.sin((world.heading + 1) * np.pi / 2)]
    )
    energy = np.zeros(2)
    for source, level in zip(world.sources, levels, strict=True):
        offset = np.subtract(source, world.at).astype(float)
        away = np.hypot(*offset)
        side = offset @ left / away * EAR_AXIS_DB / 2
        energy += level / away**2 * 10 ** (np.array([side, -side]) / 10)
    magnitude = np.sqrt(energy / (512 * 32))[:, None, None]
    return np.log1p(np.broadcast_to(magnitude, (2, 512, 32))).astype(np.float32)


def walk(world, levels, n_steps=20):
    agent, moves = GoToLoudest(OBSERVATIONS, MOVES, seed=0), []
    for _ in range(n_steps):
        moves.append(agent.act({**world.observation(), "mixture": heard(world, levels)}))
        world.step(moves[-1])
    return moves


@pytest.mark.parametrize("heading", range(4))
@pytest.mark.parametrize("loudest", [0, 1])
@pytest.mark.parametrize(
    "plan",
    [
        "T...@...O",
        """
        T........
        .........
        ....@....
        .........
        ........O
        """,
        """
        ....T....
        .........
        ....@....
        .........
        ....O....
        """,
    ],
    ids=["line", "hall", "column"],
)
def test_it_ends_beside_the_loudest_source_and_stays(plan, loudest, heading):
    levels = [1e6, 1e6]
    levels[loudest] = 1e8
    world = FlatWorld(plan, heading)
    moves = walk(world, levels)
    assert np.hypot(*np.subtract(world.at, world.sources[loudest])) == 1
    assert moves[-3:] == [STAY] * 3


def test_it_turns_to_the_louder_ear_first():
    assert walk(FlatWorld("T..@...O", heading=3), [1e4, 1e8], 1) == [LEFT]
    assert walk(FlatWorld("T..@...O", heading=1), [1e4, 1e8], 1) == [RIGHT]


def test_it_forgets_between_episodes():
    agent = GoToLoudest(OBSERVATIONS, MOVES, seed=0)
    runs = []
    for _ in range(2):
        agent.reset(seed=0)
        world, moves = FlatWorld("T...@...O", heading=1), []
        for _ in range(12):
            moves.append(agent.act({**world.observation(), "mixture": heard(world, [1e8, 1e6])}))
            world.step(moves[-1])
        runs.append(moves)
    assert runs[0] == runs[1]
    assert runs[0].count(FORWARD) >= 3


@pytest.mark.parametrize("key", ["pose", "mixture"])
def test_it_needs_to_hear_and_to_know_where_it_is(key):
    left = {name: space for name, space in OBSERVATIONS.spaces.items() if name != key}
    with pytest.raises(ValueError, match=f"GoToLoudest needs the observation '{key}'"):
        GoToLoudest(spaces.Dict(left), MOVES, seed=0)


def test_in_a_house_with_one_source_it_often_ends_beside_it():
    env = gym.make(
        "AVDynamicSep-v0", houses=2, num_sources=1, start="near", observations=("pose", "mixture")
    )
    agent, beside = GoToLoudest(env.observation_space, env.action_space, seed=0), []
    for seed in range(8):
        observation, _ = env.reset(seed=seed)
        agent.reset(seed=seed)
        done = False
        while not done:
            observation, _, _, done, info = env.step(agent.act(observation))
        beside.append(info["geodesic_to_target"] <= 1)
    assert np.mean(beside) >= 0.5
