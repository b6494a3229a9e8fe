"""Meshes and plans that other people made. Skipped where they are not at hand."""

import time

import numpy as np
import pytest

from av_envs.acoustics import TracedAcoustics
from av_envs.acoustics.measures import octave_bands, t20
from av_envs.scene import Material, load_scene
from av_envs.scene.importing.floorplans import Storey, read_floorplan, read_mlstruct
from av_envs.scene.importing.gazebo import read_gazebo_world
from av_envs.scene.importing.mesh import read_mesh

trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")

CEILING = {"aws_robomaker_residential_RoomCeiling_01": (0, 0, 2.5, 0, 0, 0)}
BANDS = np.array([125, 250, 500, 1000, 2000, 4000])
DULL = Material("dull", (0.3,) * 7, (1.0,) * 7, (0.0,) * 7, "made up for these tests")


@pytest.fixture
def real(real_data):
    def find(name):
        path = real_data / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        return path

    return find


def decay_times(scene, n_pairs=6):
    """(6,) seconds, medians over pairs of nodes."""
    acoustics, nodes = TracedAcoustics(scene), np.linspace(0, len(scene.graph) - 1, n_pairs + 1)
    source, *receivers = nodes.astype(int)
    rirs = [acoustics.rir(source, receiver, 0).mean(axis=0) for receiver in receivers]
    return np.median(t20(octave_bands(np.array(rirs), BANDS)), axis=0)


def eyring(volume, surface, absorption):
    return 0.161 * volume / (-surface * np.log(1 - absorption))


def test_the_box_of_steam_audio_decays_as_eyring_says(real):
    scene, report = read_mesh(real("meshes/steamaudio_boxroom.obj"), default=DULL)
    assert report.size == pytest.approx((16, 16, 6), abs=1e-3)
    assert (report.up[0], report.lost, report.n_nodes) == ("y", 0, 256)
    expected = eyring(16 * 16 * 6, 2 * 16 * 16 + 4 * 16 * 6, 0.3)
    # Flat rooms decay a little slower than Eyring says: free paths vary (Kuttruff, Room Acoustics).
    assert decay_times(scene, 16)[1:5].mean() == pytest.approx(1.06 * expected, rel=0.06)


def test_a_measured_room_is_read_in_millimetres(real):
    scene, report = read_mesh(real("meshes/INRIA_MUSIS.stl"), default=DULL)
    assert report.unit.startswith("mm (guessed")
    assert report.size == pytest.approx((5.2, 6.047, 2.5), abs=1e-3)
    assert (report.n_flipped, report.lost) == (24, 0)
    edges = scene.bvh.triangles[:, 3:].reshape(-1, 2, 3)
    normals = np.cross(edges[:, 0], edges[:, 1]) / 2
    volume = -np.sum(scene.bvh.triangles[:, :3] * normals) / 3  # they face inwards
    expected = eyring(volume, np.linalg.norm(normals, axis=1).sum(), 0.3)
    assert decay_times(scene, 16)[1:5].mean() == pytest.approx(expected, rel=0.15)


def test_a_table_on_a_plate_has_floor_but_no_room(real):
    scene, report = read_mesh(real("meshes/habitat_simple_room.glb"))
    assert report.up == "z (guessed from the room heights, though the file says otherwise)"
    assert 0.6 < report.lost < 0.75
    assert "nothing is overhead" in report.warnings[0]
    assert len(scene.graph) > 100


def test_a_furnished_house_of_gazebo_can_be_walked_through(real):
    world = real("houses/aws_small_house/worlds/small_house.world")
    scene, report = read_gazebo_world(world, extra=CEILING)
    assert report.lost < 1e-3
    assert 100 < report.n_nodes < 160
    assert scene.graph.positions[:, 2] == pytest.approx(0, abs=0.02)
    x = scene.graph.positions[:, 0]
    assert x.min() < -8
    assert x.max() > 8
    assert {"carpet", "upholstery", "window_glass", "mattress"} <= set(report.materials)
    times = decay_times(scene)
    assert ((times > 0.4) & (times < 1.6)).all()


def test_a_house_without_its_ceiling_is_played_under_the_sky(real):
    _, report = read_gazebo_world(real("houses/aws_small_house/worlds/small_house.world"))
    assert 100 < report.n_nodes < 160
    assert 0.1 < report.lost < 0.4
    assert "nothing is overhead" in report.warnings[0]


def test_load_bearing_walls_alone_make_rooms_that_are_one(real):
    plans = read_mlstruct(real("houses/mlstruct_fp/fp.json"))
    assert len(plans) == 7
    for floor, plan in plans.items():
        scene, report = read_floorplan(plan.walls, name=f"floor-{floor}")
        assert report.lost == 0
        assert len(scene.graph) > 10
        assert any("was closed" in warning for warning in report.warnings)
        open_storey = Storey(enclose=False)
        _, leaky = read_floorplan(plan.walls, storey=open_storey, name=f"floor-{floor}")
        assert leaky.lost > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".ply", ".glb", ".stl"])
def test_half_a_million_triangles_are_a_scene_in_less_than_five_seconds(tmp_path, suffix):
    house = load_scene("house-0")
    mesh = trimesh.Trimesh(
        house.triangles.reshape(-1, 3), np.arange(3 * len(house.triangles)).reshape(-1, 3)
    )
    while len(mesh.faces) < 500_000:
        mesh = mesh.subdivide()
    path = tmp_path / f"house{suffix}"
    mesh.export(path)
    read_mesh(path, up="z")  # compiles
    start = time.process_time()
    scene, report = read_mesh(path, up="z")
    assert time.process_time() - start < 5.0
    assert report.n_read > 500_000
    assert report.lost == 0
    assert len(scene.graph) > 0.85 * len(house.graph)
