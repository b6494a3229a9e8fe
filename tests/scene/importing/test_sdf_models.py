"""SDF worlds and models: where their frames put their shapes, and what is named as not read."""

import numpy as np
import pytest

from av_envs.scene.importing.gazebo import read_gazebo_world
from av_envs.scene.importing.sdf_models import SdfReader

WALL = """<link name="l"><collision name="c"><geometry><box><size>5 0.1 2</size></box></geometry>
</collision></link>"""
QUARTER = np.pi / 2


@pytest.fixture
def reader(tmp_path):
    """Writes a world and models of the folder; their pieces and the reader."""

    def read(world, without=(), **models):
        for name, content in models.items():
            (tmp_path / "models" / name).mkdir(parents=True, exist_ok=True)
            text = f'<sdf version="1.9"><model name="{name}">{content}</model></sdf>'
            (tmp_path / "models" / name / "model.sdf").write_text(text)
        path = tmp_path / "home.world"
        path.write_text(f'<sdf version="1.9"><world name="w">{world}</world></sdf>')
        made = SdfReader(tmp_path / "models", without)
        return made.world(path), made

    return read


def bounds(pieces):
    points = np.concatenate([piece.triangles.reshape(-1, 3) for piece in pieces])
    return points.min(axis=0).round(3).tolist(), points.max(axis=0).round(3).tolist()


ALONG_Y = ([4.95, 0, -1], [5.05, 5, 1])  # the wall at x = 5, y from 0 to 5
F = f'<frame name="f"><pose>4 2 0 0 0 {QUARTER}</pose></frame>'
IN_F = '<pose relative_to="f">0.5 -1 0 0 0 0</pose>'


@pytest.mark.parametrize(
    "world",
    [
        f'{F}<include><uri>model://wall</uri>{IN_F}</include>',
        f'{F}<model name="m">{IN_F}{WALL}</model>',
        f'<model name="m">{F}{WALL.replace("<collision", IN_F + "<collision")}</model>',
        f'<model name="m">{F}<model name="n">{IN_F}{WALL}</model></model>',
        f'<model name="m">{F}<include><uri>model://wall</uri>{IN_F}</include></model>',
        f'<model name="m">{F}{WALL.replace("<geometry", IN_F + "<geometry")}</model>',
        f'<model name="m">{F}</model><model name="n">'
        + IN_F.replace('"f"', '"m::f"') + WALL + "</model>",
        f'<model name="f"><pose>4 2 0 0 0 {QUARTER}</pose></model>'
        f'<model name="n">{IN_F}{WALL}</model>',
        '<frame name="g"><pose>4 0 0 0 0 0</pose></frame><frame name="f" attached_to="g">'
        f'<pose>0 2 0 0 0 {QUARTER}</pose></frame><model name="n">{IN_F}{WALL}</model>',
        '<frame name="f" attached_to="h"><pose relative_to="g">0 2 0 0 0 0</pose></frame>'
        f'<frame name="g"><pose>4 0 0 0 0 {QUARTER}</pose></frame>'
        '<frame name="h"/>'
        f'<model name="n"><pose relative_to="f">0.5 1 0 0 0 0</pose>{WALL}</model>',
        f'{F}<model name="n">{IN_F.replace("relative_to", "frame")}{WALL}</model>',
    ],
    ids=["include", "model", "link", "nested", "nested include", "collision", "frame of a model",
         "model as a frame", "attached", "relative", "sdf 1.6"],
)  # fmt: skip
def test_poses_are_relative_to_the_frame_that_they_name(reader, world):
    pieces, made = reader(world, wall=WALL)
    if 'attached_to="h"' in world:  # f is at 4 0 turned, then 2 along its y: x = 2
        assert bounds(pieces) == ([0.95, -2, -1], [1.05, 3, 1])
    else:
        assert bounds(pieces) == ALONG_Y
    assert made.notes == []


