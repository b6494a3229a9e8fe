"""Predictors that repeat a response: the nearest measured one, or the most similar stored one."""

import numpy as np
import pytest

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import PredictionContext, open_predictor
from av_envs.rir_measure.predictors.nearest_measured import NearestMeasured, delayed
from av_envs.rir_measure.predictors.nearest_neighbor import (
    SIMILARITIES,
    NearestNeighbor,
    joint_features,
    record_table,
)

CONTEXT = PredictionContext(("robot_0", "robot_1"), 0.5, 250, truth=None, n_samples=1000)


def pair(emitter, receiver, heading=0):
    places = (np.array([[*place, 1.5]], np.float32) for place in (emitter, receiver))
    return Pairs(*places, np.array([heading]))


def click(sample):
    rir = np.zeros((1, 2, 1000), np.float32)
    rir[0, 0, sample], rir[0, 1, sample] = 1.0, 0.5
    return rir


def measured(*measurements, reciprocity=True):
    predictor = NearestMeasured(reciprocity)
    predictor.reset(CONTEXT)
    for pairs, rirs in measurements:
        predictor.observe(pairs, rirs)
    return predictor


def test_a_measured_pair_is_repeated_exactly():
    pairs = [pair((0, 0), (3, 0)), pair((0, 0), (0, 3)), pair((5, 5), (3, 0), 2)]
    predictor = measured(*((p, click(100 + k)) for k, p in enumerate(pairs)))
    for k, p in enumerate(pairs):
        assert np.array_equal(predictor.predict(p, []), click(100 + k))


def test_the_nearer_of_two_is_moved_to_the_new_delay():
    near, far = (pair((0, 0), (3.43, 0)), click(160)), (pair((9, 9), (0, 9)), click(420))
    predicted = measured(near, far).predict(pair((0, 0), (3.43 * 1.25, 0)), [])
    assert np.array_equal(predicted, click(200))


def test_a_turn_of_the_head_counts_less_than_a_walk():
    here, turned = (pair((0, 0), (2, 0)), click(93)), (pair((0, 0), (2, 0), 1), click(94))
    elsewhere = (pair((0, 0), (4, 0), 1), click(186))
    assert np.array_equal(measured(here, turned).predict(turned[0], []), turned[1])
    assert np.array_equal(measured(here, elsewhere).predict(turned[0], []), here[1])


def test_reciprocity_lets_a_pair_stand_for_its_reverse():
    there, other = (pair((0, 0), (3, 0)), click(140)), (pair((3, 0), (3, 3)), click(141))
    back = pair((3, 0), (0, 0), 2)  # the emitter is behind the nose both times
    assert np.array_equal(measured(there, other).predict(back, []), there[1])
    without = measured(there, other, reciprocity=False)
    assert np.array_equal(without.predict(back, []), other[1])


def test_before_anything_is_measured_it_is_the_mean():
    nearest, mean = NearestMeasured(), open_predictor("mean")
    for predictor in (nearest, mean):
        predictor.reset(CONTEXT)
    p = pair((0, 0), (3, 0))
    assert np.array_equal(nearest.predict(p, []), mean.predict(p, []))


@pytest.mark.parametrize("samples", [0, 3, -3, 999, -999])
def test_delayed(samples):
    middle = click(0 if samples > 0 else 999)[0]
    assert np.argmax(delayed(middle, samples)[0]) == (0 if samples > 0 else 999) + samples
    assert delayed(middle, samples).sum() == 1.5


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_neighbour_retrieves_itself(similarity, monkeypatch):
    monkeypatch.setattr("av_envs.rir_measure.predictors.nearest_neighbor.CHUNK", 7)
    generator = np.random.default_rng(0)
    records = generator.standard_normal((50, 12))
    neighbor = NearestNeighbor(records, np.zeros((50, 2, 4)), similarity=similarity)
    assert np.array_equal(neighbor.retrieve(records), np.arange(50))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_similarity_against_its_definition(similarity):
    generator = np.random.default_rng(1)
    records, queries = generator.standard_normal((2, 30, 5))
    p, q = (np.exp(f) / np.exp(f).sum(1, keepdims=True) for f in (queries, records))
    dots = queries @ records.T / np.linalg.norm(records, axis=1)
    scores = {
        "kl_softmax": -(p[:, None] * np.log(p[:, None] / q)).sum(2),
        "cosine": dots / np.linalg.norm(queries, axis=1, keepdims=True),
        "l2": -np.linalg.norm(queries[:, None] - records, axis=2),
    }
    neighbor = NearestNeighbor(records, np.zeros((30, 2, 4)), similarity=similarity)
    assert np.array_equal(neighbor.retrieve(queries), scores[similarity].argmax(axis=1))


def walk(n):
    generator = np.random.default_rng(2)
    for k in range(n):
        depth = {"depth": generator.random((128, 128, 1), np.float32)}
        yield pair(generator.uniform(0, 9, 2), (1, 1)), click(k), [{"robot_0": depth}]


def test_a_recorded_table_survives_a_file(tmp_path):
    features, rirs = record_table(walk(9))
    assert features.shape == (9, 9 + 16)
    np.savez(tmp_path / "table.npz", features=features, rirs=np.float16(rirs))
    neighbor = NearestNeighbor.from_file(tmp_path / "table.npz", similarity="l2")
    neighbor.reset(CONTEXT)
    for pairs, rir, history in walk(9):
        assert np.array_equal(neighbor.predict(pairs, history), rir)


def test_coarse_depth_is_a_mean_in_place():
    depth = np.zeros((128, 128, 1), np.float32)
    depth[:32, 32:64] = 0.5  # top row, second cell
    features = joint_features(pair((0, 0), (1, 1)), [{"robot_0": {"depth": depth}}])
    assert features[0, 9:] == pytest.approx(0.5 * np.eye(16)[1])


def test_what_is_no_table(tmp_path):
    with pytest.raises(ValueError, match="'kl' does not exist; choose from kl_softmax, cosine, l2"):
        NearestNeighbor(np.zeros((3, 2)), np.zeros((3, 2, 4)), similarity="kl")
    with pytest.raises(ValueError, match="3 features for 2 responses"):
        NearestNeighbor(np.zeros((3, 2)), np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match=r"should be \(M, D\), \(M, 2, n\)"):
        NearestNeighbor(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="pairs have 5 features, the records 2"):
        NearestNeighbor(np.zeros((3, 2)), np.zeros((3, 2, 4))).retrieve(np.zeros((1, 5)))
    np.savez(tmp_path / "table.npz", features=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="lacks the array rirs"):
        NearestNeighbor.from_file(tmp_path / "table.npz")
    with pytest.raises(ValueError, match="at least one measurement"):
        record_table([])
