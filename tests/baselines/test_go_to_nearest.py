"""The control that walks to whatever is nearest."""

import gymnasium as gym
import numpy as np
import pytest
from flat_world import OBSERVATIONS, STAY, FlatWorld, walk
from gymnasium import spaces

import av_envs  # noqa: F401
from av_envs.baselines.separation import GoToNearest

MOVES = spaces.Discrete(4)


def agent(seed=0):
    return GoToNearest(OBSERVATIONS, MOVES, seed=seed)


@pytest.mark.parametrize("heading", range(4))
@pytest.mark.parametrize(
    ("plan", "goal"),
    [
        ("T..@.O", 1),
        ("T.@..O", 0),
        ("O...@.OT", 2),  # the target is behind it
        ("O@..T", 1),  # beside it already
        ("T#@.#..O\n........", 0),  # near only as the crow flies: 4 steps against 7
    ],
)
def test_it_ends_beside_the_nearest_source_and_faces_it(plan, goal, heading):
    world = FlatWorld(plan, heading)
    moves = walk(world, agent(), 16)
    assert np.hypot(*np.subtract(world.at, world.sources[goal])) == 1
    assert world.source_quarters()[goal] == 0
    assert moves[-1] == STAY


def test_of_equally_near_sources_it_takes_either_and_keeps_to_it():
    ends = []
    control = agent()
    for seed in range(200):
        world = FlatWorld("T..@..O")
        control.reset(seed=seed)
        walk(world, control, 10)
        ends.append(world.sources.index(min(world.sources, key=lambda s: abs(s[0] - world.at[0]))))
    assert abs(np.mean(ends) - 0.5) < 4 * 0.5 / np.sqrt(200)


def test_a_source_behind_others_does_not_count():
    """The target is 2 steps away, but other sources bar the way to it."""
    world = FlatWorld("#T#\n#O#\n..@......O")
    assert world.source_routes()[0] == -2
    walk(world, agent(), 10)
    assert world.source_distances()[1] == 1
    with pytest.raises(ValueError, match="no source can be walked to"):
        agent().act({}, {"source_routes": np.array([-2]), "source_distances": np.array([1.0])})


def test_in_a_house_it_ends_beside_the_source_that_was_nearest():
    env = gym.make("AVDynamicSep-v0", split="test_unheard", houses=2, observations=("pose",))
    bare, control = env.unwrapped, GoToNearest(env.observation_space, env.action_space, seed=0)
    for seed in range(6):
        observation, _ = env.reset(seed=seed)
        control.reset(seed=seed)
        away, done = bare.privileged("source_distances"), False
        assert away[0] == bare.scene.graph.walking_distances[bare.node, bare.source_nodes[0]]
        while not done:
            truth = {key: bare.privileged(key) for key in control.privileged}
            observation, _, _, done, info = env.step(control.act(observation, truth))
        ended = bare.scene.graph.walking_distances[bare.node, bare.source_nodes]
        assert ended.min() == 1
        assert away[ended.argmin()] == away.min()
        assert bare.trajectory[-1] == bare.trajectory[-2]  # and it holds
        assert info["collision"] == 0
