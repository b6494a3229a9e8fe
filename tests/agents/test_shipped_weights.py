"""Policies that come with the project."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

import av_envs
import av_envs.agents
from av_envs.agents.adapters.sb3 import SB3Agent
from av_envs.agents.rir_measure import Curiosity, Macma, Macmara, Occupancy, PlaceChooser
from av_envs.agents.separation import Active, LearnedDoA, Memoryless, Move2Hear, Novelty, SingleStep
from av_envs.agents.separation.agent import load_locator, load_separator
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.locate import SecondSampler, right
from av_envs.agents.separation.networks.locator import phases_of
from av_envs.agents.separation.pairs import PairConfig
from av_envs.agents.separation.validation import heard_at_start, si_sdr_of
from av_envs.benchmarks import query_curve
from av_envs.benchmarks.play.action_check import action_fault
from av_envs.rir_measure.predictors import open_predictor
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig

FOLDER = Path(av_envs.agents.__file__).parent / "weights"
ENVIRONMENTS = {
    "sep_listens": "AVDynamicSep-v0",
    "sep_told": "AVDynamicSep-v0",
    "rir_covers": "AVRIRMeasure-v0",
}
OTHERS = {
    "separator",
    "locator",
    "set_predictor",
    "memoryless",
    "novelty",
    "active",
    "single_step",
    "move2hear",
    "place_chooser",
    "from_afar",
    "hnet",
    "localizer",
}
REFINERS = {"few_rays", "few_rays_regression", "pseudo_real", "pseudo_real_regression"}
TEAMS = {
    "macma": (Macma, "flats"),
    "macmara": (Macmara, "flats"),
    "occupancy": (Occupancy, "flats"),
    "curiosity": (Curiosity, "flats"),
    "macma_houses": (Macma, "houses"),
}
MEASURING = {"flats": "AVRIRMeasure-v0", "houses": "AVRIRMeasureHouse-v0"}


def test_every_file_is_known_and_small():
    assert {path.stem for path in FOLDER.iterdir()} == {*ENVIRONMENTS, *OTHERS, *REFINERS, *TEAMS}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 20_000_000


@pytest.mark.parametrize("name", TEAMS)
def test_the_teams_go_further_than_chance_and_predict_better_than_silence(name):
    """In an unseen dwelling; 40 steps at random visit a tenth of it."""
    factory, where = TEAMS[name]
    env = gym.make(MEASURING[where], split="val", houses=1, steps=40)
    team = factory(env.observation_space, env.action_space, seed=0, trained_in=where)
    env.unwrapped.use_predictor(team.predictor)
    observation, _ = env.reset(seed=0)
    for _ in range(40):
        observation, *_, info = env.step(team.act(observation))
    assert info["cr"] > 0.15
    assert info["pe_mean"] < 1.0


def test_the_shipped_separator_separates():
    """In unseen houses, by 6 dB at least; docs/agents/passive.md says by how much."""
    separator, header = load_separator()
    check_classes(FOLDER / "separator.safetensors", header, corpus_of("embedded").classes)
    heard = heard_at_start(SeparationConfig(split="val", houses=1, start="near"), 6, (1, 2))
    gained = si_sdr_of(separator, heard, heard.label) - heard.si_sdr_mixture
    assert gained.mean() > 6


def test_the_shipped_locator_locates():
    """In unseen houses, one of four quarters; docs/agents/locator.md says how often."""
    locator, header = load_locator()
    check_classes(FOLDER / "locator.safetensors", header, corpus_of("embedded").classes)
    sampler = SecondSampler(PairConfig("val", houses=1, more_sources=0.0, share_near=1.0))
    heard = sampler.batch(np.random.default_rng(0), 96)
    spectra = torch.from_numpy(heard.spectra)
    with torch.no_grad():
        azimuth, _ = locator(spectra.abs(), phases_of(spectra), torch.from_numpy(heard.label))
    assert right(azimuth, torch.from_numpy(heard.offset))[0].mean() > 0.4


def test_the_shipped_set_predictor_knows_more_than_the_mean():
    """On held-out pairs of an unseen house after a short walk; docs/agents/set_predictor.md."""
    predictors = {"learned": "av_envs.agents.rir_measure:SetPredictor", "mean": "mean"}
    opened = {name: open_predictor(path) for name, path in predictors.items()}
    env = gym.make("AVRIRMeasureHouse-v0", split="val", houses=1, steps=25, prediction="none")
    errors = query_curve.play(env, 0, opened, [25], 16)
    assert errors["learned"][0]["stft"] < 0.8 * errors["mean"][0]["stft"]


def test_the_shipped_chooser_covers_an_unseen_flat():
    """More in 100 of 250 steps than Random does in all; docs/agents/choosing.md."""
    env = gym.make("AVRIRMeasure-v0", split="val", houses=1, steps=100, prediction="none")
    team = PlaceChooser(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=0)
    for _ in range(100):
        observation, *_, info = env.step(team.act(observation))
    assert info["cr"] > 0.6


@pytest.mark.parametrize("entry", [Active, LearnedDoA, Memoryless, Move2Hear, Novelty, SingleStep])
def test_the_shipped_policy_moves_and_separates(entry):
    env = gym.make(
        "AVDynamicSep-v0",
        split="val",
        houses=1,
        estimator="agent",
        observations=("depth", "mixture", "waveform", "target", "pose"),
    )
    agent = entry(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=0)
    moves = set()
    for _ in range(20):
        action = agent.act(observation)
        assert action_fault(env.action_space, action) is None
        observation, *_, info = env.step(action)
        moves.add(int(action["move"]))
    assert len(moves) > 1
    assert info["si_sdr"] > info["si_sdr_mixture"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_shipped_policy_acts(name):
    env = gym.make(ENVIRONMENTS[name], houses=1)
    path = str(FOLDER / f"{name}.safetensors")
    agent = SB3Agent(env.observation_space, env.action_space, seed=0, checkpoint=path)
    observation, _ = env.reset(seed=0)
    agent.reset(seed=0)
    truth = {key: env.unwrapped.privileged(key) for key in agent.privileged}
    action = agent.act(observation, truth)
    assert action_fault(env.action_space, action) is None
    assert bool(truth) == (name == "sep_told")


def test_who_is_told_turns_towards_the_target():
    """It walks to what is ahead, and not away from what is behind."""
    env = gym.make("AVDynamicSep-v0", houses=1)
    path = str(FOLDER / "sep_told.safetensors")
    agent = SB3Agent(env.observation_space, env.action_space, seed=0, checkpoint=path)
    observation, _ = env.reset(seed=0)
    far = {"straight_after": np.full(4, 4.0), "distances_after": np.full(4, 4.0)}
    ahead = {**far, "target_bearing": 0.0, "forward_is_free": True}
    assert agent.act(observation, ahead) == 0
    behind = {**far, "target_bearing": np.pi, "forward_is_free": True}
    assert agent.act(observation, behind) in (1, 2)
