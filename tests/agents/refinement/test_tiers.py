"""Tiers of the same scene: each knows more than the one before, and nothing moves in time."""

import pickle

import numpy as np
import pytest

from av_envs.acoustics import TraceConfig
from av_envs.agents.refinement.mismatch import (
    MismatchConfig,
    PseudoRealAcoustics,
    other_surfaces,
)
from av_envs.agents.refinement.tiers import TIERS, grey, tier_acoustics
from av_envs.scene import load_scene, scene_name

RAYS = 128  # where a tier has more than tests can wait for
SOURCE, RECEIVER = 4, 9
EXACT = {
    "absorption": 0.0, "loudspeaker_db": 0.0, "directivity_db": 0.0, "ears_db": 0.0,
    "drift_db": 0.0, "metres": 0.0, "degrees": 0.0, "snr_db": (300.0, 300.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def scene():
    return load_scene(scene_name("val", 0, "flat"), 1.0)


def acoustics(scene, tier, **options):
    rays = RAYS if tier > "T1" else None
    return tier_acoustics(scene, tier=tier, rays=rays, **options)


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_is_a_backend(scene, tier):
    backend = acoustics(scene, tier)
    response = backend.rir(SOURCE, RECEIVER, 1)
    assert response.shape == (2, 16000)
    assert response.dtype == np.float32
    assert response.any()
    out = np.empty((2, 2, 16000), np.float32)
    backend.rirs_into(np.array([SOURCE, 2]), RECEIVER, 1, out)
    assert np.array_equal(out[0], response)
    copy = pickle.loads(pickle.dumps(backend))
    assert np.array_equal(copy.rir(SOURCE, RECEIVER, 1), response)


def test_tiers_without_rays_have_no_tail(scene):
    tails = {
        tier: np.abs(acoustics(scene, tier).rir(SOURCE, RECEIVER, 0)[:, 3200:]).max()
        for tier in ("T0", "T1", "T2")
    }
    assert tails["T0"] == tails["T1"] == 0 < tails["T2"]
    energies = [np.sum(acoustics(scene, t).rir(SOURCE, RECEIVER, 0) ** 2) for t in ("T0", "T1")]
    assert energies[1] >= energies[0]


def test_the_direct_sound_comes_at_the_same_sample(scene):
    heads = scene.graph.heads
    near = int(np.argsort(np.linalg.norm(heads - heads[SOURCE], axis=1))[1])
    peaks = {
        tier: int(np.abs(acoustics(scene, tier).rir(SOURCE, near, 0)[0, :300]).argmax())
        for tier in ("T0", "T1", "T2", "T3")
    }
    assert len(set(peaks.values())) == 1


def test_one_absorption_for_all_bands_is_the_mean(scene):
    flat = grey(scene)
    mean = np.repeat(scene.absorption.mean(axis=1, keepdims=True), 7, axis=1)
    np.testing.assert_allclose(flat.absorption, mean, atol=1e-3)
    assert flat.fingerprint != scene.fingerprint


def test_without_mismatch_the_recording_is_the_simulation(scene):
    real = PseudoRealAcoustics(scene, TraceConfig(n_rays=RAYS), MismatchConfig(**EXACT))
    simulated = acoustics(scene, "T3").rir(SOURCE, RECEIVER, 2)
    scale = np.abs(simulated).max()
    np.testing.assert_allclose(real.rir(SOURCE, RECEIVER, 2), simulated, atol=1e-5 * scale)


def test_materials_absorb_what_they_hide_the_same_everywhere(scene):
    other = load_scene(scene_name("train", 3, "house"), 1.0)
    config = MismatchConfig(seed=2)
    factors = []
    for one in (scene, other):
        ratio = other_surfaces(one, config).absorption[:, 3] / one.absorption[:, 3]
        factors.append(dict(zip((m.name for m in one.materials), ratio.tolist(), strict=True)))
    shared = factors[0].keys() & factors[1].keys()
    assert len(shared) > 3
    for name in shared:
        assert factors[0][name] == pytest.approx(factors[1][name], rel=1e-5)
    values = np.array(list(factors[0].values()))
    assert values.min() >= 0.7 - 1e-6
    assert values.max() <= 1.3 + 1e-6
    assert np.ptp(values) > 0.1


def test_a_recording_has_its_noise_below_it(scene):
    config = MismatchConfig(**{**EXACT, "snr_db": (30.0, 30.0)})
    real = PseudoRealAcoustics(scene, TraceConfig(n_rays=RAYS), config)
    clean = acoustics(scene, "T3").rir(SOURCE, RECEIVER, 2)
    noise = real.rir(SOURCE, RECEIVER, 2) - clean
    ratio = 10 * np.log10(np.sum(clean**2) / np.sum(noise**2))
    assert ratio == pytest.approx(30, abs=0.2)


def test_a_loudspeaker_colours_all_responses_alike(scene):
    config = MismatchConfig(**{**EXACT, "loudspeaker_db": 6.0})
    real = PseudoRealAcoustics(scene, TraceConfig(n_rays=RAYS), config)
    bank = acoustics(scene, "T3").bank
    changes = []
    for receiver in (RECEIVER, 12):
        before, after = bank.row(SOURCE)[receiver], real.altered(SOURCE, receiver)
        used = before["energy"] > 20
        change = after["energy"].astype(int) - before["energy"]
        changes.append([change[used[:, band], band][0] for band in range(7)])
        assert np.array_equal(after["energy"] == 0, before["energy"] == 0)
    assert changes[0] == changes[1]
    assert np.ptp(changes[0]) > 5


def test_another_take_differs_and_the_hidden_world_stays(scene):
    first, again = acoustics(scene, "T4"), acoustics(scene, "T4")
    other = acoustics(scene, "T4", seed=1)
    response = first.rir(SOURCE, RECEIVER, 0)
    assert np.array_equal(response, again.rir(SOURCE, RECEIVER, 0))
    assert not np.array_equal(response, other.rir(SOURCE, RECEIVER, 0))
    hidden = acoustics(scene, "T4", hidden=1)
    absorbed = [other_surfaces(scene, one.config).absorption for one in (first, hidden)]
    assert not np.array_equal(*absorbed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tier": "T5"}, "tier 'T5' does not exist; choose from T0, T1, T2, T3, T4"),
        ({"tier": "T1", "rays": 8}, "tier T1 has no rays, got rays=8"),
        ({"tier": "T4", "hidden": -1}, "seed must be a whole number"),
    ],
    ids=["tier", "rays", "hidden"],
)
def test_tiers_that_do_not_exist(scene, options, said):
    with pytest.raises(ValueError, match=said):
        tier_acoustics(scene, **options)
