"""The refiners that ship, in a flat: they were trained in houses."""

import json

import gymnasium as gym
import numpy as np
import pytest

from av_envs.agents.refinement import Refined
from av_envs.agents.refinement.metrics import level_error_db
from av_envs.agents.refinement.pairs import PairConfig, house_of, pairs_of, places_in
from av_envs.agents.refinement.refiner import SHIPPED, is_regression
from av_envs.agents.refinement.tiers import tier_acoustics

RAYS = 8192  # of the truth: enough to see what lacks, and quick
TIERS = {
    "few_rays": ("T2", "T3"),
    "few_rays_regression": ("T2", "T3"),
    "pseudo_real": ("T3", "T4"),
    "pseudo_real_regression": ("T3", "T4"),
}
MOST = {  # of the error before
    "few_rays": 0.8,
    "few_rays_regression": 0.7,
    "pseudo_real": 0.8,
    "pseudo_real_regression": 0.8,
}


@pytest.mark.parametrize("name", SHIPPED)
def test_it_makes_levels_better(name):
    cheap, truth = TIERS[name]
    config = PairConfig(cheap, truth, "val", 1, sources=2, receivers=8, kind="flat")
    scene = house_of(config, 0)
    places = places_in(config, 0, len(scene.graph))
    first = tier_acoustics(scene, tier=cheap, rays=RAYS if cheap == "T3" else None)
    last = tier_acoustics(scene, tier=truth, rays=RAYS)  # with T3's rays: only the mismatch differs
    refiner = Refined(name)
    before, after = [], []
    for heard in pairs_of(scene, places, first, last):
        before.append(level_error_db(heard.cheap, heard.truth))
        after.append(level_error_db(refiner.refine(heard.cheap, heard.pose), heard.truth))
    assert np.mean(after) < MOST[name] * np.mean(before)


@pytest.mark.parametrize("name", SHIPPED)
def test_its_header_says_how_it_was_made_and_not_where(name):
    made = Refined(name).header.made
    assert (made["options"]["cheap"], made["options"]["truth"]) == TIERS[name]
    assert is_regression(Refined(name).header) == name.endswith("regression")
    assert "/" not in json.dumps(made)


def test_an_environment_takes_it():
    env = gym.make(
        "AVRIRMeasure-v0",
        houses=1,
        backend="refined",
        refiner="av_envs.agents.refinement:Refined",
        refiner_options={"checkpoint": "pseudo_real_regression", "solver": "euler", "steps": 1},
    )
    env.reset(seed=0)
    env.step(env.action_space.sample())
    env.close()
