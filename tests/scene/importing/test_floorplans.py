import json

import numpy as np
import pytest

from av_envs.scene.importing.floorplans import Storey, read_floorplan, read_mlstruct

OUTER = [[(0, 0), (8, 0)], [(8, 0), (8, 5)], [(8, 5), (0, 5)], [(0, 5), (0, 0)]]
MIDDLE = [(4, 0), (4, 5)]
DOOR = [(4, 2), (4, 3)]
TWO_ROOMS = [*OUTER, MIDDLE]


def area(scene, material):
    of_it = scene.material == [m.name for m in scene.materials].index(material)
    edges = scene.bvh.triangles[of_it, 3:].reshape(-1, 2, 3)
    return np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1).sum() / 2


def test_areas_are_those_of_the_plan():
    storey = Storey(height=2.5, thickness=0.2, door_height=2.0)
    scene, report = read_floorplan(TWO_ROOMS, [DOOR], storey)
    inside = 2 * 3.8 * 4.8
    assert area(scene, "wood_floor") == pytest.approx(inside + 0.2 * 1)
    assert area(scene, "plaster_ceiling") == pytest.approx(inside + 0.2 * 1)
    between = 2 * (4.8 * 2.5 - 1 * 2.0)
    outer = 2 * (2 * 3.8 + 4.8) * 2.5
    reveals = 2 * 0.2 * 2.0
    walls = area(scene, "masonry_wall") + area(scene, "outer_wall")
    assert walls == pytest.approx(between + outer + reveals)
    assert area(scene, "masonry_wall") >= between - 1e-3
    assert (report.lost, report.n_flipped, report.warnings) == (0, 0, ())
    assert report.size == pytest.approx((7.8, 4.8, 2.5), abs=1e-3)


def test_rooms_are_what_walls_and_doors_keep_apart():
    scene, report = read_floorplan(TWO_ROOMS, [DOOR])
    assert [room.name for room in scene.rooms] == ["room 1", "room 2"]
    assert report.n_islands == 1
    for node, position in enumerate(scene.graph.positions):
        x0, y0, x1, y1 = scene.rooms[scene.graph.room[node]].bounds
        assert x0 - 0.1 <= position[0] <= x1 + 0.1
        assert y0 <= position[1] <= y1


def test_without_its_door_a_room_cannot_be_reached_and_through_a_gap_two_are_one():
    shut, report = read_floorplan(TWO_ROOMS)
    assert (report.n_islands, len(shut.rooms)) == (2, 1)
    gap = [*OUTER, [(4, 0), (4, 2)], [(4, 3.2), (4, 5)]]
    scene, report = read_floorplan(gap)
    assert (report.n_islands, len(scene.rooms)) == (1, 1)


def test_walls_may_be_drawn_as_polygons():
    rectangles = [
        [(-0.1, -0.1), (8.1, -0.1), (8.1, 0.1), (-0.1, 0.1)],
        [(-0.1, 4.9), (8.1, 4.9), (8.1, 5.1), (-0.1, 5.1)],
        [(-0.1, -0.1), (0.1, -0.1), (0.1, 5.1), (-0.1, 5.1)],
        [(7.9, -0.1), (8.1, -0.1), (8.1, 5.1), (7.9, 5.1)],
    ]
    drawn, _ = read_floorplan(rectangles)
    lines, _ = read_floorplan(OUTER, storey=Storey(thickness=0.2))
    assert drawn.fingerprint == lines.fingerprint


def test_gaps_in_the_outline_are_closed_unless_they_shall_leak():
    window = [[(0, 0), (3, 0)], [(5, 0), (8, 0)], *OUTER[1:]]
    _, report = read_floorplan(window)
    assert report.lost == 0
    assert "1.8 of 26." in report.warnings[0]
    assert report.warnings[0].endswith("has no wall and was closed")
    _, leaky = read_floorplan(window, storey=Storey(enclose=False))
    assert 0.02 < leaky.lost < 0.2
    assert any(warning.endswith("has no wall and is open") for warning in leaky.warnings)


