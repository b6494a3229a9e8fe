"""Pairs are what the engine lets one hear, and say whose sound is whose."""

from types import SimpleNamespace

import numpy as np
import pytest

from av_envs.agents.separation import pairs
from av_envs.agents.separation.pairs import PairConfig, Pairs, PairSampler, heard_apart
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.separation.core import SeparationCore

ONE_HOUSE = PairConfig(houses=1)
KINDS = {"hum": 0.1, "mute": 0.0, "wind": 0.1}  # standard deviation of the samples


def samples(clip: str) -> np.ndarray:
    """A second and a half of noise, so that windows run over its end."""
    rng = np.random.default_rng(len(clip))
    return (KINDS[clip] * rng.standard_normal(24_000)).astype(np.float32)


def made_of(*classes: str):
    """A corpus of these classes with a clip each; wind only distracts."""
    return SimpleNamespace(
        classes=classes,
        target_classes=tuple(name for name in classes if name != "wind"),
        clips=lambda split, name: (name,),
        samples=samples,
    )


def sampler(monkeypatch, *classes: str, **options) -> PairSampler:
    monkeypatch.setattr(pairs, "corpus_of", lambda sounds: made_of(*classes))
    return PairSampler(PairConfig(houses=1, **options))


def batch(one: PairSampler, size: int, seed: int = 0) -> Pairs:
    return one.batch(np.random.default_rng(seed), size)


@pytest.fixture(scope="module")
def drawn() -> Pairs:
    return batch(PairSampler(ONE_HOUSE), 9)


def test_shapes_types_and_levels(drawn):
    assert drawn.mixture.shape == drawn.image.shape == (9, 2, 512, 32)
    assert drawn.truth.shape == (9, 512, 32)
    assert {part.dtype for part in drawn} == {np.dtype(np.float32), np.dtype(np.int64)}
    assert all((part >= 0).all() for part in drawn)
    levels = np.sqrt(np.square(drawn.truth, dtype=float).mean(axis=(1, 2)))
    np.testing.assert_allclose(levels, 1.2, rtol=1e-4)


def test_no_target_may_only_distract(drawn):
    corpus = corpus_of("embedded")
    assert {corpus.classes[label] for label in drawn.label} <= set(corpus.target_classes)


def test_a_source_beside_silence_is_the_mixture(monkeypatch):
    drawn = batch(sampler(monkeypatch, "hum", "mute", more_sources=0.0), 4)
    # beside one that is silent a source is all there is to hear
    np.testing.assert_allclose(drawn.mixture, drawn.image, atol=1e-6)
    assert set(drawn.label) == {0}


def test_two_images_obey_the_triangle(monkeypatch):
    monkeypatch.setitem(KINDS, "buzz", 0.1)
    drawn = batch(sampler(monkeypatch, "hum", "buzz", more_sources=0.0), 8)
    for first in range(0, 8, 2):
        one, other = drawn.image[first : first + 2]
        mixture = drawn.mixture[first]
        np.testing.assert_array_equal(mixture, drawn.mixture[first + 1])
        assert {*drawn.label[first : first + 2]} == {0, 1}
        assert (mixture <= one + other + 1e-5).all()
        assert (mixture >= np.abs(one - other) - 1e-5).all()
        assert np.square(mixture).sum() == pytest.approx(
            np.square(one).sum() + np.square(other).sum(), rel=0.3
        )  # noises of different sources have little in common


def test_a_label_is_of_the_source_whose_sound_is_the_truth(monkeypatch):
    monkeypatch.setitem(KINDS, "buzz", 0.1)
    one = sampler(monkeypatch, "hum", "buzz")

    def tone(clip: str) -> np.ndarray:
        hertz = {"hum": 500, "buzz": 4000}[clip]
        return np.sin(2 * np.pi * hertz * np.arange(40_000) / 16_000).astype(np.float32)

    one._samples = tone
    drawn = batch(one, 6)
    loudest = drawn.truth.sum(axis=2).argmax(axis=1) * 8000 / 511
    np.testing.assert_allclose(loudest, np.where(drawn.label == 0, 500, 4000), atol=20)
    heard = drawn.image.sum(axis=(1, 3)).argmax(axis=1) * 8000 / 511
    np.testing.assert_allclose(heard, loudest, atol=20)


def test_silent_sources_and_distractors_are_no_targets(monkeypatch):
    drawn = batch(sampler(monkeypatch, "hum", "mute", "wind"), 6)
    assert set(drawn.label) == {0}


def test_a_batch_is_a_function_of_the_seed(drawn, monkeypatch):
    for cores in (1, 3):
        monkeypatch.setattr("av_envs.threads.available_cores", lambda cores=cores: cores)
        again = batch(PairSampler(ONE_HOUSE), 9)
        assert all(np.array_equal(a, b) for a, b in zip(again, drawn, strict=True))
    other = batch(PairSampler(ONE_HOUSE), 2, seed=1)
    assert not np.array_equal(other.mixture, drawn.mixture[:2])


def test_sources_and_listener_are_as_far_apart_as_configured(monkeypatch):
    places = []

    def spy(dwelling, nodes, pose, windows):
        places.append((dwelling.scene.graph.walking_distances, nodes, pose))
        return np.zeros((len(nodes), 2, 16_000), np.float32)

    monkeypatch.setattr(pairs, "heard_apart", spy)
    config = PairConfig(houses=1, apart=3.0, near=2.0, share_near=1.0, more_sources=0.5)
    batch(PairSampler(config), 60)
    assert {len(nodes) for _, nodes, _ in places} == {2, 3}
    assert {heading for *_, (_, heading) in places} == {0, 1, 2, 3}
    for distances, nodes, (listener, _) in places:
        between = distances[np.ix_(nodes, nodes)][np.triu_indices(len(nodes), 1)]
        assert between.min() >= 3.0
        assert listener not in nodes
        assert distances[nodes, listener].min() <= 2.0


def test_the_engine_plays_the_same():
    core = SeparationCore(SeparationConfig(houses=1, start="near"))
    state = core.begin(np.random.default_rng(3), {})
    windows = np.empty((2, 32_000), np.float32)
    for sound, window in zip(state.episode.sounds, windows, strict=True):
        core.corpus.window(sound.clip, sound.first_second, window)
    alone = heard_apart(state.dwelling, state.episode.source_nodes, state.pose, windows)
    together = core.render_at(state, [state.pose], 0)[0].waveform
    np.testing.assert_allclose(alone.sum(axis=0), together, atol=1e-5)
    assert np.abs(together).max() > 1e-3


def test_two_classes_are_two_sources(monkeypatch):
    monkeypatch.setitem(KINDS, "buzz", 0.1)
    assert len(batch(sampler(monkeypatch, "hum", "buzz", more_sources=1.0), 2).label) == 2


def test_one_class_cannot_be_told_apart(monkeypatch):
    with pytest.raises(ValueError, match="needs 2 classes or more; the corpus 'embedded' has 1"):
        sampler(monkeypatch, "hum")


def test_no_room_is_named():
    with pytest.raises(ValueError, match=r"no place for . sources 1000 m apart was found in '"):
        batch(PairSampler(PairConfig(houses=1, apart=1000.0)), 1)
