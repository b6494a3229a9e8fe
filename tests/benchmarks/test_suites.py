"""Suites are data: what they must be for anybody to rely on them."""

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from fake_separation import FAKE_SUITE, GROUPED_SUITE

import av_envs.baselines.rir_measure
import av_envs.baselines.separation
from av_envs.benchmarks.agents import load_factory
from av_envs.benchmarks.episodes import make_env, step_values
from av_envs.benchmarks.suites import MEASURE_OPTIONS, OPTIONS, SUITES
from av_envs.rir_measure import MeasureConfig
from av_envs.rir_measure.predictors import PREDICTORS
from av_envs.scene import load_scene, scene_name
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.episode import draw_episode
from av_envs.sound import open_corpus

EPISODES_DRAWN = 4  # of every group
TEAMS = [name for name in SUITES if name.startswith("rir-")]
ALONE = [name for name in SUITES if name not in TEAMS]


def test_the_boards_of_the_issue_are_there():
    for name in ("sep-near-heard-v1", "sep-near-unheard-v1"):
        suite = SUITES[name]
        assert len(suite.episodes) == 200
        assert {e.options["house"] for e in suite.episodes} == set(range(20))
        assert suite.primary == "si_sdr_gain"
    heard, unheard = SUITES["sep-near-heard-v1"], SUITES["sep-near-unheard-v1"]
    assert (heard.split, unheard.split) == ("test_heard", "test_unheard")
    assert heard.groups == unheard.groups  # the same houses, places and voices
    noise = [g.env_kwargs["noise_snr_db"] for g in SUITES["sep-noise-v1"].groups]
    assert noise == [20, 30, 40]
    distances = [g.env_kwargs["min_source_distance"] for g in SUITES["sep-distance-v1"].groups]
    assert distances == [2, 4, 6, 8]


def test_the_boards_of_the_measuring_task_are_those_of_the_paper():
    assert TEAMS == ["rir-replica-like-v1", "rir-mp3d-like-v1"]
    flats, houses = (SUITES[name] for name in TEAMS)
    for suite in (flats, houses):
        assert (len(suite.episodes), suite.split, suite.primary) == (100, "test", "wcr_mean")
        taken = [episode.options["house"] for episode in suite.episodes]
        assert {taken.count(house) for house in range(20)} == {5}
    wanted = ("kind", "grid", "steps")
    assert [flats.env_kwargs[key] for key in wanted] == ["flat", 0.5, 250]
    assert [houses.env_kwargs[key] for key in wanted] == ["house", 1.0, 300]
    assert flats.env_kwargs["queries"] == houses.env_kwargs["queries"] == 32


def test_a_suite_spells_out_every_option():
    world = {"split", "backend", "backend_options"}  # suites are played in the built-in houses
    pictures = {"render_levels"}
    assert set(OPTIONS) == set(SeparationConfig.__dataclass_fields__) - world - {"observations"}
    assert set(MEASURE_OPTIONS) == set(MeasureConfig.__dataclass_fields__) - world - pictures


@pytest.mark.parametrize("name", ALONE)
def test_every_group_can_be_made_and_the_first_reports_its_metrics(name):
    suite = SUITES[name]
    for group in suite.groups:
        env = make_env(suite, group)
        assert env.spec.id == suite.env_id
        assert isinstance(env.action_space, gym.spaces.Discrete)
        if group is suite.groups[0]:
            env.reset(seed=group.seeds[0], options=group.options[0])
            info = env.step(3)[4]
            assert {metric.source for metric in suite.metrics} <= {*info, "reward"}
        env.close()


@pytest.mark.parametrize("name", TEAMS)
def test_a_team_can_play_and_hears_about_all_metrics(name):
    suite = SUITES[name]
    env = make_env(suite, suite.groups[0])
    assert env.spec.id == suite.env_id
    assert env.action_space == gym.spaces.MultiDiscrete([4, 4])
    _, seed, options = suite.episodes[0]
    env.reset(seed=seed, options=options)
    info = env.step(np.array([2, 3]))[4]
    for metric in suite.metrics:
        values = step_values(metric, [0.5], [info])
        assert len(values) == 1
    env.close()


@pytest.mark.parametrize("name", ALONE)
def test_every_house_has_room_for_its_episodes(name):
    _draw(SUITES[name], EPISODES_DRAWN)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_every_house_has_room_for_all_its_episodes(name):
    _draw(SUITES[name], None)


def _draw(suite, n):
    corpus = open_corpus("embedded")
    for group in suite.groups:
        config = SeparationConfig(split=suite.split, **{**suite.env_kwargs, **group.env_kwargs})
        for seed, options in zip(group.seeds[:n], group.options[:n], strict=True):
            scene = load_scene(scene_name(SPLITS[suite.split][0], options["house"]), config.grid)
            rng, _ = gym.utils.seeding.np_random(seed)
            episode = draw_episode(config, scene.graph, corpus, rng)
            assert len(episode.sounds) == config.num_sources


def test_the_hash_follows_every_field():
    group = FAKE_SUITE.groups[0]
    others = [
        replace(FAKE_SUITE, groups=(replace(group, seeds=group.seeds[::-1]),)),
        replace(FAKE_SUITE, groups=(replace(group, env_kwargs={"offset": 1}),)),
        replace(FAKE_SUITE, env_kwargs={"houses": 21}),
        replace(FAKE_SUITE, primary="si_sdr"),
    ]
    assert len({suite.hash for suite in (FAKE_SUITE, *others)}) == 5


def test_a_suite_that_cannot_be_is_refused():
    group = FAKE_SUITE.groups[0]
    with pytest.raises(ValueError, match="11 seeds, 12 options"):
        replace(FAKE_SUITE, groups=(replace(group, seeds=group.seeds[:-1]),))
    with pytest.raises(ValueError, match="primary 'loudness' not in"):
        replace(FAKE_SUITE, primary="loudness")
    with pytest.raises(ValueError, match="different seeds"):
        replace(FAKE_SUITE, groups=(replace(group, seeds=(1, 1)),))
    with pytest.raises(ValueError, match="different names"):
        replace(FAKE_SUITE, groups=(group, group))


def test_episodes_go_group_after_group():
    groups = [episode.group.name for episode in GROUPED_SUITE.episodes]
    assert groups == ["quiet"] * 6 + ["loud"] * 6


def test_the_makefile_names_every_suite_and_baseline_there_is():
    listed = _listed_in_makefile()
    assert {f"sep-{name}-v1" for name in listed["SUITES"]} == set(ALONE) - {"sep-demo-v1"}
    factories = [load_factory(f"av_envs.baselines.separation:{name}") for name in listed["AGENTS"]]
    assert {factory.__name__ for factory in factories} == set(av_envs.baselines.separation.__all__)
    assert {f"rir-{name}-v1" for name in listed["TEAM_SUITES"]} == set(TEAMS)
    factories = [load_factory(f"av_envs.baselines.rir_measure:{name}") for name in listed["TEAMS"]]
    assert {factory.__name__ for factory in factories} == set(av_envs.baselines.rir_measure.__all__)
    pairs = [pair.split(":") for pair in listed["PREDICTED"]]
    assert {team for team, _ in pairs} <= set(listed["TEAMS"])
    assert {"zero", "mean", "oracle"} <= {predictor for _, predictor in pairs} <= set(PREDICTORS)


def _listed_in_makefile() -> dict[str, list[str]]:
    """Words of every variable."""
    lines = (Path(__file__).resolve().parents[2] / "Makefile").read_text().splitlines()
    pairs = (line.partition(" := ")[::2] for line in lines if " := " in line)
    return {name: words.split() for name, words in pairs}
