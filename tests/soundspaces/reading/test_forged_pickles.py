"""Pickles made by hand to harm their reader: each becomes an error that names the file."""

import pickle
import struct
import tracemalloc

import numpy as np
import pytest

from av_envs.soundspaces.errors import RefusedPickleError, UnreadableFileError
from av_envs.soundspaces.reading import unpickling
from av_envs.soundspaces.reading.unpickling import Record, load_pickle

ARRAY = b"cnumpy\nndarray\n"
DTYPE = b"cnumpy\ndtype\n"
EMPTY = b"cnumpy.core.multiarray\n_reconstruct\n(" + ARRAY + b"(K\x00tc_codecs\nencode\n"
EMPTY += b"(X\x01\x00\x00\x00bX\x06\x00\x00\x00latin1tRtR"  # _reconstruct(ndarray, (0,), b"b")
PLAIN_STATE = b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def of_type(code, state=PLAIN_STATE):
    """numpy.dtype(code, False, True) with a state."""
    return DTYPE + b"(" + text(code) + b"\x89\x88tR" + state


def array(kind, shape, content, version=1):
    """An array by its state: (version, shape, type, in Fortran's order, bytes)."""
    axes = b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", n) for n in shape) + b"t"
    data = b"B" + struct.pack("<I", len(content)) + content
    return EMPTY + b"(K" + bytes([version]) + axes + kind + b"\x89" + data + b"tb"


@pytest.fixture
def load(tmp_path):
    def loaded(program):
        path = tmp_path / "graph.pkl"
        path.write_bytes(b"\x80\x03" + program + b".")
        return load_pickle(path)

    return loaded


def test_arrays_by_hand_are_arrays(load):
    content = np.arange(6, dtype="<f4").tobytes()
    np.testing.assert_array_equal(load(array(of_type("f4"), (2, 3), content)),
                                  np.arange(6).reshape(2, 3))  # fmt: skip


@pytest.mark.parametrize(
    ("program", "message"),
    [
        # objects over the bytes of the attacker
        (array(of_type("O8"), (1,), b"A" * 8), "an array of the type 'O8'"),
        (array(of_type("O"), (1,), b"A" * 8), "an array of the type 'O'"),
        (ARRAY + b"(K\x01\x85" + of_type("f8") + text("AAAAAAAA") + b"tR",
         "a call of numpy.ndarray"),
        (b"cnumpy._core.numeric\n_frombuffer\n(C\x08AAAAAAAA" + of_type("O8") + b"K\x01\x85"
         + text("C") + b"tR", "an array of the type 'O8'"),
        (b"cnumpy.core.multiarray\nscalar\n(" + of_type("O8") + b"C\x08AAAAAAAAtR",
         "an array of the type 'O8'"),
        # fields at offsets where there is nothing
        (of_type("V8"), "an array of the type 'V8'"),
        (of_type("f4,f4"), "an array of the type 'f4,f4'"),
        (of_type("f4", b"(K\x03" + text("<") + b"N(" + text("x") + b"t}" + text("x") + b"("
                 + of_type("f8") + b"J\xff\xff\xff\x7ftsK\x04K\x01K\x00tb"), "with fields"),
        # sizes, shapes and bytes that do not belong together
        (of_type("f4", b"(K\x03" + text("<") + b"NNNK\x80K\x01K\x00tb"), "of 128 bytes"),
        (of_type("f4", b"(K\x03" + text("!") + b"NNNK\x04K\x01K\x00tb"), "the byte order '!'"),
        (array(of_type("f4"), (2, 3), bytes(20)), "needs 24 bytes, there are 20"),
        (array(of_type("f4"), (2, 3), bytes(28)), "needs 24 bytes, there are 28"),
        (array(of_type("f4"), (-1,), b""), "an impossible shape"),
        (array(of_type("f4"), (2**62, 4), b""), "an impossible shape"),
        (array(of_type("f4"), (0, 2**62), b""), "an impossible shape"),
        (array(of_type("U0"), (2**40,), b""), "an array of the type 'U0'"),
        (array(b"N", (1,), b"A"), "without a type"),
        (array(of_type("f4"), (1,), bytes(4), version=0), "without its state"),
        # functions with more of an effect than they look
        (b"c__builtin__\nbytearray\n(\x8a\x05\xff\xff\xff\xff\x0ftR", "bytearray of 68719476735"),
        (b"c__builtin__\nbytes\n(\x8a\x05\xff\xff\xff\xff\x0ftR", "takes 0 positional arguments"),
        (b"c__builtin__\nint\n(" + text("9" * 999) + b"tR", "a call of builtins.int"),
        (b"c_codecs\nencode\n(" + text("a") + text("rot13") + b"tR", "text encoded as 'rot13'"),
        (b"c_codecs\nencode\n(" + text("a") + b"]tR", "text encoded as a list"),
        (b"c_codecs\nencode\n(]" + text("latin1") + b"tR", "bytes of a list"),
        # what is here cannot be changed
        (b"c_codecs\nencode\n}" + text("__doc__") + b"Nsb", "attributes for a Name"),
        (b"cnetworkx\nGraph\nN}" + text("take") + b"Ns\x86b", "attributes for a Name"),
        (b"cnetworkx\nGraph\n)\x81}K\x01Nsb", "attributes have no names"),
        (b"]}" + text("x") + b"K\x01sb", "attributes for a list"),
        (b"]K\x01K\x02s", "items for a list"),
        (b"}K\x01a", "items for a dict"),
        (b"]K\x01R", "a call of a list"),
        (b"\x82\x01", "it refers to the extension 1"),
        (b"cnetworkx\nGraph\n)}" + text("a") + b"K\x01s\x92", "a call with named arguments"),
    ],
)  # fmt: skip
def test_forgeries_are_refused(load, program, message):
    with pytest.raises(UnreadableFileError, match=rf"graph\.pkl: .*{message}"):
        load(program)


