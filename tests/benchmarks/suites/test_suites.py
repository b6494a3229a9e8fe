"""Suites are data: what they must be for anybody to rely on them."""

from dataclasses import fields, replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from fake_separation import FAKE_SUITE, GROUPED_SUITE

import av_envs.baselines.rir_measure
import av_envs.baselines.separation
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec, load_factory
from av_envs.benchmarks.play.episodes import Job, make_env, step_values
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites import suite as suites
from av_envs.benchmarks.suites.suite import (
    LATER_BACKEND_OPTIONS,
    LATER_OPTIONS,
    PUBLISHED,
    SUITES,
    WITHDRAWN,
    read_suite,
    suite_named,
)
from av_envs.registration import MEASURING, SEPARATION, VARIANTS
from av_envs.rir_measure import MeasureConfig
from av_envs.rir_measure.predictors import PREDICTORS
from av_envs.scene import load_scene, scene_name
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.episode import draw_episode
from av_envs.sound import open_corpus

EPISODES_DRAWN = 4  # of every group
BETWEEN = ("sep-between-heard-v1", "sep-between-unheard-v1", "sep-between3-unheard-v1")
TEAMS = [name for name in SUITES if name.startswith("rir-")]
ALONE = [name for name in SUITES if name not in TEAMS]
SEPARATE = [name for name in ALONE if name.startswith("separate-")]
REFINED = {"refined_si_sdr", "refined_stft_distance"}  # which come from the agent, not the env


def test_the_boards_of_the_issue_are_there():
    for name in (*BETWEEN, "sep-near-heard-v2", "sep-near-unheard-v2"):
        suite = SUITES[name]
        assert len(suite.episodes) == 200
        assert {e.options["house"] for e in suite.episodes} == set(range(20))
        assert suite.primary == "si_sdr_gain"
    heard, unheard = SUITES["sep-near-heard-v2"], SUITES["sep-near-unheard-v2"]
    assert (heard.split, unheard.split) == ("test_heard", "test_unheard")
    assert heard.groups == unheard.groups  # the same houses, places and voices
    for name in BETWEEN:
        options = SUITES[name].env_kwargs
        assert (options["start"], options["min_source_distance"]) == ("between", 4.0)
    noise = [g.env_kwargs["noise_snr_db"] for g in SUITES["sep-noise-v2"].groups]
    assert noise == [20, 30, 40]
    distances = [g.env_kwargs["min_source_distance"] for g in SUITES["sep-distance-v2"].groups]
    assert distances == [2, 4, 6, 8]


def test_what_agents_separate_is_scored_in_the_same_episodes():
    """In which the mixture is scored; causal estimates rank, refined ones stand beside."""
    mixtures = (*BETWEEN, "sep-far-v2", "sep-near-unheard-v2")
    assert [
        heard.replace("sep-", "separate-").replace("-v2", "-v1") for heard in mixtures
    ] == SEPARATE
    for name, heard in zip(SEPARATE, mixtures, strict=True):
        suite, mixture = SUITES[name], SUITES[heard]
        assert suite.groups == mixture.groups
        assert suite.split == mixture.split
        seen = ["rgb", "depth", "mixture", "waveform", "target", "pose"]
        asked = {"estimator": "agent", "observations": seen}
        assert suite.env_kwargs == {**mixture.env_kwargs, **asked}
        ranks = "si_sdr_final" if "far" in name else "si_sdr"  # far away, to arrive is what counts
        assert (suite.primary, suite.primary_metric.source) == (ranks, "si_sdr")
        assert "si_sdr_refined" in suite.metric_names


def test_the_boards_of_the_measuring_task_are_those_of_the_paper():
    assert TEAMS == ["rir-mp3d-like-v2", "rir-replica-like-v2"]
    houses, flats = (SUITES[name] for name in TEAMS)
    for suite in (flats, houses):
        assert (len(suite.episodes), suite.split, suite.primary) == (100, "test", "wcr_mean")
        taken = [episode.options["house"] for episode in suite.episodes]
        assert {taken.count(house) for house in range(20)} == {5}
    wanted = ("kind", "grid", "steps")
    assert [flats.env_kwargs[key] for key in wanted] == ["flat", 0.5, 250]
    assert [houses.env_kwargs[key] for key in wanted] == ["house", 1.0, 300]
    assert flats.env_kwargs["queries"] == houses.env_kwargs["queries"] == 32


CONFIGS = {SEPARATION: SeparationConfig, MEASURING: MeasureConfig}


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_and_the_options_added_since_are_all_options_there_are(name):
    """A new option fails here until LATER_OPTIONS says how the published suites play on."""
    suite = SUITES[name]
    entry_point, _ = VARIANTS[suite.env_id]
    options = {field.name for field in fields(CONFIGS[entry_point])} - {"split"}
    assert set(suite.env_kwargs) <= options
    backend = set(LATER_BACKEND_OPTIONS["traced"])
    for group in suite.groups:
        later = suite.later_options(group)
        assert options - set(suite.env_kwargs) == set(later) - backend
        assert later["look"] == "flat"
    for group in suite.groups:
        assert set(group.env_kwargs) <= set(suite.env_kwargs)


