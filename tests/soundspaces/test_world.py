"""Both tasks in a recorded scene: what is heard, seen and walked is what the files say."""

import shutil

import gymnasium as gym
import numpy as np
import pettingzoo
import pytest
from tiny_tree import (
    COLUMNS,
    click,
    grid_points,
    pickled_as,
    picture,
    write_points,
    write_scene,
)

from av_envs.rir_measure.config import MeasureConfig
from av_envs.separation.config import SeparationConfig
from av_envs.soundspaces.frames import habitat_from_world, theta_of
from av_envs.soundspaces.layout import standard_layout
from av_envs.soundspaces.world import SoundSpacesWorld
from av_envs.worlds.base import open_world

SEPARATION = {"backend": "soundspaces", "scenes": ["hall"], "min_source_distance": 2.0, "houses": 1}
MEASURING = {"backend": "soundspaces", "scenes": ["hall"], "grid": 1.0, "steps": 6}


@pytest.fixture
def sounding(tiny_root):
    return gym.make("AVDynamicSep-v0", root=tiny_root, render_mode="rgb_array", **SEPARATION)


@pytest.fixture
def silent(tiny_root, tmp_path):
    """The same tree without pictures."""
    for part in ("binaural_rirs", "metadata"):
        (tmp_path / part).symlink_to(tiny_root / part)
    return tmp_path


def test_spaces_are_those_of_the_built_in_world(sounding, tiny_root):
    traced = gym.make("AVDynamicSep-v0")
    assert sounding.observation_space == traced.observation_space
    assert sounding.action_space == traced.action_space
    joint = gym.make("AVRIRMeasure-v0", root=tiny_root, **MEASURING)
    assert joint.observation_space == gym.make("AVRIRMeasure-v0").observation_space
    for env in (sounding, joint):
        observation, _ = env.reset(seed=3)
        assert env.observation_space.contains(observation)


def test_an_agent_walks_the_graph_and_sees_the_stored_pictures(sounding):
    observation, info = sounding.reset(seed=1)
    env = sounding.unwrapped
    for action in (0, 1, 0, 0, 2, 0, 1, 1, 0, 3):
        node, heading = int(info["node"]), int(info["heading"])
        stored = picture(node, theta_of(heading))
        np.testing.assert_array_equal(observation["rgb"], stored["rgb"])
        np.testing.assert_allclose(observation["depth"], stored["depth"], atol=1e-5)
        np.testing.assert_allclose(env.scene.graph.positions[node], grid_points("mp3d")[node])
        here, there = (np.array(divmod(at, COLUMNS)) for at in (node, env.source_nodes[0]))
        assert info["geodesic_to_target"] == np.abs(here - there).sum()  # hops times 1 m
        observation, _, _, _, info = sounding.step(action)


def test_what_is_heard_is_the_clip_through_the_recorded_response(sounding):
    """A click as a response: each ear hears the dry sources, later and weaker."""
    sounding.reset(seed=2)
    env, points = sounding.unwrapped, grid_points("mp3d")
    sounding.step(1)
    heard = env.hear()
    expected = np.zeros_like(heard)
    for sound in env.state.episode.sounds:
        response = click(points, env.node, sound.node, env.heading, 16_000)
        window = np.empty(32_000, np.float32)
        env.corpus.window(sound.clip, sound.first_second + 1, window)
        delay = int(np.flatnonzero(response[:, 0])[0])
        for ear in range(2):
            expected[ear] += response[delay, ear] * window[16_000 - delay : 32_000 - delay]
    np.testing.assert_allclose(heard, expected / len(env.state.episode.sounds), atol=1e-5)


def test_responses_are_those_of_the_files(tiny_root):
    world = open_world(SeparationConfig.from_keywords(root=tiny_root, **SEPARATION).world)
    acoustics = world.open("hall").acoustics
    for heading in range(4):
        expected = np.zeros((2, 16_000), np.float32)
        expected[:, :400] = click(grid_points("mp3d"), 6, 1, heading, 16_000).T
        np.testing.assert_array_equal(acoustics.rir(1, 6, heading), expected)
    out = np.empty((2, 2, 16_000), np.float32)
    acoustics.rirs_into(np.array([1, 0]), 6, 2, out)
    np.testing.assert_array_equal(out[0], acoustics.rir(1, 6, 2))
    with pytest.raises(ValueError, match=r"receiver must be a node in 0\.\.7, got 8"):
        acoustics.rir(0, 8, 0)
    with pytest.raises(ValueError, match=r"source must be a node in 0\.\.7, got -1"):
        acoustics.rir(-1, 0, 0)
    with pytest.raises(ValueError, match="heading must be 0, 1, 2 or 3"):
        acoustics.rir(0, 0, 4)


