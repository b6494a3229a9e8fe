"""The experiments as suites: which episodes are played in which column, and what is read off."""

import numpy as np
import pytest

from av_envs.benchmarks.experiments.rows import EXPERIMENTS, suite_of, tables_of
from av_envs.benchmarks.play.episodes import look_backs
from av_envs.separation.config import SeparationConfig
from av_envs.separation.core import SeparationCore

every_experiment = pytest.mark.parametrize("name", EXPERIMENTS)


def configs(name: str, **changed) -> list[SeparationConfig]:
    """Of the columns."""
    suite = suite_of(name, "val", 2, 2)
    return [
        SeparationConfig.from_keywords(
            split=suite.split, **{**suite.env_kwargs, **group.env_kwargs, **changed}
        )
        for group in suite.groups
    ]


@every_experiment
def test_every_column_has_the_same_seeds_and_houses(name):
    suite = suite_of(name, "test_unheard", 5, 2)
    assert suite.split == "test_unheard"
    assert suite.env_kwargs["houses"] == 2
    for group in suite.groups:
        assert group.seeds == (0, 1, 2, 3, 4)
        assert [options["house"] for options in group.options] == [0, 1, 0, 1, 0]
    assert all(config.estimator == "agent" for config in configs(name))


@every_experiment
def test_every_place_of_a_table_is_played(name):
    suite = suite_of(name, "val", 2, 1)
    places = [place for table in tables_of(name) for place in table.places.values()]
    groups = {group.name for group in suite.groups}
    assert {group for group, _ in places} == groups
    assert {metric for _, metric in places} <= set(suite.metric_names)
    better = {metric.name: metric.higher_is_better for metric in suite.metrics}
    for table in tables_of(name):
        assert {better[metric] for _, metric in table.places.values()} == {table.higher_is_better}


def test_what_changes_is_what_the_paper_changes():
    def values(name, option):
        return [getattr(config, option) for config in configs(name)]

    assert values("noise", "noise_snr_db") == [None, 40, 30, 20]
    assert values("three_sources", "num_sources") == [2, 3]
    assert values("min_distance", "min_source_distance") == [2, 4, 6, 8]
    assert values("target_start", "start") == ["between", "near", "target"]
    assert values("legacy", "convolution") == ["causal", "legacy_same"]
    assert values("legacy", "start") == ["target", "target"]


def test_the_sweep_of_hindsight_plays_once():
    suite = suite_of("e_sweep", "val", 2, 1)
    assert len(suite.groups) == 1
    assert look_backs(suite) == [0, 4, 9, 14, 19]
    table = tables_of("e_sweep")[0]
    assert list(table.places) == ["at once", "0", "4", "9", "14", "19"]
    sources = {metric.name: metric.source for metric in suite.metrics}
    assert [sources[metric] for _, metric in table.places.values()] == [
        "si_sdr",
        *(f"refined_{back}_si_sdr" for back in (0, 4, 9, 14, 19)),
    ]


@pytest.mark.parametrize("name", [n for n, row in EXPERIMENTS.items() if row.same_episodes])
def test_where_episodes_are_said_to_be_the_same_they_are(name):
    begun = []
    for config in configs(name, houses=1):
        state = SeparationCore(config).begin(np.random.default_rng(3), {"house": 0})
        begun.append((state.pose, state.episode))
    assert all(one == begun[0] for one in begun)
