"""What robots and predictors are told, against the dwelling itself."""

import gymnasium as gym
import numpy as np
import pytest
from small_teams import FORWARD, LEFT, choose, play, random_walk, team

import av_envs  # noqa: F401  (registers the suite)
from av_envs.rir_measure.config import OBSERVATIONS, MeasureConfig
from av_envs.rir_measure.joint import JointMeasureEnv
from av_envs.rir_measure.observation import SENSORS

AHEAD = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])


def walked(n_steps=4, **options):
    """An environment, and the observations of its last step."""
    env = team(**options)
    return env, play(env, random_walk(env, n_steps=n_steps), seed=5)[-1][0]


@pytest.mark.parametrize("key", OBSERVATIONS)
def test_every_observation_alone_lies_in_its_space(key):
    env, observations = walked(observations=(key,), robots=3)
    for robot, observation in observations.items():
        assert list(observation) == [key]
        space = env.observation_space(robot)
        assert space is env.observation_space(robot)
        assert space.contains(observation)
    joint = gym.make("AVRIRMeasure-v0", houses=1, observations=(key,), predictor="zero", robots=3)
    together, _ = joint.reset(seed=0)
    assert joint.observation_space.contains(together)
    assert together[key].shape[0] == 3


def test_the_order_of_the_keys_is_that_of_the_option():
    keys = ("position", "azimuth", "depth", "rgb")
    _, observations = walked(observations=keys)
    assert tuple(observations["robot_0"]) == keys


def test_pictures_are_those_of_the_pose():
    env, observations = walked(observations=("rgb", "depth"))
    for robot, path in env.trajectories.items():
        rgb, depth = env.dwelling.views.view(*path[-1])
        np.testing.assert_array_equal(observations[robot]["rgb"], rgb)
        np.testing.assert_array_equal(observations[robot]["depth"], depth)


def test_classes_are_those_of_the_pose():
    env, observations = walked(observations=("semantic",))
    for robot, path in env.trajectories.items():
        labels = env.dwelling.views.labels(*path[-1])
        np.testing.assert_array_equal(observations[robot]["semantic"], labels)
        assert len(np.unique(labels)) > 1


def test_azimuth_and_position_say_where_when_and_which_way():
    env = team(steps=8)
    for t, (observations, *_) in enumerate(play(env)):
        for robot, path in env.trajectories.items():
            node, heading = path[t]
            assert observations[robot]["azimuth"].tolist() == [heading / 4, t / 8]
            np.testing.assert_array_equal(
                observations[robot]["position"], env.scene.graph.positions[node]
            )


def test_positions_from_the_start_are_metres_forward_and_left_of_it():
    env = team(position_frame="start", steps=10)
    graph = None
    for t, (observations, *_) in enumerate(play(env, seed=3)):
        graph = graph or env.scene.graph
        for robot, path in env.trajectories.items():
            (start, facing), (node, _) = path[0], path[t]
            offset = (graph.positions[node] - graph.positions[start])[:2]
            forward, left = AHEAD[facing], AHEAD[(facing + 1) % 4]
            expected = [offset @ forward, offset @ left, 0]
            np.testing.assert_allclose(observations[robot]["position"], expected, atol=1e-6)
            if t == 0:
                assert observations[robot]["position"].tolist() == [0, 0, 0]


def test_a_step_forward_is_a_step_forward_from_the_start():
    env = team(position_frame="start")
    env.reset(seed=0)
    ways = env.scene.graph.neighbours
    for heading in range(4):
        node = int(np.flatnonzero(ways[:, heading] >= 0)[0])
        env.reset(options={"start_nodes": [node, node], "start_headings": [heading] * 2})
        observations, *_ = env.step(choose(env, FORWARD, LEFT))
        assert observations["robot_0"]["position"].tolist() == [0.5, 0, 0]
        assert observations["robot_1"]["position"].tolist() == [0, 0, 0]


def test_partners_are_told_as_seen_from_the_robot():
    env, observations = walked(observations=("partner_pose",), robots=4)
    places = env.scene.graph.positions
    paths = list(env.trajectories.values())
    for k, robot in enumerate(env.possible_agents):
        node, heading = paths[k][-1]
        others = [path[-1] for j, path in enumerate(paths) if j != k]
        assert observations[robot]["partner_pose"].shape == (3, 4)
        for row, (there, facing) in zip(observations[robot]["partner_pose"], others, strict=True):
            offset = (places[there] - places[node])[:2]
            forward, left = offset @ AHEAD[heading], offset @ AHEAD[(heading + 1) % 4]
            expected = [forward, left, 0, (facing - heading) % 4 / 4]
            np.testing.assert_allclose(row, expected, atol=1e-6)


def test_ears_that_differ_in_number_have_no_joint_view():
    options = {"houses": 1, "observations": ("heard_rir",), "receivers": (1,)}
    with pytest.raises(ValueError, match="'heard_rir' differs in shape between robots"):
        gym.make("AVRIRMeasure-v0", **options)
    env = team(observations=("heard_rir",), receivers=(1,))
    observations, _ = env.reset(seed=0)
    assert observations["robot_0"]["heard_rir"].shape == (0, 2, 16_000)
    assert env.observation_space("robot_0").contains(observations["robot_0"])


class Listener:
    """Predicts silence and writes down what it is told."""

    def __init__(self):
        self.asked, self.told, self.histories, self.resets = [], [], [], []
        self.calls = []

    def reset(self, context):
        self.resets.append(context)

    def predict(self, pairs, history):
        self.calls.append("predict")
        self.asked.append(pairs)
        self.histories.append([dict(joint) for joint in history])
        return np.zeros((len(pairs.heading), 2, 16_000), np.float32)

    def observe(self, pairs, rirs):
        self.calls.append("observe")
        self.told.append((pairs, rirs.copy()))


