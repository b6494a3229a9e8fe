"""Every built-in predictor keeps the promises of the protocol; wrong ones are named."""

import pytest

from av_envs.rir_measure.predictors import open_predictor


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
