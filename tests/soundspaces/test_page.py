"""The page about SoundSpaces shows what the code does."""

import re
from pathlib import Path

import pytest
from tiny_tree import grid_points, write_json, write_scene

from av_envs.soundspaces import frames
from av_envs.worlds.base import BACKENDS

PAGE = (Path(__file__).parents[2] / "docs" / "soundspaces.md").read_text(encoding="utf-8")
SCENE = "17DRP5sb8fy"  # of the training split


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder `data` with one scene and one episode of separation."""
    monkeypatch.chdir(tmp_path)
    layout = write_scene(tmp_path / "data", SCENE)
    start, *sources = frames.habitat_from_world(grid_points("mp3d")[[1, 4, 7]]).tolist()
    episode = {
        "episode_id": "1",
        "scene_id": f"{SCENE}/{SCENE}.glb",
        "start_position": start,
        "start_rotation": frames.quaternion_of(2),
        "goals": [{"position": position} for position in sources],
        "info": [{"sound": "7540_1"}, {"sound": "music_9"}],
    }
    write_json(layout.separation_episodes("val"), {"episodes": [episode]})


def test_the_code_of_the_page_runs_from_top_to_bottom(data, capsys):
    names = {"__name__": "example"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/soundspaces.md", "exec"), names)
    told = capsys.readouterr().out
    assert f"{SCENE} 8 (2, 400) 16000" in told
    assert f"{SCENE} 1 2 4" in told


def test_the_table_of_angles_is_that_of_the_code():
    rows = re.findall(r"^\| (\d) \w+ \| \S+ \| (\d+) \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for heading, *angles in (map(int, row) for row in rows):
        expected = [frames.theta_of(heading), frames.phi_of(heading), frames.alpha_of(heading)]
        assert angles == expected


def test_every_option_is_on_the_page():
    for option in BACKENDS["soundspaces"].options:
        assert f"`{option}`" in PAGE
