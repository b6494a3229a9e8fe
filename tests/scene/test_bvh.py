import numpy as np
import pytest
from numba import njit

from av_envs.scene.bvh import (
    MAX_DEPTH,
    MAX_LEAF,
    Bvh,
    _build,
    any_hit,
    build_bvh,
    cast_rays,
    closest_hit,
    occluded,
)

FAR = np.float32(1e9)


def box(low, high):
    """(12, 3, 3) triangles of an axis-aligned box."""
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), indexing="ij")).reshape(3, 8).T
    quads = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]
    return np.array([corners[list(t)] for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


def soup(rng, n, size=0.4):
    return rng.uniform(0, 3, (n, 1, 3)) + size * rng.normal(size=(n, 3, 3))


def furnished_box(rng):
    low = rng.uniform(0, 4, (20, 3))
    pieces = [box(a, b) for a, b in zip(low, low + rng.uniform(0.1, 1, (20, 3)), strict=True)]
    return np.concatenate([box((0, 0, 0), (5, 5, 5)), *pieces])


def rays(rng, n, size=3.0):
    origins = rng.uniform(0, size, (n, 3)).astype(np.float32)
    directions = rng.normal(size=(n, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return origins, directions.astype(np.float32)


def brute_force(triangles, origin, direction):
    """Distances to the planes of all triangles inside them, in float64; inf where missed."""
    corners = triangles.astype(np.float32).astype(float)
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(a, b)
    towards = normal @ direction.astype(float)
    t = ((corners[:, 0] - origin) * normal).sum(1) / towards
    point = origin + t[:, None] * direction - corners[:, 0]
    area = (normal**2).sum(1)
    u = (np.cross(point, b) * normal).sum(1) / area
    v = (np.cross(a, point) * normal).sum(1) / area
    inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    edge = np.minimum(np.minimum(abs(u), abs(v)), abs(1 - u - v))
    return np.where(inside, t, np.inf), edge.min()


@pytest.mark.parametrize("make", [lambda rng: soup(rng, 300), furnished_box], ids=["soup", "boxes"])
def test_closest_hit_agrees_with_trying_every_triangle(rng, make):
    triangles = make(rng)
    bvh, order = build_bvh(triangles)
    origins, directions = rays(rng, 3000)
    t, index = cast_rays(bvh, origins, directions, np.full(3000, FAR))
    for i in range(3000):
        expected, edge = brute_force(triangles, origins[i], directions[i])
        if edge < 1e-4:  # so close to an edge, rounding decides between two right answers
            continue
        if np.isinf(expected.min()):
            assert index[i] == -1
            assert t[i] == FAR
        else:
            assert t[i] == pytest.approx(expected.min(), abs=1e-5, rel=1e-5)
            assert expected[order[index[i]]] == pytest.approx(expected.min(), abs=1e-5)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_any_hit_agrees_with_closest_hit(rng):
    bvh, _ = build_bvh(soup(rng, 300))
    origins, directions = rays(rng, 2000)

    @njit
    def both(bvh, o, d, t_min, t_max):
        t, index = closest_hit(bvh, o[0], o[1], o[2], d[0], d[1], d[2], t_min, t_max)
        return t, index, any_hit(bvh, o[0], o[1], o[2], d[0], d[1], d[2], t_min, t_max)

    found = 0
    for o, d in zip(origins, directions, strict=True):
        t_max = np.float32(rng.uniform(0.1, 3))
        t, index, anything = both(bvh, o, d, np.float32(0.05), t_max)
        assert anything == (index >= 0)
        assert 0.05 < t <= t_max
        found += anything
    assert 200 < found < 1800


def test_directions_need_not_be_unit(rng):
    bvh, _ = build_bvh(furnished_box(rng))
    origins, directions = rays(rng, 500)
    t, index = cast_rays(bvh, origins, directions, np.full(500, FAR))
    scaled, same = cast_rays(bvh, origins, 4 * directions, np.full(500, FAR))
    np.testing.assert_array_equal(index, same)
    np.testing.assert_allclose(4 * scaled, t, rtol=1e-5)


def test_the_limits_of_a_ray_are_kept():
    bvh, _ = build_bvh(box((0, 0, 0), (2, 2, 2)))
    hit = closest_hit(bvh, 0.5, 0.7, 0.9, 1.0, 0.0, 0.0, 0.0, 9.0)
    assert hit[0] == pytest.approx(1.5)
    assert closest_hit(bvh, 0.5, 0.7, 0.9, 1.0, 0.0, 0.0, 0.0, 1.4) == (np.float32(1.4), -1)
    assert closest_hit(bvh, 0.5, 0.7, 0.9, 1.0, 0.0, 0.0, 1.6, 9.0) == (9.0, -1)


def test_nothing_escapes_from_a_closed_box(rng):
    bvh, _ = build_bvh(box((-3, -2, 0), (5, 4, 2.7)))
    origins = rng.uniform(0.01, 0.99, (100_000, 3)) * [8, 6, 2.7] + [-3, -2, 0]
    _, directions = rays(rng, 100_000)
    towards_diagonals = np.array([5, 4, 2.7]) - origins[:20_000]
    directions[:20_000] = towards_diagonals  # straight at a corner
    directions[20_000:40_000, 2] = 1.35 - origins[20_000:40_000, 2]
    directions[20_000:40_000, :2] = [5, 1] - origins[20_000:40_000, :2]  # at the middle of a wall
    _, index = cast_rays(bvh, origins, directions, np.full(100_000, FAR))
    assert (index >= 0).all()


def test_nothing_escapes_from_a_finely_cut_ball(rng):
    around, up = np.linspace(0, 2 * np.pi, 60), np.linspace(0, np.pi, 40)
    grid = np.stack(
        [
            np.outer(np.sin(up), np.cos(around)),
            np.outer(np.sin(up), np.sin(around)),
            np.outer(np.cos(up), np.ones(60)),
        ],
        -1,
    ).astype(np.float32)
    grid[:, -1] = grid[:, 0]
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    triangles = np.concatenate([np.stack([a, b, c], 2), np.stack([a, c, d], 2)]).reshape(-1, 3, 3)
    bvh, _ = build_bvh(triangles)
    origins, directions = rays(rng, 100_000, size=0.5)
    directions[:2000] = rng.permutation(grid.reshape(-1, 3))[:2000] - origins[:2000]  # at vertices
    _, index = cast_rays(bvh, origins, directions, np.full(100_000, FAR))
    assert (index >= 0).all()


def test_lines_of_sight():
    wall = box((1, -1, 0), (1.1, 1, 2))
    bvh, _ = build_bvh(wall)
    start = np.array([[0, 0, 1], [0, 0, 1], [0, 0, 1], [1, 0, 1]], float)
    end = np.array([[2, 0, 1], [2, 3, 1], [1, 0, 1], [0, 0, 1]], float)
    np.testing.assert_array_equal(occluded(bvh, start, end), [True, False, False, False])


def depth(bvh):
    deepest, waiting = 0, [(0, 0)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        if bvh.count[node] == 0:
            waiting += [(bvh.first[node], level + 1), (bvh.first[node] + 1, level + 1)]
    return deepest


def test_half_a_million_triangles_are_no_problem(rng):
    triangles = rng.uniform(0, 30, (500_000, 1, 3)) + 0.05 * rng.normal(size=(500_000, 3, 3))
    bvh, order = build_bvh(triangles.astype(np.float32))
    assert depth(bvh) <= MAX_DEPTH
    np.testing.assert_array_equal(np.sort(order), np.arange(500_000))
    assert bvh.count.sum() == 500_000


def test_no_shape_makes_the_tree_deeper_than_allowed():
    corner = 4.0 ** np.arange(-60, 30)[:, None] * np.ones(3)  # the best cut takes off the largest
    low, high = np.zeros((90, 3), np.float32), corner.astype(np.float32)
    low, high = np.repeat(low, 10, 0), np.repeat(high, 10, 0)
    assert depth(Bvh(*_build(low, high, MAX_DEPTH)[1:], None)) > 20
    limited = Bvh(*_build(low, high, 12)[1:], None)
    assert depth(limited) <= 12
    assert limited.count.sum() == 900
    assert limited.count.max() <= MAX_LEAF


def test_bad_triangles_are_refused():
    with pytest.raises(ValueError, match=r"\(T, 3, 3\)"):
        build_bvh(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="finite"):
        build_bvh(np.full((1, 3, 3), np.nan))
