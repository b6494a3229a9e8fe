"""Whose estimate is scored: the agent's own, or a plugged-in estimator's."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from av_envs.acoustics.spectrogram import istft, stft
from av_envs.separation.env import Action, SeparationEnv
from av_envs.separation.metrics import si_sdr
from av_envs.separation.scoring import REFINED, mean_scores, score_second

HERE = "tests.separation.pluggable"


@pytest.fixture(scope="module")
def own():
    extra = ["si_sdr_mixture_phase"]
    return SeparationEnv(houses=2, estimator="agent", extra_scores=extra)


@pytest.fixture
def plugged(monkeypatch, request):
    monkeypatch.syspath_prepend(str(request.config.rootpath))
    return lambda name, **options: SeparationEnv(
        houses=2, estimator=f"{HERE}:{name}", observations=["pose"], **options
    )


@pytest.mark.filterwarnings("ignore:.*maximum value is infinity")  # magnitudes have no bound
def test_an_estimating_agent_follows_the_gymnasium_api():
    check_env(SeparationEnv(houses=2, estimator="agent"), skip_render_check=True)


def test_the_estimate_is_of_the_second_just_heard_and_scored_before_the_move(own):
    """The same episode twice: with the mixture it heard, the agent scores what listening scores."""
    listener = SeparationEnv(houses=2)
    _, scored = listener.reset(seed=4)
    observation, _ = own.reset(seed=4)
    for move in (0, 1, 0, 2, 0, 3):
        ear = own.state.audio.better_ear
        estimate = np.expm1(observation["mixture"][ear])
        observation, reward, _, _, info = own.step({"move": move, "estimate": estimate})
        assert info["si_sdr"] == pytest.approx(scored["si_sdr"], abs=1e-3)
        assert info["si_sdr_start"] == pytest.approx(scored["si_sdr_start"], abs=1e-3)
        assert info["si_sdr_improvement"] == pytest.approx(0, abs=1e-3)
        assert reward == pytest.approx(info["si_sdr"] - info["si_sdr_start"], abs=1e-4)
        *_, scored = listener.step(move)
        assert info["node"] == scored["node"]
        assert info["geodesic_to_target"] == scored["geodesic_to_target"]


def test_a_better_estimate_improves_on_the_mixture(own):
    _, before = own.reset(seed=4)
    half = (own.state.truth.magnitude + own.state.audio.mixture) / 2
    mixture = before["si_sdr"]
    info = own.step({"move": 0, "estimate": half})[4]
    assert info["si_sdr_mixture"] == mixture
    assert info["si_sdr_improvement"] == pytest.approx(info["si_sdr"] - mixture, abs=1e-4)
    assert info["si_sdr_improvement"] > 3


def test_at_the_start_an_estimate_is_compared_with_the_mixture_there(own):
    own.reset(seed=4)
    _, reward, _, _, info = own.step({"move": 0, "estimate": own.state.truth.magnitude})
    assert info["si_sdr_start"] == pytest.approx(info["si_sdr_mixture"], abs=1e-4)
    assert reward == pytest.approx(info["si_sdr"] - info["si_sdr_mixture"], abs=1e-4)


def test_mixture_phase_needs_no_truth(own):
    own.reset(seed=5)
    estimate = np.sqrt(own.state.truth.magnitude)
    spectrum = stft(own.hear()[own.state.audio.better_ear])
    expected = si_sdr(
        istft(estimate * np.exp(1j * np.angle(spectrum)), 16_000), own.target_second()
    )
    info = own.step({"move": 3, "estimate": estimate})[4]
    assert info["si_sdr_mixture_phase"] == pytest.approx(expected, abs=1e-3)
    assert info["si_sdr_mixture_phase"] < info["si_sdr"]


def test_the_mixture_with_its_own_phase_is_what_the_ear_hears():
    env = SeparationEnv(houses=2, extra_scores=["si_sdr_mixture_phase"])
    env.reset(seed=5)
    info = env.step(0)[4]
    heard = istft(stft(env.hear()[env.state.audio.better_ear]), 16_000)
    assert info["si_sdr_mixture_phase"] == pytest.approx(
        si_sdr(heard, env.target_second()), abs=1e-3
    )
    assert info["si_sdr_improvement"] == 0


def test_improvement_begins_at_the_mixture_and_follows_the_estimates():
    env = SeparationEnv(houses=2, estimator="agent", reward="improvement", steps=2)
    _, info = env.reset(seed=0)
    errors = [info["nmse"], 1.0, 0.0]
    first = env.step({"move": 0, "estimate": np.zeros((512, 32))})[1]
    last = env.step({"move": 0, "estimate": env.state.truth.magnitude})[1]
    assert first == pytest.approx(errors[0] - errors[1], abs=1e-4)
    assert last == pytest.approx(errors[1] - errors[2], abs=1e-4)


def test_a_silent_estimate_is_worth_less_than_any_mixture(own):
    own.reset(seed=6)
    info = own.step({"move": 0, "estimate": np.zeros((512, 32))})[4]
    assert info["si_sdr"] == pytest.approx(-100)
    assert info["si_sdr_mixture_phase"] == pytest.approx(-100)


def with_value(value):
    estimate = np.ones((512, 32))
    estimate[7, 9] = value
    return estimate


@pytest.mark.parametrize(
    ("estimate", "complaint"),
    [
        (with_value(np.nan), "the estimate is nan at frequency 7, frame 9"),
        (with_value(-0.25), "the estimate is -0.25 at frequency 7, frame 9"),
        (with_value(np.inf), "the estimate is inf at frequency 7, frame 9"),
        (with_value(1e30), r"is 1e\+30 at frequency 7, frame 9 .*; magnitudes lie in 0..1e\+06"),
        (np.ones((32, 512)), r"must be \(512, 32\) real magnitudes; got shape \(32, 512\)"),
        (np.ones((512, 32), complex), "of complex128"),
        (None, r"got shape \(\) of object"),
        ([[1, 2], [3]], "the estimate is not an array"),
    ],
)
def test_a_wrong_estimate_is_named_with_its_value(own, estimate, complaint):
    own.reset(seed=0)
    with pytest.raises(ValueError, match=complaint):
        own.step({"move": 0, "estimate": estimate})
    assert own.state.t == 0


@pytest.mark.parametrize("action", [0, {"move": 0}, {"move": 0, "estimate": 1, "stop": 1}, None])
def test_an_action_without_its_keys_says_so(own, action):
    own.reset(seed=0)
    with pytest.raises(ValueError, match="a dict with the keys move and estimate; got"):
        own.step(action)


def test_action_gains_of_an_estimating_agent_are_the_mixture_s(own):
    listener = SeparationEnv(houses=2)
    for env in (own, listener):
        env.reset(seed=8)
    np.testing.assert_allclose(
        own.privileged("action_gains"), listener.privileged("action_gains"), atol=1e-4
    )


def test_a_plugged_in_estimator_hears_every_second_in_order(plugged):
    env = plugged("Louder")
    for seed in (0, 1):
        env.reset(seed=seed)
        here, start = env.state.memories
        for n_heard, action in enumerate((0, 1, 0), start=2):
            promised = env.privileged("action_gains")[action]
            _, reward, _, _, info = env.step(action)
            assert len(here.heard) == len(start.heard) == n_heard
            assert reward == pytest.approx(promised, abs=1e-3)
            assert reward == pytest.approx(info["si_sdr"] - info["si_sdr_start"], abs=1e-4)
        np.testing.assert_array_equal(here.heard[0], start.heard[0])
        assert not np.array_equal(here.heard[-1], start.heard[-1])
        loud = env.state.audio.spectrogram[np.argmax((env.state.audio.spectrogram**2).sum((1, 2)))]
        np.testing.assert_array_equal(here.heard[-1], loud)
        error = np.mean((np.mean(here.heard[-2:], axis=0) - env.state.truth.magnitude) ** 2)
        assert info["stft_distance"] == pytest.approx(error / 2, rel=1e-4)


def test_without_comparison_one_estimator_is_enough(plugged):
    env = plugged("LeftEar", reward="si_sdr")
    env.reset(seed=0)
    here, start = env.state.memories
    assert here is start
    assert np.isfinite(env.step(Action.FORWARD)[1])
    with pytest.raises(ValueError, match=r"action_gains .* need the reward 'si_sdr_gain'"):
        env.privileged("action_gains")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Wrong", r"estimate of 'tests.*:Wrong' must be \(512, 32\) .* got shape \(2, 512, 32\)"),
        ("NotANumber", "estimate of 'tests.*:NotANumber' is nan at frequency 3, frame 4"),
    ],
)
def test_a_wrong_plugged_in_estimate_is_named(plugged, name, complaint):
    with pytest.raises(ValueError, match=complaint):
        plugged(name).reset(seed=0)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("magic", "choose from mixture, agent or an import path 'module:Factory'"),
        ("module:", "'module:' does not exist"),
        (":Factory", "':Factory' does not exist"),
        (3, "estimator 3 does not exist"),
        ("no_such_room.door:Door", "'no_such_room.door:Door': cannot import 'no_such_room.door'"),
        (".relative:Door", "cannot import '.relative'"),
        (f"{HERE}:Nobody", "'tests.separation.pluggable' has no 'Nobody'"),
        (f"{HERE}:needs_an_argument", r"needs_an_argument\(\) failed with TypeError"),
        (f"{HERE}:Mute", "a Mute lacks the method estimate"),
        (f"{HERE}:np", "is a module, not callable"),
    ],
)
def test_an_import_path_that_leads_nowhere_says_why(plugged, path, complaint):
    with pytest.raises(ValueError, match=complaint):
        SeparationEnv(houses=1, estimator=path)


def test_refined_scores_are_means_over_all_seconds_heard(own):
    """Estimates that use nothing of what comes later score as they did at the time."""
    own.reset(seed=9)
    estimates, causal = [], []
    for move in (0, 1, 0, 2):
        estimates.append(own.state.audio.mixture * own.state.truth.magnitude)
        causal.append(own.step({"move": move, "estimate": estimates[-1]})[4])
    estimates.append(own.state.truth.magnitude)
    refined = own.score_refined(np.array(estimates))
    extra = own.config.extra_scores
    last = score_second(estimates[-1], own.state.audio, own.state.truth, extra_scores=extra)
    assert refined.keys() == {
        "si_sdr",
        "si_sdr_mixture_phase",
        "si_sdr_improvement",
        "stft_distance",
    }
    for key, value in refined.items():
        assert type(value) is float
        expected = np.mean([*(info[key] for info in causal), last[key]])
        assert value == pytest.approx(expected, rel=1e-4), key


def test_seconds_without_a_score_do_not_count():
    scores = [dict.fromkeys(REFINED, value) for value in (1.0, np.nan, 4.0)]
    assert mean_scores(scores) == dict.fromkeys(REFINED, 2.5)
    assert all(np.isnan(value) for value in mean_scores(scores[1:2]).values())


def test_refined_scores_need_one_estimate_per_second():
    env = SeparationEnv(houses=2, steps=2)
    with pytest.raises(ResetNeeded, match="before reset"):
        env.score_refined(np.ones((1, 512, 32)))
    env.reset(seed=0)
    env.step(0)
    env.step(0)
    assert np.isfinite(env.score_refined(np.ones((3, 512, 32)))["si_sdr"])  # after the end, too
    with pytest.raises(ValueError, match=r"\(3, 512, 32\).*; got shape \(2, 512, 32\)"):
        env.score_refined(np.ones((2, 512, 32)))
    wrong = np.ones((3, 512, 32))
    wrong[1, 2, 3] = -1
    with pytest.raises(ValueError, match=r"estimate of second 1 is -1.0 at frequency 2, frame 3"):
        env.score_refined(wrong)


def test_what_was_scored_can_be_heard(own, plugged):
    """SI-SDR of the sound is the score; of an agent's own estimate it is of the second before."""
    own.reset(seed=4)
    for move in (0, 1):
        dry, mixture = own.target_second(), own.state.audio.mixture
        info = own.step({"move": move, "estimate": mixture})[4]
        assert si_sdr(own.estimated_second(), dry) == pytest.approx(info["si_sdr"], abs=1e-3)
        assert own.estimated_second().shape == (16_000,)
    other = plugged("Louder")
    other.reset(seed=4)
    info = other.step(0)[4]
    heard = si_sdr(other.estimated_second(), other.target_second())
    assert heard == pytest.approx(info["si_sdr"], abs=1e-3)


def test_without_an_estimate_there_is_none_to_hear(own):
    own.reset(seed=4)
    with pytest.raises(ValueError, match="no estimate of estimator='agent' was scored in second 0"):
        own.estimated_second()
    listener = SeparationEnv(houses=2)
    listener.reset(seed=4)
    listener.step(0)
    with pytest.raises(ValueError, match="no estimate of estimator='mixture'"):
        listener.estimated_second()
