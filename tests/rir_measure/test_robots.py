"""Which pairs a step measures, in which order, and that they are measured rightly."""

import numpy as np
import pytest
from small_teams import choose, play, random_walk, team

HEARING = ("azimuth", "position", "heard_rir")

# options; then emitter and receiver of every pair: robots by number, fixed devices after them
SCHEDULES = [
    ({}, ["0>1", "1>0"]),
    ({"directions": "forward"}, ["0>1"]),
    ({"emitters": (1,)}, ["1>0"]),
    ({"receivers": [1]}, ["0>1"]),
    ({"emitters": (0,), "receivers": (0, 1)}, ["0>1"]),
    ({"robots": 1, "fixed_sources": 1}, ["1>0"]),
    ({"robots": 1, "fixed_receivers": 2}, ["0>1", "0>2"]),
    ({"robots": 1, "fixed_sources": 2, "fixed_receivers": 1}, ["0>1", "1>0", "2>0"]),
    ({"robots": 3}, ["0>1", "0>2", "1>0", "1>2", "2>0", "2>1"]),
    ({"robots": 3, "directions": "forward"}, ["0>1", "0>2", "1>2"]),
    ({"robots": 3, "emitters": (2, 0), "receivers": (1,)}, ["0>1", "2>1"]),
    (
        {"fixed_sources": 1, "fixed_receivers": 1},
        ["0>1", "0>2", "1>0", "1>2", "2>0", "2>1"],
    ),
    (  # forward says nothing about what stands still
        {"fixed_sources": 1, "fixed_receivers": 1, "directions": "forward"},
        ["0>1", "0>2", "1>2", "2>0", "2>1"],
    ),
    (
        {"emitters": (), "fixed_sources": 2, "receivers": (1,)},
        ["2>1", "3>1"],
    ),
    (
        {"robots": 4},
        [f"{a}>{b}" for a in range(4) for b in range(4) if a != b],
    ),
]
every_schedule = pytest.mark.parametrize(("who", "expected"), SCHEDULES, ids=str)


@every_schedule
def test_the_pairs_of_a_step_and_their_order(who, expected):
    env = team(**who)
    env.reset(seed=1)
    ends = [tuple(map(int, pair.split(">"))) for pair in expected]
    for moves in random_walk(env, n_steps=2):
        poses = [env.trajectories[robot][-1] for robot in env.possible_agents]
        emitters = [node for node, _ in poses] + list(env.fixed_source_nodes)
        receivers = poses + list(env.fixed_receiver_poses)
        nodes = [(emitters[a], *receivers[b]) for a, b in ends]
        assert env.measurement.nodes.tolist() == [list(row) for row in nodes]
        env.step(choose(env, *moves.tolist()))


@every_schedule
def test_what_is_measured_is_the_response_between_the_heads(who, expected):
    env = team(**who)
    env.reset(seed=1)
    env.step(choose(env, 1))
    heads, measured = env.scene.graph.heads, env.measurement
    assert measured.nodes.dtype == np.int32
    assert measured.rirs.shape == (len(expected), 2, 16_000)
    assert measured.rirs.dtype == np.float32
    for k, (source, receiver, heading) in enumerate(measured.nodes.tolist()):
        truth = env.dwelling.acoustics.rir(source, receiver, heading)
        np.testing.assert_array_equal(measured.rirs[k], truth)
        np.testing.assert_array_equal(measured.pairs.emitter[k], heads[source])
        np.testing.assert_array_equal(measured.pairs.receiver[k], heads[receiver])
        assert measured.pairs.heading[k] == heading
    assert measured.rirs.any(axis=(1, 2)).all()
    assert not measured.rirs.flags.writeable


