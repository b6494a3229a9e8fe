"""Where those look who begin an episode."""

import numpy as np
import pytest

import av_envs  # noqa: F401  (registers the environments)
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.episode import draw_in_pool as drawn_for_measuring
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.separation.episode import draw_in_pool as drawn_for_separation
from av_envs.worlds.base import Dwelling, NoViews
from av_envs.worlds.facing import ROOM_AHEAD, heading_facing

NODE = 0


class Walls:
    """Views of which this share, by heading, is a wall half a metre ahead; the rest is far."""

    def __init__(self, *shares: float):
        self.shares = shares

    def view(self, node, heading):
        depth = np.full((128, 128, 1), 0.5, np.float32)
        depth.reshape(-1)[: round(self.shares[heading] * depth.size)] = ROOM_AHEAD / 20
        return np.zeros((128, 128, 3), np.uint8), depth


def headings(starts_facing: str, heading: int, *shares: float) -> set[int]:
    rng, dwelling = np.random.default_rng(0), Dwelling(None, None, Walls(*shares))
    return {heading_facing(starts_facing, dwelling, NODE, heading, rng) for _ in range(40)}


def test_an_open_heading_is_drawn_where_a_wall_is_ahead():
    assert headings("open", 1, 0.2, 0.6, 1.0, 0.4) == {0, 3}


def test_what_is_open_or_shut_all_around_stays():
    assert headings("open", 3, 0.2, 0.6, 1.0, 0.4) == {3}
    assert headings("open", 2, 0.6, 0.6, 1.0, 1.0) == {2}
    assert headings("any", 1, 0.2, 0.6, 1.0, 0.4) == {1}


def test_a_dwelling_without_views_is_refused(monkeypatch):
    class Named:
        name = "cellar"

    dwelling = Dwelling(Named(), None, NoViews("nobody has rendered it"))
    with pytest.raises(ValueError, match=r"'open' looks at views, and 'cellar' has none"):
        heading_facing("open", dwelling, NODE, 0, np.random.default_rng(0))


def ahead(dwelling: Dwelling, node: int, heading: int) -> float:
    return 10 * float(np.median(dwelling.views.view(node, heading)[1]))


def starts(task: str, starts_facing: str, seed: int) -> tuple[Dwelling, list, list]:
    """The dwelling, the start poses, and what else was drawn."""
    rng = np.random.default_rng(seed)
    if task == "separation":
        config = SeparationConfig(houses=3, starts_facing=starts_facing)
        _, dwelling, drawn = drawn_for_separation(config, {}, corpus_of("embedded"), rng)
        poses = [(drawn.start_node, drawn.start_heading)]
        return dwelling, poses, [drawn.sounds, drawn.start_node, drawn.noise_seed]
    config = MeasureConfig(houses=3, fixed_receivers=1, starts_facing=starts_facing)
    _, dwelling, drawn = drawn_for_measuring(config, {}, rng)
    poses = list(zip(drawn.start_nodes, drawn.start_headings, strict=True))
    return dwelling, poses, [drawn.start_nodes, drawn.fixed_receivers]


@pytest.mark.parametrize("task", ["separation", "measuring"])
def test_no_start_faces_a_wall_and_all_else_is_as_it_was(task):
    changed = 0
    for seed in range(25):
        dwelling, free, rest = starts(task, "any", seed)
        _, poses, same = starts(task, "open", seed)
        assert same == rest
        for (node, heading), (_, before) in zip(poses, free, strict=True):
            room = [ahead(dwelling, node, h) for h in range(4)]
            assert room[heading] >= min(ROOM_AHEAD, max(room))
            assert heading == before or room[before] < ROOM_AHEAD
            changed += heading != before
    assert changed > 2


def test_headings_that_reset_names_are_obeyed():
    config = MeasureConfig(houses=1, starts_facing="open")
    for heading in range(4):
        given = {"start_headings": [heading, heading]}
        _, _, episode = drawn_for_measuring(config, given, np.random.default_rng(5))
        assert episode.start_headings == (heading, heading)


@pytest.mark.parametrize("config", [SeparationConfig, MeasureConfig])
def test_other_words_are_refused(config):
    with pytest.raises(ValueError, match="starts_facing 'door' does not exist; choose from any, o"):
        config(starts_facing="door")
