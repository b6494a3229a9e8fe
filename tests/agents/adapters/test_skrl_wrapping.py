"""skrl's wrapper takes the environments as they are, and flattens what they observe."""

import logging

import numpy as np
import pytest
import torch
from gymnasium.spaces import flatdim
from small_worlds import STEPS, batch, every_task, single, team

pytest.importorskip("skrl", reason="needs skrl")

from skrl.envs.wrappers.torch import wrap_env
from skrl.utils.spaces.torch import unflatten_tensorized_space as unflatten


@pytest.fixture(autouse=True)
def quiet():
    """It looks for Gymnasium's vector environments where they once were, and says so."""
    logging.getLogger("skrl").setLevel(logging.ERROR)


@every_task
def test_a_single_environment(env_id):
    env = wrap_env(single(env_id), verbose=False)
    rows, _ = env.reset()
    assert rows.shape[0] == 1
    action = torch.from_numpy(np.atleast_2d(env.action_space.sample()))
    rows, rewards, terminated, truncated, _ = env.step(action)
    assert rewards.shape == terminated.shape == truncated.shape == (1, 1)
    whole = unflatten(env.observation_space, rows)
    assert whole["depth"].shape[-3:] == (128, 128, 1)


@every_task
@pytest.mark.parametrize("kind", ["sync", "native"])
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_batch(env_id, kind, mode):
    env = wrap_env(batch(env_id, kind, mode), verbose=False)
    rows, _ = env.reset()
    ends = []
    for _ in range(STEPS + 1):
        actions = np.stack([env.action_space.sample() for _ in range(2)]).reshape(2, -1)
        rows, rewards, _, truncated, _ = env.step(torch.from_numpy(actions))
        ends.append(truncated.flatten().tolist())
    assert ends == [[False, False]] * (STEPS - 1) + [[True, True], [False, False]]
    assert rows.shape[0] == rewards.shape[0] == 2
    if env_id == "AVRIRMeasure-v0":
        assert rows.shape[1] == flatdim(env.observation_space)


@pytest.mark.parametrize("wrapper", ["auto", "pettingzoo"])
def test_robots(wrapper):
    env = wrap_env(team(), wrapper=wrapper, verbose=False)
    rows, _ = env.reset()
    actions = {robot: torch.tensor([[2]]) for robot in env.possible_agents}
    for _ in range(STEPS):
        rows, rewards, _, truncated, _ = env.step(actions)
    assert {robot: row.shape for robot, row in rows.items()} == {
        robot: (1, flatdim(env.observation_space(robot))) for robot in ("robot_0", "robot_1")
    }
    assert all(row.all() for row in truncated.values())
    assert rewards["robot_0"] == rewards["robot_1"]
    assert env.state()["robot_0"].shape == (1, *team().state_space.shape)