def test_what_was_added_later_has_valid_values():
    for entry_point, later in LATER_OPTIONS.items():
        CONFIGS[entry_point](**later)


def test_a_new_option_does_not_touch_a_suite(monkeypatch):
    """Not even when its default is another than what the suite was made with."""
    suite = replace(FAKE_SUITE, env_id="AVDynamicSep-v0")
    before = suite.hash
    monkeypatch.setitem(LATER_OPTIONS, SEPARATION, {"houses": 7, "hum": 0.0})
    (group,) = suite.groups
    assert suite.later_options(group) == {"hum": 0.0, "look": "flat"}  # what it says itself stays
    assert suite.hash == before
    lit = replace(suite, env_kwargs={**suite.env_kwargs, "backend_options": {"look": "lit"}})
    assert lit.later_options(group) == {"hum": 0.0}
    for backend in ("mesh", "soundspaces"):  # of the suite, or of one group of it
        elsewhere = replace(suite, env_kwargs={**suite.env_kwargs, "backend": backend})
        assert elsewhere.later_options(group) == {"hum": 0.0}
        of_group = replace(group, env_kwargs={"backend": backend})
        assert suite.later_options(of_group) == {"hum": 0.0}
    assert FAKE_SUITE.later_options(FAKE_SUITE.groups[0]) == {}


def test_options_added_later_reach_the_environment_and_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(suites.Suite, "later_options", lambda suite, group: {"offset": -5.0})
    suite = replace(FAKE_SUITE, groups=FAKE_SUITE.groups)
    env = make_env(suite, suite.groups[0])
    assert env.unwrapped.offset == -5
    result = read_result(run_suite(Job(suite, AgentSpec("fake_separation:Quiet")), tmp_path))
    assert "offset" not in result["env"]["specs"]["all"]["kwargs"]


def test_a_withdrawn_suite_names_its_successor():
    with pytest.raises(UserError, match="its successor is sep-near-unheard-v2"):
        suite_named("sep-near-unheard-v1")
    assert set(WITHDRAWN.values()) <= set(SUITES)
    assert not set(WITHDRAWN) & set(SUITES)


def test_a_suites_file_bears_its_name_and_version():
    for path in PUBLISHED.glob("*.json"):
        suite = read_suite(path)
        assert path.stem == suite.name
        assert int(suite.name.rpartition("-v")[2]) == suite.version


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "odd.json is not a suite"),
        ("[]", "odd.json is not a suite"),
        ('{"groups": [], "metrics": [], "colour": 1}', "Suite needs .*look at .*colour"),
        ('{"groups": [{"name": "all"}], "metrics": []}', "Group needs .*look at .*seeds"),
    ],
)
def test_a_file_that_is_no_suite_is_named(tmp_path, text, complaint):
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_suite(path)


@pytest.mark.parametrize("name", ALONE)
def test_every_group_can_be_made_and_the_first_reports_its_metrics(name):
    suite = SUITES[name]
    for group in suite.groups:
        env = make_env(suite, group)
        assert env.spec.id == suite.env_id
        actions = gym.spaces.Dict if name in SEPARATE else gym.spaces.Discrete
        assert isinstance(env.action_space, actions)
        if group is suite.groups[0]:
            env.reset(seed=group.seeds[0], options=group.options[0])
            stay = {"move": 3, "estimate": np.ones((512, 32))} if name in SEPARATE else 3
            info = env.step(stay)[4]
            sources = {metric.source for metric in suite.metrics}
            assert sources - REFINED <= {*info, "reward"}
            assert sources & REFINED == (REFINED if name in SEPARATE else set())
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
    assert {f"sep-{name}" for name in listed["SUITES"]} == {
        *(set(ALONE) - set(SEPARATE) - {"sep-demo-v2"})
    }
    assert {f"separate-{name}" for name in listed["SEPARATE_SUITES"]} == set(SEPARATE)
    factories = [load_factory(f"av_envs.baselines.separation:{name}") for name in listed["AGENTS"]]
    assert {factory.__name__ for factory in factories} == set(av_envs.baselines.separation.__all__)
    assert {f"rir-{name}" for name in listed["TEAM_SUITES"]} == set(TEAMS)
    factories = [load_factory(f"av_envs.baselines.rir_measure:{name}") for name in listed["TEAMS"]]
    assert {factory.__name__ for factory in factories} == set(av_envs.baselines.rir_measure.__all__)
    pairs = [pair.split(":") for pair in listed["PREDICTED"]]
    assert {team for team, _ in pairs} <= set(listed["TEAMS"])
    assert {"zero", "mean", "oracle"} <= {predictor for _, predictor in pairs} <= set(PREDICTORS)


def _listed_in_makefile() -> dict[str, list[str]]:
    """Words of every variable."""
    lines = (Path(__file__).resolve().parents[3] / "Makefile").read_text()
    lines = lines.replace("\\\n", " ").splitlines()
    pairs = (line.partition(" := ")[::2] for line in lines if " := " in line)
    return {name: words.split() for name, words in pairs}
