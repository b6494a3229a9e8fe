"""However a prediction comes in, it is worth the same; and every component telescopes."""

import gymnasium as gym
import numpy as np
import pytest
from small_teams import (
    LEFT,
    SMALL,
    Guesser,
    choose,
    guess,
    guess_here,
    play,
    random_walk,
    team,
    told,
)

import av_envs  # noqa: F401  (registers the suite)
from av_envs.rir_measure.measurement import pairs_of
from av_envs.rir_measure.metrics.stft_distance import stft_distance

TEAMS = [
    {},
    {"directions": "forward"},
    {"emitters": (0,), "receivers": (1,)},
    {"robots": 3, "fixed_sources": 1, "fixed_receivers": 2},
    {"robots": 1, "fixed_receivers": 1},
]
every_team = pytest.mark.parametrize("who", TEAMS, ids=str)
both_timings = pytest.mark.parametrize("xi_timing", ["pre_move", "post_move"])
WEIGHTS = {"alpha_xi": 2.0, "alpha_zeta": 3.0, "alpha_psi": -0.5, "alpha_phi": 0.25}


def hand_in(env) -> list[tuple]:
    """An episode in which somebody outside predicts by submitting or by acting."""
    results = [env.reset(seed=4)]
    for moves in random_walk(env):
        actions, predicted = choose(env, *moves.tolist()), guess_here(env)
        if env.config.prediction == "submit":
            env.submit_prediction(predicted)
        else:
            actions = {
                robot: {"move": move, "rir": predicted[env.owned_links[robot]]}
                for robot, move in actions.items()
            }
        results.append(env.step(actions))
    return results


def learners_own_xi(steps, graph) -> np.ndarray:
    """(steps + 1,) accuracy at the poses of every moment, from nothing but the infos."""
    infos = [step[-1]["robot_0"] for step in steps]
    return np.array(
        [
            -stft_distance(info["rir"], guess(pairs_of(graph, info["rir_nodes"]))).mean()
            for info in infos
        ]
    )


@every_team
def test_three_routes_before_the_move_give_the_same_rewards(who):
    env = team(prediction="env", predictor=Guesser(), xi_timing="pre_move", **who)
    expected = play(env, seed=4)
    for prediction in ("submit", "action"):
        steps = hand_in(team(prediction=prediction, **who))
        for ours, theirs in zip(steps, expected, strict=True):
            assert len(ours) == 2 or ours[1] == theirs[1]
            scores = {k: v for k, v in ours[-1]["robot_0"].items() if k != "action_mask"}
            assert scores == theirs[-1]["robot_0"]


@every_team
@both_timings
def test_a_learner_adds_accuracy_to_the_route_without_any(who, xi_timing):
    env = team(prediction="env", predictor=Guesser(), xi_timing=xi_timing, alpha_xi=2.0, **who)
    expected = play(env, seed=4)
    deferred = team(prediction="none", expose_rir=True, alpha_xi=2.0, **who)
    steps = play(deferred, seed=4)
    gained = 2.0 * np.diff(learners_own_xi(steps, deferred.scene.graph))
    if xi_timing == "pre_move":
        gained = np.concatenate([[0], gained[:-1]])  # scored one step later, the first has none
    assert np.ptp(gained) > 1e-3
    for k, gain in enumerate(gained):
        assert steps[k + 1][-1]["robot_0"]["r_xi"] == 0
        for robot, reward in steps[k + 1][1].items():
            assert reward + gain == pytest.approx(expected[k + 1][1][robot], abs=1e-9)


def test_the_two_timings_differ_by_one_step():
    early, late = (
        play(team(predictor=Guesser(), xi_timing=timing)) for timing in ("post_move", "pre_move")
    )
    for key in ("xi", "delta"):
        np.testing.assert_array_equal(told(late, key)[1:], told(early, key)[:-1])
    assert told(late, "xi")[0] == -np.inf
    np.testing.assert_array_equal(told(late, "r_xi")[2:], told(early, "r_xi")[1:-1])
    assert (told(late, "r_xi")[:2] == 0).all()
    assert np.abs(told(early, "r_xi")[1:]).max() > 1e-3
    for key in ("r_zeta", "r_psi", "r_phi"):
        np.testing.assert_array_equal(told(late, key), told(early, key))


def test_the_mean_error_counts_every_prediction_once():
    early, late = (
        play(team(predictor=Guesser(), xi_timing=timing)) for timing in ("post_move", "pre_move")
    )
    for steps in (early, late):
        deltas, pe = told(steps, "delta"), told(steps, "pe_mean")
        assert pe[0] == np.inf
        counted = np.cumsum(deltas[1:]) / np.arange(1, len(steps))
        np.testing.assert_allclose(pe[1:], counted, rtol=1e-6)


