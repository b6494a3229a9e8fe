"""Refiners in measured rooms: what is known of them, made-up measurements, and a real office."""

import numpy as np
import pytest

from av_envs.acoustics.measured.backend import RecordedAcoustics
from av_envs.acoustics.measured.rooms import room_of
from av_envs.agents.refinement import measured, measured_rooms, tiers
from av_envs.agents.refinement.measured_rooms import ROOMS, fitted_absorption, scene_of
from av_envs.scene import cast_rays
from tests.sofa_files import head_fields, write_fields

OFFICE = "UniS_Room_A_BRIR_16k.sofa"
ABSORBED = np.array([0.5, 0.45, 0.4, 0.35, 0.4, 0.45, 0.5])
AZIMUTHS = np.linspace(-80, 80, 8)  # degrees, to the left


@pytest.fixture(autouse=True)
def few_rays(monkeypatch):
    """Enough for what is checked here."""
    monkeypatch.setitem(tiers.RAYS, "T3", 4096)
    monkeypatch.setattr(measured_rooms, "FIT_RAYS", 4096)
    monkeypatch.setattr(measured_rooms, "ROUNDS", 2)


def places():
    """A measured room without a sound: a head amid loudspeakers."""
    around = np.radians(AZIMUTHS)
    sources = 1.5 * np.stack([np.cos(around), np.sin(around), 0 * around], axis=1)
    n = len(sources)
    heads, headings = np.zeros((n, 3)), np.zeros(n, int)
    return room_of("made up", sources, heads, headings, np.ones((n, 2, 8), np.float32))


def write_room(path, tier):
    """What the engine says of the office, as if it had been measured, clockwise as at Surrey."""
    scene = scene_of("made up", ROOMS[OFFICE], places(), ABSORBED)
    acoustics = tiers.tier_acoustics(scene, tier=tier, seed=5)
    responses = np.stack([acoustics.rir(*map(int, pose)) for pose in places().poses])
    degrees = np.stack([-AZIMUTHS % 360, 0 * AZIMUTHS], axis=1)
    fields = head_fields(responses, degrees, rate=16_000, distance=1.5)
    return write_fields(path, fields)


def test_walls_are_where_the_drawing_has_them():
    """Of the office: how far a ray from the head goes ahead, left, behind, right, up and down."""
    scene = scene_of("office", ROOMS[OFFICE], places(), ABSORBED)
    directions = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    origins = np.zeros((6, 3), np.float32)
    distance, triangle = cast_rays(scene.bvh, origins, directions, np.full(6, 100.0))
    np.testing.assert_allclose(distance, [4.22, 3.78, 1.5, 2.86, 0.53, 1.78], atol=1e-5)
    facing = np.einsum("ij,ij->i", scene.normals[triangle], directions)
    np.testing.assert_allclose(facing, -1, atol=1e-6)
    assert ROOMS[OFFICE].volume == pytest.approx(2.31 * (5.72 * 6.64 - 1.49 * 0.66))


def test_absorption_is_found_from_decays(tmp_path):
    room = RecordedAcoustics.open(write_room(tmp_path / OFFICE, "T3"), clockwise=True).room
    found = fitted_absorption("made up", ROOMS[OFFICE], room, [0, 3, 6])
    np.testing.assert_allclose(found[1:], ABSORBED[1:], atol=0.06)


def test_a_folder_of_measurements_becomes_tables(tmp_path, capsys):
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    write_room(folder / OFFICE, "T3")
    write_room(folder / measured.ANECHOIC, "T0")
    assert measured.main(["--folder", str(tmp_path), "--refiner", "few_rays"]) == 0
    errors, direct, later = capsys.readouterr().out.split("| dB too loud")
    assert f"{OFFICE}: 4 directions" in errors
    rows = dict(line.strip("| ").split(" | ", 1) for line in errors.splitlines() if "(" in line)
    level = {name: float(cells.split()[0]) for name, cells in rows.items()}
    assert level["T3, 4,096 rays"] < 3  # it was measured in this very simulation
    assert level["T3, 4,096 rays, coloured"] < 3
    assert level["T3, 4,096 rays"] < level["T2, 256 rays"]
    for part in (direct, later):
        row = next(line for line in part.splitlines() if line.startswith("| T3, 4,096 rays |"))
        assert max(abs(float(cell)) for cell in row.strip("| ").split(" | ")[1:]) < 1.5


def test_nothing_is_coloured_without_the_loudspeaker_alone(tmp_path, capsys):
    write_room(tmp_path / OFFICE, "T3")
    assert measured.main(["--folder", str(tmp_path), "--refiner"]) == 0
    printed = capsys.readouterr().out
    assert "without UniS_Anechoic_BRIR_16k.sofa, nothing is coloured" in printed
    assert ", coloured |" not in printed


def test_a_folder_without_known_rooms_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        measured.main(["--folder", str(tmp_path)])
    assert "has none of UniS_Room_A_BRIR_16k.sofa" in capsys.readouterr().err


def test_the_real_office_decays_as_simulated(real_data):
    """By which absorption was fitted; and it takes an amount that an office has."""
    pytest.importorskip("h5py", reason="SOFA files need h5py")
    path = measured.rooms_in(real_data / "rir")[OFFICE]
    recorded = RecordedAcoustics.open(path, clockwise=True)
    found, absorption = measured.heard_in("office", ROOMS[OFFICE], recorded, {})
    assert ((absorption > 0.15) & (absorption < 0.6)).all()
    row = next(line for line in measured.error_table(found).splitlines() if "4,096" in line)
    t60 = float(row.split("|")[5])
    assert t60 < 20