def test_the_outline_and_materials_of_the_user_count():
    half = Storey(outline=[(0, 0), (4, 0), (4, 5), (0, 5)])
    scene, _ = read_floorplan(OUTER, storey=half, materials={"floor": "tile_floor"})
    assert scene.graph.positions[:, 0].max() < 4
    assert "tile_floor" in {material.name for material in scene.materials}
    concrete, _ = read_floorplan(OUTER, materials={"wall": "concrete"})
    named = {material.name for material in concrete.materials}
    assert named == {"concrete", "wood_floor", "plaster_ceiling"}


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"walls": []}, "a floor plan needs walls"),
        ({"walls": [[(0, 0)]]}, r"walls\[0\]: one point is no shape"),
        ({"walls": [*OUTER, [(1, 1), (2, 2), (3, 3)]]}, r"walls\[4\]: has no area"),
        ({"walls": OUTER, "doors": [[(0, 0), (np.nan, 1)]]}, r"doors\[0\]: needs corners"),
        ({"walls": OUTER, "grid": 0}, "grid must be a positive number of metres, got 0"),
    ],
)
def test_plans_that_are_none_are_refused(plan, message):
    with pytest.raises(ValueError, match=message):
        read_floorplan(**plan, name="flat")


@pytest.mark.parametrize(
    ("storey", "message"),
    [
        ({"height": 0}, "height must be a positive number"),
        ({"thickness": -1}, "thickness must be a positive number"),
        ({"door_height": 3}, r"door_height must lie in 0\.\.2\.6"),
        ({"height": 1.5}, "height: nobody can stand under 1.5 m"),
    ],
)
def test_storeys_that_nothing_fits_in_are_refused(storey, message):
    with pytest.raises(ValueError, match=message):
        Storey(**storey)


def test_mlstruct_files_hold_walls_by_floor(tmp_path):
    rectangle = {"x": [0, 0, 1, 1], "y": [0, 2, 2, 0]}
    content = {
        "rect": {"7": {"floorID": 3, **rectangle}, "8": {"floorID": 4, **rectangle}},
        "slab": {"1": {"floorID": 4, "x": [0, 9, 9], "y": [0, 0, 9]}},
    }
    (tmp_path / "fp.json").write_text(json.dumps(content))
    plans = read_mlstruct(tmp_path / "fp.json")
    assert sorted(plans) == [3, 4]
    assert plans[3].walls[0].tolist() == [[0, 0], [0, 2], [1, 2], [1, 0]]
    assert plans[3].slab is None
    assert plans[4].slab.shape == (3, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "list indices"),
        ('{"rect": {}}', "lacks 'slab'"),
        ('{"slab": {}, "rect": {"7": {"x": [0], "y": [0]}}}', "lacks 'floorID'"),
        ('{"slab": {}, "rect": {"7": {"floorID": [1], "x": [0], "y": [0]}}}', "floorID of '7' is"),
        ('{"slab": {}, "rect": {"7": {"floorID": 1, "x": [0], "y": [0]}}}', "'7' are 1; 3 or more"),
        ('{"slab": {}, "rect": {"7": {"floorID": 1, "x": [0, 1, 2], "y": [0, 1]}}}', "corners of"),
        ('{"slab": {}, "rect": {"7": {"floorID": 1, "x": [0, 1, NaN], "y": [0, 1, 2]}}}',
         "corners of '7'"),
        ('{"slab": {}, "rect": {"7": {"floorID": 1, "x": [0, 1, "a"], "y": [0, 1, 2]}}}',
         "corners of '7'"),
    ],
)  # fmt: skip
def test_mlstruct_files_that_are_none_are_named(tmp_path, text, message):
    (tmp_path / "fp.json").write_text(text)
    with pytest.raises(ValueError, match=rf"fp\.json: cannot be read as plans: .*{message}"):
        read_mlstruct(tmp_path / "fp.json")


def test_walls_of_uneven_rows_or_words_are_named():
    for wall in ([(0, 0), (1,)], [("a", "b"), (1, 2)], [[None, 0], [1, 2]]):
        with pytest.raises(ValueError, match=r"walls\[4\]: needs corners \(x, y\) in metres"):
            read_floorplan([*OUTER, wall])
