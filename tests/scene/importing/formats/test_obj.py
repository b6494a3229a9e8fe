"""OBJ files: what they say is read, and what is not read is named."""

import numpy as np
import pytest

from av_envs.scene.importing.mesh import read_mesh
from av_envs.scene.importing.mesh_file import read_surfaces

BOX = "f -8 -7 -5 -6\nf -4 -2 -1 -3\nf -8 -4 -3 -7\nf -6 -5 -1 -2\nf -8 -6 -2 -4\nf -7 -3 -1 -5\n"
SQUARE = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 0 2 0\n"


def box_lines(low, high):
    """Corners of a box, x slowest, and its faces by indices relative to the end."""
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), indexing="ij")).reshape(3, -1).T
    return "".join(f"v {x} {y} {z}\n" for x, y, z in corners) + BOX


@pytest.fixture
def read(tmp_path):
    def made(text):
        path = tmp_path / "some.obj"
        path.write_bytes(text.encode())
        return read_surfaces(path)

    return made


def area_of(triangles):
    edges = triangles[:, 1:] - triangles[:, :1]
    return np.cross(edges[:, 0], edges[:, 1]).sum(axis=0) / 2


def test_indices_relative_to_the_end_mean_the_corners_before_them(tmp_path):
    path = tmp_path / "room.obj"
    path.write_text(box_lines((0, 0, 0), (9, 2.6, 5)) + box_lines((4, 0, 2), (5, 0.75, 3)))
    scene, report = read_mesh(path, grid=0.5)
    assert report.size == pytest.approx((9, 5, 2.6), abs=1e-3)
    assert (report.n_read, sum(report.dropped.values())) == (24, 0)
    assert len(scene.graph) == 176


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("f ", "f\t").replace(" ", "\t"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff# by hand\n" + text.replace("f -8 ", "f  -8 \\\n   "),
        lambda text: text.replace("f ", "fo "),
        lambda text: text.replace("v 9 ", "  v 9.0e0 ").replace("\n", " # here\n"),
    ],
    ids=["tabs", "crlf", "continued", "fo", "comments"],
)
def test_the_same_file_may_be_written_in_other_ways(read, change):
    text = box_lines((0, 0, 0), (9, 3, 5))
    expected = read(text).triangles
    np.testing.assert_array_equal(read(change(text)).triangles, expected)
    assert expected.max(axis=(0, 1)).tolist() == [9, 3, 5]


def test_polygons_that_are_not_convex_keep_their_outline(read):
    corners = [(0, 0), (4, 0), (4, 4), (3, 4), (3, 1), (1, 1), (1, 4), (0, 4)]  # a U of 10 m2
    for axes in ("{x} {y} 0", "0 {x} {y}", "{y} 0 {x}"):
        for order in (corners, corners[::-1]):
            lines = "".join("v " + axes.format(x=x, y=y) + "\n" for x, y in order)
            triangles = read(lines + "f 1 2 3 4 5 6 7 8\n").triangles
            edges = triangles[:, 1:] - triangles[:, :1]
            areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
            assert len(triangles) == 6
            assert areas.sum() == pytest.approx(10)  # none outside, none on top of each other
            assert np.linalg.norm(area_of(triangles)) == pytest.approx(10)  # none turned
            assert area_of(triangles).sum() == pytest.approx(10 if order is corners else -10)


def test_groups_and_objects_with_materials_are_parts(read):
    surfaces = read(
        SQUARE + "o House\ng east wall\nusemtl Oak Floor\nf 1 2 3\ng\nf 1 3 4\nusemtl glass\n"
        "f 1 2 4\no House\ng east wall\nusemtl Oak Floor\nf 2 3 4\n"
    )
    assert surfaces.names == (("Oak Floor", "House east wall"), ("Oak Floor", "House"),
                              ("glass", "House"))  # fmt: skip
    assert np.bincount(surfaces.part).tolist() == [2, 1, 1]


def test_colours_of_corners_and_of_materials_are_read(read, tmp_path):
    line = "v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nf 1 2 3\n"
    assert read(line).colour.tolist() == [[85, 85, 85]]
    (tmp_path / "my own.mtl").write_text("newmtl a b\nKd 0.5\n")
    surfaces = read("mtllib my own.mtl\n" + SQUARE + "usemtl a b\nf 1 2 3\n")
    assert surfaces.colour.tolist() == [[128, 128, 128]]
    assert surfaces.notes == ()


def test_pictures_are_read_with_their_scale_and_offset(read, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="textures need pillow")
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:4] = [200, 0, 0]  # the upper half
    image.fromarray(picture).save(tmp_path / "a.png")
    text = SQUARE + "mtllib m.mtl\nvt 0.2 0.2\nvt 0.22 0.2\nvt 0.2 0.22\nusemtl m\nf 1/1 2/2 3/3\n"
    for option, red in (("", 0), ("-s 1 4 1 ", 200), ("-blendu on -o 0 0.5 ", 200)):
        (tmp_path / "m.mtl").write_text(f"newmtl m\nmap_Kd {option}a.png\n")
        assert read(text).colour.tolist() == [[red, 0, 0]]
    (tmp_path / "m.mtl").write_text("newmtl m\nmap_Kd -clamp on a.png\n")
    with pytest.raises(ValueError, match=r"m\.mtl, line 2: the option '-clamp' of map_Kd is not"):
        read(text)
    (tmp_path / "m.mtl").write_text("newmtl m\nmap_Kd lost.png\n")
    assert read(text).notes == ("the picture 'lost.png' is not there or cannot be read",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f 1 2 5\n", "line 5: corners that do not exist: there is no position 5, the file has 4"),
        ("f 1 2 0\n", "line 5: corners that do not exist: there is no position 0"),
        ("f -1 -2 -5\n", "line 5: corners that do not exist: there is no position -5"),
        ("f 1 2\n", "line 5: a face needs 3 corners, got 2"),
        ("f 1 2 x/1\n", "line 5: 'x' is no index"),
        ("f 1/9 2/9 3/9\nvt 0 0\n", "line 5: .* there is no vt 9, the file has 1"),
        ("v 1 2\n", "line 5: v needs x, y, z"),
        ("v 1 2 z\nf 1 2 3", "a position is no number: .*'z'"),
        ("cstype bezier\n", "line 5: 'cstype': such free-form curves are not read"),
        ("surf 0 1 0 1 1 2 3 4\n", "line 5: 'surf': such free-form surfaces are not read"),
        ("call other.obj\n", "line 5: 'call': such other files and programs to run are not read"),
        ("bzp 1 2 3\n", "line 5: 'bzp': such patches"),
        ("glue 1 2 3\n", "line 5: 'glue': such statements are not read"),
        ("f 1 2 3 \\", "line 5: the last line is to go on"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_read_is_named_with_its_line(read, text, message):
    with pytest.raises(ValueError, match=rf"some\.obj: cannot be read as a mesh: .*{message}"):
        read(SQUARE + text)


def test_lines_and_points_are_no_surfaces_and_are_counted(read):
    assert read(SQUARE + "f 1 2 3\nl 1 2\nl 2 3\np 1\n").notes == (
        "2 lines are not read", "1 points are not read",
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"some\.obj: holds no triangles; 1 lines are not read"):
        read(SQUARE + "l 1 2\n")
