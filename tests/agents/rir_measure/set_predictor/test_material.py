"""Walks and lessons: what robots can do, and nothing of the future."""

from itertools import pairwise

import numpy as np
import pytest

from av_envs.agents.rir_measure.set_predictor import material
from av_envs.agents.rir_measure.set_predictor.material import lesson, walk
from av_envs.worlds.traced import open_dwelling


@pytest.fixture(scope="module")
def graph():
    return open_dwelling("house-0", 1.0).scene.graph


def test_robots_take_one_step_or_quarter_turn_at_a_time_and_see_most(graph):
    poses = list(walk(graph, np.random.default_rng(0), 250))
    for before, now in pairwise(poses):
        for (node, heading), (later, turned) in zip(before, now, strict=True):
            if node == later:
                continue
            assert heading == turned
            assert graph.neighbours[node, heading] == later
    for robot in (0, 1):
        turns = np.diff([pose[robot][1] for pose in poses]) % 4
        stood = np.diff([pose[robot][0] for pose in poses]) == 0
        assert np.isin(turns[stood], (0, 1, 2, 3)).all()
    visited = {pose[robot][0] for pose in poses for robot in (0, 1)}
    assert len(visited) > 0.8 * len(graph)


def test_walks_are_drawn(graph):
    one, same, other = (list(walk(graph, np.random.default_rng(k), 20)) for k in (0, 0, 1))
    assert one == same
    assert one != other


@pytest.fixture(scope="module")
def short():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(material, "STEPS", (2, 4))
        yield lesson("train", 0, "house", 6, keeps_responses=True)


def test_a_lesson_asks_the_same_pairs_after_more_and_more(short):
    assert [len(question.direct) for question in short.questions] == [4, 8]
    early, late = short.questions
    assert np.array_equal(early.seen, late.seen)
    assert np.array_equal(early.louder, late.louder[:4])
    assert short.queries.rirs.shape == (6, 2, 16000)


def test_batches_hold_part_of_the_set(short, monkeypatch):
    monkeypatch.setattr(material, "STEPS", (2, 4))
    sizes = set()
    for seed in range(20):
        batch = short.draw(np.random.default_rng(seed), 4)
        p, m = batch.question["relation"].shape[:2]
        assert p == len(batch.arrival) == len(batch.truth.mean) == 4
        assert batch.question["louder"].shape[0] == batch.question["direct"].shape[0] == m
        sizes.add(m)
    assert {4, 8} < sizes
