"""A batch of teams is so many PettingZoo environments, bit for bit; learners predict in batches."""

from itertools import pairwise

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from small_teams import SMALL, Guesser, arrays_of, digest, guess, guess_here, team

from av_envs.rir_measure import MeasureEnv
from av_envs.rir_measure.vector.teams import ParallelVectorEnv, deferred_xi

MODES = [mode.value for mode in AutoresetMode]
every_mode = pytest.mark.parametrize("mode", MODES)
ENDING = {**SMALL, "steps": 5, "houses": 2, "stop_mode": "any"}
HOUSE = {"kind": "house", "grid": 1.0}


def batch(count: int = 3, mode: str = "NextStep", **options) -> ParallelVectorEnv:
    """With more threads than this machine may have cores."""
    return ParallelVectorEnv(count, autoreset_mode=mode, workers=3, **{**ENDING, **options})


def actions_of(teams: ParallelVectorEnv, rng: np.random.Generator) -> dict:
    actions = {}
    for robot, space in teams.action_spaces.items():
        moves = rng.choice(4, teams.num_envs, p=[0.1, 0.5, 0.2, 0.2])
        actions[robot] = moves
        if teams.config.prediction == "action":
            rirs = rng.standard_normal((teams.num_envs, *space["rir"].shape), np.float32)
            actions[robot] = {"move": moves, "rir": 0.01 * rirs}
    return actions


def row(value, i: int):
    """What belongs to team i."""
    if isinstance(value, dict):
        return {key: row(inner, i) for key, inner in value.items()}
    return value if value is None else value[i]


class Alone:
    """One `MeasureEnv` that is started anew by hand, and what a batch should say of it."""

    def __init__(self, seed: int, mode: str, **options):
        self.env, self.mode = MeasureEnv(**{**ENDING, **options}), mode
        self.observations, self.infos = self.env.reset(seed=seed)
        self.is_over = False

    def step(self, actions: dict) -> tuple:
        """As `MeasureEnv.step`, and what ended: observations, infos, state, nodes and responses."""
        robots = self.env.possible_agents
        if self.is_over and self.mode == "NextStep":
            self.is_over = False
            self.observations, self.infos = self.env.reset()
            nothing = dict.fromkeys(robots, 0.0), dict.fromkeys(robots, False)
            return self.observations, *nothing, dict.fromkeys(robots, False), self.infos, None
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        is_over, ended = any(terminated.values()) or any(truncated.values()), None
        if is_over and self.mode == "SameStep":
            measured = self.env.measurement
            ended = observations, infos, self.env.state(), measured.nodes, measured.rirs
            observations, infos = self.env.reset()
        self.is_over = is_over and self.mode != "SameStep"
        self.observations, self.infos = observations, infos
        return observations, rewards, terminated, truncated, infos, ended


def submit(teams: ParallelVectorEnv, singles: list[Alone], t: int) -> None:
    if teams.config.prediction == "submit" and t % 3:
        teams.submit_predictions(np.stack([guess_here(single) for single in teams.teams]))
        for single in singles:
            if not single.is_over:
                single.env.submit_prediction(guess_here(single.env))


@every_mode
@pytest.mark.parametrize(
    ("count", "options"),
    [
        (3, {"predictor": "nearest_measured", "rho": 0.5}),
        (3, {"robots": 3, "queries": 2, "room_errors": True, **HOUSE}),
        (1, {"prediction": "submit", "xi_timing": "pre_move"}),
        (3, {"prediction": "submit", "robots": 3}),
        (2, {"prediction": "action", "expose_rir": True}),
        (3, {"prediction": "none", "stop_mode": "latch", "robots": 3, "fixed_sources": 1, **HOUSE}),
        (2, {"emitters": [0], "receivers": [1], "observations": ["heard_rir", "rgb", "depth"]}),
    ],
    ids=str,
)
def test_every_team_plays_as_it_does_alone(mode, count, options):
    teams = batch(count, mode, **options)
    singles = [Alone(40 + i, mode, **options) for i in range(count)]
    observations, infos = teams.reset(seed=40)
    for i, single in enumerate(singles):
        assert digest(row(observations, i)) == digest(single.observations)
        assert digest(row(infos, i)) == digest(single.infos)
    rng, endings = np.random.default_rng(2), []
    for t in range(14):
        submit(teams, singles, t)
        actions = actions_of(teams, rng)
        returned = teams.step(actions)
        over = next(iter(returned[2].values())) | next(iter(returned[3].values()))
        expected = [single.step(row(actions, i)) for i, single in enumerate(singles)]
        check_step(teams, returned, expected)
        check_team_values(teams, singles)
        endings.append(over)
        if mode == "Disabled" and over.any():
            observations, infos = teams.reset(options={"reset_mask": over})
            for i, single in enumerate(singles):
                if over[i]:
                    single.observations, single.infos = single.env.reset()
                    single.is_over = False
                assert digest(row(observations, i)) == digest(single.observations)
                assert digest(row(infos, i)) == digest(single.infos)
    ends = np.array(endings)
    assert ends.any(axis=0).all()  # and not all at once
    assert count == 1 or options.get("stop_mode") == "latch" or (ends.any(1) & ~ends.all(1)).any()