def test_flags_of_types_are_not_believed(load):
    """Those of objects on a type of numbers made numpy follow the numbers as addresses."""
    flagged = of_type("f8", b"(K\x03" + text("<") + b"NNNK\x08K\x08K\x3ftb")
    assert load(array(flagged, (1,), struct.pack("<d", 2.5))).tolist() == [2.5]


@pytest.mark.parametrize(
    "program",
    [
        b"\x96" + struct.pack("<Q", 2**36) + b"A",  # BYTEARRAY8
        b"\x8e" + struct.pack("<Q", 2**36) + b"A",  # BINBYTES8
        b"\x8d" + struct.pack("<Q", 2**36) + b"A",  # BINUNICODE8
        b"B" + struct.pack("<I", 2**31) + b"A",
        b"\x95" + struct.pack("<Q", 2**36) + b"N",  # FRAME
        b"\x8b" + struct.pack("<i", 2**30) + b"A",  # LONG4
        b"Nr\xff\xff\xff\x7fr\xff\xff\xff\xff",  # numbers of the memo
        b"Np999999999999\n",
    ],
    ids=["bytearray", "bytes", "text", "short bytes", "frame", "integer", "memo", "memo as text"],
)
def test_sizes_that_are_only_declared_take_no_memory(load, program):
    tracemalloc.start()
    try:
        if program.startswith(b"N"):
            assert load(program) is None
        else:
            with pytest.raises(UnreadableFileError, match=r"graph\.pkl"):
                load(program)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20e6


@pytest.mark.parametrize(
    "program",
    [
        b"}" + b")" + b"\x85" * 100_000 + b"Ns",  # as a key
        b"(" + b")" + b"\x85" * 100_000 + b"Nd",
        b"\x8f(" + b")" + b"\x85" * 100_000 + b"\x90",  # in a set
        b"(" + b")" + b"\x85" * 100_000 + b"\x91",  # in a frozenset
        b"c__builtin__\nset\n(](" + b")" + b"\x85" * 100_000 + b"etR",
        b"c__builtin__\ndict\n(](((" + b")" + b"\x85" * 100_000 + b"NtletR",
        b"chabitat.core.simulator\nObservations\n](" + b")" + b"\x85" * 100_000 + b"Nte\x85\x81",
    ],
    ids=["setitem", "dict", "set", "frozenset", "set()", "dict()", "Observations()"],
)
def test_keys_that_are_nested_too_deep_are_not_hashed(load, program):
    with pytest.raises(UnreadableFileError, match=r"graph\.pkl"):
        load(program)


def test_lists_may_be_nested_as_deep_as_the_file_is_long(load):
    loaded, depth = load(b"]" * 30_000 + b"a" * 29_999), 0
    while loaded:
        (loaded,) = loaded
        depth += 1
    assert depth == 29_999


def test_what_is_copied_is_in_proportion_to_the_file(load, monkeypatch):
    monkeypatch.setattr(unpickling, "LEAST_WEIGHT", 100)
    items = b"(" + b"N" * 10_000 + b"lq\x01"
    copies = (b"c__builtin__\ntuple\nh\x01\x85R0" * 5) + b"N"
    with pytest.raises(UnreadableFileError, match="it copies more than it holds"):
        load(items + copies)


def test_programs_and_files_have_a_longest(load, monkeypatch):
    monkeypatch.setattr(unpickling, "MOST_STEPS", 1000)
    assert load(b"]" + b"N0" * 400) == []
    with pytest.raises(UnreadableFileError, match="it has more than 1000 steps"):
        load(b"]" + b"N0" * 500)
    monkeypatch.setattr(unpickling, "LARGEST_FILE", 100)
    with pytest.raises(UnreadableFileError, match="has 103 bytes; of a pickle 100 are read"):
        load(b"N0" * 50)


def test_names_in_errors_are_short(load):
    with pytest.raises(RefusedPickleError) as caught:
        load(b"c" + b"x" * 100_000 + b"\ny\n")
    assert len(str(caught.value)) < 1000


def test_attributes_of_records_may_come_in_slots(load):
    loaded = load(b"cnetworkx\nGraph\n)\x81}" + text("a") + b"K\x01s}" + text("b") + b"K\x02s\x86b")
    assert isinstance(loaded, Record)
    assert (loaded.a, loaded.b) == (1, 2)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "kind", ["?", "u1", "<i2", ">i4", "i8", "<f2", ">f4", "f8", "c8", "c16", "S3", "<U2", ">U2"]
)
def test_types_come_back_as_numpy_itself_has_them(tmp_path, protocol, kind):
    array = np.array([[0, 1, 0], [1, 1, 0]], kind)
    stored = [array, array.T, array[:, ::2], array[:0], np.array(array[0, 1])]
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps(stored, protocol))
    expected = pickle.loads(path.read_bytes())
    for made, given in zip(load_pickle(path), expected, strict=True):
        np.testing.assert_array_equal(made, given)
        assert (made.dtype, made.shape) == (given.dtype, given.shape)
