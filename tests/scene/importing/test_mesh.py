import logging

import numpy as np
import pytest

from av_envs.scene import MATERIALS, Material, load_scene
from av_envs.scene.importing.mesh import read_mesh

pytest.importorskip("trimesh", reason="needs the extra [mesh]")


@pytest.fixture
def house(save_mesh, box):
    """A room of 5 x 4 x 2.6 m with a table in it, in metres with z up."""

    def save(file: str = "house.ply", scale: float = 1.0, **more):
        shell = box((0, 0, 0), (5, 4, 2.6))[:, ::-1]
        level = shell[:, :, 2]
        parts = {
            "wall": shell[(level.min(axis=1) == 0) & (level.max(axis=1) == 2.6)],
            "carpet": shell[(level == 0).all(axis=1)],
            "ceiling": shell[(level == 2.6).all(axis=1)],
            "Cube.007": box((2, 1, 0), (3, 2, 0.75)),
            **more,
        }
        return save_mesh(file, **{name: scale * part for name, part in parts.items()})

    return save


def test_a_mesh_file_is_a_scene_like_any_other(house):
    scene, report = read_mesh(house("house.glb"), up="z", default="metal")
    assert scene.name == report.name == "house"
    assert {material.name for material in scene.materials} == {
        "lined_outer_wall", "carpet", "plaster_ceiling", "metal"
    }  # fmt: skip
    floor = scene.normals[:, 2] > 0.9
    of_carpet = scene.materials[scene.material[floor][0]].name
    assert of_carpet == "carpet"
    assert _area(scene, "carpet") == pytest.approx(20)
    assert report.defaulted == ("Cube.007",)
    assert (report.n_read, report.lost, report.n_nodes) == (24, 0, len(scene.graph))
    assert report.size == pytest.approx((5, 4, 2.6), abs=1e-3)
    assert scene.rooms[0].name == "room"


def test_the_same_file_gives_the_same_scene_and_the_name_of_every_cache(house):
    path = house()
    assert read_mesh(path)[0].fingerprint == read_mesh(path)[0].fingerprint
    other = read_mesh(path, default="concrete")[0]
    assert other.fingerprint != read_mesh(path)[0].fingerprint


@pytest.mark.parametrize(("scale", "unit"), [(100, "cm"), (1000, "mm")])
def test_units_make_no_difference(house, scale, unit):
    metres, _ = read_mesh(house("metres.stl"))
    scaled, report = read_mesh(house("scaled.stl", scale))
    assert report.unit == f"{unit} (guessed from the room heights)"
    np.testing.assert_allclose(scaled.graph.positions, metres.graph.positions, atol=1e-3)
    assert (scaled.graph.neighbours == metres.graph.neighbours).all()


def test_triangles_without_area_and_doubles_are_dropped_and_counted(house, box):
    lid = box((0, 0, 0), (5, 4, 2.6))[[8, 9]]  # the ceiling again, from above
    flat = np.array([[[1, 1, 1], [2, 2, 2], [3, 3, 3]]], float)
    scene, report = read_mesh(house(lid=lid, flat=flat))
    assert report.dropped == {"without area": 1, "doubled": 2}
    assert len(scene.triangles) == 24


def test_surfaces_are_turned_to_face_the_air(save_mesh, box):
    shell = box((0, 0, 0), (5, 4, 2.6))  # from outside
    table = box((2, 1, 0.5), (3, 2, 0.75))
    table[3] = table[3, ::-1]
    scene, report = read_mesh(save_mesh("room.glb", shell=shell, table=table), up="z")
    assert report.n_flipped == 13
    centre = scene.triangles.mean(axis=1)
    on_shell = (np.abs(centre - [2.5, 2, 1.3]) > [2.49, 1.99, 1.29]).any(axis=1)
    middle = np.where(on_shell[:, None], [2.5, 2, 1.3], [2.5, 1.5, 0.625])
    outwards = np.sum((centre - middle) * scene.normals, axis=1)
    assert (outwards[on_shell] < 0).all()
    assert (outwards[~on_shell] > 0).all()
    edges = scene.bvh.triangles[:, 3:].reshape(-1, 2, 3)
    assert (np.sum(np.cross(edges[:, 0], edges[:, 1]) * scene.normals, axis=1) > 0).all()


def test_holes_are_measured_and_warned_of(house, save_mesh, box):
    assert read_mesh(house())[1].warnings == ()
    shell = box((0, 0, 0), (5, 4, 2.6))[:, ::-1]
    open_wall = shell[~(shell[:, :, 0] == 5).all(axis=1)]
    _, report = read_mesh(save_mesh("open.ply", shell=open_wall))
    assert 0.05 < report.lost < 0.3
    assert "there are holes" in report.warnings[0]
    open_sky = shell[~(shell[:, :, 2] == 2.6).all(axis=1)]
    _, report = read_mesh(save_mesh("sky.ply", shell=open_sky), unit="m", up="z")
    assert report.lost > 0.2
    assert "nothing is overhead" in report.warnings[0]