def check_step(teams: ParallelVectorEnv, returned: tuple, expected: list[tuple]) -> None:
    for i, (*single, ended) in enumerate(expected):
        observations, rewards, terminated, truncated, infos = single
        assert digest(row(returned[0], i)) == digest(observations)
        assert {robot: values[i] for robot, values in returned[1].items()} == rewards
        assert {robot: bool(values[i]) for robot, values in returned[2].items()} == terminated
        assert {robot: bool(values[i]) for robot, values in returned[3].items()} == truncated
        assert digest(row(returned[4], i)) == digest(infos)
        assert (ended is not None) == (teams.ended is not None and i in teams.ended.teams)
        if ended is not None:
            check_ended(teams, i, *ended)


def check_ended(teams: ParallelVectorEnv, i: int, observations, infos, state, nodes, rirs) -> None:
    k = teams.ended.teams.tolist().index(i)
    assert digest(row(teams.ended.observations, k)) == digest(observations)
    assert digest(row(teams.ended.infos, k)) == digest(infos)
    np.testing.assert_array_equal(teams.ended.states[k], state)
    np.testing.assert_array_equal(teams.ended.measurement.nodes[k], nodes)
    np.testing.assert_array_equal(teams.ended.measurement.rirs[k], rirs)


def check_team_values(teams: ParallelVectorEnv, singles: list[Alone]) -> None:
    measured = teams.measurement()
    envs = [single.env for single in singles]
    np.testing.assert_array_equal(teams.states(), [env.state() for env in envs])
    np.testing.assert_array_equal(teams.action_masks(), [env.action_masks() for env in envs])
    np.testing.assert_array_equal(measured.rirs, [env.measurement.rirs for env in envs])
    np.testing.assert_array_equal(measured.nodes, [env.measurement.nodes for env in envs])
    for ours, *theirs in zip(measured.pairs, *(env.measurement.pairs for env in envs), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_shapes_and_types():
    teams = batch(3, prediction="none", rho=0, **{"robots": 4, "observations": ["rgb", "position"]})
    assert teams.possible_agents == teams.agents == [f"robot_{k}" for k in range(4)]
    observations, infos = teams.reset(seed=0)
    assert list(observations) == list(infos) == teams.agents
    returned = teams.step(dict.fromkeys(teams.agents, np.ones(3, int)))
    for robot in teams.agents:
        space = teams.observation_space(robot)
        assert space is teams.observation_space(robot)
        assert teams.action_space(robot) is teams.action_space(robot)
        for i in range(3):
            assert space.contains(row(returned[0][robot], i))
        assert [values[robot].dtype for values in returned[1:4]] == [float, bool, bool]
        assert [values[robot].shape for values in returned[1:4]] == [(3,)] * 3
        np.testing.assert_array_equal(returned[1][robot], teams.team_rewards() / 4)
        assert returned[4][robot]["cr"].shape == (3,)
        assert returned[4][robot]["cr"].dtype == np.float32
        assert returned[4][robot]["rir_nodes"].shape == (3, 12, 3)
    assert teams.states().shape == (3, *teams.state_space.shape)
    measured = teams.measurement()
    assert measured.rirs.shape == (3, 12, 2, 16_000)
    assert measured.rirs.dtype == np.float32
    assert measured.pairs.heading.shape == (3, 12)


def learn(teams: ParallelVectorEnv, n_steps: int) -> np.ndarray:
    """(n_steps, N) rewards of teams that predict by themselves, with `guess`."""
    told, alpha = [], teams.config.alpha_xi
    fresh = np.full(teams.num_envs, np.nan)
    _, xi = deferred_xi(*truth_and_guess(teams.measurement()), fresh, alpha)
    rng, over = np.random.default_rng(5), np.zeros(teams.num_envs, bool)
    for _ in range(n_steps):
        returned = teams.step(actions_of(teams, rng))
        before = np.where(over, np.nan, xi)
        gained, now = deferred_xi(*truth_and_guess(teams.measurement()), before, alpha, workers=2)
        if teams.ended is not None:
            last = teams.ended.teams
            gained[last], _ = deferred_xi(
                *truth_and_guess(teams.ended.measurement), before[last], alpha
            )
        told.append(teams.team_rewards() + gained)
        over = returned[2]["robot_0"] | returned[3]["robot_0"]
        over, xi = over & (teams.autoreset_mode is AutoresetMode.NEXT_STEP), now
    return np.array(told)


def truth_and_guess(measurement) -> tuple[np.ndarray, np.ndarray]:
    rows = zip(*measurement.pairs, strict=True)
    predicted = [guess(type(measurement.pairs)(*pairs)) for pairs in rows]
    return measurement.rirs, np.stack(predicted)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("robots", [2, 3])
def test_deferred_accuracy_is_worth_what_the_environment_pays(mode, robots):
    options = {"robots": robots, "alpha_xi": 2.5}
    ours, theirs = (
        batch(3, mode, prediction="none", **options),
        batch(3, mode, predictor=Guesser(), **options),
    )
    for teams in (ours, theirs):
        teams.reset(seed=1)
    rng, expected = np.random.default_rng(5), []
    for _ in range(9):
        theirs.step(actions_of(theirs, rng))
        expected.append(theirs.team_rewards())
    learnt = learn(ours, 9)
    assert np.ptp(learnt) > 1e-3
    np.testing.assert_allclose(learnt, expected, rtol=0, atol=1e-12)


def test_deferred_accuracy_has_the_bits_of_the_environment():
    env = team(robots=3, predictor=Guesser(), fixed_receivers=1)
    env.reset(seed=0)
    measured = env.measurement
    before = env.scores()["xi"]
    env.step(dict.fromkeys(env.agents, 1))
    truths = np.stack([measured.rirs, env.measurement.rirs])
    predicted = np.stack([guess(measured.pairs), guess(env.measurement.pairs)])
    for workers in (1, 2):
        gained, xi = deferred_xi(truths, predicted, np.array([np.nan, before]), 2.0, workers)
        assert xi.tolist() == [before, env.scores()["xi"]]
        assert gained.tolist() == [0.0, 2.0 * (env.scores()["xi"] - before)]


def test_deferred_accuracy_wants_responses_of_teams():
    rirs = np.zeros((2, 3, 2, 16_000), np.float32)
    for truth, predicted in ((rirs, rirs[:1]), (rirs[0], rirs[0])):
        with pytest.raises(ValueError, match=r"must be \(N, P, 2, n\)"):
            deferred_xi(truth, predicted, np.zeros(2))


@every_mode
def test_nothing_that_was_returned_is_written_to_again(mode):
    teams, rng = batch(2, mode, prediction="none", expose_rir=True), np.random.default_rng(0)
    kept = [teams.reset(seed=0)]
    for _ in range(9):
        returned = teams.step(actions_of(teams, rng))
        kept.append((*returned, teams.ended, teams.states(), teams.measurement()))
        over = returned[2]["robot_0"] | returned[3]["robot_0"]
        if mode == "Disabled" and over.any():
            kept.append(teams.reset(options={"reset_mask": over}))
    before = [digest(one) for one in kept]
    for earlier, later in pairwise(kept):
        for old in arrays_of(earlier):
            assert not any(np.shares_memory(old, new) for new in arrays_of(later))
    for observations, *_, infos in ((one[0], one[1] if len(one) == 2 else one[4]) for one in kept):
        for told in (observations, infos):
            mine, others = arrays_of(told["robot_0"]), arrays_of(told["robot_1"])
            assert not any(np.may_share_memory(a, b) for a in mine for b in others)
    teams.reset(seed=9)
    assert [digest(one) for one in kept] == before


@pytest.mark.parametrize(
    ("prediction", "spoil", "named"),
    [
        ("env", lambda a: a.pop("robot_1"), "dict of robot_0, robot_1"),
        ("env", lambda a: a.update(robot_2=a["robot_0"]), "dict of robot_0, robot_1"),
        (
            "env",
            lambda a: a.update(robot_1=a["robot_1"][:2]),
            r"robot_1: 'move' must .*\(3,\)",
        ),
        ("env", lambda a: a.update(robot_1=np.full(3, 4)), "move of robot_1"),
        ("action", lambda a: a.update(robot_1=np.ones(3, int)), "robot_1 must be a dict of 'move'"),
        ("action", lambda a: a["robot_0"].update(rir=np.zeros((3, 2))), "robot_0: 'rir' must have"),
    ],
)
def test_a_bad_action_is_named(prediction, spoil, named):
    teams = batch(3, prediction=prediction)
    teams.reset(seed=0)
    actions = actions_of(teams, np.random.default_rng(0))
    spoil(actions)
    with pytest.raises(ValueError, match=named):
        teams.step(actions)


def test_calls_out_of_order():
    teams = batch(2, "Disabled", steps=1)
    move = dict.fromkeys(teams.agents, np.ones(2, int))
    with pytest.raises(ResetNeeded, match="call reset"):
        teams.step(move)
    with pytest.raises(ResetNeeded):
        teams.states()
    teams.reset(seed=0)
    teams.step(move)
    with pytest.raises(ResetNeeded, match=r"episodes \[0, 1\] are over"):
        teams.step(move)
    teams.close()


def test_pictures_are_those_of_the_teams():
    teams = batch(2, render_mode="rgb_array")
    teams.reset(seed=0)
    assert [frame.ndim for frame in teams.render()] == [3, 3]
    assert teams.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert "autoreset_mode" not in MeasureEnv.metadata