def test_a_batch_is_bit_identical_to_its_copies(tiny_root):
    for env_id, options in (("AVDynamicSep-v0", SEPARATION), ("AVRIRMeasure-v0", MEASURING)):
        batch = gym.make_vec(
            env_id, num_envs=3, vectorization_mode="vector_entry_point", root=tiny_root, **options
        )
        singles = [gym.make(env_id, root=tiny_root, **options) for _ in range(3)]
        together, _ = batch.reset(seed=5)
        alone = [env.reset(seed=5 + k)[0] for k, env in enumerate(singles)]
        batch.action_space.seed(0)
        for _ in range(4):
            for k, observation in enumerate(alone):
                for key, value in observation.items():
                    np.testing.assert_array_equal(together[key][k], value)
            actions = batch.action_space.sample()
            together, rewards, _, _, _ = batch.step(actions)
            stepped = [env.step(actions[k]) for k, env in enumerate(singles)]
            alone = [observation for observation, *_ in stepped]
            assert rewards.tolist() == [reward for _, reward, *_ in stepped]


def test_robots_measure_a_recorded_scene(tiny_root):
    team = pettingzoo.make("parallel", "AVRIRMeasure-v0", root=str(tiny_root), **MEASURING)
    world = team.unwrapped
    observations, _ = team.reset(seed=0)
    assert np.isfinite(world.state()).all()
    points, (source, receiver, heading) = grid_points("mp3d"), world.measurement.nodes[0].tolist()
    expected = click(points, receiver, source, heading, 16_000).T
    np.testing.assert_array_equal(world.measurement.rirs[0][:, :400], expected)
    node, heading = world.trajectories["robot_0"][-1]
    seen = picture(node, theta_of(heading))["rgb"]
    np.testing.assert_array_equal(observations["robot_0"]["rgb"], seen)
    rewards = {}
    while team.agents:
        moves = dict.fromkeys(team.agents, 1)
        _, rewards, _, _, infos = team.step(moves)
    assert np.isfinite(list(rewards.values())).all()
    assert 0 < infos["robot_0"]["cr"] <= 1


def test_pictures_of_an_episode_need_no_surfaces(sounding, tiny_root):
    sounding.reset(seed=0)
    joint = gym.make("AVRIRMeasure-v0", root=tiny_root, render_mode="rgb_array", **MEASURING)
    joint.reset(seed=0)
    for env in (sounding, joint):
        drawn = env.render()
        assert drawn.shape == (608, 992, 3)
        assert len(np.unique(drawn.astype(int) @ [65536, 256, 1])) > 50  # colours


def test_without_pictures_one_can_still_listen(silent):
    env = gym.make("AVDynamicSep-v0", root=silent, **SEPARATION)
    with pytest.raises(ValueError, match=r"hall\.pkl does not exist: .* without 'rgb' and 'depth'"):
        env.reset(seed=0)
    keys = ["mixture", "target", "pose"]
    env = gym.make(
        "AVDynamicSep-v0", root=silent, observations=keys, render_mode="rgb_array", **SEPARATION
    )
    observation, _ = env.reset(seed=0)
    assert list(observation) == keys
    assert env.render().shape == (608, 992, 3)
    team = gym.make("AVRIRMeasure-v0", root=silent, observations=["position"], **MEASURING)
    team.reset(seed=0)


def test_labels_are_refused(tiny_root):
    env = gym.make("AVRIRMeasure-v0", root=tiny_root, observations=["semantic"], **MEASURING)
    with pytest.raises(ValueError, match="leave 'semantic' out of observations"):
        env.reset(seed=0)


def test_a_missing_response_stops_the_episode_or_is_silence(silent, tiny_root):
    """Only the pairs of receiver 0 exist, and only for it can one hear."""
    rirs = silent / "binaural_rirs"
    rirs.unlink()
    for alpha in (0, 90, 180, 270):
        folder = rirs / "mp3d" / "hall" / str(alpha)
        folder.mkdir(parents=True)
        for path in (tiny_root / "binaural_rirs/mp3d/hall" / str(alpha)).glob("0_*.wav"):
            shutil.copy(path, folder)
    options = {"root": silent, "observations": ["position"], **MEASURING}
    team = gym.make("AVRIRMeasure-v0", **options)
    with pytest.raises(ValueError, match=r"hall/\d+/\d_\d\.wav: this response was not rendered"):
        team.reset(options={"start_nodes": [0, 3]})
    team = gym.make("AVRIRMeasure-v0", missing="silence", **options)
    with pytest.warns(UserWarning, match="taken as silence"):
        team.reset(options={"start_nodes": [0, 3]})
    world = open_world(MeasureConfig.from_keywords(missing="silence", **options).world)
    assert {path.name for path in world.dataset.silenced} == {"3_0.wav"}


