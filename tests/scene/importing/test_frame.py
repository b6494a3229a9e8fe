import numpy as np
import pytest

from av_envs.scene.importing.frame import TO_Z_UP, UNITS, decide_frame, in_metres

SILENT = (None, None)


def house(box) -> np.ndarray:
    """Two rooms of 4 x 6 x 2.6 m inside walls of 0.2 m, z up, in metres."""
    rooms = [box((x, 0, 0), (x + 4, 6, 2.6))[:, ::-1] for x in (0, 4.2)]
    return np.concatenate([box((-0.2, -0.2, -0.2), (8.4, 6.2, 2.8)), *rooms])


@pytest.mark.parametrize("unit", ["m", "cm", "mm"])
@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl"])
def test_unit_and_axis_are_found_by_the_heights_of_rooms(box, unit, up, suffix):
    triangles = house(box) @ TO_Z_UP[up] / UNITS[unit]
    frame = decide_frame(triangles, suffix, SILENT, "auto", "auto")
    assert (frame.metres, frame.up) == (UNITS[unit], up)
    assert frame.unit_text == f"{unit} (guessed from the room heights)"
    np.testing.assert_allclose(in_metres(triangles, frame), house(box), atol=1e-9)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_axes_turn_into_ours_without_a_mirror(axis):
    assert np.linalg.det(TO_Z_UP[axis]) == pytest.approx(1)
    assert (TO_Z_UP[axis] @ np.eye(3)["xyz".index(axis)]).tolist() == [0, 0, 1]


def test_what_is_asked_for_is_not_guessed(box):
    frame = decide_frame(house(box), ".ply", SILENT, "ft", "x")
    assert (frame.metres, frame.up) == (0.3048, "x")
    assert frame.unit_text == "ft (as asked for)"
    assert decide_frame(house(box), ".ply", SILENT, 0.02, "z").metres == 0.02


def test_a_declared_unit_is_believed_and_a_declared_axis_unless_it_lies_on_its_side(box):
    lying = decide_frame(house(box), ".glb", (1.0, "y"), "auto", "auto")
    assert (lying.metres, lying.up) == (1.0, "z")
    assert lying.up_text.endswith("though the file says otherwise)")
    upright = decide_frame(house(box) @ TO_Z_UP["y"], ".glb", (1.0, "y"), "auto", "auto")
    assert upright.up_text == "y (says the file)"
    tiny = decide_frame(house(box), ".dae", (0.01, "z"), "auto", "auto")
    assert tiny.metres == 0.01


def test_without_a_ceiling_the_height_of_the_walls_tells(box):
    walls = house(box)[12:]
    walls = walls[walls[:, :, 2].min(axis=1) < 2.5]  # no ceiling
    frame = decide_frame(walls @ TO_Z_UP["y"] * 1000, ".obj", SILENT, "auto", "auto")
    assert (frame.metres, frame.up) == (0.001, "y")


def test_a_mesh_without_any_height_is_read_by_its_extent():
    plate = np.array([[[0, 0, 0], [500, 0, 0], [0, 500, 0]]], float)
    assert decide_frame(plate, ".stl", SILENT, "auto", "auto").metres == 0.01
    text = decide_frame(plate, ".stl", SILENT, "auto", "auto").unit_text
    assert text == "cm (guessed, the mesh has no ceiling to tell)"


@pytest.mark.parametrize(
    ("unit", "up", "message"),
    [
        ("km", "z", "unit 'km' does not exist; choose from auto, m, cm"),
        (0.0, "z", "unit must be a positive number"),
        (True, "z", "unit must be a positive number"),
        ("m", "north", "up 'north' does not exist; choose from auto, x, y, z"),
    ],
)
def test_wrong_wishes_are_refused(box, unit, up, message):
    with pytest.raises(ValueError, match=message):
        decide_frame(house(box), ".ply", SILENT, unit, up)
