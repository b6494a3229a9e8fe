"""The separation heuristics on floor plans, gains and sounds made by hand."""

import numpy as np
import pytest
from flat_world import FORWARD, LEFT, OBSERVATIONS, RIGHT, STAY, FlatWorld, walk
from gymnasium import spaces

from av_envs.baselines import separation
from av_envs.baselines.separation import (
    DoA,
    Novelty,
    Oracle,
    ProximityPrior,
    Random,
    RotateInPlace,
    StandInPlace,
)
from av_envs.baselines.separation.heuristic import louder_ear
from av_envs.baselines.separation.moves import first_move, turn_to

ACTIONS = spaces.Discrete(4)
ESTIMATE = spaces.Box(0, np.inf, (512, 32), np.float32)
ANSWERS = spaces.Dict(move=ACTIONS, estimate=ESTIMATE)
EVERY = [getattr(separation, name) for name in separation.__all__]
TRUTHS = {
    "action_gains": np.array([-1.0, 2.0, 0.0, 1.0], np.float32),
    "distances_after": np.array([2, 3, 3, 3], np.float32),
    "straight_after": np.array([2, 3, 3, 3], np.float32),
    "forward_is_free": np.True_,
    "route_heading": np.int64(0),
    "bearing_quarters": np.int64(0),
    "source_distances": np.array([2, 3], np.float32),
    "source_routes": np.array([0, 1]),
    "source_quarters": np.array([0, 1]),
}
HALL = """
    #.......#
    .........
    ....T....
    .........
    @........
"""
ROOMS = """
    .....#....
    .....#....
    ..........
    .....#....
    ##.#####.#
    ...@#.....
    ....#.....
    ..........
"""


def build(factory, **options):
    return factory(OBSERVATIONS, ACTIONS, seed=0, **options)


@pytest.mark.parametrize(
    ("gains", "action"),
    [
        ([0.0, 2.0, -1.0, 1.0], LEFT),
        ([5.0, 2.0, -1.0, 1.0], FORWARD),
        ([-3.0, -2.0, -1.0, -4.0], RIGHT),
        ([1.0, 1.0, 1.0, 1.0], STAY),  # blocked and turning in place: do not fidget
        ([2.0, 1.0, 2.0, 2.0 - 1e-6], STAY),  # equal but for rounding
        ([np.nan] * 4, STAY),  # the target pauses: nothing to gain anywhere
        ([2.0, 1.0, 2.0, 1.9], FORWARD),  # a real difference; the first of two equals
    ],
)
def test_oracle_takes_the_greatest_gain(gains, action):
    agent = build(Oracle)
    agent.reset(seed=1)
    assert agent.act({}, {"action_gains": np.array(gains, np.float32)}) == action


@pytest.mark.parametrize("gains", [[1.0, 2.0], [1.0, np.nan, 0.0, 0.0]])
def test_oracle_refuses_gains_it_cannot_compare(gains):
    with pytest.raises(ValueError, match="action_gains must be 4 finite numbers"):
        build(Oracle).act({}, {"action_gains": np.array(gains)})


def test_who_is_privileged_says_so():
    privileged = {factory.__name__ for factory in EVERY if hasattr(factory, "privileged")}
    assert privileged == {"Oracle", "DoA", "GoToNearest", "ProximityPrior"}
    assert Oracle.privileged == ("action_gains",)
    for factory in EVERY:
        assert f"{'' if factory.__name__ in privileged else 'Not p'}rivileged" in factory.__doc__


def test_random_is_uniform_and_repeats_with_its_seed():
    agent = build(Random)
    agent.reset(seed=5)
    first = [agent.act({}) for _ in range(4000)]
    agent.reset(seed=5)
    assert first == [agent.act({}) for _ in range(4000)]
    agent.reset(seed=6)
    assert first != [agent.act({}) for _ in range(4000)]
    # 4 cells of 1000 expected: a chi-squared above 21 has a probability of 1e-4
    assert ((np.bincount(first, minlength=4) - 1000) ** 2 / 1000).sum() < 21