def test_joints_are_frames_at_their_child(reader):
    turned = WALL.replace("<collision", f"<pose>4 2 0 0 0 {QUARTER}</pose><collision", 1)
    other = WALL.replace('"l"', '"k"').replace(
        "<collision", '<pose relative_to="j">0.5 0 0 0 0 0</pose><collision', 1
    )
    joint = '<joint name="j" type="fixed"><child>l</child><parent>world</parent>' \
            "<pose>0 -1 0 0 0 0</pose></joint>"  # fmt: skip
    pieces, _ = reader(f'<model name="m">{turned}{other}{joint}</model>')
    assert bounds(pieces[1:]) == ALONG_Y
    assert pieces[1].names == ("m", "k")


@pytest.mark.parametrize(
    "world",
    [
        "<include><uri>model://wall</uri><placement_frame>end</placement_frame>{at}</include>",
        f'<model name="m" placement_frame="end">{{at}}<frame name="end">'
        f"<pose>-2.5 0 0 0 0 0</pose></frame>{WALL}</model>",
    ],
)
def test_a_placement_frame_is_what_the_pose_places(reader, world):
    end = '<frame name="end"><pose>-2.5 0 0 0 0 0</pose></frame>'
    at = f"<pose>5 0 0 0 0 {QUARTER}</pose>"
    pieces, _ = reader(world.format(at=at), wall=end + WALL)
    assert bounds(pieces) == ALONG_Y


@pytest.mark.parametrize(
    "pose",
    [
        '<pose degrees="true">5 2.5 0 0 0 90</pose>',
        '<pose rotation_format="quat_xyzw">5 2.5 0 0 0 0.7071068 0.7071068</pose>',
        '<pose rotation_format="euler_rpy" degrees="1">5 2.5 0 0 180 90</pose>',
    ],
)
def test_rotations_may_be_in_degrees_or_quaternions(reader, pose):
    pieces, _ = reader(f'<model name="m">{pose}{WALL}</model>')
    assert bounds(pieces) == ALONG_Y


def test_the_pose_of_an_include_replaces_that_of_the_model(reader):
    own = f"<pose>5 2.5 0 0 0 {QUARTER}</pose>{WALL}"
    pieces, _ = reader("<include><uri>model://wall</uri></include>", wall=own)
    assert bounds(pieces) == ALONG_Y
    pieces, _ = reader(
        "<include><uri>model://wall</uri><pose>2.5 0 0 0 0 0</pose></include>", wall=own
    )
    assert bounds(pieces) == ([0, -0.05, -1], [5, 0.05, 1])


@pytest.mark.parametrize(
    ("shape", "size", "volume"),
    [
        ("<box><size>1 2 3</size></box>", (1, 2, 3), 6),
        ("<cylinder><radius>1</radius><length>2</length></cylinder>", (2, 2, 2), 2 * np.pi),
        ("<sphere><radius>2</radius></sphere>", (4, 4, 4), 32 / 3 * np.pi),
        ("<ellipsoid><radii>1 2 3</radii></ellipsoid>", (2, 4, 6), 8 * np.pi),
        ("<polyline><point>0 0</point><point>0 3</point><point>2 0</point><height>2</height>"
         "</polyline>", (2, 3, 2), 6),
    ],
    ids=["box", "cylinder", "sphere", "ellipsoid", "polyline"],
)  # fmt: skip
def test_described_shapes_are_read_and_seen_from_outside(reader, shape, size, volume):
    text = f'<link name="l"><collision name="c"><geometry>{shape}</geometry></collision></link>'
    (piece,), made = reader(f'<model name="m">{text}</model>')
    assert np.ptp(piece.triangles, axis=(0, 1)) == pytest.approx(size)
    a, b, c = piece.triangles.swapaxes(0, 1)
    found = np.sum(a * np.cross(b, c)) / 6
    assert volume * 0.94 < found < volume * 1.0001
    assert made.notes == []