@every_schedule
def test_every_robot_hears_what_it_received(who, expected):
    env = team(observations=HEARING, **who)
    observations = play(env, random_walk(env, n_steps=2))[-1][0]
    for k, robot in enumerate(env.possible_agents):
        mine = [p for p, pair in enumerate(expected) if pair.endswith(f">{k}")]
        heard = observations[robot]["heard_rir"]
        assert env.observation_space(robot).contains(observations[robot])
        np.testing.assert_array_equal(heard, env.measurement.rirs[mine])


@every_schedule
def test_the_schedule_says_it_in_words(who, expected):
    env = team(**who)
    robots = len(env.possible_agents)

    def name(kind, k):
        return f"robot_{k}" if k < robots else f"{kind}_{k - robots}"

    pairs = [tuple(map(int, pair.split(">"))) for pair in expected]
    said = [(step.emitter, receiver) for step in env.schedule for receiver in step.receivers]
    assert said == [(name("source", a), name("microphone", b)) for a, b in pairs]
    emitting = [step.emitter for step in env.schedule]
    assert len(set(emitting)) == len(emitting)


def test_who_predicts_owns_every_pair_once():
    for who, expected in SCHEDULES:
        env = team(prediction="action", **who)
        owned = [p for robot in env.possible_agents for p in env.owned_links[robot]]
        assert sorted(owned) == list(range(len(expected)))
        for k, robot in enumerate(env.possible_agents):
            for p in env.owned_links[robot]:
                emitter, receiver = map(int, expected[p].split(">"))
                assert k == (receiver if receiver < len(env.possible_agents) else emitter)
            shape = env.action_space(robot)["rir"].shape
            assert shape == (len(env.owned_links[robot]), 2, 16_000)


@pytest.mark.parametrize(
    "who",
    [
        {"robots": 1},
        {"emitters": ()},
        {"receivers": ()},
        {"emitters": (1,), "receivers": (1,)},
        {"emitters": (1,), "receivers": (0,), "directions": "forward"},
        {"emitters": (), "receivers": (), "fixed_sources": 1, "fixed_receivers": 1},
    ],
    ids=str,
)
def test_a_team_with_nothing_to_measure_is_an_error(who):
    with pytest.raises(ValueError, match="nothing to measure"):
        team(**who)


def test_what_stands_still_stands_still():
    env = team(fixed_sources=2, fixed_receivers=1)
    env.reset(seed=0, options={"fixed_sources": [5, 9], "fixed_receivers": [[7, 3]]})
    for moves in random_walk(env):
        nodes = env.measurement.nodes.tolist()
        assert {row[0] for row in nodes[-4:]} == {5, 9}
        assert {tuple(row[1:]) for row in nodes if row[1:] == [7, 3]} == {(7, 3)}
        env.step(choose(env, *moves.tolist()))
    assert tuple(env.fixed_source_nodes) == (5, 9)
    assert tuple(env.fixed_receiver_poses) == ((7, 3),)


def test_robots_may_share_a_node_and_hear_each_other_there():
    env = team()
    env.reset(seed=0, options={"start_nodes": [3, 3], "start_headings": [0, 2]})
    assert env.measurement.nodes.tolist() == [[3, 3, 2], [3, 3, 0]]
    peaks = np.abs(env.measurement.rirs).max(axis=(1, 2))
    far = team()
    far.reset(seed=0, options={"start_nodes": [3, 100], "start_headings": [0, 2]})
    assert (peaks > np.abs(far.measurement.rirs).max()).all()


def test_robots_do_not_stand_in_each_others_way():
    env = team()
    env.reset(seed=0)
    ways = env.scene.graph.neighbours
    west = int(np.flatnonzero(ways[:, 0] >= 0)[0])
    east = int(ways[west, 0])
    start = {"start_nodes": [west, east], "start_headings": [0, 2]}
    env.reset(seed=0, options=start)
    *_, infos = env.step(choose(env, 1))
    assert [infos[robot]["node"] for robot in env.possible_agents] == [east, west]
    assert [infos[robot]["collision"] for robot in env.possible_agents] == [0, 0]
