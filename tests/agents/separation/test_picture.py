"""What is believed is painted where it is."""

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

from av_envs.agents.separation.networks.belief import AROUND, SHOWN
from av_envs.agents.separation.picture import CAPTION, PIXELS_PER_METRE, main, panel
from av_envs.vision.topdown import top_down_map


@pytest.fixture(scope="module")
def state():
    env = gym.make("AVDynamicSep-v0", houses=1, split="val", observations=("pose",))
    env.reset(seed=3)
    env.step(1)  # a turn, so that the map is turned as well
    return env.unwrapped.state


@pytest.mark.parametrize(("ahead", "left"), [(3, 0), (0, 2), (-2, -4)])
def test_belief_is_painted_where_it_is(state, ahead, left):
    belief = np.full((SHOWN, SHOWN), -30.0)
    belief[AROUND + ahead, AROUND + left] = 0.0
    changed = (panel(state, belief) != panel(state, None)).any(axis=2)
    plan = top_down_map(state.dwelling.scene, PIXELS_PER_METRE)
    node, heading = state.pose
    forward = np.array([np.cos(heading * np.pi / 2), np.sin(heading * np.pi / 2)])
    sideways = np.array([-forward[1], forward[0]])
    place = state.dwelling.scene.graph.positions[node, :2] + ahead * forward + left * sideways
    column, row = plan.world_to_pixel(place)
    found = np.argwhere(changed).mean(axis=0) - (CAPTION, 0)
    height, width = plan.picture.shape[:2]
    if 0 < row < height and 0 < column < width:
        assert np.abs(found - (row, column)).max() < PIXELS_PER_METRE / 2
    else:
        assert not changed.any()


def test_a_file_with_six_maps(agent_files, separator_file, tmp_path):
    path = tmp_path / "belief.png"
    words = ["--out", str(path), "--checkpoint", str(agent_files["memoryless"])]
    assert main([*words, "--separator", str(separator_file), "--houses", "1"]) == 0
    with Image.open(path) as drawn:
        width, height = drawn.size
    assert width % 3 == height % 2 == 0


def test_what_cannot_be_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--out", str(tmp_path / "a.png"), "--checkpoint", str(tmp_path / "none")])
    assert stop.value.code == 2
    assert "none" in capsys.readouterr().err.splitlines()[-1]
