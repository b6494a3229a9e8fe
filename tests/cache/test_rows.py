"""Rows are kept, shared, checked and never lost silently."""

import multiprocessing
import os

import numpy as np
import pytest

from av_envs.cache import rows as storage
from av_envs.cache.rows import RowFile, cache_directory, make_room


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path))
    cache_directory.cache_clear()
    yield tmp_path
    cache_directory.cache_clear()


def open_rows(name="room/key"):
    return RowFile(name, np.float32, (3, 2), n_rows=10)


def test_a_row_reads_back_in_another_instance(cache):
    row = np.arange(6, dtype=np.float32).reshape(3, 2)
    rows = open_rows()
    assert rows.get(4) is None
    np.testing.assert_array_equal(rows.put(4, row), row)
    np.testing.assert_array_equal(open_rows().get(4), row)
    own = open_rows().read(4)
    own[0, 0] = 5  # belongs to the caller
    np.testing.assert_array_equal(open_rows().read(4), row)
    assert open_rows().read(5) is None
    assert open_rows().filled().tolist() == [i == 4 for i in range(10)]


def test_rows_are_read_only(cache):
    kept = open_rows().put(0, np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1


def fill_from_child(name):
    open_rows(name).put(7, np.full((3, 2), 7, np.float32))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_row_filled_by_another_process_appears_in_an_open_file(cache):
    rows = open_rows()
    child = multiprocessing.get_context("fork").Process(target=fill_from_child, args=(rows.name,))
    child.start()
    child.join()
    np.testing.assert_array_equal(rows.get(7), np.full((3, 2), 7))


@pytest.mark.parametrize("damage", ["truncated", "header", "row"])
def test_a_damaged_file_is_noticed_and_rebuilt(cache, damage):
    rows = open_rows()
    rows.put(1, np.ones((3, 2), np.float32))
    data = bytearray(rows.path.read_bytes())
    if damage == "truncated":
        data = data[:-5]
    elif damage == "header":
        data[3] ^= 255
    else:
        data[-9 * rows.row_bytes] ^= 255  # of row 1 of 10
    rows.path.write_bytes(data)
    with pytest.warns(UserWarning, match="rebuilding the damaged cache file"):
        assert open_rows().get(1) is None
    reopened = open_rows()
    reopened.put(1, np.full((3, 2), 2, np.float32))
    np.testing.assert_array_equal(open_rows().get(1), np.full((3, 2), 2))


def test_an_unwritable_directory_falls_back_with_a_warning(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path / "file" / "cache"))
    cache_directory.cache_clear()
    with pytest.warns(UserWarning, match="cannot write the cache directory"):
        fallback = cache_directory()
    assert fallback.is_dir()
    cache_directory.cache_clear()


def test_the_least_recently_used_file_goes_first(cache, monkeypatch):
    monkeypatch.setattr(storage, "cache_limit_bytes", lambda: 100_000)
    monkeypatch.setattr(storage, "_disk_bytes", lambda stat: 40_000)
    for age, name in enumerate(["room/old", "room/new"]):
        path = RowFile(name, np.float32, (3, 2), 10).path
        os.utime(path, (1000 + age, 1000 + age))
    make_room(40_000, keep=cache / "room/third.rows")
    assert not (cache / "room/old.rows").exists()
    assert (cache / "room/new.rows").exists()


def test_files_that_another_process_removes_meanwhile_are_no_trouble(cache, monkeypatch):
    paths = [RowFile(name, np.float32, (3, 2), 10).path for name in ("room/gone", "room/there")]
    listed = list(cache.rglob("*.rows"))
    monkeypatch.setattr(type(cache), "rglob", lambda *_: iter(listed))
    monkeypatch.setattr(storage, "cache_limit_bytes", lambda: 0)
    paths[0].unlink()
    make_room(1)
    assert not paths[1].exists()


def test_a_wrong_shape_and_a_silly_limit_are_named(cache, monkeypatch):
    with pytest.raises(ValueError, match=r"shape \(3, 2\), got \(2, 3\)"):
        open_rows().put(0, np.zeros((2, 3), np.float32))
    monkeypatch.setenv("AV_ENVS_CACHE_GB", "lots")
    with pytest.raises(ValueError, match="'lots'"):
        storage.cache_limit_bytes()
