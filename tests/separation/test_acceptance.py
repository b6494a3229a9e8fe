"""The acceptance checks that were derived from the papers, by their numbers in section 19.

7 (memory) and 9 (order of the agents) concern agents and are tested with them.
"""

import numpy as np
import pytest

from av_envs.acoustics.convolution import dry_spectra, heard_second, response_spectra
from av_envs.acoustics.spectrogram import istft, stft
from av_envs.separation.audio import RenderRequest, render_batch
from av_envs.separation.env import Action, SeparationEnv
from av_envs.separation.metrics import TARGET_RMS
from av_envs.sound import second

SECOND = 16_000


@pytest.fixture(scope="module")
def own():
    """An environment whose agent estimates."""
    return SeparationEnv(houses=2, estimator="agent", reward="neg_nmse")


def answer(env, estimate, move=Action.STAY):
    return env.step({"move": move, "estimate": estimate})


def impulse(at: int, n: int = SECOND) -> np.ndarray:
    signal = np.zeros(n, np.float32)
    signal[at] = 1
    return signal


def test_shapes_and_the_scores_of_silence_and_of_the_truth(own):
    """Section 19, 1: (512, 32); silence 0.72; the truth 0 and over 60 dB."""
    assert stft(impulse(100)).shape == (512, 32)
    own.reset(seed=0)
    silent = answer(own, np.zeros((512, 32), np.float32))[4]
    assert silent["stft_distance"] == pytest.approx(0.72, abs=1e-3)
    perfect = answer(own, own.state.truth.magnitude)[4]
    assert perfect["stft_distance"] == 0
    assert perfect["si_sdr"] > 60


def test_the_truth_is_dry_and_of_fixed_loudness(own):
    """Section 6: magnitude RMS 1.2 every second, and the phase of the dry second."""
    own.reset(seed=1)
    truth = own.state.truth
    assert np.sqrt(np.mean(truth.magnitude**2)) == pytest.approx(TARGET_RMS, rel=1e-5)
    back = istft(truth.magnitude * truth.phase, SECOND)
    level = np.linalg.norm(own.target_second()) / np.linalg.norm(back)
    np.testing.assert_allclose(back * level, own.target_second(), atol=1e-5)


def test_seconds_follow_each_other_whatever_the_agent_does():
    """Section 19, 2: second k of the episode is second start + k of the clip, in a loop."""
    env = SeparationEnv(houses=2, steps=30, observations=["pose"])
    played = []
    for actions in ([Action.STAY] * 30, [Action.FORWARD, Action.LEFT] * 15):
        env.reset(seed=3)
        target = env.state.episode.sounds[0]
        clip = env.corpus.samples(target.clip)
        assert len(clip) < 31 * SECOND  # so that the loop is closed
        for k, action in enumerate(actions, start=1):
            env.step(action)
            np.testing.assert_array_equal(
                env.target_second(), second(clip, target.first_second + k)
            )
        played.append(env.target_second())
    np.testing.assert_array_equal(*played)


def test_legacy_convolution_is_the_centre_of_the_whole():
    """Section 19, 3: an impulse comes out (L - 1) // 2 samples too early."""
    n, delay, length = 15_000, 50, SECOND
    dry = dry_spectra(impulse(SECOND + n, 2 * SECOND), "legacy_same")
    heard = heard_second(dry * response_spectra(impulse(delay, length)), "legacy_same")
    assert np.flatnonzero(heard).tolist() == [n + delay - (length - 1) // 2]


def test_seconds_at_a_fixed_pose_join_into_one_convolution():
    """Section 19, 4: standing still hears the clips through the room without a seam."""
    env = SeparationEnv(houses=2, observations=["pose"])
    env.reset(seed=5)
    n_seconds = 4
    heard = [env.hear()]
    for _ in range(n_seconds - 1):
        env.step(Action.STAY)
        heard.append(env.hear())
    expected = np.zeros((2, n_seconds * SECOND))
    for sound in env.state.episode.sounds:
        clip, first = env.corpus.samples(sound.clip), sound.first_second
        dry = np.concatenate([second(clip, first + k) for k in range(-1, n_seconds)])
        response = env.state.dwelling.acoustics.rir(sound.node, env.node, env.heading)
        for ear in range(2):
            whole = np.convolve(dry, response[ear])[SECOND : (n_seconds + 1) * SECOND]
            expected[ear] += whole / len(env.source_nodes)
    np.testing.assert_allclose(np.concatenate(heard, axis=1), expected, atol=1e-5)


@pytest.mark.parametrize("n_sources", [2, 3, 8])
def test_a_source_repeated_is_that_source(n_sources):
    """Section 19, 5: the mixture is divided by the number of sources."""
    rng = np.random.default_rng(0)
    dry = dry_spectra(rng.standard_normal(2 * SECOND).astype(np.float32), "causal")
    room = rng.standard_normal((1, 2, SECOND)).astype(np.float32) * np.exp(-np.arange(SECOND) / 999)
    response = response_spectra(room.astype(np.float32))
    copies = [response.repeat(n_sources, axis=0)]
    (alone,) = render_batch([RenderRequest(dry[None], [response])], "causal")[0]
    (many,) = render_batch([RenderRequest(np.stack([dry] * n_sources), copies)], "causal")[0]
    np.testing.assert_allclose(many.waveform, alone.waveform, atol=1e-3 * alone.waveform.std())


def test_the_paper_s_reward_is_never_positive_and_minus_one_for_silence(own):
    """Section 19, 6, but every one of the 20 steps counts, each with an estimate of its own."""
    own.reset(seed=2)
    rewards = [answer(own, np.zeros((512, 32), np.float32))[1] for _ in range(10)]
    rewards += [answer(own, own.state.audio.mixture)[1] for _ in range(10)]
    assert rewards[:10] == pytest.approx([-1.0] * 10, abs=1e-4)
    assert all(-np.inf < reward < 0 for reward in rewards)


def test_a_wall_costs_a_second_and_four_turns_are_none():
    """Section 19, 8: a blocked step keeps the node, but time goes on."""
    env = SeparationEnv(houses=2, observations=["pose"])
    env.reset(seed=0)
    while env.scene.graph.neighbours[env.node, env.heading] >= 0:
        env.step(Action.FORWARD)
    node, t = env.node, env.state.t
    observation, _, _, _, info = env.step(Action.FORWARD)
    assert (info["node"], info["collision"], observation["pose"][3]) == (node, 1, t + 1)
    before = observation["pose"]
    for _ in range(4):
        observation = env.step(Action.LEFT)[0]
    np.testing.assert_array_equal(observation["pose"][:3], before[:3])
