import struct
import sys
import zlib

import numpy as np
import pytest

from av_envs.scene.importing import mesh_file
from av_envs.scene.importing.mesh_file import FORMATS, read_surfaces

trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")

OBJ = """
v 0 0 0
v 4 0 0
v 4 0 5
v 0 0 5
o Shell
usemtl Oak_Floor
f 1 2 3
usemtl glass
f 1 3 4
"""
MTL = "newmtl Oak_Floor\nKd 0.5 0.25 0.1\nnewmtl glass\n"


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb", ".stl"])
def test_every_format_gives_the_same_triangles(save_mesh, box, suffix):
    corners = box((0, 0, 0), (4, 3, 2.5))
    surfaces = read_surfaces(save_mesh(f"room{suffix}", room=corners))
    np.testing.assert_allclose(
        np.sort(surfaces.triangles.reshape(-1, 9), axis=0), np.sort(corners.reshape(-1, 9), axis=0)
    )


def test_formats_that_have_a_unit_say_so(save_mesh, box):
    corners = box((0, 0, 0), (4, 3, 2.5))
    read = {
        suffix: read_surfaces(save_mesh(f"room{suffix}", room=corners)) for suffix in FORMATS[:3]
    }
    assert [(s.unit, s.up) for s in read.values()] == [(None, None), (None, None), (1.0, "y")]


def test_dae_files_are_read_with_their_unit_and_axis(tmp_path, box):
    pytest.importorskip("collada", reason="DAE files need pycollada")
    path = tmp_path / "room.dae"
    corners = box((0, 0, 0), (400, 300, 250))
    mesh = trimesh.Trimesh(corners.reshape(-1, 3), np.arange(36).reshape(-1, 3), process=False)
    text = trimesh.exchange.dae.export_collada(mesh).decode()
    assert "<unit" not in text
    path.write_text(
        text.replace("<asset>", '<asset><unit name="centimeter" meter="0.010000"/>', 1).replace(
            "Y_UP", "Z_UP"
        )
    )
    surfaces = read_surfaces(path)
    assert (surfaces.unit, surfaces.up) == (0.01, "z")
    assert surfaces.triangles.max() == pytest.approx(400)


def test_materials_and_objects_of_an_obj_file_are_its_parts(tmp_path):
    path = tmp_path / "room.obj"
    path.write_text(f"mtllib room.mtl\n{OBJ}")
    (tmp_path / "room.mtl").write_text(MTL)
    surfaces = read_surfaces(path)
    first = [names[0] for names in surfaces.names]
    assert sorted(first) == ["Oak_Floor", "glass"]
    assert all("Shell" in names[1] for names in surfaces.names)
    oak = surfaces.part == first.index("Oak_Floor")
    assert surfaces.coloured.tolist() == oak.tolist()
    assert surfaces.colour[oak].tolist() == [[128, 64, 26]]


@pytest.mark.parametrize("library", ["", "mtllib lost.mtl\n"])
def test_names_of_materials_survive_the_loss_of_their_file(tmp_path, library):
    path = tmp_path / "room.obj"
    path.write_text(library + OBJ)
    surfaces = read_surfaces(path)
    assert sorted(names[0] for names in surfaces.names) == ["Oak_Floor", "glass"]
    assert not surfaces.coloured.any()


def test_colours_of_corners_are_averaged(tmp_path):
    mesh = trimesh.Trimesh(
        np.eye(3), [[0, 1, 2]], vertex_colors=[[0, 30, 255], [90, 30, 255], [180, 30, 255]]
    )
    mesh.export(tmp_path / "corner.ply")
    assert read_surfaces(tmp_path / "corner.ply").colour.tolist() == [[90, 30, 255]]


def test_textures_are_read_where_the_triangles_are(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="textures need pillow")
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:4] = [200, 0, 0]  # the upper half
    picture[4:] = [0, 100, 0]
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1]], float)
    uv = np.array([[0.1, 0.6], [0.9, 0.6], [0.5, 0.9], [0.1, 0.1], [0.9, 0.1], [0.5, 0.4]])
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=image.fromarray(picture), baseColorFactor=[255, 255, 255, 255]
    )
    visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    mesh = trimesh.Trimesh(points, [[0, 1, 2], [3, 4, 5]], visual=visual, process=False)
    mesh.export(tmp_path / "quilt.glb")
    assert read_surfaces(tmp_path / "quilt.glb").colour.tolist() == [[200, 0, 0], [0, 100, 0]]


