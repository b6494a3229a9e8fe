"""Compiled kernels find a place to stay, and only the user's own."""

import os
import stat
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from av_envs.cache import kernels
from av_envs.cache.kernels import VARIABLE, place_kernels

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners of files")


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Numba cannot write anywhere; temporary files go to a folder of the test."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(kernels, "_places_of_numba", lambda: [tmp_path / "file" / "below"])
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("AV_ENVS_CACHE", raising=False)
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(config=SimpleNamespace()))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def placed() -> Path:
    with pytest.warns(UserWarning, match="numba can write neither to") as warned:
        place_kernels()
    directory = Path(os.environ[VARIABLE])
    assert str(directory) == sys.modules["numba"].config.CACHE_DIR
    assert str(directory) in str(warned[0].message)
    assert len(warned) == 1
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    return directory


def test_nothing_is_changed_where_numba_can_write(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    place_kernels()
    assert VARIABLE not in os.environ


def test_the_users_own_choice_stays(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setattr(kernels, "PACKAGE", tmp_path / "no" / "such")
    place_kernels()
    assert os.environ[VARIABLE] == str(tmp_path / "mine")


def test_a_temporary_directory_serves_every_run_of_a_user(nowhere):
    directory = placed()
    assert directory.parent == nowhere / "temporary"
    assert str(os.getuid()) in directory.name
    assert placed() == directory


@pytest.mark.parametrize("taken", ["link", "open to others", "another user's", "file"])
def test_a_directory_that_others_can_write_to_is_not_trusted(nowhere, monkeypatch, taken):
    place = placed()
    if taken == "link":
        place.rename(nowhere / "elsewhere")
        place.symlink_to(nowhere / "elsewhere")
    elif taken == "open to others":
        place.chmod(0o777)
    elif taken == "file":
        place.rmdir()
        place.touch()
    else:
        monkeypatch.setattr(os, "getuid", lambda: 4321)
        place.rename(place.with_name(place.name.replace(str(os.stat(place).st_uid), "4321")))
    assert placed() != place


def test_the_cache_directory_serves_if_it_is_the_users_alone(nowhere, monkeypatch):
    chosen = nowhere / "cache"
    chosen.mkdir(mode=0o755)
    monkeypatch.setenv("AV_ENVS_CACHE", str(chosen))
    assert placed() == chosen / "kernels"
    chosen.chmod(0o2777)
    assert placed().parent == nowhere / "temporary"


def test_without_a_home_no_folder_called_tilde_is_made(tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: "~/.cache/numba")
    assert [place.is_absolute() for place in kernels._places_of_numba()] == [True]
