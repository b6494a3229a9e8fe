"""How episodes end, and what STOP does in each mode."""

import numpy as np
import pytest
from small_teams import FORWARD, LEFT, STOP, choose, play, random_walk, team

KEYS = ("robot_0", "robot_1")


def endings(env, *walk) -> list[tuple[bool, bool]]:
    """Terminated and truncated of every step; the walk says the moves of both robots."""
    env.reset(seed=0)
    found = []
    for moves in walk:
        _, _, terminated, truncated, _ = env.step(choose(env, *moves))
        assert len(set(terminated.values())) == len(set(truncated.values())) == 1
        found.append((terminated["robot_0"], truncated["robot_0"]))
        if found[-1] != (False, False):
            break
    return found


@pytest.mark.parametrize("mode", ["mask", "latch", "any"])
@pytest.mark.parametrize("robots", [2, 3])
def test_all_robots_leave_together_when_the_time_is_up(mode, robots):
    env = team(stop_mode=mode, robots=robots, steps=5)
    assert env.agents == []
    steps = play(env, random_walk(env))
    names = [f"robot_{k}" for k in range(robots)]
    for k, (observations, *four) in enumerate(steps[1:], 1):
        for told in (observations, *four):
            assert list(told) == names
        _, terminated, truncated, infos = four
        assert set(terminated.values()) == {False}
        assert set(truncated.values()) == {k == 5}
        assert {info["t"] for info in infos.values()} == {k}
    assert env.agents == []
    env.reset()
    assert env.agents == names


def test_a_masked_stop_stays_put_and_ends_nothing():
    env = team(steps=4)
    assert endings(env, *[(STOP, STOP)] * 4) == [(False, False)] * 3 + [(False, True)]
    for path in env.trajectories.values():
        assert len(set(path)) == 1
    env.reset(seed=0)
    infos = env.step(choose(env, STOP, LEFT))[-1]
    assert [infos[robot]["stopped"] for robot in KEYS] == [0, 0]
    before = env.trajectories["robot_0"][-1]
    env.step(choose(env, LEFT, LEFT))
    assert env.trajectories["robot_0"][-1] == (before[0], (before[1] + 1) % 4)


def test_a_latched_robot_stays_put_but_takes_part():
    env = team(steps=6, stop_mode="latch")
    env.reset(seed=0)
    env.step(choose(env, STOP, LEFT))
    pose = env.trajectories["robot_0"][-1]
    for move in (FORWARD, LEFT):
        before = env.trajectories["robot_1"][-1]
        _, _, terminated, _, infos = env.step(choose(env, move, LEFT))
        assert env.trajectories["robot_0"][-1] == pose
        assert env.trajectories["robot_1"][-1] == (before[0], (before[1] + 1) % 4)
        assert [infos[robot]["stopped"] for robot in KEYS] == [1, 0]
        assert infos["robot_0"]["collision"] == 0
        assert not terminated["robot_0"]
        # it still emits, and still listens
        here, there = env.trajectories["robot_0"][-1], env.trajectories["robot_1"][-1]
        assert env.measurement.nodes.tolist() == [[here[0], *there], [there[0], *here]]
    _, _, terminated, truncated, _ = env.step(choose(env, FORWARD, STOP))
    assert terminated == {"robot_0": True, "robot_1": True}
    assert truncated == {"robot_0": False, "robot_1": False}
    assert env.agents == []


def test_the_latch_opens_with_the_next_episode():
    env = team(stop_mode="latch")
    assert endings(env, (STOP, STOP)) == [(True, False)]
    _, infos = env.reset(seed=0)
    assert [infos[robot]["stopped"] for robot in KEYS] == [0, 0]
    env.step(choose(env, LEFT))
    assert len(set(env.trajectories["robot_0"])) == 2


@pytest.mark.parametrize("moves", [(STOP, LEFT), (LEFT, STOP), (STOP, STOP)])
def test_any_stop_ends_the_episode(moves):
    env = team(stop_mode="any")
    assert endings(env, (LEFT, FORWARD), moves) == [(False, False), (True, False)]
    assert env.agents == []


def test_a_stop_in_the_last_step_terminates():
    for mode in ("latch", "any"):
        env = team(stop_mode=mode, steps=2)
        assert endings(env, (LEFT, LEFT), (STOP, STOP)) == [(False, False), (True, False)]


@pytest.mark.parametrize(
    ("mode", "expected"), [("mask", [0, 0, 1, 1]), ("latch", [1] * 4), ("any", [1] * 4)]
)
def test_the_mask_allows_stop_in_time(mode, expected):
    env = team(stop_mode=mode, steps=3)
    allowed = []
    for observations, *_ in play(env, np.full((3, 2), LEFT)):
        for robot in KEYS:
            mask = observations[robot]["action_mask"]
            assert mask.dtype == np.int8
            assert mask[1:].tolist() == [1, 1, 1]
        allowed.append(observations["robot_1"]["action_mask"][0])
    assert allowed == expected


def test_a_latched_robot_may_only_stop():
    env = team(stop_mode="latch")
    env.reset(seed=0)
    observations, *_ = env.step(choose(env, LEFT, STOP))
    assert observations["robot_0"]["action_mask"].tolist() == [1, 1, 1, 1]
    assert observations["robot_1"]["action_mask"].tolist() == [1, 0, 0, 0]
    assert env.action_masks().tolist() == [[True] * 4, [True, False, False, False]]


def test_where_the_action_predicts_the_mask_lies_in_the_info():
    env = team(prediction="action", stop_mode="latch", steps=3)
    observations, infos = env.reset(seed=0)
    assert "action_mask" not in observations["robot_0"]
    for robot in KEYS:
        mask = infos[robot]["action_mask"]
        assert mask["move"].tolist() == [1, 1, 1, 1]
        assert env.action_space(robot).contains(env.action_space(robot).sample(mask))


@pytest.mark.parametrize("ends", [True, False])
def test_full_coverage_ends_the_episode_if_it_is_told_to(ends):
    env = team(terminate_on_full_coverage=ends, steps=8)
    env.reset(seed=0)
    env.visited[:] = True
    hidden = env.trajectories["robot_0"][-1][0]
    ahead = env.scene.graph.neighbours[hidden]
    heading = int(np.flatnonzero(ahead >= 0)[0])
    env.visited[ahead[heading]] = False
    while env.trajectories["robot_0"][-1][1] != heading:
        _, _, terminated, _, infos = env.step(choose(env, LEFT))
        assert not terminated["robot_0"]
        assert infos["robot_0"]["cr"] < 1
    _, _, terminated, truncated, infos = env.step(choose(env, FORWARD, LEFT))
    assert infos["robot_0"]["cr"] == 1
    assert terminated == dict.fromkeys(KEYS, ends)
    assert truncated == dict.fromkeys(KEYS, False)
    assert bool(env.agents) is not ends