@pytest.mark.parametrize("xi_timing", ["post_move", "pre_move"])
def test_a_predictor_is_asked_before_it_is_told(xi_timing):
    listener, measured = Listener(), []
    env = team(predictor=listener, xi_timing=xi_timing, steps=5)
    env.reset(seed=0)
    measured.append(env.measurement)
    for moves in random_walk(env):
        env.step(choose(env, *moves.tolist()))
        measured.append(env.measurement)
    if xi_timing == "pre_move":
        measured.pop()  # the last poses are never predicted
    assert len(listener.asked) == len(listener.told) == len(measured)
    for pairs, (told_pairs, rirs), truth in zip(
        listener.asked, listener.told, measured, strict=True
    ):
        for asked, told, expected in zip(pairs, told_pairs, truth.pairs, strict=True):
            np.testing.assert_array_equal(asked, expected)
            np.testing.assert_array_equal(told, expected)
        np.testing.assert_array_equal(rirs, truth.rirs)
    assert listener.calls == ["predict", "observe"] * len(measured)
    (context,) = listener.resets
    assert (context.robots, context.grid, context.steps) == (("robot_0", "robot_1"), 0.5, 5)


@pytest.mark.parametrize("xi_timing", ["post_move", "pre_move"])
def test_history_ends_at_the_poses_that_are_predicted(xi_timing):
    listener = Listener()
    env = team(predictor=listener, xi_timing=xi_timing, steps=20)
    steps = play(env, seed=0)
    for t, history in enumerate(listener.histories):
        assert len(history) == min(t + 1, 16)
        for joint, (expected, *_) in zip(reversed(history), reversed(steps[: t + 1]), strict=False):
            for robot in env.possible_agents:
                for key, value in joint[robot].items():
                    np.testing.assert_array_equal(value, expected[robot][key])


def test_history_does_not_hold_the_answer():
    """What was just measured is heard by the robots, and predicted only then."""
    listener = Listener()
    env = team(predictor=listener, observations=("position", "heard_rir"))
    observations, _ = env.reset(seed=0)
    assert observations["robot_0"]["heard_rir"].any()
    for history in listener.histories:
        assert all(list(told) == ["position"] for joint in history for told in joint.values())


def test_the_state_is_what_its_docstring_says():
    env = team(robots=3, stop_mode="latch", steps=5)
    steps = play(env, np.array([[1, 1, 2], [1, 3, 1], [0, 1, 1]]), seed=1)
    state, info = env.state(), steps[-1][-1]["robot_0"]
    assert state.shape == (8 * 3 + 5,)
    assert state.dtype == np.float32
    assert env.state_space is env.state_space
    assert env.state_space.contains(state)
    low, high = env.scene.bounds
    for k, path in enumerate(env.trajectories.values()):
        (node, heading), (before, _) = path[-1], path[-2]
        mine = state[8 * k : 8 * k + 8]
        places = (env.scene.graph.positions - low) / (high - low)
        np.testing.assert_allclose(mine[:3], places[node], atol=1e-6)
        angle = heading * np.pi / 2
        np.testing.assert_allclose(mine[3:5], [np.sin(angle), np.cos(angle)], atol=1e-6)
        np.testing.assert_allclose(mine[5:7], places[before][:2], atol=1e-6)
        assert mine[7] == (k == 0)
    width, depth = (high - low)[:2]
    expected = [
        3 / 5,
        info["cr"],
        info["psi"] / (2 * (width + depth)),
        info["phi"] / (width * depth),
        np.tanh(info["delta"] / 2),
    ]
    np.testing.assert_allclose(state[-5:], expected, atol=1e-6)


def test_the_state_before_any_move_and_without_any_prediction():
    env = team(prediction="none")
    env.reset(seed=1)
    state = env.state()
    low, high = env.scene.bounds
    np.testing.assert_allclose(state[:2], state[5:7])  # nobody was anywhere else
    assert state[-1] == 1
    assert state[-5] == 0
    assert (state[[7, 15]] == 0).all()
    assert env.state_space.contains(state)
    assert (high > low).all()


def test_privileged_knowledge_is_the_truth_and_a_copy():
    env, _ = walked()
    graph, paths = env.scene.graph, env.trajectories.values()
    expected = {
        "neighbours": graph.neighbours,
        "positions": graph.positions,
        "visited": env.visited,
        "nodes": [path[-1][0] for path in paths],
        "headings": [path[-1][1] for path in paths],
        "rirs": env.measurement.rirs,
    }
    for key, value in expected.items():
        known = env.privileged(key)
        np.testing.assert_array_equal(known, value)
        known[:] = 0
        np.testing.assert_array_equal(env.privileged(key), value)
    with pytest.raises(ValueError, match=r"'rir' is not privileged.*rirs"):
        env.privileged("rir")


def test_sensors_are_the_options_and_have_their_rows_in_the_docs():
    rows = [line.split("|") for line in JointMeasureEnv.__doc__.splitlines() if "|" in line]
    documented = {row[1].strip(" `"): row[3].strip() for row in rows if len(row) == 6}
    assert set(SENSORS) == set(OBSERVATIONS)
    config = MeasureConfig(observations=OBSERVATIONS)
    for key, sensor in SENSORS.items():
        assert documented[key] == str(sensor.space(config, 1).dtype), key
