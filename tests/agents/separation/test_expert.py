"""The expert's moves, the truths that losses see, and what is taught by them."""

import math

import gymnasium as gym
import numpy as np
import pytest
import torch

import av_envs  # noqa: F401  registers the environments
from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.ppo.rollout import Minibatch
from av_envs.agents.separation.expert import (
    Teaching,
    Truths,
    expert_moves,
)
from av_envs.agents.separation.networks.policy import PolicyConfig
from av_envs.agents.separation.senses import Senses

FORWARD, LEFT, RIGHT, STAY = range(4)
N = 4
OPTIONS = {"split": "val", "houses": 1, "observations": ("mixture", "target", "pose")}


def batch_of_envs(**options):
    return gym.make_vec("AVDynamicSep-v0", N, autoreset_mode="Disabled", **OPTIONS, **options)


def test_the_expert_walks_faces_and_stays():
    ways = np.array([0, 1, 2, 3, -1, -1, -1, -1])
    quarters = np.array([1, 1, 1, 1, 0, 1, 2, 3])
    expected = [FORWARD, LEFT, RIGHT, RIGHT, STAY, LEFT, RIGHT, RIGHT]
    found = expert_moves(ways, quarters)
    assert found.tolist() == expected
    assert found.dtype == np.int64


def test_the_expert_reaches_the_target():
    envs = batch_of_envs(steps=40)
    observation, infos = envs.reset(seed=0)
    truths = Truths(envs)
    for _ in range(20):
        moves = truths(observation, infos)["expert"]
        observation, *_, infos = envs.step(moves.numpy())
        assert not infos["collision"].any()
    assert (moves == STAY).all()
    assert (infos["distance_to_target"] <= 1.5).all()
    assert set(envs.call("privileged", "route_heading")) == {-1}
    assert set(envs.call("privileged", "bearing_quarters")) == {0}


def test_a_step_ahead_brings_the_target_a_metre_nearer_along_the_heading():
    envs = batch_of_envs()
    observation, infos = envs.reset(seed=1)
    truths = Truths(envs)
    before = truths(observation, infos)["offset"]
    np.testing.assert_allclose(before.norm(dim=1), infos["distance_to_target"], rtol=1e-5)
    observation, *_, infos = envs.step(np.full(N, FORWARD))
    moved = torch.from_numpy(infos["collision"] == 0)
    assert moved.any()
    walked = torch.tensor([[1.0, 0.0]]) * moved[:, None]
    torch.testing.assert_close(
        truths(observation, infos)["offset"], before - walked, atol=1e-3, rtol=0
    )
    before = truths(observation, infos)["offset"]
    observation, *_, infos = envs.step(np.full(N, LEFT))
    turned = torch.stack([before[:, 1], -before[:, 0]], dim=1)  # what was on the left is ahead
    torch.testing.assert_close(truths(observation, infos)["offset"], turned, atol=1e-3, rtol=0)


def test_a_memory_is_told_what_was_played(separator):
    envs = batch_of_envs(estimator="agent")
    senses = Senses(separator, PolicyConfig(features=("pose",)))
    observation, infos = envs.reset(seed=1)
    senses(observation, torch.ones(N, dtype=torch.bool))
    found = Truths(envs, senses)(observation, infos)
    levels = found["truth"].square().mean(dim=(1, 2)).sqrt()
    assert ((levels - 1.2).abs() < 1e-3).sum() + (levels == 0).sum() == N
    assert found["passive"] is senses.passive
    assert found["truth"].dtype == torch.float32
    assert "truth" not in Truths(envs)(observation, infos)


def test_labels_lie_where_the_policy_does():
    envs = batch_of_envs()
    observation, infos = envs.reset(seed=1)
    found = Truths(envs, device="meta")(observation, infos)
    assert {name: label.device.type for name, label in found.items()} == {
        "expert": "meta",
        "offset": "meta",
    }


def taught(logits: torch.Tensor, expert: torch.Tensor, valid: torch.Tensor) -> tuple:
    """Output and minibatch of T steps of B environments, of which a loss reads these."""
    steps = expert.shape
    extra = {"bearing": torch.zeros(*steps, 2), "log_distance": torch.zeros(steps)}
    output = PolicyOutput(logits, torch.zeros(steps), torch.zeros(steps[1], 1), extra)
    nothing = torch.zeros(steps)
    offset = torch.tensor([math.e, 0.0]).expand(*steps, 2)
    labels = {"expert": expert, "offset": offset}
    return output, Minibatch(
        {}, labels, nothing, nothing, nothing, nothing, valid, nothing, nothing, nothing
    )


def test_who_has_no_idea_is_told_two_bits():
    valid = torch.ones(3, 2, dtype=torch.bool)
    given = taught(torch.zeros(3, 2, 4), torch.zeros(3, 2, dtype=torch.long), valid)
    assert Teaching(0.0, 2.0, 0.5, 10)(*given).item() == pytest.approx(2 * math.log(4))
    # cosine 1 and logarithm 1 instead of 0 and 0
    assert Teaching(0.5, 0.0, 0.5, 10)(*given).item() == pytest.approx(0.5 * 2)
    both = Teaching(0.5, 2.0, 0.5, 10)(*given).item()
    assert both == pytest.approx(2 * math.log(4) + 1)
    assert Teaching(0.0, 0.0, 0.5, 10)(*given).item() == 0.0


def test_steps_that_do_not_count_teach_nothing():
    expert = torch.tensor([[0, 1], [2, 3]])
    logits = torch.zeros(2, 2, 4)
    logits[0, 1] = torch.tensor([9.0, -9.0, 0.0, 0.0])  # quite wrong
    valid = torch.tensor([[True, False], [True, True]])
    found = Teaching(0.0, 1.0, 0.5, 10)(*taught(logits, expert, valid))
    assert found.item() == pytest.approx(math.log(4))


def test_imitation_fades():
    teaching = Teaching(0.0, 2.0, 0.5, 10)
    weights = []
    for update in (0, 1, 4, 5, 9):
        teaching.at(update)
        weights.append(teaching.weight)
    assert weights == pytest.approx([2.0, 1.6, 0.4, 0.0, 0.0])
    never = Teaching(0.0, 2.0, 0.0, 10)
    never.at(0)
    assert never.weight == 0


def test_a_checkpoint_keeps_the_weight_of_imitation():
    one, other = Teaching(0.0, 2.0, 0.5, 10), Teaching(0.0, 2.0, 0.5, 10)
    one.at(3)
    other.load_state_dict(one.state_dict())
    assert other.weight == one.weight
