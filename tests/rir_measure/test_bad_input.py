"""Whatever is wrong is named: options, actions, predictions, and calls out of order."""

import math
from dataclasses import fields

import gymnasium as gym
import numpy as np
import pettingzoo
import pytest
from gymnasium.error import ResetNeeded
from small_teams import SMALL, choose, guess_here, team

import av_envs  # noqa: F401  (registers the suite)
from av_envs import rir_measure
from av_envs.rir_measure.config import MeasureConfig

NAN, INF = math.nan, math.inf

BAD_VALUES = {
    "split": ["dev", 0, None, ["train"]],
    "kind": ["castle", None],
    "starts_facing": ["wall", None],
    "houses": [0, -1, 1.0, True, "2", None, 2_000_000],
    "grid": [0, -0.5, 0.7, "0.5", None, NAN, INF, True, 10**400],
    "steps": [0, 1.5, True, None],
    "robots": [0, -1, 17, 2.0, None],
    "emitters": [3, (2,), (-1,), (0, 0), (0.0,), (True,), "01", [[0]], ["robot_0"]],
    "receivers": [3, (2,), (-1,), (0, 0), (0.0,), (True,), "01", [[0]], ["robot_0"]],
    "fixed_sources": [-1, 65, 1.0, None, [3]],
    "fixed_receivers": [-1, 65, 1.0, None, [[3, 0]]],
    "directions": ["backward", None, ("both",)],
    "prediction": ["deferred", None, True],
    "predictor": ["nobody", 3, None, ..., "os:getcwd", "no.such.module:Thing", ":", "mean:"],
    "xi_timing": ["now", 0, ""],
    "alpha_xi": [NAN, INF, "1", None, True],
    "alpha_zeta": [NAN, "1"],
    "alpha_psi": [-INF, None],
    "alpha_phi": [INF, [1.0]],
    "rho": [-0.5, 1.1, -2, NAN, None, "full"],
    "stop_mode": ["never", None],
    "terminate_on_full_coverage": [1, 0, None, "yes"],
    "observations": [(), None, 3, "rgb", ("rgb", "rgb"), ("colour",), [["rgb"]]],
    "position_frame": ["robot", None],
    "queries": [-1, 1.0, None, True],
    "room_errors": [1, None],
    "expose_rir": [1, "no"],
    "wcr_lambda": [-0.1, 1.1, NAN, None, "0.1"],
    "render_levels": [1, None],
    "hrtf": [3, None, ""],
    "backend": ["habitat3", None, 3, ["traced"]],
    "backend_options": [3, "root", ["root"]],
}
EVERY_BAD_VALUE = [(option, value) for option, values in BAD_VALUES.items() for value in values]


def test_every_option_is_tried():
    assert BAD_VALUES.keys() == {field.name for field in fields(MeasureConfig)}


@pytest.mark.parametrize(("option", "value"), EVERY_BAD_VALUE, ids=str)
def test_a_nonsense_value_names_its_option(option, value):
    with pytest.raises(ValueError, match=option):
        team(**{option: value})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"prediction": "submit", "xi_timing": "post_move"}, "'submit' needs xi_timing='pre_move'"),
        ({"prediction": "action", "xi_timing": "post_move"}, "'action' needs xi_timing='pre_move'"),
        ({"prediction": "none", "queries": 2}, "queries need prediction='env'"),
        ({"prediction": "action", "observations": ("action_mask",)}, "observations"),
        ({"robots": 1, "fixed_sources": 1, "observations": ("partner_pose",)}, "partner_pose"),
        ({"render_mode": "human"}, "render_mode 'human' does not exist; choose rgb_array"),
    ],
)
def test_options_that_do_not_go_together(options, named):
    with pytest.raises(ValueError, match=named):
        team(**options)


def test_a_misspelt_option_is_an_error_in_every_way_to_make_it():
    makers = [
        lambda **options: gym.make("AVRIRMeasure-v0", **options),
        lambda **options: pettingzoo.make("parallel", "AVRIRMeasure-v0", **options),
        lambda **options: pettingzoo.make("aec", "AVRIRMeasure-v0", **options),
        rir_measure.parallel_env,
        rir_measure.env,
        rir_measure.raw_env,
    ]
    for make in makers:
        with pytest.raises(TypeError, match="unknown option 'robot'; options are split, kind"):
            make(robot=3)


