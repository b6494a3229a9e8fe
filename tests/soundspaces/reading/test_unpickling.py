"""Pickles of all versions are read, and none of them runs anything."""

import builtins
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from tiny_tree import pickled_as, picture

from av_envs.soundspaces.errors import MissingFileError, RefusedPickleError, UnreadableFileError
from av_envs.soundspaces.reading.unpickling import Record, load_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Call:
    """Pickled, it is a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def load(tmp_path):
    def loaded(content):
        path = tmp_path / "some.pkl"
        path.write_bytes(content)
        return load_pickle(path)

    return loaded


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_containers_and_arrays_come_back_as_they_were(load, protocol):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    stored = {
        (3, 90): [array, np.asfortranarray(array), array[:, 1]],
        "scalars": (np.float64(1.5), np.int64(-3), np.bool_(True), 2.5, None, 10**30),
        "rest": OrderedDict(a={1, 2}, b=frozenset("x"), c=b"\x00\xff", d=slice(1, 2), e=1j),
        "text": np.array(["a", "bc"]),
    }
    loaded = load(pickle.dumps(stored, protocol))
    for made, given in zip(loaded[3, 90], stored[3, 90], strict=True):
        np.testing.assert_array_equal(made, given)
        assert made.dtype == given.dtype
    assert loaded["scalars"] == stored["scalars"]
    assert loaded["rest"] == stored["rest"]
    assert loaded["text"].tolist() == ["a", "bc"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_observations_of_habitat_become_dicts(load, protocol):
    module = "habitat.core.simulator"
    stored = pickled_as(module, "Observations", {"note": 1}, protocol, items=picture(3, 90))
    loaded = load(stored)
    assert isinstance(loaded, dict)
    assert list(loaded) == ["rgb", "depth"]
    np.testing.assert_array_equal(loaded["rgb"], picture(3, 90)["rgb"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_of_networkx_become_records(load, protocol):
    loaded = load(pickled_as("networkx.classes.graph", "Graph", {"node": {1: {}}}, protocol))
    assert isinstance(loaded, Record)
    assert loaded.node == {1: {}}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("call", "named"),
    [
        (Call(os.system, "touch pwned"), "system"),
        (Call(builtins.eval, "1 + 1"), "builtins.eval"),
        (Call(builtins.getattr, (), "count"), "builtins.getattr"),
        (Call(np.load, "x.npy"), "load"),
        (Call(np.lib.npyio.NpzFile, "x"), "NpzFile"),
    ],
    ids=["system", "eval", "getattr", "load", "npz"],
)
def test_whatever_would_run_is_refused_by_name(load, tmp_path, monkeypatch, protocol, call, named):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefusedPickleError, match=rf"some\.pkl: the pickle asks for .*{named}"):
        load(pickle.dumps({"graph": [call]}, protocol))
    assert not (tmp_path / "pwned").exists()


def test_stand_ins_are_no_way_in(load):
    """The functions that are allowed do only what they are there for."""
    other_encoding = b"c_codecs\nencode\n(Vabc\nVzlib_codec\ntR."
    with pytest.raises(UnreadableFileError, match="text encoded as 'zlib_codec'"):
        load(other_encoding)
    dict_from_array = b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR."
    with pytest.raises(UnreadableFileError, match=r"an object of .*ndarray"):
        load(dict_from_array)
    with pytest.raises(UnreadableFileError, match="refers to objects outside"):
        load(b"Pouter\n.")
    state_of_a_class = b"cnetworkx.classes.graph\nGraph\n}Vx\nI1\nsb."
    with pytest.raises(UnreadableFileError):
        load(state_of_a_class)
    assert not hasattr(Record, "x")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", b"garbage", b"\x80\x02}q\x00(", b"\x80\x02N", pickle.dumps([1] * 99)[:-30]],
)
def test_damage_names_the_file(load, content):
    with pytest.raises(UnreadableFileError, match=r"some\.pkl: this is no pickle"):
        load(content)


def test_truncations_of_a_pickle_are_noticed(load):
    whole = pickle.dumps({(1, 90): picture(1, 90)["rgb"][:1, :1]}, 2)
    for n in range(0, len(whole), 3):
        with pytest.raises(UnreadableFileError):
            load(whole[:n])
    load(whole)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.pkl: this file does not exist"):
        load_pickle(tmp_path / "none.pkl")
