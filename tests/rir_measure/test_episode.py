"""Where episodes begin: drawn, or named by the options of reset."""

import numpy as np
import pytest
from small_teams import SMALL, team

from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.episode import draw_episode
from av_envs.scene import NavigationGraph

EVERYTHING = {
    "start_nodes": [10, 20],
    "start_headings": [1, 3],
    "fixed_sources": [30],
    "fixed_receivers": [[40, 2]],
}


def graph_of(neighbours) -> NavigationGraph:
    """A graph of hand-made ways; where its nodes are does not matter."""
    neighbours = np.array(neighbours, np.int32)
    n = len(neighbours)
    positions = np.stack([np.arange(n), np.zeros(n), np.zeros(n)], axis=1).astype(np.float32)
    return NavigationGraph(positions, neighbours, 1.0, np.zeros(n, np.int32), np.ones(n))


TWO_ISLANDS = graph_of(  # 0 - 1 - 2 and 3 - 4, from west to east
    [[1, -1, -1, -1], [2, -1, 0, -1], [-1, -1, 1, -1], [4, -1, -1, -1], [-1, -1, 3, -1]]
)


@pytest.fixture(scope="module")
def env():
    return team(houses=2, fixed_sources=1, fixed_receivers=1)


def test_robots_start_on_different_nodes_and_everything_is_drawn():
    config = MeasureConfig(**{**SMALL, "robots": 2, "fixed_sources": 1, "fixed_receivers": 1})
    episodes = [
        draw_episode(config, TWO_ISLANDS, {}, np.random.default_rng(seed)) for seed in range(200)
    ]
    assert all(len(set(episode.start_nodes)) == 2 for episode in episodes)
    for k in range(2):
        assert {episode.start_nodes[k] for episode in episodes} == set(range(5))
        assert {episode.start_headings[k] for episode in episodes} == set(range(4))
    assert {node for episode in episodes for node in episode.fixed_sources} == set(range(5))
    poses = {pose for episode in episodes for pose in episode.fixed_receivers}
    assert poses == {(node, heading) for node in range(5) for heading in range(4)}


def test_houses_are_drawn():
    env = team(houses=3)
    drawn = [env.reset(seed=seed)[1]["robot_0"]["house"] for seed in range(12)]
    assert set(drawn) == {0, 1, 2}


def test_reset_options_are_obeyed(env):
    _, infos = env.reset(seed=0, options={"house": 1, **EVERYTHING})
    assert env.scene.name == "flat-1"
    assert infos["robot_0"]["house"] == infos["robot_1"]["house"] == 1
    assert list(env.trajectories.values()) == [[(10, 1)], [(20, 3)]]
    assert (*env.fixed_source_nodes, *env.fixed_receiver_poses) == (30, (40, 2))
    assert np.flatnonzero(env.visited).tolist() == [10, 20]
    assert env.measurement.nodes[0].tolist() == [10, 20, 3]


def test_a_scene_can_be_named(env):
    _, infos = env.reset(seed=0, options={"scene": "flat-1"})
    assert env.scene.name == "flat-1"
    assert infos["robot_0"]["house"] == -1


def test_numpy_numbers_are_numbers(env):
    arrays = {key: np.array(value) for key, value in EVERYTHING.items()}
    env.reset(seed=0, options={"house": np.int64(1), **arrays})
    assert list(env.trajectories.values()) == [[(10, 1)], [(20, 3)]]
    assert all(type(x) is int for path in env.trajectories.values() for x in path[0])


def test_an_option_changes_nothing_else(env):
    """What is not named is drawn as if nothing had been."""
    env.reset(seed=6)
    drawn, house = [path[0] for path in env.trajectories.values()], env.house
    fixed = env.fixed_source_nodes, env.fixed_receiver_poses
    env.reset(seed=6, options={"house": house})
    assert [path[0] for path in env.trajectories.values()] == drawn
    for key in EVERYTHING:
        env.reset(seed=6, options={key: EVERYTHING[key], "house": house})
        now = [path[0] for path in env.trajectories.values()]
        if key != "start_nodes":
            assert [node for node, _ in now] == [node for node, _ in drawn]
        if key != "start_headings":
            assert [heading for _, heading in now] == [heading for _, heading in drawn]
        if key != "fixed_sources":
            assert env.fixed_source_nodes == fixed[0]
        if key != "fixed_receivers":
            assert env.fixed_receiver_poses == fixed[1]


def test_the_options_of_one_episode_do_not_last(env):
    env.reset(seed=0, options=EVERYTHING)
    first = list(env.trajectories.values())
    env.reset(seed=1)
    assert list(env.trajectories.values()) != first