def test_the_share_of_lost_rays_is_the_solid_angle_of_the_hole(save_mesh, box):
    """From the middle of a cube each of its six walls fills a sixth of the view."""
    shell = box((0, 0, 0), (3, 3, 3))[:, ::-1]
    hole = shell[~(shell[:, :, 0] == 3).all(axis=1)]
    scene, report = read_mesh(save_mesh("cube.ply", shell=hole), grid=2.0, unit="m", up="z")
    x, y, z = (scene.graph.heads - [0, 0, 0]).T
    angles = []
    for a, b, c in zip(3 - x, y, z, strict=True):  # of a rectangle, corner by corner
        corners = [(b, c), (3 - b, c), (b, 3 - c), (3 - b, 3 - c)]
        angles.append(
            sum(np.arctan2(p * q, a * np.sqrt(a * a + p * p + q * q)) for p, q in corners)
        )
    assert report.lost == pytest.approx(np.mean(angles) / (4 * np.pi), rel=0.02)


def test_a_mesh_far_from_the_origin_is_moved_there(house):
    scene, report = read_mesh(house("far.obj"), up="z")
    assert report.warnings == ()
    path = house("utm.stl")
    trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")
    mesh = trimesh.load_mesh(path)
    mesh.apply_translation([451_000, 5_411_000, 212])
    mesh.export(path.with_suffix(".obj"))
    moved, report = read_mesh(path.with_suffix(".obj"), unit="m", up="z")
    assert any("too far from the origin" in warning for warning in report.warnings)
    assert np.abs(moved.bounds).max() < 10
    assert len(moved.graph) == len(scene.graph)


def test_materials_of_the_user_and_keywords_that_fit_nothing(house):
    foam = Material("foam", (0.8,) * 7, (0.1,) * 7, (0.0,) * 7, "made up for this test")
    path = house("house.glb")
    scene, report = read_mesh(path, up="z", materials={"wall": foam, "sofa": "leather"})
    assert foam in scene.materials
    assert report.materials["foam"] == ("wall",)
    assert report.warnings == ("materials: no name holds sofa",)
    with pytest.raises(ValueError, match="'plush'"):
        read_mesh(path, materials={"wall": "plush"})


def test_the_report_can_be_read_and_is_logged(house, caplog):
    with caplog.at_level(logging.INFO):
        _, report = read_mesh(house("house.glb"), up="z", materials={"sofa": "leather"})
    text = str(report)
    assert "24 read" in text
    assert "carpet           carpet" in text
    assert "unknown (no rule) Cube.007" in text
    assert text in caplog.text
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_corners_that_are_no_numbers_are_an_error(house, box, value):
    broken = box((1, 1, 1), (2, 2, 2))
    broken[4, 1, 2] = value
    with pytest.raises(ValueError, match=r"house\.ply: 1 triangles have corners that are not"):
        read_mesh(house(broken=broken))


def test_meshes_that_nobody_can_stand_in_say_why(save_mesh, box):
    walls = box((0, 0, 0), (5, 4, 2.6))[:8]
    with pytest.raises(
        ValueError, match=r"walls\.ply: no surface has 1\.7 m of free air.*read as 5"
    ):
        read_mesh(save_mesh("walls.ply", shell=walls), unit="m", up="z")
    line = np.array([[[0, 0, 0], [1, 1, 1], [2, 2, 2]]], float)
    with pytest.raises(ValueError, match=r"line\.ply: none of its 1 triangles has an area"):
        read_mesh(save_mesh("line.ply", line=line), unit="m", up="z")
    with pytest.raises(ValueError, match=r"city\.ply: is 6e\+05 m long; is the unit right"):
        read_mesh(save_mesh("city.ply", shell=walls * 120_000), unit="m", up="z")
    with pytest.raises(ValueError, match="grid must be positive"):
        read_mesh(save_mesh("room.ply", shell=walls), grid=0)


def test_a_built_in_dwelling_comes_back_from_a_file(save_mesh):
    """Exported by material, read again: as much of everything, and nearly the same graph."""
    scene = load_scene("flat-0", 0.5)
    parts = {
        material.name: scene.triangles[scene.material == k]
        for k, material in enumerate(scene.materials)
    }
    chosen = {material.name: material.name for material in scene.materials}
    path = save_mesh("flat.glb", **parts)
    again, report = read_mesh(path, grid=0.5, up="z", materials=chosen)
    assert report.defaulted == ()
    assert report.lost == 0
    assert len(again.triangles) == len(scene.triangles)
    for name in chosen:
        assert _area(again, name) == pytest.approx(_area(scene, name), rel=1e-4)
    assert len(again.graph) > 0.85 * len(scene.graph)
    flipped = report.n_flipped / len(scene.triangles)
    assert flipped < 0.02
    assert {m.name for m in again.materials} <= set(MATERIALS)


def _area(scene, name):
    of_it = scene.material == [m.name for m in scene.materials].index(name)
    edges = scene.bvh.triangles[of_it, 3:].reshape(-1, 2, 3)
    return np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1).sum() / 2
