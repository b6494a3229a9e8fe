"""Rows are traced once, shared, checked, and told apart by everything they depend on."""

import multiprocessing
import os
import warnings

import numpy as np
import pytest
from rooms import box, flat_material, scene_of, shoebox

from av_envs.acoustics import ResponseBank, TraceConfig, TracedAcoustics
from av_envs.acoustics.bank import SourceTracer
from av_envs.acoustics.response import RESPONSE
from av_envs.cache.rows import cache_directory

SIZE = (6, 4, 3)
HEADS = [(1.2, 1.1, 1.5), (4.6, 2.9, 1.5), (2.8, 3.1, 1.5)]
QUICK = TraceConfig(n_rays=256)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path))
    cache_directory.cache_clear()
    yield tmp_path
    cache_directory.cache_clear()


@pytest.fixture
def traced(monkeypatch):
    """The sources that were traced since, in order."""
    sources, original = [], SourceTracer.trace

    def counted(self, source, workers=None):
        sources.append(source)
        return original(self, source, workers)

    monkeypatch.setattr(SourceTracer, "trace", counted)
    return sources


def room(absorption=0.3, heads=HEADS):
    return shoebox(SIZE, heads, absorption)


def test_a_row_is_traced_once_and_then_read(traced):
    bank = ResponseBank(room(), QUICK)
    row = bank.row(1)
    assert row.shape == (3,)
    assert row.dtype == RESPONSE
    assert (row["n_paths"] > 0).all()
    again = bank.row(1)
    elsewhere = ResponseBank(room(), QUICK).row(1)  # another bank of the same scene
    assert traced == [1]
    assert row.tobytes() == again.tobytes() == elsewhere.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        row["n_paths"] = 0


def test_baking_traces_what_is_missing(traced):
    bank = ResponseBank(room(), QUICK)
    bank.row(1)
    bank.bake([0, 1])
    assert traced == [1, 0]
    bank.bake()
    bank.bake()
    assert traced == [1, 0, 2]


@pytest.mark.parametrize(
    "other",
    [
        TraceConfig(n_rays=260),
        TraceConfig(n_rays=256, image_order=1),
        TraceConfig(n_rays=256, seed=1),
    ],
)
def test_every_setting_has_its_own_rows(traced, other):
    one = ResponseBank(room(), QUICK).row(0)
    two = ResponseBank(room(), other).row(0)
    assert traced == [0, 0]
    assert one.tobytes() != two.tobytes()


def test_every_scene_has_its_own_rows(traced):
    moved = [HEADS[0], HEADS[1], (2.8, 3.0, 1.5)]
    triangles = box((0, 0, 0), SIZE)
    bare = flat_material(0.3, transmission=0.0, scattering=0.2)
    rougher = scene_of(triangles, np.zeros(12), [bare], HEADS, "shoebox")
    scenes = [room(), room(0.31), room(heads=moved), rougher]
    rows = [ResponseBank(scene, QUICK).row(0).tobytes() for scene in scenes]
    assert len(traced) == 4
    assert len(set(rows)) == 4


def test_a_damaged_row_is_traced_again_with_a_warning(traced, cache):
    row = ResponseBank(room(), QUICK).row(1).tobytes()
    (path,) = (cache / "responses").glob("*.rows")
    data = bytearray(path.read_bytes())
    at = data.rindex(row[:914]) + 100
    data[at] ^= 0xFF
    path.write_bytes(data)
    bank = ResponseBank(room(), QUICK)
    with pytest.warns(
        UserWarning, match="rebuilding the damaged cache file .*row 1 does not match"
    ):
        again = bank.row(1)
    assert again.tobytes() == row
    assert traced == [1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ResponseBank(room(), QUICK).row(1).tobytes() == row


def test_a_truncated_file_is_traced_again_with_a_warning(traced, cache):
    row = ResponseBank(room(), QUICK).row(2).tobytes()
    (path,) = (cache / "responses").glob("*.rows")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.warns(UserWarning, match="rebuilding the damaged cache file"):
        bank = ResponseBank(room(), QUICK)
    assert bank.row(2).tobytes() == row
    assert traced == [2, 2]


def _rir_into(queue, source):
    queue.put(TracedAcoustics(room(), QUICK).rir(source, 2, 3).tobytes())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_processes_agree(traced):
    """Whoever traces first: the child traces source 0 itself and reads source 1."""
    here = TracedAcoustics(room(), QUICK)
    second = here.rir(1, 2, 3).tobytes()
    context = multiprocessing.get_context("fork")
    queue, answers = context.Queue(), []
    for source in (0, 1):
        child = context.Process(target=_rir_into, args=(queue, source))
        child.start()
        answers.append(queue.get(timeout=60))
        child.join(timeout=60)
    assert answers[1] == second
    assert traced == [1]  # in this process
    assert here.rir(0, 2, 3).tobytes() == answers[0]
    assert traced == [1]  # the child's row was read


@pytest.mark.parametrize("source", [-1, 3, 100])
def test_a_source_that_is_no_node_is_named(source):
    message = rf"source must be a node in 0\.\.2, got {source}"
    with pytest.raises(ValueError, match=message):
        ResponseBank(room(), QUICK).row(source)
    with pytest.raises(ValueError, match=message):
        ResponseBank(room(), QUICK).bake([source])
    with pytest.raises(ValueError, match=message):
        TracedAcoustics(room(), QUICK).rir(source, 0, 0)


@pytest.mark.parametrize("receiver", [-1, 3])
def test_a_receiver_that_is_no_node_is_named(receiver):
    message = rf"receiver must be a node in 0\.\.2, got {receiver}"
    with pytest.raises(ValueError, match=message):
        TracedAcoustics(room(), QUICK).rir(0, receiver, 0)


def test_several_sources_at_once_are_those_one_by_one():
    acoustics = TracedAcoustics(room(), QUICK)
    out = np.full((2, 2, 16000), np.nan, np.float32)
    acoustics.rirs_into(np.array([2, 0]), 1, 2, out)
    for source, ears in zip((2, 0), out, strict=True):
        alone = acoustics.rir(source, 1, 2)
        assert alone.shape == (2, 16000)
        assert alone.dtype == np.float32
        assert alone.tobytes() == ears.tobytes()
    assert out[0].tobytes() != out[1].tobytes()
    assert acoustics.rir(2, 1, 6).tobytes() == out[0].tobytes()  # a full turn later
    assert acoustics.rir(2, 1, 3).tobytes() != out[0].tobytes()


def test_every_pair_of_places_has_its_own_noise(monkeypatch):
    """Even where two responses are alike, their reverberation must not be in step."""
    acoustics = TracedAcoustics(room(), QUICK)
    row = acoustics.bank.row(0)
    alike = np.repeat(row[2:], 3)
    monkeypatch.setattr(acoustics.bank, "row", lambda source: alike)
    pairs = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 0)]
    assert len({acoustics.rir(*pair, 0).tobytes() for pair in pairs}) == len(pairs)


def test_a_source_is_heard_at_its_own_place():
    heard = TracedAcoustics(room(), QUICK).rir(0, 0, 0)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() > 1  # 0.3 m away


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="unknown hrtf 'mine'"):
        TracedAcoustics(room(), QUICK, hrtf="mine")
