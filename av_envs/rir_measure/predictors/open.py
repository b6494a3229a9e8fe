"""From a name, an import path or an object to a predictor."""

from typing import Any

from av_envs import plugins
from av_envs.rir_measure.predictors.protocol import RIRPredictor

_HERE = "av_envs.rir_measure.predictors"
PREDICTORS = {
    "zero": f"{_HERE}.zero:Zero",
    "mean": f"{_HERE}.mean:Mean",
    "nearest_measured": f"{_HERE}.nearest_measured:NearestMeasured",
    "interpolating": f"{_HERE}.interpolating:Interpolating",
    "interpolating_depth": f"{_HERE}.interpolating:by_depth",
    "oracle": f"{_HERE}.oracle:Oracle",
}
METHODS = ("reset", "predict", "observe")


def open_predictor(predictor: Any) -> RIRPredictor:
    """The predictor of that name, a new one from "module:Factory", or the object itself."""
    if not isinstance(predictor, str):
        plugins.check_methods(predictor, f"predictor {predictor!r}", METHODS)
        return predictor
    path = PREDICTORS.get(predictor, predictor)
    if not plugins.is_import_path(path):
        raise ValueError(
            f"predictor {predictor!r} does not exist; choose from {', '.join(PREDICTORS)}, "
            "an import path 'module:Factory' or an object with the methods "
            f"{', '.join(METHODS)}"
        )
    return plugins.make(path, "predictor", METHODS)