def test_stand_in_place_stays_and_rotate_in_place_turns_right():
    assert [build(StandInPlace).act({}) for _ in range(3)] == [STAY] * 3
    assert [build(RotateInPlace).act({}) for _ in range(3)] == [RIGHT] * 3


@pytest.mark.parametrize(
    ("plan", "heading", "moves"),
    [
        ("X..", 0, [FORWARD, RIGHT, RIGHT]),  # a node ahead: no turn
        ("X..", 1, [RIGHT, FORWARD, RIGHT, RIGHT]),
        ("X..", 3, [RIGHT] * 3 + [FORWARD, RIGHT, RIGHT]),  # never left, though that is nearer
        (".X.", 3, [RIGHT, FORWARD, RIGHT, RIGHT]),  # the first free one clockwise
    ],
)
def test_doa_on_the_target_does_what_the_paper_says(plan, heading, moves):
    world = FlatWorld(plan, heading)
    assert walk(world, build(DoA)) == moves + [STAY] * (20 - len(moves))
    assert world.route_heading() == -1
    assert world.bearing_quarters() == 0


@pytest.mark.parametrize("heading", range(4))
@pytest.mark.parametrize(
    "plan",
    [
        HALL,
        "@.T",
        "@T",  # beside it already: only turns
        """
        @#T
        .#.
        ...
        """,
    ],
)
def test_doa_ends_beside_the_target_and_faces_it(plan, heading):
    world, agent = FlatWorld(plan, heading), build(DoA)
    facing = world.bearing_quarters()
    moves = walk(world, agent)
    assert np.hypot(*np.subtract(world.at, world.target)) == 1
    assert world.bearing_quarters() == 0
    assert moves[-1] == STAY
    turns = [[], [LEFT], [RIGHT, RIGHT], [RIGHT]][facing]
    assert moves[: len(turns)] == turns  # first of all it turns to the true bearing


def test_doa_walks_no_detour_and_starts_anew_after_reset():
    agent = build(DoA)
    for plan in (HALL, HALL, "X.", HALL):  # what it does depends on the episode alone
        agent.reset(seed=0)
        moves = walk(FlatWorld(plan, heading=0), agent)
        assert moves.count(FORWARD) == (1 if plan == "X." else 5)


@pytest.mark.parametrize(("seed", "plan"), [(0, HALL), (1, HALL), (2, HALL.replace("T", "X"))])
def test_proximity_prior_never_leaves_its_circle(seed, plan):
    world = FlatWorld(plan.replace("@", ".") if "X" in plan else plan)
    agent = build(ProximityPrior)
    agent.reset(seed=seed)
    distances, moves = [], []
    for _ in range(300):
        moves += walk(world, agent, 1)
        distances.append(np.hypot(*np.subtract(world.at, world.target)))
    inside = next(k for k, distance in enumerate(distances) if distance <= 2)
    assert inside <= 6  # the shortest way in, turns included
    assert max(distances[inside:]) == 2  # it uses all of the circle
    assert set(moves[inside:]) == {FORWARD, LEFT, RIGHT, STAY}


def test_proximity_prior_is_uniform_over_what_is_allowed():
    leaves = {**TRUTHS, "straight_after": np.array([2.24, 2, 2, 2], np.float32)}
    stays = {**TRUTHS, "straight_after": np.array([1, 2, 2, 2], np.float32)}
    agent = build(ProximityPrior)
    for truth, n_allowed in ((leaves, 3), (stays, 4)):
        counts = np.bincount([agent.act({}, truth) for _ in range(3000)], minlength=4)
        expected = 3000 / n_allowed
        allowed = counts[4 - n_allowed :]
        assert allowed.sum() == 3000
        assert ((allowed - expected) ** 2 / expected).sum() < 21


