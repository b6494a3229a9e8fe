"""Noise of the microphones."""

import numpy as np
import pytest

from av_envs.acoustics.convolution import dry_spectra, response_spectra
from av_envs.separation.audio import RenderRequest, render_batch
from av_envs.separation.env import Action, SeparationEnv
from av_envs.separation.noise import MicrophoneNoise, noise_seed, power_below

SECOND = 16_000


def pair(snr_db, **options):
    """The same environment with noise and without."""
    options = {"houses": 2, "observations": ["pose"], **options}
    return SeparationEnv(noise_snr_db=snr_db, **options), SeparationEnv(**options)


@pytest.mark.parametrize("convolution", ["causal", "legacy_same"])
@pytest.mark.parametrize("snr_db", [0, 20])
def test_noise_is_added_at_the_ears_below_the_first_second_at_the_start(snr_db, convolution):
    noisy, clean = pair(snr_db, convolution=convolution)
    noisy.reset(seed=4)
    clean.reset(seed=4)
    assert noisy.trajectory == clean.trajectory
    expected = np.mean(clean.hear() ** 2, dtype=float) / 10 ** (snr_db / 10)
    seconds = []
    for move in (0, 1, 0, 0, 2):
        seconds.append(noisy.hear() - clean.hear())
        assert np.mean(seconds[-1] ** 2, dtype=float) == pytest.approx(expected, rel=0.03)
        noisy.step(move)
        clean.step(move)
    rows = np.concatenate(seconds)
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 5 / np.sqrt(SECOND)  # independent per ear and second
    for row in rows:
        spectrum = np.abs(np.fft.rfft(row)) ** 2
        octaves = [spectrum[k : 2 * k].mean() for k in (500, 1000, 2000, 4000)]
        assert np.std(octaves) / np.mean(octaves) < 0.15  # white


def test_noise_changes_neither_this_episode_nor_those_that_follow():
    noisy, clean = pair(20)
    for env in (noisy, clean):
        env.reset(seed=1)
        env.reset()
    assert noisy.state.episode == clean.state.episode


def test_noise_repeats_with_the_seed_and_differs_between_seeds_and_episodes():
    env = pair(10)[0]
    heard = []
    for seed in (0, 0, 1, None):
        env.reset(seed=seed)
        env.step(Action.LEFT)
        heard.append(env.state.noise.second(1) / np.sqrt(env.state.noise.power))
    np.testing.assert_array_equal(heard[0], heard[1])
    assert np.abs(np.corrcoef(np.concatenate(heard[1:])) - np.eye(6)).max() < 0.05


def test_it_is_the_same_noise_at_the_start_pose():
    """Otherwise standing still would not be worth exactly nothing."""
    env = pair(10)[0]
    env.reset(seed=3)
    for action in (Action.LEFT, Action.RIGHT):
        info = env.step(action)[4]
    assert info["si_sdr_gain"] == 0
    assert env.step(Action.STAY)[1] == 0


def test_the_oracle_foresees_noise():
    env = pair(5)[0]
    env.reset(seed=11)
    for action in (0, 1, 0, 2):
        promised = env.privileged("action_gains")[action]
        assert env.step(action)[1] == pytest.approx(promised, abs=1e-3)


def test_loud_noise_lowers_the_score():
    noisy, clean = pair(-10)
    differences = []
    for seed in range(3):
        differences.append(
            clean.reset(seed=seed)[1]["si_sdr"] - noisy.reset(seed=seed)[1]["si_sdr"]
        )
    assert min(differences) > 1


@pytest.mark.parametrize(("power", "ear"), [(0.0, 0), (0.015, 0), (0.025, 1)])
def test_noise_counts_when_the_better_ear_is_chosen(power, ear):
    """Sources of power 1: the left ear hears less but has the better ratio, until noise drowns it.

    Noise of power n counts four times beside two sources whose sum is yet to be halved. Target
    over rest is 0.2427 / (0.0001 + 4 n) at the left and 1 / (0.25 + 4 n) at the right ear:
    the same at n = 0.02.
    """
    rng = np.random.default_rng(0)
    dry = dry_spectra(rng.standard_normal((2, 2 * SECOND)).astype(np.float32), "causal")
    response = np.zeros((2, 2, SECOND), np.float32)
    response[:, :, 10] = [[0.4927, 1.0], [0.01, 0.5]]  # target and rest at the left and right ear
    noise = MicrophoneNoise(0, power) if power else None
    request = RenderRequest(dry, [response_spectra(response)], noise)
    assert render_batch([request], "causal")[0][0].better_ear == ear


def test_the_expected_energy_is_that_of_the_noise():
    noise = MicrophoneNoise(3, 0.25)
    both = np.concatenate([noise.second(0), noise.second(1)], axis=1)
    energy = (np.abs(np.fft.rfft(both, 2 * SECOND)) ** 2).sum(axis=1)
    assert noise.spectral_energy(2 * SECOND) == pytest.approx(energy, rel=0.03)


def test_power_below_and_a_seed_that_is_not_drawn():
    assert power_below(np.full((2, 8), 0.1, np.float32), 20) == pytest.approx(1e-4)
    rng = np.random.default_rng(0)
    seeds = [noise_seed(rng), noise_seed(rng), int(rng.integers(2**63)), noise_seed(rng)]
    assert seeds[0] == seeds[1] == seeds[2] != seeds[3]
