"""From a name, an import path or an object to a predictor."""

from importlib import import_module
from typing import Any

from av_envs.rir_measure.predictors.protocol import RIRPredictor

_HERE = "av_envs.rir_measure.predictors"
PREDICTORS = {
    "zero": f"{_HERE}.zero:Zero",
    "mean": f"{_HERE}.mean:Mean",
    "nearest_measured": f"{_HERE}.nearest_measured:NearestMeasured",
    "interpolating": f"{_HERE}.interpolating:Interpolating",
    "oracle": f"{_HERE}.oracle:Oracle",
}
METHODS = ("reset", "predict", "observe")


def open_predictor(predictor: Any) -> RIRPredictor:
    """The predictor of that name, a new one from "module:Factory", or the object itself."""
    if not isinstance(predictor, str):
        return _checked(predictor, f"predictor {predictor!r}")
    module, _, name = PREDICTORS.get(predictor, predictor).partition(":")
    if not (module and name):
        raise ValueError(
            f"predictor {predictor!r} does not exist; choose from {', '.join(PREDICTORS)}, "
            "an import path 'module:Factory' or an object with the methods "
            f"{', '.join(METHODS)}"
        )
    whose = f"predictor {predictor!r}"
    try:
        factory = getattr(import_module(module), name)
    except (ImportError, TypeError) as error:
        raise ValueError(f"{whose}: cannot import {module!r} ({error})") from error
    except AttributeError as error:
        raise ValueError(f"{whose}: {module!r} has no {name!r}") from error
    try:
        made = factory()
    except Exception as error:
        raise ValueError(f"{whose}: {name}() failed with {error!r}") from error
    return _checked(made, whose)


def _checked(made: Any, whose: str) -> RIRPredictor:
    missing = [method for method in METHODS if not callable(getattr(made, method, None))]
    if missing or isinstance(made, type):
        lacks = f"lacks the method {' and '.join(missing)}" if missing else "is a class"
        raise ValueError(
            f"{whose}: a {type(made).__name__} {lacks}; a predictor is an object with "
            f"the methods {', '.join(METHODS)}"
        )
    return made
