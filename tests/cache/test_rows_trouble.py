"""Disks that are full or not ours, files that vanish or shrink: caches cost no run."""

import copy
import errno
import multiprocessing
import os
import pickle
import shutil
import stat
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from av_envs.cache import row_format
from av_envs.cache import rows as storage
from av_envs.cache.row_format import StoredRows
from av_envs.cache.rows import RowFile, cache_directory, make_room

ONES = np.ones((3, 2), np.float32)
NOBODY = 65_534
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user"
)
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def use(directory):
    os.environ["AV_ENVS_CACHE"] = str(directory)
    for kept in (cache_directory, storage._scratch_directory, storage._warn):
        kept.cache_clear()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path))
    use(tmp_path)
    yield tmp_path
    use(tmp_path)


@pytest.fixture
def shared(monkeypatch):
    """A cache directory that every user can reach."""
    monkeypatch.setenv("AV_ENVS_CACHE", "")
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o777)
    use(directory)
    yield directory
    shutil.rmtree(directory)
    use(directory)


def open_rows(name="room/key", n_rows=10):
    return RowFile(name, np.float32, (3, 2), n_rows)


def in_child(act):
    """Run `act` in a forked process; what stopped it, None if nothing did."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def run():
        try:
            act()
            sender.send(None)
        except BaseException as error:
            sender.send(f"{type(error).__name__}: {error}")

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    return receiver.recv() if receiver.poll() else f"exit code {child.exitcode}"


def as_nobody(act):
    def run():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        act()

    return in_child(run)


@forking
@pytest.mark.parametrize("method", ["get", "read", "filled", "put"])
def test_a_file_cut_short_while_it_is_in_use_is_made_anew(cache, method):
    rows = open_rows()
    rows.put(1, ONES)
    rows = open_rows()

    def cut_and_use():
        os.truncate(rows.path, 100)
        arguments = {"put": (2, ONES), "filled": ()}.get(method, (1,))
        with pytest.warns(UserWarning, match="rebuilding the damaged cache file"):
            result = getattr(rows, method)(*arguments)
        if method in ("get", "read"):
            assert result is None
        rows.put(1, 2 * ONES)
        np.testing.assert_array_equal(rows.read(1), 2 * ONES)

    assert in_child(cut_and_use) is None
    np.testing.assert_array_equal(open_rows().get(1), 2 * ONES)


def test_a_row_handed_out_outlives_its_file(cache):
    open_rows().put(1, ONES)
    row = open_rows().get(1)
    os.truncate(open_rows().path, 0)
    np.testing.assert_array_equal(row, ONES)


@pytest.mark.parametrize("most", [7, 0])
def test_what_arrives_in_pieces_is_put_together_and_what_does_not_is_noticed(
    cache, monkeypatch, most
):
    open_rows().put(1, ONES)
    rows, original = open_rows(), os.preadv
    monkeypatch.setattr(os, "preadv", lambda file, buffers, offset: (
        original(file, [buffers[0][:most]], offset) if len(buffers[0]) == 24
        else original(file, buffers, offset)
    ))  # fmt: skip
    if most:
        np.testing.assert_array_equal(rows.read(1), ONES)
    else:
        with pytest.warns(UserWarning, match="it ends at byte .* instead of"):
            assert rows.read(1) is None


def test_a_copy_opens_the_file_anew(cache):
    rows = open_rows()
    rows.put(1, ONES)
    for copied in (copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))):
        assert copied._own is not rows._own
        np.testing.assert_array_equal(copied.get(1), ONES)


def test_flags_and_checksums_of_a_new_file_are_no_hole(cache):
    rows = RowFile("room/wide", np.float32, (1_000_000,), 5000)
    information = rows.path.stat()
    assert information.st_size > 5000 * 4_000_000
    assert 20_000 < information.st_blocks * 512 < 1_000_000


@pytest.mark.parametrize("when", ["folder", "file", "row"])
def test_a_full_disk_costs_time_and_not_the_run(cache, monkeypatch, when):
    owner, name = {
        "folder": (Path, "mkdir"),
        "file": (StoredRows, "create"),
        "row": (StoredRows, "write"),
    }[when]
    original = getattr(owner, name)

    def full(subject, *arguments, **options):
        if subject == cache:
            return original(subject, *arguments, **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    with warnings.catch_warnings(record=True) as caught, monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        warnings.simplefilter("always")
        for number in range(3):
            rows = open_rows(f"room/{number}")
            mine = ONES.copy()
            assert rows.get(3) is None
            np.testing.assert_array_equal(rows.put(3, mine), ONES)
            np.testing.assert_array_equal(rows.get(3), ONES)  # memory serves
            np.testing.assert_array_equal(rows.read(3, slice(1, 2)), ONES[1:2])
            mine[:] = 5  # still belongs to the caller
    (warning,) = caught
    assert "No space left on device" in str(warning.message)
    assert str(cache) in str(warning.message)
    assert not list(cache.rglob("*.draft"))


def test_rows_in_memory_stay_within_their_bounds(cache, monkeypatch):
    monkeypatch.setattr(storage, "RECENT_BYTES", 100 * ONES.nbytes)
    recent = storage._RecentRows()
    monkeypatch.setattr(storage, "_recent", recent)
    rows = open_rows(n_rows=300)
    for index in range(300):
        rows.put(index, ONES)
        rows.get(0)
    assert len(recent._rows) == 100
    assert (rows._number, 0) in recent._rows  # used all the time
    assert recent._n_bytes == 100 * ONES.nbytes


def test_files_that_others_remove_at_once_are_made_again(cache, monkeypatch):
    create, removed = StoredRows.create, []

    def evicted(stored):
        create(stored)
        if len(removed) < 5:
            removed.append(stored.path)
            stored.path.unlink()

    monkeypatch.setattr(StoredRows, "create", evicted)
    rows = open_rows()
    rows.put(0, ONES)
    assert len(removed) == 5
    np.testing.assert_array_equal(open_rows().get(0), ONES)
    monkeypatch.setattr(StoredRows, "create", lambda stored: None)
    with pytest.warns(UserWarning, match="keep removing"):
        np.testing.assert_array_equal(open_rows("room/other").put(0, ONES), ONES)


def test_another_file_in_its_place_is_noticed(cache):
    """The descriptor was closed meanwhile; the new file must not be taken for the old."""
    rows = open_rows()
    rows.put(0, ONES)
    np.testing.assert_array_equal(rows.read(0), ONES)
    rows.path.unlink()
    open_rows().put(1, ONES)
    row_format._opened.cache_clear()
    assert rows._stored(0, slice(None)) is None
    np.testing.assert_array_equal(rows.read(1), ONES)
    rows.path.unlink()
    row_format._opened.cache_clear()
    assert rows._stored(1, slice(None)) is None
    rows.put(1, ONES)
    np.testing.assert_array_equal(open_rows().read(1), ONES)


def test_old_drafts_are_removed_and_new_ones_are_not(cache):
    for name in ("old", "new"):
        (cache / f"{name}.draft").write_bytes(b"half")
    os.utime(cache / "old.draft", (0, 0))
    make_room(1)
    assert [path.name for path in cache.glob("*.draft")] == ["new.draft"]


@pytest.mark.skipif(os.name != "posix", reason="file modes")
@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_modes_follow_the_umask(cache, umask):
    former = os.umask(umask)
    try:
        path = open_rows().path
    finally:
        os.umask(former)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@forking
def test_few_files_are_open_at_a_time(cache):
    import resource

    def work():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        many = [open_rows(f"room/{number}") for number in range(150)]
        for _ in range(2):
            for rows in many:
                rows.put(1, ONES)
                assert rows.get(1) is not None
                assert rows.read(1, slice(0, 1)) is not None

    assert in_child(work) is None


def test_systems_without_pread_and_pwrite(cache, monkeypatch):
    for name in ("preadv", "pread", "pwrite", "pwritev"):
        monkeypatch.delattr(os, name, raising=False)
    open_rows().put(2, ONES)
    rows = open_rows()
    np.testing.assert_array_equal(rows.read(2), ONES)
    np.testing.assert_array_equal(rows.read(2, slice(1, 3)), ONES[1:])
    assert rows.filled().tolist() == [index == 2 for index in range(10)]


@as_root
def test_a_second_user_reads_what_the_first_has_made(shared):
    open_rows().put(1, ONES)
    (shared / "room").chmod(0o2777)

    def read_and_add():
        use(shared)
        rows = open_rows()
        np.testing.assert_array_equal(rows.get(1), ONES)
        np.testing.assert_array_equal(rows.read(1), ONES)
        assert rows.filled().sum() == 1
        with pytest.warns(UserWarning, match=f"in {shared} .*Permission denied.*for this run"):
            rows.put(2, ONES)
        np.testing.assert_array_equal(rows.read(2), ONES)
        np.testing.assert_array_equal(rows.read(1), ONES)
        assert rows.filled().sum() == 2
        open_rows("room/new").put(1, ONES)  # beside it, as the folder is for all

    assert as_nobody(read_and_add) is None
    assert open_rows("room/new").get(1) is not None
    assert open_rows().get(2) is None


@as_root
def test_what_cannot_be_read_is_made_for_oneself(shared):
    open_rows().put(1, ONES)
    open_rows().path.chmod(0o600)
    (shared / "room").chmod(0o2777)

    def make():
        use(shared)
        with pytest.warns(UserWarning, match="Permission denied"):
            rows = open_rows()
        assert rows.get(1) is None
        rows.put(1, 2 * ONES)
        np.testing.assert_array_equal(open_rows().read(1), 2 * ONES)

    assert as_nobody(make) is None
    np.testing.assert_array_equal(open_rows().get(1), ONES)


@as_root
def test_a_directory_that_cannot_be_written_is_read(shared):
    open_rows().put(1, ONES)
    shared.chmod(0o555)
    (shared / "room").chmod(0o555)

    def read():
        use(shared)
        np.testing.assert_array_equal(open_rows().get(1), ONES)  # and no warning
        with pytest.warns(UserWarning, match="cannot write the cache directory"):
            open_rows("room/new").put(1, ONES)
        open_rows("room/newer").put(1, ONES)

    assert as_nobody(read) is None
    assert [path.name for path in shared.rglob("*.rows")] == ["key.rows"]


@as_root
def test_files_of_others_do_not_stop_the_making_of_room(shared):
    paths = [open_rows(name).path for name in ("room/a", "room/b")]

    def evict():
        use(shared)
        os.environ["AV_ENVS_CACHE_GB"] = "1e-9"
        make_room(10)

    (shared / "room").chmod(0o555)
    assert as_nobody(evict) is None
    assert all(path.exists() for path in paths)


def test_without_a_home_a_temporary_directory_serves(monkeypatch, cache):
    def no_home(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    with pytest.warns(UserWarning, match="Could not determine home"):
        rows = open_rows()
    rows.put(1, ONES)
    np.testing.assert_array_equal(rows.read(1), ONES)
    assert not list(cache.rglob("*.rows"))


@forking
def test_a_temporary_directory_goes_with_its_process(cache):
    def work():
        directory = storage._scratch_directory()
        (cache / "told").write_text(str(directory))
        assert in_child(lambda: None) is None
        assert directory.is_dir()  # a forked process leaves it alone

    assert in_child(work) is None
    assert not Path((cache / "told").read_text()).exists()
