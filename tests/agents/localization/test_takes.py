"""Takes are walks in houses with sounds that begin and end; labels say what is true of them."""

import numpy as np
import pytest

from av_envs.acoustics.convolution import dry_spectra, heard_second, response_spectra
from av_envs.agents.localization.directions import angles_between, angles_of
from av_envs.agents.localization.rendering import heard_by
from av_envs.agents.localization.sequences import Simulated
from av_envs.agents.localization.takes import (
    FRAME,
    SOUNDING,
    TakeConfig,
    TakeSampler,
    labels_of,
)
from av_envs.scene import occluded

CONFIG = TakeConfig(houses=1, seconds=3, tracks=2)


@pytest.fixture(scope="module")
def takes():
    return [TakeSampler(CONFIG).draw(np.random.default_rng(k)) for k in range(4)]


@pytest.fixture(scope="module")
def labels(takes):
    return [labels_of(take, 2) for take in takes]


def test_shapes(labels):
    for one in labels:
        assert one.direction.shape == one.arrival.shape == (30, 2, 3)
        assert one.active.shape == one.sight.shape == one.label.shape == (30, 2)


def test_angles_are_those_of_the_map_turned_by_the_heading(takes, labels):
    for take, one in zip(takes, labels, strict=True):
        heads = take.dwelling.scene.graph.heads
        for event in take.events:
            for frame in np.flatnonzero(event.active):
                second = frame // 10
                x, y, _ = heads[event.node] - heads[take.node[second]]
                bearing = np.arctan2(y, x) - take.heading[second] * np.pi / 2
                azimuth, elevation = angles_of(one.direction[frame, event.track])
                assert np.cos(azimuth - bearing) == pytest.approx(1, abs=1e-5)
                assert elevation == pytest.approx(0, abs=1e-3)  # all heads are equally high


def test_labels_are_of_length_one_where_something_sounds(labels):
    for one in labels:
        for direction in (one.direction, one.arrival):
            length = np.linalg.norm(direction, axis=-1)
            np.testing.assert_allclose(length, one.active, atol=1e-5)
        assert ((one.label >= 0) == one.active).all()
        assert not (one.sight & ~one.active).any()


def test_who_is_in_sight_is_not_occluded_and_mostly_heard_from_there(takes, labels):
    apart = []
    for take, one in zip(takes, labels, strict=True):
        heads, bvh = take.dwelling.scene.graph.heads, take.dwelling.scene.bvh
        for event in take.events:
            for frame in np.flatnonzero(event.active):
                here = heads[[take.node[frame // 10]]]
                hidden = occluded(bvh, here, heads[[event.node]])[0]
                assert one.sight[frame, event.track] == (not hidden)
        angle = angles_between(one.direction, one.arrival)
        apart.append(np.degrees(angle[one.sight]))
    assert np.median(np.concatenate(apart)) < 2


def test_active_is_what_is_loud_enough(takes):
    for take in takes:
        for event in take.events:
            frames = event.dry[16_000:].reshape(-1, FRAME)
            power = np.square(frames, dtype=float).mean(axis=1)
            np.testing.assert_array_equal(event.active, power > SOUNDING)


def test_events_of_a_track_do_not_overlap(takes):
    for take in takes:
        for track in range(2):
            on = [event.dry.reshape(-1, FRAME).any(axis=1) for event in take.events
                  if event.track == track]  # fmt: skip
            assert np.sum(on, axis=0).max() <= 1


def test_the_listener_walks_and_meets_no_source(takes):
    for take in takes:
        neighbours = take.dwelling.scene.graph.neighbours
        for before, after in zip(take.node[:-1], take.node[1:], strict=True):
            assert after == before or after in neighbours[before]
        assert not {event.node for event in take.events} & set(take.node)


@pytest.mark.parametrize(
    ("turning", "walking", "moves"), [(0, 0, (False, False)), (1, 0, (False, True))]
)
def test_shares_of_motion(turning, walking, moves):
    config = TakeConfig(houses=1, seconds=12, share_turning=turning, share_walking=walking)
    take = TakeSampler(config).draw(np.random.default_rng(0))
    assert (len(set(take.node)) > 1, len(set(take.heading)) > 1) == moves


def test_what_is_heard_is_what_the_engine_renders(takes):
    """The last second, all sources and the reverberation of the second before; no noise."""
    take = takes[0]._replace(snr_db=300.0)
    node, heading = int(take.node[-1]), int(take.heading[-1])
    total = 0
    for event in take.events:
        rir = take.dwelling.acoustics.rir(event.node, node, heading)
        total = total + response_spectra(rir) * dry_spectra(event.dry[-32_000:], "causal")
    expected = heard_second(total, "causal")
    np.testing.assert_allclose(heard_by(take, "binaural")[:, -16_000:], expected, atol=1e-5)


def test_noise_lies_below_what_is_heard(takes):
    clean, noisy = (heard_by(takes[1]._replace(snr_db=snr), "binaural") for snr in (300.0, 20.0))
    ratio = np.square(clean, dtype=float).mean() / np.square(noisy - clean, dtype=float).mean()
    assert 10 * np.log10(ratio) == pytest.approx(20, abs=0.1)


def test_the_same_generator_gives_the_same():
    source = Simulated("binaural", CONFIG, CONFIG, 1)
    one, other = (source.batch(np.random.default_rng(5), 2) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert one.maps.shape == (2, 6, 150, 64)
    assert one.direction.shape == (2, 30, 2, 3)