def test_proximity_prior_moves_on_where_no_node_is_close_enough():
    world = FlatWorld("@.T", stride=3.0)  # beside the target is still outside
    moves = walk(world, build(ProximityPrior), 40)
    assert moves[0] == FORWARD
    assert world.at == (1, 0)  # and never back, which would be farther
    assert set(moves) >= {LEFT, RIGHT}


def test_proximity_prior_refuses_an_empty_circle():
    with pytest.raises(ValueError, match="radius must be positive metres, got 0"):
        build(ProximityPrior, radius=0)


def test_novelty_sweeps_a_corridor_and_then_tries_its_sides():
    world = FlatWorld("@....", heading=0)
    moves = walk(world, build(Novelty), 7)
    assert moves[:5] == [FORWARD] * 5  # the fifth finds the wall
    assert moves[5] in {LEFT, RIGHT}
    assert moves[6] == FORWARD  # the side might be new
    assert len(set(world.visited)) == 5


@pytest.mark.parametrize("stride", [0.25, 0.5, 1.0])
def test_novelty_never_tries_a_wall_twice_and_knows_where_it_has_been(stride):
    world, agent = FlatWorld("...\n.@.\n...", heading=2, stride=stride), build(Novelty)
    bumps = []
    for _ in range(60):
        before, heading = world.at, world.heading
        if walk(world, agent, 1) == [FORWARD] and world.at == before:
            bumps.append((before, heading))
    assert len(bumps) == len(set(bumps))
    assert len(set(world.visited)) == 9
    first_time = [world.visited.index(cell) for cell in set(world.visited)]
    assert max(first_time) <= 30


def test_novelty_is_not_trapped_where_every_side_is_blocked():
    world = FlatWorld("@")
    moves = walk(world, build(Novelty), 12)
    assert moves.count(FORWARD) == 4  # once per side
    assert moves[-1] == STAY


def test_novelty_sees_more_of_a_house_than_random():
    seen = {}
    for factory in (Novelty, Random):
        counts = []
        for seed in range(20):
            world, agent = FlatWorld(ROOMS, heading=seed % 4), build(factory)
            agent.reset(seed=seed)
            walk(world, agent)
            counts.append(len(set(world.visited)))
        seen[factory] = np.mean(counts)
    assert seen[Novelty] > 2 * seen[Random]


def test_novelty_forgets_between_episodes():
    agent = build(Novelty)
    runs = []
    for _ in range(2):
        agent.reset(seed=3)
        runs.append(walk(FlatWorld(ROOMS), agent))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("factory", EVERY)
def test_every_baseline_answers_with_the_louder_ear_where_an_estimate_is_due(factory):
    rng = np.random.default_rng(0)
    magnitudes = rng.exponential(size=(2, 512, 32)).astype(np.float32)
    magnitudes[1] *= 2
    observation = {"pose": np.zeros(4, np.float32), "mixture": np.log1p(magnitudes)}
    keys = getattr(factory, "privileged", ())
    truth = [{key: TRUTHS[key] for key in keys}] if keys else []
    silent = factory(OBSERVATIONS, ACTIONS, seed=0)
    speaking = factory(OBSERVATIONS, ANSWERS, seed=0, separator="louder_ear")
    answer = speaking.act(observation, *truth)
    assert ANSWERS.contains(answer)
    assert answer["move"] == silent.act(observation, *truth)
    np.testing.assert_allclose(answer["estimate"], magnitudes[1], rtol=1e-5)


