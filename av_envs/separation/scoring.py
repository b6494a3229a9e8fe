"""What an estimate of the target is worth: of one second, and of a whole episode refined."""

from collections.abc import Sequence

import numpy as np

from av_envs.acoustics.spectrogram import istft, stft
from av_envs.separation.config import EXTRA_SCORES
from av_envs.separation.metrics import normalised_error, si_sdr, squared_error, stft_distance
from av_envs.separation.state import BinauralAudio, Quantities, TargetSecond

REFINED = ("si_sdr", "si_sdr_improvement", "stft_distance")


def oracle_phase_si_sdr(magnitudes: list[np.ndarray], target: TargetSecond) -> np.ndarray:
    """(P,) dB: each estimated magnitude (512, 32) with the target's own phase, back in time.

    The paper's metric: it judges magnitudes only.
    """
    return si_sdr(oracle_phase_sounds(magnitudes, target), target.dry)


def oracle_phase_sounds(magnitudes: list[np.ndarray], target: TargetSecond) -> np.ndarray:
    """(P, 16000) float32, what `oracle_phase_si_sdr` judges."""
    spectra = np.empty((len(magnitudes), *target.phase.shape), np.complex64)
    for row, magnitude in zip(spectra, magnitudes, strict=True):
        np.multiply(magnitude, target.phase, out=row)
    return istft(spectra, len(target.dry))


def mixture_phase_si_sdr(
    estimate: np.ndarray | None, audio: BinauralAudio, target: TargetSecond
) -> np.floating:
    """dB: the estimate (512, 32) with the phase of the better ear's mixture, back in time.

    What can be had without knowing the target's phase. None is that ear's mixture itself,
    which needs no way back.
    """
    waveform = audio.waveform[audio.better_ear]
    if estimate is not None:
        spectrum = stft(waveform)
        phase = spectrum / np.maximum(np.abs(spectrum), np.finfo(np.float32).tiny)
        waveform = istft(estimate * phase, len(target.dry))
    return si_sdr(waveform, target.dry)


def score_second(
    estimate: np.ndarray | None,
    audio: BinauralAudio,
    target: TargetSecond,
    at_start: np.ndarray | None = None,
    extra_scores: Sequence[str] = (),
) -> Quantities:
    """All scores of one second, keyed as in the environment's info.

    estimate      (512, 32) magnitude; None is the mixture at the better ear
    at_start      (512, 32) what this is compared with, if it is: an estimate at the start pose
    extra_scores  of the option of that name; "si_sdr_ideal" needs an image in `audio`
    """
    judged = audio.mixture if estimate is None else estimate
    ideal = audio.image if "si_sdr_ideal" in extra_scores else None
    named = {"mixture": audio.mixture, "judged": judged, "start": at_start, "ideal": ideal}
    different = {id(row): row for row in named.values() if row is not None}
    ratios = dict(zip(different, oracle_phase_si_sdr([*different.values()], target), strict=True))
    ratio, of_mixture = ratios[id(judged)], ratios[id(audio.mixture)]
    error = squared_error(judged, target.magnitude)
    score = {
        "si_sdr": ratio,
        "si_sdr_mixture": of_mixture,
        "si_sdr_improvement": ratio - of_mixture,
        "target_to_rest_db": audio.target_to_rest_db,
        "stft_distance": stft_distance(error),
        "nmse": normalised_error(error),
    }
    if at_start is not None:
        score |= {"si_sdr_start": ratios[id(at_start)], "si_sdr_gain": ratio - ratios[id(at_start)]}
    if ideal is not None:
        score["si_sdr_ideal"] = ratios[id(ideal)]
    if "si_sdr_mixture_phase" in extra_scores:
        score["si_sdr_mixture_phase"] = mixture_phase_si_sdr(estimate, audio, target)
    return score


def mean_scores(scores: list[dict[str, float]]) -> dict[str, float]:
    """Means of REFINED and extra scores over seconds; those in which a score is NaN do not count.

    scores  of at least one second, all with the same keys
    """
    means = {}
    for key in (*REFINED, *(extra for extra in EXTRA_SCORES if extra in scores[0])):
        values = [score[key] for score in scores if not np.isnan(score[key])]
        means[key] = float(np.mean(values)) if values else float("nan")
    return means
