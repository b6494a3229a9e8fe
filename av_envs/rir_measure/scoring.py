"""Scores of the predictions of an episode so far."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from av_envs.rir_measure.actions import checked_prediction
from av_envs.rir_measure.measurement import Measurement
from av_envs.rir_measure.metrics.episode import pes, wcr
from av_envs.rir_measure.metrics.room_errors import ROOM_ERRORS, room_errors
from av_envs.rir_measure.metrics.stft_distance import Spectra, distance, spectra
from av_envs.rir_measure.predictors import JointObservation, RIRPredictor
from av_envs.rir_measure.queries import area_under_curve

Scores = dict[str, float]
LARGER_IS_BETTER = ("sisdr", "snr", "snr01")  # of the room errors


class EpisodeScorer:
    """Scores of the predictions of one episode.

    with_room_errors  whether errors of room-acoustic measures are among them
    wcr_lambda        weight of the accuracy in WCR
    queries           held-out pairs with their true responses

    Scores are infinitely bad where nothing was predicted: nan is not equal to itself, so infos
    with it would never count as reproduced.
    """

    def __init__(
        self, with_room_errors: bool, wcr_lambda: float, queries: Measurement | None = None
    ):
        self._with_room_errors = with_room_errors
        self._lambda = wcr_lambda
        self._last: tuple[np.ndarray, Spectra] | None = None
        self.delta = math.inf
        self._deltas: list[float] = []
        self._errors = self._worst()
        self.queries = queries
        self._query_truth: Spectra | None = None
        self._curve: list[tuple[int, float]] = []

    def __getstate__(self) -> dict[str, Any]:
        """All but spectra, which can be made again; of queries only the nodes."""
        nodes = None if self.queries is None else self.queries.nodes
        return {**vars(self), "_last": None, "_query_truth": None, "queries": nodes}

    @property
    def xi(self) -> float:
        """Accuracy: minus the distance of the last prediction; nan if there is none."""
        return -self.delta if self.is_valid else math.nan

    @property
    def is_valid(self) -> bool:
        """Whether the last measurement was predicted."""
        return math.isfinite(self.delta)

    def score(
        self, measurement: Measurement, predicted: np.ndarray | None, counts: bool = True
    ) -> None:
        """Compare a prediction (P, 2, 16000) with what was measured; None says there is none.

        counts  whether it enters the mean of the episode
        """
        self._errors = self._worst()
        if predicted is None:
            self.delta = math.inf
            return
        truth = spectra(measurement.rirs)
        self.delta = float(distance(truth, self._spectra_of(predicted)).mean())
        if counts:
            self._deltas.append(self.delta)
        if self._with_room_errors:
            self._errors = room_errors(measurement.rirs, predicted)

    def score_queries(
        self, step: int, predictor: RIRPredictor, history: Sequence[JointObservation]
    ) -> None:
        """How well the held-out pairs are predicted after this many measured steps."""
        if self._query_truth is None:
            self._query_truth = spectra(self.queries.rirs)
        answer = predictor.predict(self.queries.pairs, history)
        predicted = checked_prediction(answer, len(self.queries.rirs), "the predictor, of queries")
        error = float(distance(self._query_truth, spectra(predicted)).mean())
        self._curve.append((step, error))

    def scores(self, coverage: float) -> Scores:
        """Everything that the info says about accuracy; coverage is CR."""
        pe = float(np.mean(self._deltas)) if self._deltas else math.inf
        scores = {
            "delta": self.delta,
            "cr": coverage,
            "xi": -self.delta,
            "xi_valid": self.is_valid,
            "pe_mean": pe,
            "pes": pes(pe),
            "wcr": wcr(coverage, pe, self._lambda),
            **self._errors,
        }
        if self.queries is not None:
            # not asked yet is not wrong: without a number, means of a log stay what they are
            scores["pe_query"] = self._curve[-1][1] if self._curve else math.nan
            scores["pe_query_auc"] = (
                area_under_curve(*zip(*self._curve, strict=True)) if self._curve else math.nan
            )
        return scores

    def _worst(self) -> Scores:
        keys = ROOM_ERRORS if self._with_room_errors else ()
        return {key: -math.inf if key in LARGER_IS_BETTER else math.inf for key in keys}

    def _spectra_of(self, predicted: np.ndarray) -> Spectra:
        """Predictions that repeat themselves are analysed once."""
        if self._last is None or not np.array_equal(self._last[0], predicted):
            self._last = np.array(predicted, np.float32), spectra(predicted)
        return self._last[1]
