"""How loud the target is against the rest, what ideal separation would score, and silence."""

import numpy as np
import pytest

from av_envs.acoustics.convolution import N_BINS
from av_envs.acoustics.spectrogram import stft
from av_envs.separation.audio import (
    RenderRequest,
    TargetSecond,
    dry_sounds,
    ground_truth,
    render_batch,
)
from av_envs.separation.config import EXTRA_SCORES, SeparationConfig
from av_envs.separation.env import SeparationEnv
from av_envs.separation.scoring import oracle_phase_si_sdr, score_second
from av_envs.sound import second

UNDEFINED = {"si_sdr", "si_sdr_mixture", "si_sdr_improvement", "si_sdr_start", "si_sdr_gain"}


def spectra(*shape: int, seed: int = 0) -> np.ndarray:
    parts = np.random.default_rng(seed).standard_normal((*shape, N_BINS, 2), np.float32)
    return parts.view(np.complex64)[..., 0]


def truth_of(dry: np.ndarray) -> TargetSecond:
    return TargetSecond(*(part[0] for part in ground_truth(dry[None].astype(np.float32))))


def test_ideal_is_the_score_of_the_target_through_the_room_alone():
    """Far from any code path of the environment: plain convolution of plain windows."""
    env = SeparationEnv(houses=2, extra_scores=["si_sdr_ideal"], observations=["pose"])
    env.reset(seed=7)
    info = env.step(1)[4]
    sound, ear = env.state.episode.sounds[0], env.state.audio.better_ear
    clip = env.corpus.samples(sound.clip)
    dry = np.concatenate([second(clip, sound.first_second + t) for t in (0, 1)])
    response = env.state.dwelling.acoustics.rir(sound.node, env.node, env.heading)[ear]
    image = np.convolve(dry, response)[16_000:32_000].astype(np.float32)
    ideal = oracle_phase_si_sdr([np.abs(stft(image))], env.state.truth)[0]
    assert info["si_sdr_ideal"] == pytest.approx(ideal, abs=1e-2)
    assert info["si_sdr_ideal"] > info["si_sdr_mixture"]


@pytest.mark.parametrize("num_sources", [2, 3])
def test_target_to_rest_is_the_ratio_of_energies_at_the_better_ear(num_sources):
    env = SeparationEnv(houses=2, num_sources=num_sources, observations=["pose"])
    _, info = env.reset(seed=3)
    dry = dry_sounds(env.config, env.state.episode.sounds, 0)
    arrived = env.core.responses.spectra(env.state, env.state.pose) * dry[:, None]
    target = np.square(np.abs(arrived[0])).sum(axis=-1)
    rest = np.square(np.abs(arrived[1:].sum(axis=0))).sum(axis=-1)
    ratios = 10 * np.log10(target / rest)
    assert info["target_to_rest_db"] == pytest.approx(ratios.max(), abs=1e-3)
    assert env.state.audio.better_ear == ratios.argmax()


def test_who_is_alone_is_as_good_as_separated():
    env = SeparationEnv(houses=2, num_sources=1, start="near", extra_scores=["si_sdr_ideal"])
    _, info = env.reset(seed=0)
    assert info["target_to_rest_db"] == 100
    assert info["si_sdr_ideal"] == pytest.approx(info["si_sdr_mixture"], abs=1e-3)


def test_noise_of_the_microphones_is_part_of_the_rest_but_not_of_the_ideal():
    options = {"houses": 2, "num_sources": 1, "start": "near", "extra_scores": ["si_sdr_ideal"]}
    quiet, noisy = SeparationEnv(**options), SeparationEnv(**options, noise_snr_db=0)
    without, info = (env.reset(seed=0)[1] for env in (quiet, noisy))
    assert -10 < info["target_to_rest_db"] < 10
    assert info["si_sdr_ideal"] == pytest.approx(without["si_sdr_ideal"], abs=1.5)  # at either ear
    assert info["si_sdr_mixture"] < without["si_sdr_mixture"]


@pytest.mark.parametrize(("silent", "decibels"), [((0,), -100), ((1,), 100), ((0, 1), -100)])
def test_silent_sources_have_a_floor_and_a_ceiling(silent, decibels):
    dry = spectra(2)
    dry[list(silent)] = 0
    (heard,) = render_batch(
        [RenderRequest(dry, [spectra(2, 2, seed=1)], with_image=True)], "causal"
    )[0]
    assert heard.target_to_rest_db == decibels
    assert heard.image.any() == (0 not in silent)
    score = score_second(None, heard, truth_of(np.ones(16_000).cumsum()), heard.mixture,
                         extra_scores=EXTRA_SCORES)  # fmt: skip
    assert all(np.isfinite(value) for value in score.values())
    if 0 in silent:
        assert score["si_sdr_ideal"] == pytest.approx(-100)


def test_a_silent_target_second_has_no_si_sdr_and_all_else_is_finite():
    (heard,) = render_batch(
        [RenderRequest(spectra(2), [spectra(2, 2, seed=1)], with_image=True)], "causal"
    )[0]
    silence = truth_of(np.zeros(16_000))
    score = score_second(None, heard, silence, heard.mixture, extra_scores=EXTRA_SCORES)
    undefined = {key for key, value in score.items() if np.isnan(value)}
    assert undefined == UNDEFINED | set(EXTRA_SCORES)
    assert np.isfinite([value for key, value in score.items() if key not in undefined]).all()


def test_extra_scores_are_in_the_info_only_if_they_are_asked_for():
    plain = SeparationEnv(houses=1, observations=["pose"]).reset(seed=0)[1]
    assert not plain.keys() & set(EXTRA_SCORES)
    options = {"houses": 1, "observations": ["pose"], "extra_scores": list(EXTRA_SCORES)}
    env = SeparationEnv(**options)
    _, info = env.reset(seed=0)
    assert info.keys() == plain.keys() | set(EXTRA_SCORES)
    assert all(info[key] == plain[key] for key in plain)
    assert env.score_refined(env.state.truth.magnitude[None]).keys() >= set(EXTRA_SCORES)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (["si_sdr_best"], "extra_scores 'si_sdr_best' does not exist; choose from si_sdr_ideal, "),
        ("si_sdr_ideal", "extra_scores must be a list of names, got 'si_sdr_ideal'"),
        (None, "extra_scores must be a list of names, got None"),
        (["si_sdr_ideal"] * 2, "extra_scores must be distinct"),
    ],
)
def test_wrong_extra_scores_are_named(value, complaint):
    with pytest.raises(ValueError, match=complaint):
        SeparationConfig(extra_scores=value)