def test_nothing_is_left_out_without_a_word(reader):
    geometry = '<link name="{0}"><collision name="c"><geometry>{0}</geometry></collision></link>'
    links = "".join(
        geometry.format(shape).replace(f'name="{shape}"', f'name="{name}"')
        for name, shape in (("a", "<plane/>"), ("b", "<heightmap/>"), ("c", "<empty/>"), ("d", ""))
    )
    seen = '<link name="e"><visual name="v"/></link>'
    part = "<mesh><uri>x.stl</uri><submesh><name>s</name></submesh></mesh>"
    links += f'<link name="f"><collision name="c"><geometry>{part}</geometry></collision></link>'
    _, made = reader(
        f'<model name="m">{links}{seen}</model><actor name="Ann"/><population name="crowd"/>'
        '<state world_name="w"/><include><uri>model://lost</uri></include>'
    )
    assert made.absent == {"lost"}
    assert sorted(made.notes) == [
        "<actor> Ann is not read",
        "<population> crowd is not read",
        "<state> w is not read",
        "a collision of m::a with <plane> is not read",
        "a collision of m::b with <heightmap> is not read",
        "a collision of m::d with 0 shapes is not read",
        "a collision of m::f with <submesh> is not read",
        "m::e can be seen but has no <collision>: not read",
    ]


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ('<frame name="a"><pose relative_to="b"/></frame><frame name="b"><pose relative_to="a"/>'
         f'</frame><model name="m"><pose relative_to="a"/>{WALL}</model>',
         "the world: frames are relative to each other: a -> b -> a"),
        (f'<model name="m"><pose relative_to="nowhere"/>{WALL}</model>',
         "the world: no frame is called 'nowhere'; there is world"),
        (f'<model name="m"><pose turned="yes"/>{WALL}</model>',
         "the pose of 'm' has 'turned', which is not read"),
        (f'<model name="m"><pose rotation_format="axis">0 0 0</pose>{WALL}</model>',
         "the rotation_format 'axis'"),
        (f'<model name="m"><pose>0 0 0 0 0 nan</pose>{WALL}</model>', "needs 6 numbers"),
        (f'<model name="m"><pose degrees="half">0 0 0 0 0 0</pose>{WALL}</model>', "true or false"),
        ('<model name="m"><include><uri>model://loop</uri></include></model>',
         "more than 32 models lie in each other"),
        (f'<frame name="a"/><frame name="a"/><model name="m"><pose relative_to="a"/>{WALL}</model>',
         "more than one frame is called 'a'"),
        (f'<model name="m">{WALL.replace("5 0.1 2", "5 0 2")}</model>', "must be positive"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(reader, world, message):
    with pytest.raises(ValueError, match=rf"\.(world|sdf): .*{message}"):
        reader(world, loop="<include><uri>model://loop</uri></include>")


def test_models_may_lie_in_files_that_their_config_names(reader, tmp_path):
    reader("", wall=WALL)
    folder = tmp_path / "models" / "wall"
    (folder / "model.sdf").rename(folder / "wall-1_9.sdf")
    (folder / "model.config").write_text(
        '<model><sdf version="1.4">old.sdf</sdf><sdf version="1.9">wall-1_9.sdf</sdf></model>'
    )
    pieces, _ = reader("<include><uri>model://wall</uri></include>")
    assert len(pieces) == 1
    pieces, made = reader("<include><uri>model://wall</uri></include>", without=("wal",))
    assert (pieces, made.absent) == ([], set())


def test_a_world_of_inline_models_is_a_scene_with_a_report(tmp_path):
    def box(name, size, at):
        return (
            f'<link name="{name}"><pose>{at} 0 0 0</pose><collision name="c"><geometry><box>'
            f"<size>{size}</size></box></geometry></collision></link>"
        )

    links = box("floor", "8 6 0.1", "4 3 -0.05") + box("ceiling", "8 6 0.1", "4 3 2.55")
    links += box("wall_1", "8 0.1 2.5", "4 0.05 1.25") + box("wall_2", "8 0.1 2.5", "4 5.95 1.25")
    links += box("wall_3", "0.1 6 2.5", "0.05 3 1.25") + box("wall_4", "0.1 6 2.5", "7.95 3 1.25")
    path = tmp_path / "inline.world"
    path.write_text(
        f'<sdf version="1.6"><world name="w"><model name="hut">{links}</model><model name="ground">'
        '<link name="l"><collision name="c"><geometry><plane/></geometry></collision></link>'
        "</model></world></sdf>"
    )
    scene, report = read_gazebo_world(path)
    assert len(scene.graph) == 48
    assert "hut / wall_1" in report.materials["lined_outer_wall"]
    assert report.warnings == ("a collision of ground with <plane> is not read",)
