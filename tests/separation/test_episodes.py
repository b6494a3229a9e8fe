"""Where sources and agents are placed, and what is said when they do not fit."""

import re

import numpy as np
import pytest

import av_envs
from av_envs.scene import load_scene, scene_name
from av_envs.separation.config import SeparationConfig
from av_envs.separation.env import SeparationEnv
from av_envs.separation.places import NoRoomError, draw_places, spread

CROWD = {"num_sources": 8, "start": "near", "houses": 3, "observations": ["pose"]}


def graph_of(split: str, house: int):
    return load_scene(scene_name(split, house), 1.0).graph


@pytest.mark.parametrize("n_sources", [1, 2, 4, 8])
@pytest.mark.parametrize("start", ["near", "target", "far"])
def test_every_number_of_sources_is_placed_as_asked(n_sources, start):
    config = SeparationConfig(num_sources=n_sources, min_source_distance=3, start=start)
    rng = np.random.default_rng(0)
    for house in range(4):
        graph = graph_of("val", house)
        nodes, agent = draw_places(config, graph, rng)
        between = graph.walking_distances[np.ix_(nodes, nodes)]
        assert len(set(nodes)) == n_sources
        assert (between[~np.eye(n_sources, dtype=bool)] >= 3).all()
        away = graph.walking_distances[agent, nodes[0]]
        assert {"near": 2 <= away <= 5, "target": away == 0, "far": away >= 8}[start]


def test_spread_takes_the_farthest_each_time():
    places = np.array([0.0, 1.0, 5.0, 9.0])
    nodes, gaps = spread(np.abs(places[:, None] - places).astype(np.float32), 3)
    assert nodes[0].tolist() == [0, 3, 2]
    assert gaps[0].tolist() == [np.inf, 9, 4]


def test_what_chance_does_not_find_is_placed_all_the_same():
    """At the largest distance that fits, nearly every random choice fails."""
    graph = graph_of("train", 0)
    widest = float(spread(graph.walking_distances, 4)[1][:, -1].max())
    config = SeparationConfig(num_sources=4, min_source_distance=widest, start="target")
    nodes, _ = draw_places(config, graph, np.random.default_rng(0))
    between = graph.walking_distances[np.ix_(nodes, nodes)]
    assert between[~np.eye(4, dtype=bool)].min() >= widest


def test_too_much_for_every_house_says_what_fits():
    """And what it says is true."""
    asked = {**CROWD, "min_source_distance": 14}
    with pytest.raises(
        NoRoomError, match=r"no room for 8 sources 14 m apart in any of 3"
    ) as refusal:
        SeparationEnv(**asked).reset(seed=0)
    said = re.search(r": (\d) fit 14 m apart; 8 fit (\S+) m apart", str(refusal.value))
    fewer, nearer = int(said[1]), float(said[2])
    assert 1 < fewer < 8
    assert 0 < nearer < 14
    SeparationEnv(**{**asked, "num_sources": fewer}).reset(seed=0)
    SeparationEnv(**{**asked, "min_source_distance": nearer}).reset(seed=0)


def test_a_house_that_is_asked_for_is_not_replaced():
    env = SeparationEnv(**CROWD, min_source_distance=14)
    with pytest.raises(ValueError, match="8 sources 14 m apart in this house: "):
        env.reset(seed=0, options={"house": 1})


def test_a_house_in_which_they_do_not_fit_is_passed_over():
    """A distance that only the widest of five houses has."""
    longest = [graph_of("train", house).walking_distances.max() for house in range(5)]
    widest = int(np.argmax(longest))
    assert sorted(longest)[-2] < longest[widest]
    env = SeparationEnv(
        houses=5, min_source_distance=float(longest[widest]), start="target", observations=["pose"]
    )
    for seed in range(3):
        assert env.reset(seed=seed)[1]["house"] == widest
    again = env.reset(seed=2)[0]["pose"], env.source_nodes.tolist()
    assert again[1] == (env.reset(seed=2), env.source_nodes.tolist())[1]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"num_sources": 0}, r"num_sources must be a whole number in 1\.\.8, got 0"),
        ({"num_sources": 2.0}, r"num_sources must be a whole number in 1\.\.8, got 2.0"),
        ({"min_source_distance": -1}, "min_source_distance .* got -1"),
        ({"min_source_distance": np.nan}, "min_source_distance .* got nan"),
        ({"min_source_distance": "far"}, "min_source_distance .* got 'far'"),
        ({"noise_snr_db": "loud"}, "noise_snr_db must be None or decibels, got 'loud'"),
        ({"noise_snr_db": np.inf}, "noise_snr_db must be None or decibels, got inf"),
        ({"dynamic": 0}, "dynamic must be True or False, got 0"),
        ({"grid": np.inf}, "grid must be positive, got inf"),
    ],
)
def test_silly_options_are_named_with_their_value(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        SeparationEnv(**options)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", sorted(av_envs.VARIANTS))
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_every_variant_fits_into_every_house(env_id, split):
    """By chance alone, ten times in each of a hundred houses."""
    config = SeparationConfig(**av_envs.VARIANTS[env_id][1])
    rng = np.random.default_rng(0)
    for house in range(100):
        graph = graph_of(split, house)
        for _ in range(10):
            draw_places(config, graph, rng)
