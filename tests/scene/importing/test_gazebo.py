import numpy as np
import pytest

from av_envs.scene.importing.gazebo import read_gazebo_world

pytest.importorskip("trimesh", reason="needs the extra [mesh]")

MODEL = """<sdf version="1.6"><model name="{name}"><link name="link">{pose}
<collision name="c"><geometry><mesh><uri>model://{name}/shape.stl</uri>{scale}</mesh></geometry>
</collision></link></model></sdf>"""
WORLD = """<sdf version="1.6"><world name="w">
<model name="RoomWall_1"><include><uri>model://shell</uri></include></model>
<model name="Bed_1"><include><uri>model://block</uri></include>
<pose>2 1 0 0 0 1.5707963</pose></model>
<!-- <model name="Away"><include><uri>model://block</uri></include></model> -->
<include><uri>model://sun</uri></include>
{more}</world></sdf>"""


@pytest.fixture
def world(tmp_path, save_mesh, box):
    def write(more: str = "", pose: str = "", scale: str = ""):
        shapes = {
            "shell": box((0, 0, 0), (5, 4, 2.6))[:, ::-1],
            "block": box((0, 0, 0), (2, 1, 0.8)),
        }
        for name, shape in shapes.items():
            folder = tmp_path / "models" / name
            folder.mkdir(parents=True, exist_ok=True)
            save_mesh("shape.stl", **{name: shape}).rename(folder / "shape.stl")
            own = {"pose": pose, "scale": scale} if name == "block" else {"pose": "", "scale": ""}
            (folder / "model.sdf").write_text(MODEL.format(name=name, **own))
        (tmp_path / "worlds").mkdir(exist_ok=True)
        path = tmp_path / "worlds" / "home.world"
        path.write_text(WORLD.format(more=more))
        return path

    return write


def bed_of(scene):
    of_it = scene.material == [m.name for m in scene.materials].index("mattress")
    points = scene.triangles[of_it].reshape(-1, 3)
    return np.stack([points.min(axis=0), points.max(axis=0)])


def test_models_stand_where_the_world_puts_them(world):
    scene, report = read_gazebo_world(world())
    assert scene.name == "home"
    assert bed_of(scene) == pytest.approx(np.array([[1, 1, 0], [2, 3, 0.8]]), abs=1e-4)
    assert report.materials == {"lined_outer_wall": ("RoomWall_1",), "mattress": ("Bed_1",)}
    assert report.warnings[-1].startswith("1 models are not in ")
    assert report.lost == 0


def test_poses_of_links_and_scales_count(world):
    scene, _ = read_gazebo_world(
        world(pose="<pose>0 0 0.1 0 0 0</pose>", scale="<scale>1 2 1</scale>")
    )
    assert bed_of(scene) == pytest.approx(np.array([[0, 1, 0.1], [2, 3, 0.9]]), abs=1e-4)


def test_models_can_be_added_and_left_out(world):
    path = world()
    assert len(read_gazebo_world(path, without=["Bed"])[0].triangles) == 12
    more, _ = read_gazebo_world(path, extra={"block": (3, 0.5, 1.0, 0, 0, 0)})
    assert len(more.triangles) == 36


def test_what_cannot_be_read_is_named(world, tmp_path):
    path = world()
    with pytest.raises(ValueError, match=r"home\.world: the pose of 'block' needs 6 numbers"):
        read_gazebo_world(path, extra={"block": (1, 2)})
    with pytest.raises(FileNotFoundError, match=r"home\.world: no folder of models at .*nowhere"):
        read_gazebo_world(path, models=tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"home\.world: none of its models has a shape"):
        read_gazebo_world(path, without=["Bed", "Room"])
    path.write_text(WORLD.format(more="<include><uri>http://fuel/x</uri></include>"))
    with pytest.raises(ValueError, match="cannot follow 'http://fuel/x'; models are model://name"):
        read_gazebo_world(path)
    path.write_text("no xml")
    with pytest.raises(ValueError, match=r"home\.world: not an SDF file"):
        read_gazebo_world(path)