BAD_OPTIONS = [
    ("house", 2),
    ("house", -1),
    ("house", 1.0),
    ("house", True),
    ("house", "1"),
    ("house", None),
    ("house", [1]),
    ("house", np.array([0, 1])),
    ("scene", 5),
    ("scene", None),
    ("scene", ["flat-1"]),
    ("scene", "flat"),
    ("scene", "castle-1"),
    ("scene", "flat--1"),
    ("start_nodes", 3),
    ("start_nodes", None),
    ("start_nodes", "ab"),
    ("start_nodes", []),
    ("start_nodes", [1]),
    ("start_nodes", [1, 2, 3]),
    ("start_nodes", [[1], 2]),
    ("start_nodes", [[1], [2]]),
    ("start_nodes", [1.0, 2.0]),
    ("start_nodes", [1, 2.5]),
    ("start_nodes", [True, 2]),
    ("start_nodes", [-1, 2]),
    ("start_nodes", [1, 100_000]),
    ("start_nodes", [1, np.nan]),
    ("start_nodes", {"robot_0": 1, "robot_1": 2}),
    ("start_headings", [0]),
    ("start_headings", [0, 4]),
    ("start_headings", [-1, 0]),
    ("start_headings", [0, 0.5]),
    ("start_headings", None),
    ("start_headings", [None, None]),
    ("fixed_sources", []),
    ("fixed_sources", [1, 2]),
    ("fixed_sources", 1),
    ("fixed_sources", [1.5]),
    ("fixed_sources", [100_000]),
    ("fixed_receivers", []),
    ("fixed_receivers", None),
    ("fixed_receivers", [1]),
    ("fixed_receivers", [1, 2]),
    ("fixed_receivers", [[1]]),
    ("fixed_receivers", [[1, 2, 3]]),
    ("fixed_receivers", [[1, 2], [3, 1]]),
    ("fixed_receivers", [[1, 4]]),
    ("fixed_receivers", [[100_000, 0]]),
    ("fixed_receivers", [[1.5, 0]]),
    ("fixed_receivers", [[1, 0], [2]]),
    ("fixed_receivers", "ab"),
]


@pytest.mark.parametrize(("option", "value"), BAD_OPTIONS, ids=str)
def test_a_malformed_option_is_named(env, option, value):
    with pytest.raises(ValueError, match=option):
        env.reset(seed=0, options={option: value})


@pytest.mark.parametrize("option", ["fixed_sources", "fixed_receivers"])
@pytest.mark.parametrize("value", [None, [1], [[1, 0]], 3])
def test_devices_that_do_not_exist_cannot_be_placed(option, value):
    with pytest.raises(ValueError, match=option):
        team().reset(seed=0, options={option: value})


def test_an_unknown_option_names_the_choices(env):
    with pytest.raises(ValueError, match=r"'start_node'.*start_nodes, start_headings"):
        env.reset(options={"start_node": [1, 2]})
    with pytest.raises(ValueError, match="a house and a scene"):
        env.reset(options={"house": 0, "scene": "flat-1"})


@pytest.mark.parametrize("options", [3, "house", [1], [("house", 1)]])
def test_options_must_be_a_dict(env, options):
    with pytest.raises(ValueError, match="options must be a dict"):
        env.reset(options=options)


def test_a_failed_reset_leaves_the_episode_as_it_was(env):
    env.reset(seed=0)
    episode = env.episode
    with pytest.raises(ValueError, match="start_nodes"):
        env.reset(options={"house": 1, "start_nodes": [1.5, 2]})
    assert env.episode is episode
    env.step({"robot_0": 2, "robot_1": 2})


@pytest.mark.parametrize("nodes", [(0, 3), (4, 2), (3, 1)])
def test_robots_start_where_they_can_meet(nodes):
    config, rng = MeasureConfig(**SMALL), np.random.default_rng(0)
    with pytest.raises(
        ValueError, match=f"start_nodes: no way leads from {nodes[0]} to {nodes[1]}"
    ):
        draw_episode(config, TWO_ISLANDS, {"start_nodes": nodes}, rng)
    for together in ((0, 2), (3, 4), (1, 1)):
        drawn = draw_episode(config, TWO_ISLANDS, {"start_nodes": together}, rng)
        assert drawn.start_nodes == together


def test_more_robots_than_nodes_are_an_error():
    config, rng = MeasureConfig(**{**SMALL, "robots": 6}), np.random.default_rng(0)
    with pytest.raises(ValueError, match="robots: 6 do not fit on 5 nodes"):
        draw_episode(config, TWO_ISLANDS, {}, rng)