@pytest.mark.parametrize("who", TEAMS[:4], ids=str)
def test_the_joint_view_takes_predictions_as_well(who):
    expected = play(team(predictor=Guesser(), xi_timing="pre_move", **who), seed=4)
    for prediction in ("submit", "action"):
        options = {**SMALL, "prediction": prediction, **who}
        env = gym.make("AVRIRMeasure-v0", **options)
        env.reset(seed=4)
        for moves, (_, rewards, *_) in zip(
            random_walk(env.unwrapped.team), expected[1:], strict=True
        ):
            action, predicted = moves, guess_here(env.unwrapped.team)
            if prediction == "submit":
                env.unwrapped.submit_prediction(predicted)
            else:
                action = {"move": moves, "rir": predicted}
            assert env.step(action)[1] == rewards["robot_0"]


def test_a_step_without_its_submission_is_not_valid():
    env = team(prediction="submit")
    env.reset(seed=4)
    infos = []
    for submitted in (1, 1, 0, 1, 1, 0):
        if submitted:
            env.submit_prediction(guess_here(env))
        infos.append(env.step(choose(env, LEFT))[-1]["robot_0"])
    assert [info["xi_valid"] for info in infos] == [1, 1, 0, 1, 1, 0]
    # gains need a prediction now and one step before
    assert [info["r_xi"] != 0 for info in infos] == [False, True, False, False, True, False]
    valid = [info["delta"] for info in infos if info["xi_valid"]]
    assert infos[2]["delta"] == infos[-1]["delta"] == np.inf
    assert infos[-1]["pe_mean"] == pytest.approx(np.mean(valid))


def test_a_submission_is_taken_as_it_was_when_submitted():
    """Whoever reuses the array afterwards changes nothing."""
    results = []
    for overwrite in (False, True):
        env = team(prediction="submit")
        env.reset(seed=4)
        predicted = guess_here(env)
        env.submit_prediction(predicted)
        if overwrite:
            predicted[:] = np.nan
        results.append(env.step(choose(env, 1))[-1]["robot_0"]["delta"])
    assert results[0] == results[1]


def test_a_submission_serves_one_step():
    env = team(prediction="submit")
    env.reset(seed=4)
    env.submit_prediction(guess_here(env))
    assert env.step(choose(env, 1))[-1]["robot_0"]["xi_valid"] == 1
    assert env.step(choose(env, 1))[-1]["robot_0"]["xi_valid"] == 0
    env.submit_prediction(guess_here(env))
    env.reset(seed=4)
    assert env.step(choose(env, 1))[-1]["robot_0"]["xi_valid"] == 0


@both_timings
@every_team
def test_every_component_telescopes(xi_timing, who):
    steps = play(team(predictor=Guesser(), xi_timing=xi_timing, **WEIGHTS, **who), seed=4)
    for key in ("xi", "zeta", "psi", "phi"):
        reached, gained = told(steps, key), told(steps, f"r_{key}")
        reached = reached[np.isfinite(reached)]
        assert gained[0] == 0
        whole = WEIGHTS[f"alpha_{key}"] * (reached[-1] - reached[0])
        assert gained.sum() == pytest.approx(whole, abs=1e-5)
    parts = sum(told(steps, f"r_{key}") for key in ("xi", "zeta", "psi", "phi"))
    rewards = [step[1]["robot_0"] for step in steps[1:]]
    np.testing.assert_allclose(rewards, parts[1:], atol=1e-6)


@pytest.mark.parametrize(("rho", "share"), [(-1, 1), (0, 1 / 3), (0.4, 0.2), (1, 0)])
def test_robots_share_the_reward_and_the_info_says_the_whole(rho, share):
    whole = play(team(robots=3), seed=2)
    shared = play(team(robots=3, rho=rho), seed=2)
    for full, part in zip(whole[1:], shared[1:], strict=True):
        for robot, reward in part[1].items():
            assert reward == pytest.approx(share * full[1][robot], abs=1e-12)
        assert part[-1]["robot_1"] == full[-1]["robot_1"]


class Peeks(Guesser):
    """Asks for the truth without a word about it."""

    def reset(self, context):
        super().reset(context)
        self.truth = context.truth


class Declares(Peeks):
    privileged = ("truth",)


def test_the_truth_is_shown_to_predictors_that_declare_it():
    shown = {}
    for kind in (Peeks, Declares):
        predictor = kind()
        env = team(predictor=predictor)
        env.reset(seed=0)
        shown[kind] = predictor.truth
        pairs = env.measurement.pairs
    np.testing.assert_array_equal(shown[Declares](pairs), env.measurement.rirs)
    with pytest.raises(PermissionError, match="must declare privileged"):
        shown[Peeks](pairs)


def test_the_truth_has_no_error_and_silence_has_that_of_the_floor():
    for who in TEAMS:
        env = team(predictor="oracle", **who)
        steps = play(env)
        assert (told(steps, "delta") == 0).all()
        assert (told(steps, "r_xi") == 0).all()
        assert steps[-1][-1]["robot_0"]["wcr"] == pytest.approx(
            0.9 * steps[-1][-1]["robot_0"]["cr"] + 0.1
        )
    env = team(predictor="zero")
    steps = play(env)
    rirs = env.measurement.rirs
    expected = stft_distance(rirs, np.zeros_like(rirs)).mean()
    assert told(steps, "delta")[-1] == pytest.approx(expected)
    assert expected > 0.5  # Theta alone is 1, and it counts half
