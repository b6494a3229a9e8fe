"""What the info says, against the same numbers from the robots' paths alone."""

import gymnasium as gym
import numpy as np
import pytest
from small_teams import SMALL, Guesser, play, random_walk, team, told

import av_envs  # noqa: F401  (registers the suite)
from av_envs.rir_measure.config import ROUTES
from av_envs.rir_measure.metrics.room_errors import ROOM_ERRORS

TEAM_KEYS = {
    *("r_xi", "r_zeta", "r_psi", "r_phi", "xi", "zeta", "psi", "phi", "delta", "xi_valid"),
    *("cr", "pe_mean", "pes", "wcr", "t", "house"),
}
OWN_KEYS = {"collision", "stopped", "new_nodes", "node", "heading"}
every_size = pytest.mark.parametrize("who", [{"robots": n} for n in (2, 3, 4)], ids=str)
LONG = {"steps": 16, "alpha_psi": -0.5, "alpha_phi": 2.0}


def nodes_by_time(steps, n_robots) -> np.ndarray:
    """(steps + 1, robots) from the infos."""
    rows = [told(steps, "node", f"robot_{k}") for k in range(n_robots)]
    return np.array(rows, int).T


def hull(points) -> tuple[float, float]:
    """Perimeter and area by walking around the points (gift wrapping), from the definition."""
    points = sorted(set(map(tuple, np.round(points, 6).tolist())))
    if len(points) == 1:
        return 0.0, 0.0

    def turn(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    corners = [points[0]]
    while True:
        here, best = corners[-1], None
        for point in points:
            if point == here:
                continue
            side = turn(here, best, point) if best else -1.0
            farther = best and np.hypot(*np.subtract(point, here)) > np.hypot(
                *np.subtract(best, here)
            )
            if best is None or side < -1e-9 or (abs(side) <= 1e-9 and farther):
                best = point
        if best == corners[0]:
            break
        corners.append(best)
    around = np.array([*corners, corners[0]])
    lengths = np.hypot(*np.diff(around, axis=0).T)
    x, y = around.T
    return float(lengths.sum()), abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2


def test_the_checks_own_hull():
    """Specification 3.2: the square, and a thin hull."""
    assert hull([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5)]) == pytest.approx((4, 1))
    assert hull([(0, 0), (2, 0), (0, 0.5), (2, 0)]) == pytest.approx((4.5616, 0.5), abs=1e-4)
    assert hull([(0, 0), (1, 1), (3, 3)]) == pytest.approx((6 * 2**0.5, 0))


@every_size
def test_coverage_hull_and_reward_follow_from_the_paths(who):
    env = team(**LONG, **who)
    steps = play(env, seed=2)
    nodes, places = nodes_by_time(steps, who["robots"]), env.scene.graph.positions[:, :2]
    weights = {"zeta": 1.0, "psi": -0.5, "phi": 2.0}
    before = None
    for t, (*_, infos) in enumerate(steps):
        info = infos["robot_0"]
        perimeter, area = hull(places[nodes[max(t - 1, 0) : t + 1].ravel()])
        now = {
            "zeta": len(set(nodes[: t + 1].ravel())) / len(places),
            "psi": perimeter,
            "phi": area,
        }
        assert info["cr"] == info["zeta"]
        assert info["t"] == t
        gained = {key: weights[key] * (now[key] - (before or now)[key]) for key in now}
        for key in now:
            assert info[key] == pytest.approx(now[key], abs=1e-5)
            assert info[f"r_{key}"] == pytest.approx(gained[key], abs=1e-5)
        if t:
            reward = sum(gained.values()) + float(info["r_xi"])
            assert steps[t][1]["robot_0"] == pytest.approx(reward, abs=1e-5)
        before = now
    assert told(steps, "phi").max() > 0.1


@every_size
def test_every_new_node_has_one_finder(who):
    env = team(**LONG, **who)
    steps = play(env, seed=2)
    nodes, found = nodes_by_time(steps, who["robots"]), set()
    for t, (*_, infos) in enumerate(steps):
        for k, node in enumerate(nodes[t].tolist()):  # in the order of the robots
            assert infos[f"robot_{k}"]["new_nodes"] == (node not in found if t else 0)
            found.add(node)
        if t:
            new = sum(info["new_nodes"] for info in infos.values())
            gained = infos["robot_0"]["r_zeta"] * len(env.visited)
            assert new == pytest.approx(gained, abs=1e-3)
    assert len(found) == env.visited.sum()


@every_size
def test_nodes_headings_and_collisions_follow_from_the_moves(who):
    env = team(**LONG, **who)
    walk = random_walk(env)
    steps = play(env, walk, seed=2)
    ways, bumps = env.scene.graph.neighbours, 0
    for k, robot in enumerate(env.possible_agents):
        node, heading = (int(steps[0][1][robot][key]) for key in ("node", "heading"))
        for moves, step in zip(walk, steps[1:], strict=True):
            ahead = ways[node, heading]
            blocked = bool(moves[k] == 1 and ahead < 0)
            if moves[k] == 1 and ahead >= 0:
                node = ahead
            heading = (heading + {2: 1, 3: -1}.get(moves[k], 0)) % 4
            info = step[-1][robot]
            assert (info["node"], info["heading"]) == (node, heading)
            assert info["collision"] == blocked
            bumps += blocked
        assert env.trajectories[robot][-1] == (node, heading)
    assert bumps