@pytest.mark.parametrize("factory", EVERY)
def test_every_baseline_leaves_separating_to_the_separator_it_is_given(factory):
    """Which remembers the seconds of one episode, and hears linear magnitudes."""
    sees = spaces.Dict({**OBSERVATIONS.spaces, "target": spaces.Discrete(3)})
    magnitudes = np.random.default_rng(0).exponential(size=(2, 2, 512, 32)).astype(np.float32)
    keys = getattr(factory, "privileged", ())
    truth = [{key: TRUTHS[key] for key in keys}] if keys else []
    for path in ("pluggable:Fading", "pluggable:Louder"):
        agent = factory(sees, ANSWERS, seed=0, separator=path)
        for _ in range(2):
            agent.reset(seed=0)
            answers = [
                agent.act({"pose": np.zeros(4), "mixture": np.log1p(heard), "target": 2}, *truth)
                for heard in magnitudes
            ]
            assert all(map(ANSWERS.contains, answers))
            loud = [heard[int(np.argmax((heard**2).sum((1, 2))))] for heard in magnitudes]
            np.testing.assert_allclose(answers[0]["estimate"], loud[0], rtol=1e-4)
            np.testing.assert_allclose(answers[1]["estimate"], np.mean(loud, axis=0), rtol=1e-4)


@pytest.mark.parametrize("factory", EVERY)
def test_without_a_separator_it_says_what_to_pass(factory):
    with pytest.raises(ValueError, match=r"pass separator='module:Factory'.*\"louder_ear\""):
        factory(OBSERVATIONS, ANSWERS, seed=0)
    with pytest.raises(ValueError, match="'louder_ear' is of no use: no estimate is asked for"):
        factory(OBSERVATIONS, ACTIONS, seed=0, separator="louder_ear")
    with pytest.raises(ValueError, match="needs the observation 'target'"):
        factory(OBSERVATIONS, ANSWERS, seed=0, separator="pluggable:Louder")
    sees = spaces.Dict({**OBSERVATIONS.spaces, "target": spaces.Discrete(3)})
    with pytest.raises(ValueError, match="'pluggable' has no 'Nobody'"):
        factory(sees, ANSWERS, seed=0, separator="pluggable:Nobody")


def test_the_louder_ear_is_the_one_with_more_energy_not_the_higher_peak():
    mixture = np.zeros((2, 4, 3), np.float32)
    mixture[0, 0, 0] = np.log1p(3.0)
    mixture[1] = np.log1p(1.0)
    np.testing.assert_allclose(louder_ear(mixture), np.ones((4, 3)), rtol=1e-6)
    np.testing.assert_allclose(louder_ear(mixture[::-1]), np.ones((4, 3)), rtol=1e-6)


@pytest.mark.parametrize(
    ("observations", "actions", "message"),
    [
        (OBSERVATIONS, spaces.Discrete(3), r"needs Discrete\(4\).*got Discrete\(3\)"),
        (OBSERVATIONS, spaces.Dict(estimate=ESTIMATE), r"with it as 'move', got Dict"),
        (OBSERVATIONS, spaces.Dict(move=ACTIONS, speak=ACTIONS), "'estimate' only, got Dict"),
        (spaces.Dict(pose=OBSERVATIONS["pose"]), ANSWERS, "needs the observation 'mixture'"),
    ],
)
@pytest.mark.parametrize("factory", EVERY)
def test_every_baseline_refuses_spaces_it_cannot_serve(factory, observations, actions, message):
    given = {"separator": "louder_ear"} if isinstance(actions, spaces.Dict) else {}
    with pytest.raises(ValueError, match=message):
        factory(observations, actions, seed=0, **given)


def test_novelty_needs_to_know_where_it_is():
    with pytest.raises(ValueError, match="needs the observation 'pose'"):
        Novelty(spaces.Dict(), ACTIONS, seed=0)


def test_relative_headings_become_moves():
    assert [first_move(quarters) for quarters in range(4)] == [FORWARD, LEFT, RIGHT, RIGHT]
    assert [turn_to(quarters) for quarters in range(4)] == [STAY, LEFT, RIGHT, RIGHT]
    with pytest.raises(ValueError, match="0, 1, 2 or 3 quarter turns, got -1"):
        first_move(-1)
