"""PLY files and STL files: what they declare is what is there."""

import struct

import numpy as np
import pytest

from av_envs.scene.importing.mesh_file import read_surfaces

CORNERS = [(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0), (1, 1, 3)]
FACES = [(0, 1, 2, 3), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def header(order, *, vertices=5, faces=5, face="list uchar int vertex_indices", more=""):
    return (
        f"ply\nformat {order} 1.0\ncomment by hand\nelement vertex {vertices}\n"
        "property float x\nproperty double y\nproperty float z\nproperty uchar flags\n"
        f"element face {faces}\nproperty {face}\nproperty short quality\n{more}end_header\n"
    ).encode()


def body(order, faces=FACES):
    if order == "ascii":
        rows = [f"{x} {y} {z} 7" for x, y, z in CORNERS]
        rows += [" ".join(map(str, (len(f), *f, -3))) for f in faces]
        return "\n".join(rows).encode()
    sign = "<" if "little" in order else ">"
    data = b"".join(struct.pack(f"{sign}fdfB", *corner, 7) for corner in CORNERS)
    for face in faces:
        data += struct.pack(f"{sign}B{len(face)}ih", len(face), *face, -3)
    return data


ORDERS = ["ascii", "binary_little_endian", "binary_big_endian"]


@pytest.fixture
def read(tmp_path):
    def made(content, name="some.ply"):
        (tmp_path / name).write_bytes(content)
        return read_surfaces(tmp_path / name)

    return made


@pytest.mark.parametrize("order", ORDERS)
def test_triangles_and_quads_may_be_mixed(read, order):
    triangles = read(header(order) + body(order)).triangles
    assert len(triangles) == 6
    assert sorted(set(map(tuple, triangles.reshape(-1, 3).tolist()))) == sorted(CORNERS)
    edges = triangles[:, 1:] - triangles[:, :1]
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    assert areas.sum() == pytest.approx(4 + 4 * np.sqrt(10))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("wrong", [-1, 5, 2**31 - 1])
def test_corners_that_do_not_exist_are_refused(read, order, wrong):
    faces = [*FACES[:2], (1, 2, wrong), *FACES[3:]]
    with pytest.raises(ValueError, match=rf"some\.ply: .*the face 2 has corners that do not "
                       rf"exist: there is no vertex {wrong}, the file has 5"):  # fmt: skip
        read(header(order) + body(order, faces))


@pytest.mark.parametrize("order", ORDERS)
def test_a_file_that_is_cut_short_or_goes_on_is_refused(read, order):
    whole = header(order) + body(order)
    for n in (1, 9, 30, 90):
        with pytest.raises(ValueError, match=r"some\.ply: cannot be read as a mesh"):
            read(whole[: -n - (order == "ascii")])
    more = b"\n3 0 1 2 4" if order == "ascii" else b"\3" * 15
    with pytest.raises(ValueError, match=r"(15 bytes|5 numbers) follow .* 5 x vertex, 5 x face"):
        read(whole + more)
    assert len(read(whole + b"\n").triangles) == 6


@pytest.mark.parametrize("order", ORDERS)
def test_declared_numbers_are_compared_with_the_size_before_memory_is_taken(read, order):
    with pytest.raises(ValueError, match="declares 9000000000000 x face, the file has room for"):
        read(header(order, faces=9 * 10**12) + body(order))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"face": "list float int vertex_indices"}, "a float cannot count a list"),
        ({"face": "list uchar float vertex_indices"}, "vertex_indices .* are no whole numbers"),
        ({"face": "list uchar int128 vertex_indices"}, "the type 'int128' is not read; types are"),
        ({"face": "list uchar int corners"}, "'face' have corners, quality; a list called"),
        ({"more": "element range_grid 1\nproperty uchar row\n"}, "'range_grid' are not read"),
        ({"more": "element face 1\nproperty uchar row\n"}, "declares face more than once"),
        ({"more": "elephant\n"}, "line 12 of the header is not understood: 'elephant'"),
    ],
)
def test_what_is_not_read_is_named(read, change, message):
    order = "binary_little_endian"
    with pytest.raises(ValueError, match=rf"some\.ply: .*{message}"):
        read(header(order, **change) + body(order) + b"\0")


def test_edges_are_left_out_with_a_note(read):
    more = "element edge 1\nproperty int vertex1\nproperty int vertex2\n"
    surfaces = read(header("ascii", more=more) + body("ascii") + b"\n0 1\n")
    assert surfaces.notes == ("the elements 'edge' are not read",)
    assert len(surfaces.triangles) == 6


def test_strips_are_read_as_triangles(read):
    head = (
        "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\n"
        "property float z\nelement tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    )
    strip = "8 0 1 3 2 -1 0 1 4\n"
    corners = "".join(f"{x} {y} {z}\n" for x, y, z in CORNERS)
    triangles = read((head + corners + strip).encode()).triangles
    edges = triangles[:, 1:] - triangles[:, :1]
    normals = np.cross(edges[:, 0], edges[:, 1])
    assert normals[:, 2].tolist() == [4, 4, 2]  # all three are seen from above


@pytest.mark.parametrize(("kind", "white"), [("uchar", 255), ("ushort", 65535), ("float", 1)])
def test_colours_of_faces_come_in_several_types(read, kind, white):
    head = header("ascii", more=f"property {kind} red\nproperty {kind} green\n"
                  f"property {kind} blue\n").decode()  # fmt: skip
    rows = body("ascii").decode().split("\n")
    rows[5:] = [f"{row} {white} 0 {white}" for row in rows[5:]]
    surfaces = read((head + "\n".join(rows)).encode())
    assert np.unique(surfaces.colour, axis=0).tolist() == [[255, 0, 255]]


def binary_stl(n, declared=None):
    rows = np.zeros(n, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    rows["corners"] = np.arange(9 * n).reshape(n, 3, 3)
    return b"solid in name only".ljust(80) + struct.pack("<I", declared or n) + rows.tobytes()


def test_stl_files_hold_what_they_declare(read):
    assert len(read(binary_stl(3), "a.stl").triangles) == 3
    with pytest.raises(ValueError, match=r"a\.stl: .*declares 4 triangles and has room for 3"):
        read(binary_stl(3, 4), "a.stl")
    with pytest.raises(ValueError, match=r"a\.stl: .*declares 2 triangles and has room for 3"):
        read(binary_stl(3, 2), "a.stl")


def test_stl_texts_are_read_whole_with_the_names_of_their_solids(read):
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\n"
    facet += "endfacet\n"
    text = f"solid east wall\n{facet}endsolid east wall\nsolid roof\n{facet * 2}endsolid\n"
    surfaces = read(text.encode(), "b.stl")
    assert surfaces.names == (("east wall",), ("roof",))
    assert surfaces.part.tolist() == [0, 1, 1]
    for wrong, message in (
        (text[: -len("endsolid\n")], "after 1 whole solids it goes on with 'solid roof"),
        (text.replace("vertex 1 0 0\n", "", 1), "1 facets need 21 words, a solid has 17"),
        (text.replace("1 0 0", "1 0 zero", 1), "a corner is no number"),
        (text.replace("outer loop", "inner loop", 1), "the facet 0 is not understood"),
    ):
        with pytest.raises(ValueError, match=rf"b\.stl: .*{message}"):
            read(wrong.encode(), "b.stl")
