"""Pairs of responses: the same places, the same every time, and unseen houses apart."""

import numpy as np
import pytest
import torch

from av_envs.agents.refinement.band_eq import BandEq
from av_envs.agents.refinement.pairs import Heard, PairConfig, ends_of, flow_pairs, places_in
from av_envs.agents.refinement.refiner import FlowRefiner, refiner_config

BRIEF = PairConfig("T1", "T2", "val", houses=1, sources=2, receivers=4, kind="flat")


@pytest.fixture(scope="module")
def refiner():
    return FlowRefiner(refiner_config("levels", "tiny"))


def test_places_are_drawn_from_the_house_and_the_seed():
    places = places_in(BRIEF, 0, 30)
    assert len(set(places)) == len(places) == 8
    assert all(place.source != place.receiver for place in places)
    assert places == places_in(BRIEF, 0, 30)
    other = places_in(PairConfig(seed=1, houses=1, sources=2, receivers=4), 0, 30)
    assert other != places
    assert {p.source for p in other} == {p.source for p in places}


def test_pairs_are_those_of_the_refiner(refiner):
    pairs = flow_pairs(refiner, BRIEF)
    assert pairs.start.shape == pairs.end.shape == (8, 14, 100)
    assert pairs.pose.shape == (8, 12)
    again = flow_pairs(refiner, BRIEF)
    assert all(torch.equal(one, two) for one, two in zip(pairs, again, strict=True))
    assert (pairs.end > pairs.start).float().mean() > 0.3  # T1 has no tail
    found = ends_of(refiner, pairs, "euler", 2)
    assert torch.equal(found, pairs.start)
    assert (refiner.error(found, pairs.end) > 0).all()
    assert not refiner.error(pairs.end, pairs.end).any()


def test_the_error_of_levels_is_in_decibels(refiner):
    truth = torch.zeros(1, 14, 100)
    assert refiner.error(truth + 0.1, truth).item() == pytest.approx(2.0)  # 20 dB are 1
    softer = truth.clone()
    softer[:, :, 50:] = -3.5  # 70 dB below the top: not judged
    assert refiner.error(softer + 0.1, softer).item() == pytest.approx(2.0)


def test_an_unknown_tier_is_named():
    with pytest.raises(ValueError, match="cheap 'T9' does not exist"):
        PairConfig(cheap="T9")
    with pytest.raises(ValueError, match="T3 is like itself already"):
        PairConfig(cheap="T3", truth="T3")


def test_gains_per_band_are_found_and_applied():
    noise = np.random.default_rng(0).standard_normal((2, 16000)).astype(np.float32)
    hidden = np.zeros((2, 7))
    hidden[1, 4] = 6.0
    truth = BandEq(hidden).refine(noise)
    eq = BandEq.fitted([Heard(None, None, noise, truth)] * 2)
    assert 20 * np.log10(eq.gain[1, 4]) == pytest.approx(6, abs=0.7)
    assert 20 * np.log10(eq.gain[0, 2]) == pytest.approx(0, abs=0.01)
    nothing = BandEq(np.zeros((2, 7)))
    np.testing.assert_allclose(nothing.refine(noise), noise, atol=1e-5)


def test_gains_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="2 x 7 numbers"):
        BandEq(np.zeros(7))
    with pytest.raises(ValueError, match="no pair"):
        BandEq.fitted([])
