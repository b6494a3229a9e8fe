"""Every built-in predictor keeps the promises of the protocol; wrong ones are named."""

import numpy as np
import pytest

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import PREDICTORS, PredictionContext, open_predictor

every_predictor = pytest.mark.parametrize("name", PREDICTORS)


def made_up_pairs(n: int, seed: int = 0) -> Pairs:
    generator = np.random.default_rng(seed)
    emitter, receiver = generator.uniform(0, 8, (2, n, 3)).astype(np.float32)
    emitter[:, 2] = receiver[:, 2] = 1.5
    return Pairs(emitter, receiver, generator.integers(4, size=n))


def made_up_rirs(n: int, n_samples: int = 16000, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((n, 2, n_samples))
    return (0.1 * noise * np.exp(-np.arange(n_samples) / 1000)).astype(np.float32)


def context(n_samples: int = 16000) -> PredictionContext:
    def truth(pairs):
        return made_up_rirs(len(pairs.heading), n_samples, seed=1)

    return PredictionContext(("robot_0", "robot_1"), 0.5, 250, truth, n_samples)


def opened(name, n_samples=16000):
    predictor = open_predictor(name)
    predictor.reset(context(n_samples))
    return predictor


@every_predictor
@pytest.mark.parametrize("n_samples", [16000, 8000, 20000])
def test_predictions_have_the_promised_shape(name, n_samples):
    predictor = opened(name, n_samples)
    for n in (2, 1, 0, 5):  # before and after something was measured, and for no pair at all
        predicted = predictor.predict(made_up_pairs(n), [])
        assert predicted.shape == (n, 2, n_samples)
        assert predicted.dtype == np.float32
        assert np.isfinite(predicted).all()
        predictor.observe(made_up_pairs(n), made_up_rirs(n, n_samples))


@every_predictor
def test_an_episode_depends_on_nothing_before_its_reset(name):
    predictor, episodes = open_predictor(name), []
    for _ in range(2):
        predictor.reset(context())
        for step in range(3):
            last = predictor.predict(made_up_pairs(2, step), []).copy()
            predictor.observe(made_up_pairs(2, step), made_up_rirs(2, seed=step))
        episodes.append(last)
    assert np.array_equal(*episodes)


@every_predictor
def test_what_was_observed_may_be_overwritten(name):
    kept, overwritten = opened(name), opened(name)
    rirs = made_up_rirs(2)
    kept.observe(made_up_pairs(2), rirs.copy())
    overwritten.observe(made_up_pairs(2), rirs)
    rirs[:] = 7
    near = made_up_pairs(2)
    assert np.array_equal(kept.predict(near, []), overwritten.predict(near, []))


def test_zero_is_silent_and_the_oracle_right():
    pairs = made_up_pairs(3)
    assert not opened("zero").predict(pairs, []).any()
    assert np.array_equal(opened("oracle").predict(pairs, []), context().truth(pairs))


def test_only_the_oracle_is_privileged():
    privileged = {name: getattr(open_predictor(name), "privileged", ()) for name in PREDICTORS}
    assert {name for name, keys in privileged.items() if keys} == {"oracle"}
    assert privileged["oracle"] == ("truth",)


def test_the_mean_never_changes():
    mean = opened("mean")
    first = mean.predict(made_up_pairs(2), [])
    mean.observe(made_up_pairs(2), made_up_rirs(2))
    assert np.array_equal(first, mean.predict(made_up_pairs(2, seed=5), []))
    assert np.shares_memory(first, mean.predict(made_up_pairs(4), []))


class NoObserve:
    def reset(self, context):
        pass

    def predict(self, pairs, history):
        pass


def broken_factory():
    raise RuntimeError("no weights")


def test_the_name_of_a_predictor_that_does_not_exist():
    with pytest.raises(ValueError, match=r"'meen' does not exist; choose from zero, mean.*module"):
        open_predictor("meen")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module:Factory", "cannot import 'no_such_module'"),
        (f"{__name__}:Missing", "has no 'Missing'"),
        (f"{__name__}:broken_factory", "broken_factory.. failed with RuntimeError.'no weights'"),
        (f"{__name__}:NoObserve", "lacks the method observe"),
    ],
)
def test_what_is_wrong_with_an_import_path(path, reason):
    with pytest.raises(ValueError, match=reason):
        open_predictor(path)


def test_an_object_is_taken_as_it_is():
    zero = open_predictor("zero")
    assert open_predictor(zero) is zero
    with pytest.raises(ValueError, match="lacks the method observe"):
        open_predictor(NoObserve())
    with pytest.raises(ValueError, match="is a class"):
        open_predictor(type(zero))