@pytest.mark.parametrize("wcr_lambda", [0.1, 0.5])
def test_the_metrics_belong_together(wcr_lambda):
    steps = play(team(predictor=Guesser(), wcr_lambda=wcr_lambda, steps=10))
    cr, pe, pes = (told(steps, key)[1:] for key in ("cr", "pe_mean", "pes"))
    np.testing.assert_allclose(pes, 2 / (1 + np.exp(-pe)) - 1, rtol=1e-5)
    wcr = (1 - wcr_lambda) * cr + wcr_lambda * (1 - pes)
    np.testing.assert_allclose(told(steps, "wcr")[1:], wcr, rtol=1e-5)
    np.testing.assert_allclose(told(steps, "xi"), -told(steps, "delta"))
    first = steps[0][-1]["robot_0"]
    assert (first["pe_mean"], first["pes"]) == (np.inf, 1)
    assert first["wcr"] == pytest.approx((1 - wcr_lambda) * first["cr"])


EXTRAS = [
    ({}, set(), {}),
    ({"room_errors": True}, set(ROOM_ERRORS), {}),
    ({"queries": 3}, {"pe_query", "pe_query_auc"}, {}),
    ({"expose_rir": True}, set(), {"rir": (2, 2, 16_000), "rir_nodes": (2, 3)}),
    ({"prediction": "none"}, set(), {"rir_nodes": (2, 3)}),
    ({"prediction": "submit"}, set(), {}),
]


@pytest.mark.parametrize(
    ("options", "scores", "arrays"), EXTRAS, ids=[str(options) for options, _, _ in EXTRAS]
)
def test_infos_are_flat_scalars_under_constant_keys(options, scores, arrays):
    for steps in (
        play(team(**options)),
        play(team(xi_timing="pre_move", **options)),
    ):
        for *_, infos in steps:
            team_values = None
            for info in infos.values():
                assert info.keys() == TEAM_KEYS | OWN_KEYS | scores | set(arrays)
                for key, value in info.items():
                    if key in arrays:
                        assert value.shape == arrays[key]
                    else:
                        assert type(value) is np.float32, key
                        assert key.startswith("pe_query") or not np.isnan(value), key
                # as text: one that is not known yet equals itself
                shared = {key: str(info[key]) for key in TEAM_KEYS | scores}
                assert team_values in (None, shared)
                team_values = shared


@pytest.mark.parametrize("prediction", ROUTES)
def test_the_joint_info_has_the_same_keys_and_numbers(prediction):
    env = gym.make("AVRIRMeasure-v0", **{**SMALL, "prediction": prediction, "robots": 3})
    _, info = env.reset(seed=1)
    numbers = {f"{key}_{k}" for key in OWN_KEYS for k in range(3)}
    arrays = {"none": {"rir_nodes"}, "action": {f"action_mask_{k}" for k in range(3)}}
    assert info.keys() == TEAM_KEYS | numbers | arrays.get(prediction, set())


def test_what_was_not_predicted_is_infinitely_wrong():
    """Errors are plus infinity, signal-to-noise ratios minus infinity: the larger the better."""
    env = team(prediction="submit", room_errors=True)
    *_, infos = play(env)[-1]
    for key in ("delta", "pe_mean", *ROOM_ERRORS):
        worst = -np.inf if key in ("sisdr", "snr", "snr01") else np.inf
        assert infos["robot_0"][key] == worst, key


def test_exposed_responses_are_those_that_were_measured():
    env = team(expose_rir=True, steps=3)
    for moves in random_walk(env):
        if env.t is None:
            env.reset(seed=0)
        infos = env.step(dict(zip(env.possible_agents, moves, strict=True)))[-1]
        for info in infos.values():
            np.testing.assert_array_equal(info["rir"], env.measurement.rirs)
            np.testing.assert_array_equal(info["rir_nodes"], env.measurement.nodes)


def test_room_errors_of_the_truth_are_none():
    *_, infos = play(team(predictor="oracle", room_errors=True))[-1]
    for key in ROOM_ERRORS:
        if key not in ("sisdr", "snr", "snr01"):
            assert infos["robot_0"][key] == pytest.approx(0, abs=1e-6)
        else:
            assert infos["robot_0"][key] > 60


def test_queries_are_asked_at_the_budgets_and_kept_in_between():
    env = team(predictor=Guesser(), queries=4, steps=30)
    steps = play(env)
    asked = told(steps, "pe_query")
    assert np.isnan(asked[:10]).all()
    assert np.isnan(told(steps, "pe_query_auc")[:10]).all()
    assert np.isfinite(asked[10:]).all()
    assert len(set(asked[10:25].tolist())) == 1
    # a guess never learns: the same error at every budget, and on average
    np.testing.assert_allclose(asked[10:], asked[10])
    np.testing.assert_allclose(told(steps, "pe_query_auc")[10:], asked[10], rtol=1e-6)
    assert (told(play(team(predictor="oracle", queries=4, steps=10)), "pe_query")[-1]) == 0
