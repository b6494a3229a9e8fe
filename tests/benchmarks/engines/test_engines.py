"""Comparing engines: what is read off responses, which pairs, and who is absent."""

import json

import numpy as np
import pytest

import av_envs
from av_envs.benchmarks.engines import command as engines
from av_envs.benchmarks.engines import figures as engines_figures
from av_envs.benchmarks.engines import heard
from av_envs.benchmarks.engines.figures import (
    at_equal_scatter,
    band_levels,
    difference,
    figures,
    scatter,
)
from av_envs.benchmarks.engines.rooms import (
    NEAREST,
    SHOEBOX,
    Pair,
    draw_pairs,
    flat,
    house,
    shoebox,
)
from av_envs.benchmarks.options.engines import main
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE
from av_envs.scene.bvh import occluded


class Decay:
    """Noise that decays by 60 dB in `seconds` after a click at a distance of 3.43 m."""

    def __init__(self, seconds, gain=1.0):
        n = np.arange(SAMPLE_RATE)
        noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
        self.response = gain * 0.01 * noise * 10 ** (-3 * n / SAMPLE_RATE / seconds)
        self.response[:160] = 0
        self.response[160] = gain

    def mono(self, source, receiver):
        return self.response

    def ears(self, source, receiver):
        return np.stack([self.response, 0.5 * self.response])


PAIR = Pair(0, 1, True, 3.43)


def test_levels_are_relative_to_a_click_of_one():
    click = np.zeros((2, 16000))
    click[0, 4000], click[1, 200] = 1, 2
    levels = band_levels(click)
    assert levels.shape == (2, len(BANDS_HZ))
    np.testing.assert_allclose(levels[0], 0, atol=1e-6)
    np.testing.assert_allclose(levels[1], 20 * np.log10(2), atol=0.1)


def test_figures_of_a_decay_are_those_it_was_made_with():
    found = engines_figures.figures_of(Decay(0.4), PAIR)
    assert found["t20"] == pytest.approx(0.4, rel=0.05)
    assert found["t30"] == pytest.approx(0.4, rel=0.05)
    assert found["delay"] == pytest.approx(0, abs=0.01)
    assert found["ild"] == pytest.approx(20 * np.log10(2))


def test_differences_are_theirs_minus_ours():
    ours, theirs = (figures(engine, [PAIR, PAIR]) for engine in (Decay(0.4), Decay(0.44, 2.0)))
    found = difference(ours, theirs, np.array([True, True]))
    assert found["t20"] == pytest.approx(10, abs=1.5)
    assert found["level_visible_1000"] == pytest.approx(6.2, abs=0.4)
    assert np.isnan(found["level_occluded_1000"])  # there is no such pair
    assert found["ild"] == pytest.approx(0, abs=1e-6)


def test_scatter_is_that_of_the_draws():
    """Pairs and bands differ by much more: that is no scatter."""
    rng = np.random.default_rng(0)
    levels = 20 * rng.standard_normal((1, 50, 7)) + 0.5 * rng.standard_normal((6, 50, 7))
    assert scatter(levels) == pytest.approx(0.5, rel=0.1)


def test_equal_scatter_is_found_on_the_line_through_the_logarithms():
    theirs = [{"scatter_db": 2 / np.sqrt(n), "ms": 3.0 * n} for n in (1, 4, 16)]
    found = at_equal_scatter({"scatter_db": 2 / np.sqrt(8), "ms": 1.2}, theirs)
    assert found["ms"] == pytest.approx(24)
    assert found["times_faster"] == pytest.approx(20)


def test_half_of_the_pairs_see_each_other():
    scene = house(0, None)
    pairs = draw_pairs(scene, 8)
    heads = scene.graph.heads
    assert [sum(p.visible for p in pairs), len(pairs)] == [4, 8]
    for pair in pairs:
        ends = heads[[pair.source]], heads[[pair.receiver]]
        assert pair.visible == (not occluded(scene.bvh, *ends)[0])
        assert pair.distance == pytest.approx(np.linalg.norm(ends[0] - ends[1]), rel=1e-6)
        assert pair.distance >= NEAREST
    assert draw_pairs(scene, 8) == pairs
    assert all(pair.visible for pair in draw_pairs(shoebox(flat(0.2)), 6))


def test_no_two_reflections_in_the_box_arrive_together():
    """Of images up to the second order; in 6 x 4 x 3 m on half metres, 40 % would.

    All heads are as high, so that one of 24 does: twice up or twice down is as far.
    """
    box = shoebox(flat(0.2))
    size, heads = np.array(SHOEBOX), box.graph.heads.astype(float)
    assert len(heads) == 24
    assert (heads > 0.4).all()
    assert (heads < size - 0.4).all()
    n = np.arange(-1, 2)
    places = np.concatenate([2 * n[:, None, None] * size + sign * heads for sign in (1, -1)])
    orders = np.concatenate([2 * np.abs(n), np.abs(2 * n - 1)])  # per axis
    a, b, c = (k.ravel() for k in np.meshgrid(*[np.arange(6)] * 3, indexing="ij"))
    few = orders[a] + orders[b] + orders[c] <= 2
    images = np.stack([places[k[few]][:, :, axis] for axis, k in enumerate((a, b, c))], axis=-1)
    together = []
    for source, receiver in [(s, r) for s in range(24) for r in range(s)]:
        if np.any(heads[source, :2] == heads[receiver, :2]):
            continue
        lengths = np.sort(np.linalg.norm(images[:, source] - heads[receiver], axis=1))
        together.append(np.mean(np.diff(lengths) < 5e-4))
    assert len(lengths) == 25
    assert np.mean(together) < 0.05


def test_a_house_of_one_material_has_the_same_nodes():
    scene = house(0, flat(0.2, 0.3))
    np.testing.assert_allclose(scene.absorption, np.full((1, 7), 0.2), rtol=1e-6)
    np.testing.assert_array_equal(scene.graph.heads, house(0, None).graph.heads)


@pytest.fixture
def only_ours(monkeypatch):
    find = heard.importlib.util.find_spec
    monkeypatch.setattr(
        heard.importlib.util,
        "find_spec",
        lambda name: None if name in heard.MODULES.values() else find(name),
    )


def test_engines_that_are_absent_are_named(only_ours, capsys, monkeypatch):
    monkeypatch.setattr(engines_figures, "DRAWS", 2)
    monkeypatch.setattr(engines, "COST_PAIRS", 1)
    small = ["--houses", "1", "--pairs", "2", "--native-rays", "256"]
    assert main([*small, "--flat", "0.2", "0.3", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    printed = engines.table(result)
    assert "- RLR: absent" in printed
    assert "- pyroomacoustics: absent" in printed
    assert "Shoebox, absorption 0.2" in printed
    assert printed.count("| native |") == 3
    assert result["engines"] == {
        "native": av_envs.__version__,
        "RLR": None,
        "pyroomacoustics": None,
    }
    assert result["houses"]["pairs"] == 2


def test_rays_that_cannot_be_shared_out_are_refused(capsys):
    assert main(["--native-rays", "5"]) == 2
    assert "multiple of 4, got 5" in capsys.readouterr().err
