"""The tracer for graphics processors, here on the processor, against the usual one."""

import sys

import numpy as np
import pytest
from rooms import shoebox

from av_envs.acoustics import ResponseBank, TraceConfig
from av_envs.acoustics.bank import SourceTracer
from av_envs.acoustics.response import BIN_EDGES
from av_envs.acoustics.tracing.cpu import trace
from av_envs.acoustics.tracing.detectors import DETECTOR_RADIUS, make_detectors
from av_envs.conventions import SPEED_OF_SOUND
from av_envs.scene import House

pytest.importorskip("warp", reason="NVIDIA Warp is an extra: av-envs[warp]")

from av_envs.acoustics.tracing.warp import trace_on_device

SIZE = (6, 4, 3)
N_RAYS = 4096


def places(n, seed=0):
    return np.random.default_rng(seed).uniform([0.7] * 3, np.array(SIZE) - 0.7, (n, 3))


def level(energy):
    """dB of all that arrives, per source, place and band."""
    return 10 * np.log10(energy.sum(axis=2))


def energy_of_both(scene, sources, detectors, n_rays=N_RAYS, **settings):
    one, _, lost = trace(scene, sources, detectors, n_rays=n_rays, **settings)
    other, _, lost_too = trace_on_device(
        scene, sources, detectors, n_rays=n_rays, device="cpu", **settings
    )
    assert lost == pytest.approx(lost_too, abs=1e-3)
    return one, other


@pytest.mark.parametrize("scattering", [0.0, 0.5])
def test_energy_is_conserved_where_nothing_absorbs(scattering):
    heads = places(24)
    scene = shoebox(SIZE, heads, 0.0, scattering)
    spheres = make_detectors(heads, np.full(24, 0.4))
    energy, arrival, lost = trace_on_device(scene, heads[:4], spheres, n_rays=N_RAYS, device="cpu")
    even = 4 * np.pi * SPEED_OF_SOUND * np.diff(BIN_EDGES) / np.prod(SIZE)
    assert lost < 2e-4
    assert (energy[:, :, 20:].mean(axis=(0, 1, 3)) / even[20:]).mean() == pytest.approx(1, abs=0.03)
    assert arrival.sum() == pytest.approx(energy.sum(), rel=1e-4)


@pytest.mark.parametrize("image_order", [0, 2])
def test_levels_in_a_room_agree(image_order):
    heads = places(12)
    scene = shoebox(SIZE, heads, 0.3, 0.3)
    spheres = make_detectors(heads, np.full(12, 0.4))
    one, other = energy_of_both(scene, heads[:4], spheres, image_order=image_order)
    assert abs(np.mean(level(one) - level(other))) < 0.2
    decay = [10 * np.log10(e[:, :, 5:30].mean(axis=(0, 1))) for e in (one, other)]
    np.testing.assert_allclose(*decay, atol=0.6)  # 25 dB of it, before the noise


@pytest.mark.slow
def test_levels_in_a_house_with_walls_that_let_sound_through_agree():
    scene = House(3, "house").scene(1.0)
    graph = scene.graph
    spheres = make_detectors(graph.heads, np.minimum(graph.clearance, DETECTOR_RADIUS))
    sources = graph.heads[:: len(graph) // 4]
    one, other = energy_of_both(scene, sources, spheres, n_rays=4 * N_RAYS)
    both = level(one + other)  # a place must not be chosen for what one of them says
    heard = both > both.max() - 25
    assert abs(np.mean((level(one) - level(other))[heard])) < 0.2


def test_one_device_twice_is_the_same_and_another_seed_is_not():
    heads = places(4)
    scene, spheres = shoebox(SIZE, heads, 0.3), make_detectors(heads, np.full(4, 0.4))
    first, again, other = (
        trace_on_device(scene, heads[0], spheres, n_rays=256, seed=seed, device="cpu")[0]
        for seed in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_rays_start_in_the_same_directions():
    """Too few rays leave the same gaps in both; with other seeds, gaps lie elsewhere."""
    heads = places(40)
    scene, spheres = shoebox(SIZE, heads, 0.2), make_detectors(heads, np.full(40, 0.4))
    settings = {"n_rays": 256, "image_order": 0}
    ours, theirs, elsewhere = (
        tracer(scene, heads[0], spheres, seed=seed, **settings)[0][0, 1:, :4, 3].sum(axis=1)
        for tracer, seed in ((trace, 0), (trace_on_device, 0), (trace_on_device, 1))
    )
    near, far = (np.std(10 * np.log10(other / ours)) for other in (theirs, elsewhere))
    assert near < 0.6 * far


def test_a_bank_can_be_traced_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path))
    heads = places(3)
    scene = shoebox(SIZE, heads, 0.3)
    usual, warp = (TraceConfig(n_rays=256, tracer=tracer) for tracer in ("numba", "warp"))
    assert usual.key != warp.key
    bank = ResponseBank(scene, warp)
    bank.bake()
    assert bank.filled().all()
    ours, theirs = bank.row(0), SourceTracer(scene, usual).trace(0)
    assert (ours["path_delay"] == theirs["path_delay"]).all()  # exact paths are the same


def test_errors_name_what_there_is(monkeypatch):
    heads = places(2)
    scene, spheres = shoebox(SIZE, heads, 0.3), make_detectors(heads, np.full(2, 0.4))
    with pytest.raises(ValueError, match=r"device 'cuda:77' is not there; choose from .*cpu"):
        trace_on_device(scene, heads[0], spheres, device="cuda:77")
    with pytest.raises(ValueError, match="n_rays must be positive, got 0"):
        trace_on_device(scene, heads[0], spheres, n_rays=0)
    with pytest.raises(ValueError, match="tracer 'optix' does not exist; choose from numba, warp"):
        TraceConfig(tracer="optix")
    monkeypatch.setitem(sys.modules, "av_envs.acoustics.tracing.warp", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install -e '\.\[warp\]'"):
        SourceTracer(scene, TraceConfig(tracer="warp")).trace(0)