def test_mirrored_parts_keep_their_outside(tmp_path, box):
    mesh = trimesh.Trimesh(box((0, 0, 0), (1, 1, 1)).reshape(-1, 3), np.arange(36).reshape(-1, 3))
    scene = trimesh.Scene()
    scene.add_geometry(mesh, transform=np.diag([-1.0, 1, 1, 1]))
    scene.export(tmp_path / "mirrored.glb")
    corners = read_surfaces(tmp_path / "mirrored.glb").triangles
    edges = corners[:, 1:] - corners[:, :1]
    outwards = corners.mean(axis=1) - corners.mean(axis=(0, 1))
    assert (np.sum(np.cross(edges[:, 0], edges[:, 1]) * outwards, axis=1) > 0).all()


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb", ".stl"])
@pytest.mark.parametrize("content", [b"", b"hello\nworld 1 2 3\n", bytes(range(256)) * 3])
def test_what_is_no_mesh_is_named(tmp_path, suffix, content):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"broken{suffix}: (cannot be read|holds no triangles)"):
        read_surfaces(path)


def test_files_that_do_not_exist_or_have_another_format_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.glb: there is no such file"):
        read_surfaces(tmp_path / "no.glb")
    with pytest.raises(ValueError, match=r"a\.blend: not a mesh file; formats are \.obj, \.ply"):
        read_surfaces(tmp_path / "a.blend")


def test_without_the_parser_of_a_format_the_extra_is_named(monkeypatch, tmp_path):
    (tmp_path / "room.dae").write_text("<COLLADA/>")
    monkeypatch.setitem(sys.modules, "collada", None)
    with pytest.raises(ImportError, match=r"room\.dae: .*pip install -e '\.\[mesh\]'"):
        read_surfaces(tmp_path / "room.dae")


def test_without_trimesh_dae_files_name_the_extra_and_others_are_read(
    monkeypatch, tmp_path, save_mesh, box
):
    path = save_mesh("room.ply", room=box((0, 0, 0), (4, 3, 2.5)))
    (tmp_path / "room.dae").write_text("<COLLADA/>")
    monkeypatch.setitem(sys.modules, "trimesh", None)
    assert len(read_surfaces(path).triangles) == 12
    with pytest.raises(ImportError, match=r"room\.dae: .*pip install -e '\.\[mesh\]'"):
        read_surfaces(tmp_path / "room.dae")


def test_files_and_pictures_that_are_too_large_are_refused_by_their_size(monkeypatch, tmp_path):
    path = tmp_path / "large.stl"
    path.write_bytes(bytes(85))
    monkeypatch.setattr(mesh_file, "LARGEST_FILE", 84)
    with pytest.raises(ValueError, match=r"large\.stl: has 85 bytes; at most 84 of a mesh"):
        read_surfaces(path)


@pytest.mark.parametrize(("size", "said"), [((13_000, 13_000), "13000 x 13000"),
                                            ((60_000, 60_000), "3600000000 pixels")])  # fmt: skip
def test_pictures_are_refused_by_the_size_that_they_declare(tmp_path, size, said):
    pytest.importorskip("PIL.Image", reason="textures need pillow")
    head = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)  # no colour follows
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    data = zlib.compress(b"")
    rest = struct.pack(">I", len(data)) + b"IDAT" + data
    rest += struct.pack(">I", zlib.crc32(b"IDAT" + data))
    (tmp_path / "vast.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + rest)
    (tmp_path / "m.mtl").write_text("newmtl paper\nmap_Kd vast.png\n")
    (tmp_path / "m.obj").write_text(
        "mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl paper\nf 1/1 2/1 3/1\n"
    )
    with pytest.raises(ValueError, match=rf"m\.obj: .*'vast\.png'.*{said}.*at most 67108864"):
        read_surfaces(tmp_path / "m.obj")


def test_the_triangles_of_dae_files_are_as_many_as_they_declare(tmp_path, box):
    pytest.importorskip("collada", reason="DAE files need pycollada")
    mesh = trimesh.Trimesh(box((0, 0, 0), (4, 3, 2)).reshape(-1, 3), np.arange(36).reshape(-1, 3))
    text = trimesh.exchange.dae.export_collada(mesh).decode()
    assert text.count('count="12"') == 1
    (tmp_path / "a.dae").write_text(text.replace('count="12"', 'count="14"'))
    with pytest.raises(ValueError, match=r"a\.dae: .*declares 14 triangles, 12 were read"):
        read_surfaces(tmp_path / "a.dae")
    (tmp_path / "b.dae").write_text(
        text.replace("<library_geometries>", "<library_controllers><controller/>"
                     "</library_controllers><library_geometries>", 1)
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"b\.dae: .*<controller> is not read"):
        read_surfaces(tmp_path / "b.dae")