def test_only_what_four_headings_reach_is_walked(silent, tiny_root):
    """A bent wing that only a slanted step leads to, and numbers of files that are not ours."""
    layout = standard_layout(silent, "mp3d")
    (silent / "metadata").unlink()
    points = grid_points("mp3d")
    points[7] += [0.3, 0.3, 0]
    write_points(layout.points("hall"), points, "mp3d")
    linked = {3: [7, 2], 2: [3, 1], 1: [2], 7: [3]}
    nodes = {k: {"point": tuple(habitat_from_world(points[k]))} for k in linked}
    adjacency = {node: {other: {} for other in others} for node, others in linked.items()}
    stored = {"_node": nodes, "_adj": adjacency}
    layout.graph("hall").write_bytes(pickled_as("networkx.classes.graph", "Graph", stored))
    world = SoundSpacesWorld(grid=1.0, root=str(silent), scenes=["hall"])
    report = world.report("hall")
    assert report.nodes.tolist() == [3, 2, 1]
    assert (report.slanted, report.doubled, report.cut_off) == (2, 0, 1)
    dwelling = world.open("hall")
    assert dwelling.scene.graph.neighbours.tolist() == [
        [-1, -1, 1, -1],
        [0, -1, 2, -1],
        [1, -1, -1, -1],
    ]
    expected = click(grid_points("mp3d"), 1, 3, 0, 16_000).T
    np.testing.assert_array_equal(dwelling.acoustics.rir(0, 2, 0)[:, :400], expected)
    assert dwelling.scene.graph.walking_distances[0].tolist() == [0, 1, 2]


def test_splits_are_those_of_the_scenes_names(tmp_path):
    """Scenes that cannot be heard are in none."""
    for scene in ("17DRP5sb8fy", "2azQ1b91cZZ", "pa4otMbVnkk", "hall"):
        write_scene(tmp_path, scene, with_pictures=False, headings=[])
    layout = standard_layout(tmp_path, "mp3d")
    with pytest.raises(ValueError, match="no <scene>/0 with responses of a scene"):
        SoundSpacesWorld(grid=1.0, root=str(tmp_path))
    for scene in ("17DRP5sb8fy", "2azQ1b91cZZ", "pa4otMbVnkk"):
        layout.responses(scene, 0).mkdir(parents=True)
    world = SoundSpacesWorld(grid=1.0, root=str(tmp_path))
    assert [world.names(split) for split in ("train", "val", "test")] == [
        ["17DRP5sb8fy"], ["2azQ1b91cZZ"], ["pa4otMbVnkk"],
    ]  # fmt: skip
    chosen = SoundSpacesWorld(grid=1.0, root=str(tmp_path), scenes=["pa4otMbVnkk", "17DRP5sb8fy"])
    assert chosen.names("val") == ["pa4otMbVnkk", "17DRP5sb8fy"]
    with pytest.raises(
        ValueError, match=r"scene 'hall' has no responses in .*; there are those of"
    ):
        SoundSpacesWorld(grid=1.0, root=str(tmp_path), scenes=["hall"])
    layout.responses("2azQ1b91cZZ", 0).rmdir()
    with pytest.raises(ValueError, match="split 'val' of backend 'soundspaces' has no dwelling"):
        gym.make("AVDynamicSep-v0", backend="soundspaces", root=tmp_path, split="val")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"root": None}, "root must be the folder of a SoundSpaces tree, got None"),
        ({"root": "/no/where"}, "/no/where: this is no folder"),
        ({"dataset": "hm3d"}, "unknown dataset 'hm3d'; choose from replica, mp3d"),
        ({"dataset": "replica"}, "no <scene>/points.txt of 'replica'"),
        ({"grid": 0.5}, r"grid must be 1\.0 with dataset='mp3d', got 0\.5"),
        ({"missing": "skip"}, "missing 'skip' does not exist; choose from"),
        ({"hrtf": "mine.sofa"}, "recorded responses have the ears they were made with"),
        ({"scenes": "hall"}, "scenes must be a list of names, got 'hall'"),
        ({"scenes": []}, "scenes must be a list of names"),
        ({"kept_responses": "many"}, "kept_responses must be a whole number"),
        ({"rirs": "/no/rirs"}, "/no/rirs: this folder of rirs does not exist"),
    ],
)
def test_misuse_is_heard_when_the_environment_is_made(tiny_root, options, reason):
    for env_id in ("AVDynamicSep-v0", "AVRIRMeasure-v0"):
        made = {"backend": "soundspaces", "root": tiny_root, "grid": 1.0, "scenes": ["hall"]}
        with pytest.raises(ValueError, match=reason):
            gym.make(env_id, **{**made, **options})


def test_a_scene_of_another_grid_is_an_error(tmp_path, tiny_root):
    shutil.copytree(tiny_root / "metadata/mp3d", tmp_path / "metadata/replica")
    (tmp_path / "binaural_rirs/replica/hall/0").mkdir(parents=True)
    world = SoundSpacesWorld(grid=0.5, root=str(tmp_path), dataset="replica", scenes=["hall"])
    with pytest.raises(ValueError, match=r"'hall': steps are 1\.00 m long, the grid is 0\.5 m"):
        world.open("hall")


def test_the_memory_of_responses_is_bounded(tiny_root):
    world = SoundSpacesWorld(grid=1.0, root=str(tiny_root), scenes=["hall"], kept_responses=3)
    acoustics = world.open("hall").acoustics
    for source in range(8):
        acoustics.rir(source, 0, 0)[:] = 7  # it belongs to the caller
    assert world._read.cache_info().currsize == 3
    assert acoustics.rir(7, 0, 0).max() < 7