@pytest.mark.parametrize(
    ("call", "early"),
    [
        (lambda env: env.step(choose(env, 1)), True),
        (lambda env: env.submit_prediction(np.zeros((2, 2, 16_000), np.float32)), True),
        (lambda env: env.state(), False),
        (lambda env: env.action_masks(), False),
        (lambda env: env.privileged("nodes"), False),
    ],
    ids=["step", "submit", "state", "masks", "privileged"],
)
def test_calls_out_of_order(call, early):
    env = team(prediction="submit", steps=2)
    with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
        call(env)
    env.reset(seed=0)
    for _ in range(2):
        env.step(choose(env, 2))
    if early:
        with pytest.raises(ResetNeeded, match="the episode ended after 2 steps"):
            call(env)
    else:
        call(env)


def test_render_before_reset_is_an_error():
    with pytest.raises(ResetNeeded):
        team(render_mode="rgb_array").render()


BAD_MOVES = [4, -1, 1.0, 1.5, math.nan, "left", None, [1], [1, 2], np.array([1]), True, np.bool_(1)]


@pytest.mark.parametrize("move", BAD_MOVES, ids=str)
@pytest.mark.parametrize("prediction", ["none", "action"])
def test_a_move_that_is_none_names_the_robot(move, prediction):
    env = team(prediction=prediction)
    env.reset(seed=0)
    actions = choose(env, 2, move)
    if prediction == "action":
        rir = np.zeros((1, 2, 16_000), np.float32)
        actions = {robot: {"move": move, "rir": rir} for robot, move in actions.items()}
    with pytest.raises(ValueError, match="the move of robot_1"):
        env.step(actions)
    assert env.t == 0


@pytest.mark.parametrize("move", [2, np.int8(2), np.array(2), np.uint64(2)], ids=repr)
def test_all_whole_numbers_are_moves(move):
    env = team()
    env.reset(seed=0)
    before = env.trajectories["robot_0"][-1][1]
    env.step(dict.fromkeys(env.agents, move))
    assert env.trajectories["robot_0"][-1][1] == (before + 1) % 4


@pytest.mark.parametrize(
    ("actions", "named"),
    [
        ({}, "none for robot_0, robot_1"),
        ({"robot_0": 1}, "none for robot_1"),
        ({"robot_0": 1, "robot_1": 1, "robot_2": 1}, "no robot 'robot_2', only robot_0, robot_1"),
        ({"agent_0": 1, "agent_1": 1}, "no robot 'agent_0'"),
        ([1, 2], "actions must be a dict"),
        (None, "actions must be a dict"),
        (1, "actions must be a dict"),
    ],
    ids=str,
)
def test_actions_are_for_all_robots_and_no_others(actions, named):
    env = team()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=named):
        env.step(actions)
    assert env.t == 0
    assert all(len(path) == 1 for path in env.trajectories.values())


@pytest.mark.parametrize(
    "action", [1, {"move": 1}, {"rir": 0}, {"move": 1, "rir": 0, "also": 1}, [1, 2]], ids=str
)
def test_an_action_with_a_prediction_has_both(action):
    env = team(prediction="action")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="the action of robot_0 must be a dict of 'move' and 'rir"):
        env.step(dict.fromkeys(env.agents, action))


def bad_predictions(count: int):
    """Malformed predictions of `count` responses, and what is said about them."""
    right = np.zeros((count, 2, 16_000), np.float32)
    for wrong in (right[0], right[:, :1], right[..., :-1], right[None], np.zeros(3), 0.0, None):
        yield wrong, "must have shape"
    yield np.concatenate([right, right]), "must have shape"
    yield right.astype(int), "must be floats, got int64"
    yield right.astype(complex), "must be floats"
    yield right.astype(object), "must be floats"
    for value, named in (
        (math.nan, "1 of .* samples are nan or infinite"),
        (math.inf, "nan or infinite"),
        (-101.0, "must lie within 100, got 101"),
    ):
        wrong = right.copy()
        wrong[-1, 1, -1] = value
        yield wrong, named


