"""Choosing places: the network, learning it by imitation and by reward, and playing it."""

import csv

import gymnasium as gym
import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure import PlaceChooser
from av_envs.agents.rir_measure.choosing.files import load_chooser, save_chooser
from av_envs.agents.rir_measure.choosing.imitate import agreement
from av_envs.agents.rir_measure.choosing.imitate import main as imitate
from av_envs.agents.rir_measure.choosing.network import Chooser, ChooserConfig
from av_envs.agents.rir_measure.choosing.places import FEATURES, MOST, NEEDED
from av_envs.agents.rir_measure.choosing.train import main as train
from av_envs.agents.rir_measure.choosing.walking import (
    AskedTeams,
    PaidForFinds,
    chosen_by,
    query_errors,
)


def said(policy: Chooser, places: torch.Tensor, mask: torch.Tensor):
    starts = torch.zeros(1, 1, dtype=torch.bool)
    features = {"places": places[None, None], "mask": mask[None, None]}
    return policy(features, policy.initial_state(1), starts)


def test_the_order_of_places_means_nothing():
    torch.manual_seed(0)
    policy = Chooser(ChooserConfig(8))
    places, mask = torch.randn(2, MOST, FEATURES), torch.rand(2, MOST) < 0.5
    mask[:, 0] = True
    order = torch.randperm(MOST)
    output, shuffled = said(policy, places, mask), said(policy, places[:, order], mask[:, order])
    assert torch.equal(output.logits.isinf()[0, 0], ~mask)
    torch.testing.assert_close(output.logits[..., order], shuffled.logits)
    torch.testing.assert_close(output.values, shuffled.values)
    other = torch.where(mask[..., None], places, torch.randn_like(places))
    torch.testing.assert_close(said(policy, other, mask).values, output.values)


def test_agreement_is_the_chance_of_any_of_the_chosen():
    logits = torch.tensor([[0.5, 0.25, 0.25, 0.0]]).log()
    chosen = torch.tensor([[False, True, True, False]])
    assert agreement(logits, chosen).item() == pytest.approx(-np.log(0.5))


def test_finds_are_paid_to_who_finds_and_in_part_to_the_others():
    class Envs:
        finds = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])

    paid = PaidForFinds(Envs(), 2.0, 0.5)(torch.tensor([0.0, 0.0, 3.0]), None)
    assert paid.tolist() == [[2.0, 1.0], [3.0, 3.0], [3.0, 3.0]]


def test_what_the_error_on_held_out_pairs_falls_by_is_paid():
    made = gym.make_vec(
        "AVRIRMeasure-v0", 2, autoreset_mode="NextStep", houses=1, steps=26, queries=3,
        predictor="interpolating", observations=NEEDED,
    )  # fmt: skip
    envs = AskedTeams(made, 10.0)
    envs.reset(seed=0)
    rewards, errors, finds = [], [], []
    for _ in range(27):
        _, reward, _, _, infos = envs.step(np.zeros((2, 2), int))
        rewards.append(reward)
        errors.append(np.array(infos["pe_query"]))
        finds.append(envs.finds.sum())
    assert np.flatnonzero(np.any(rewards, axis=1)).tolist() == [24, 25]
    np.testing.assert_allclose(np.sum(rewards, axis=0), 10 * (errors[9] - errors[25]), rtol=1e-5)
    assert finds[0] > 0
    assert finds[-1] == 0
    nobody = gym.make_vec("AVRIRMeasure-v0", 1, houses=1, observations=NEEDED)
    with pytest.raises(ValueError, match="nothing is asked"):
        AskedTeams(nobody, 1.0)


def test_errors_on_held_out_pairs_are_those_of_the_episode_that_the_team_plays(tmp_path):
    torch.manual_seed(1)
    policy, path = Chooser(ChooserConfig(8)), tmp_path / "chooser.safetensors"
    save_chooser(policy, path, {})
    env = gym.make(
        "AVRIRMeasure-v0", houses=2, steps=26, queries=3, predictor="interpolating",
        observations=NEEDED,
    )  # fmt: skip
    found = query_errors(chosen_by(load_chooser(path)), env, [0, 1], 7)
    team = PlaceChooser(env.observation_space, env.action_space, seed=0, checkpoint=str(path))
    for house, error in enumerate(found):
        observation, _ = env.reset(seed=7 + house, options={"house": house})
        team.reset()
        for _ in range(26):
            observation, *_, info = env.step(team.act(observation))
        assert error == pytest.approx(float(info["pe_query_auc"]))
    assert found[0] != found[1]


@pytest.mark.slow
def test_imitation_agrees_more_and_more_and_reward_goes_on_from_it(tmp_path):
    few = ["--houses", "2", "--val-houses", "1", "--num-envs", "2", "--threads", "1"]
    out = tmp_path / "imitated"
    assert imitate(["--out", str(out), "--rounds", "2", *few]) == 0
    with (out / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert float(rows[-1]["agreed"]) > 0.5
    words = ["--policy", str(out / "best.safetensors"), "--rollout", "4", "--minibatches", "2"]
    words += ["--steps", "16", "--val-every", "8", "--out", str(tmp_path / "trained"), *few]
    assert train(words) == 0
    assert train([*words, "--resume"]) == 0
    load_chooser(tmp_path / "trained" / "best.safetensors")


def test_a_file_plays_and_another_is_refused(tmp_path):
    torch.manual_seed(1)
    path = tmp_path / "chooser.safetensors"
    save_chooser(Chooser(ChooserConfig(8)), path, {})
    env = gym.make("AVRIRMeasure-v0", houses=1, steps=20, prediction="none")
    team = PlaceChooser(env.observation_space, env.action_space, seed=0, checkpoint=str(path))
    for _ in range(2):
        observation, _ = env.reset(seed=0)
        team.reset(seed=0)
        for _ in range(20):
            observation, *_, info = env.step(team.act(observation))
        assert info["cr"] > 0.05
    blind = gym.make("AVRIRMeasure-v0", houses=1, observations=("azimuth", "position"))
    with pytest.raises(ValueError, match="needs the observations azimuth, depth, position"):
        PlaceChooser(blind.observation_space, env.action_space, seed=0, checkpoint=str(path))
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"other\.safetensors"):
        load_chooser(tmp_path / "other.safetensors")