@pytest.mark.parametrize("k", range(len(list(bad_predictions(1)))))
@pytest.mark.parametrize("route", ["submit", "action", "joint action", "env"])
def test_a_malformed_prediction_is_named(k, route):
    whose = {
        "submit": r"submit_prediction\(\)",
        "action": "the action of robot_1",
        "joint action": "the action",
        "env": "the predictor",
    }[route]
    rirs, named = list(bad_predictions(1 if route == "action" else 2))[k]
    if route == "env":
        with pytest.raises(ValueError, match=f"{whose}: .*{named}"):
            team(predictor=Constant(rirs)).reset(seed=0)
        return
    env = team(prediction=route.split()[-1])
    env.reset(seed=0)
    if route == "submit":
        with pytest.raises(ValueError, match=f"{whose}: .*{named}"):
            env.submit_prediction(rirs)
        assert env.step(choose(env, 2))[-1]["robot_0"]["xi_valid"] == 0
        return
    if route == "action":
        right = np.zeros((1, 2, 16_000), np.float32)
        actions = {"robot_0": {"move": 2, "rir": right}, "robot_1": {"move": 2, "rir": rirs}}
        with pytest.raises(ValueError, match=f"{whose}: .*{named}"):
            env.step(actions)
        assert env.t == 0
        return
    env = gym.make("AVRIRMeasure-v0", **{**SMALL, "prediction": "action"}).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match=f"{whose}: .*{named}"):
        env.step({"move": [2, 2], "rir": rirs})
    assert env.team.t == 0


class Constant:
    """Predicts whatever it was made with."""

    def __init__(self, answer):
        self.answer = answer

    def reset(self, context):
        pass

    def predict(self, pairs, history):
        return self.answer

    def observe(self, pairs, rirs):
        pass


def test_a_malformed_answer_to_the_queries_is_named():
    predictor = Constant(np.zeros((2, 2, 16_000), np.float32))
    env = team(predictor=predictor, queries=3, steps=2)
    env.reset(seed=0)
    env.step(choose(env, 2))
    with pytest.raises(ValueError, match=r"the predictor, of queries: .*\(3, 2, 16000\)"):
        env.step(choose(env, 2))


def test_a_prediction_is_submitted_once():
    env = team(prediction="submit")
    env.reset(seed=0)
    env.submit_prediction(guess_here(env))
    with pytest.raises(ValueError, match="already submitted"):
        env.submit_prediction(guess_here(env))


@pytest.mark.parametrize("prediction", ["env", "action", "none"])
def test_a_prediction_can_only_be_submitted_where_it_is_awaited(prediction):
    env = team(prediction=prediction)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=f"needs prediction='submit', not '{prediction}'"):
        env.submit_prediction(np.zeros((2, 2, 16_000), np.float32))


def test_a_rejected_step_can_be_taken_again():
    """What went wrong has changed nothing, not even what was submitted."""
    env = team(prediction="submit")
    env.reset(seed=0)
    env.submit_prediction(guess_here(env))
    with pytest.raises(ValueError, match="the move of robot_1"):
        env.step(choose(env, 1, 7))
    assert env.step(choose(env, 1, 1))[-1]["robot_0"]["xi_valid"] == 1


@pytest.mark.parametrize("moves", [[1], [1, 2, 3], 1, None, [[1, 2]], [1.0, 2.0], [1, 4]], ids=str)
def test_the_joint_view_wants_one_move_per_robot(moves):
    env = gym.make("AVRIRMeasure-v0", **SMALL).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="move"):
        env.step(moves)
    assert env.team.t == 0


def test_max_cycles_and_steps_are_one_option():
    assert rir_measure.parallel_env(max_cycles=7).config.steps == 7
    with pytest.raises(TypeError, match="two names of one option"):
        rir_measure.env(max_cycles=7, steps=7)
