"""Episodes of all four kinds, and what is said about those that are not as they should be."""

import math
import pickle
from functools import partial

import numpy as np
import pytest
from tiny_tree import grid_points, write_json, write_scene

from av_envs.soundspaces.errors import MissingFileError, UnreadableFileError
from av_envs.soundspaces.frames import habitat_from_world, quaternion_of, theta_of
from av_envs.soundspaces.layout import content_file, standard_layout
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset
from av_envs.soundspaces.reading.episodes import NavigationEpisode, SeparationEpisode, scene_of
from av_envs.soundspaces.reading.passive import PassiveExample

POINTS = grid_points("mp3d")
HALF = math.sqrt(0.5)


def at(node):
    """A position as episodes write it: rounded, in habitat's frame."""
    return [round(float(x), 5) for x in habitat_from_world(POINTS[node])]


def audionav(**changes):
    record = {
        "episode_id": "7",
        "scene_id": "hall/hall.glb",
        "start_position": at(3),
        "start_rotation": list(quaternion_of(2)),
        "goals": [{"position": at(6), "radius": 1e-5}],
        "info": {"geodesic_distance": 2.0, "num_action": 5, "sound": "telephone"},
        "start_room": None,
        "shortest_paths": None,
    }
    return {**record, **changes}


def separation(**changes):
    infos = [
        {"sound": "7540_1", "target_label": 41, "start_idx": 3, "num_action": 4},
        {"sound": "music_9", "start_idx": 0, "geodesic_distance": 2.0},
    ]
    goals = [{"position": at(node), "radius": 1e-5} for node in (6, 0)]
    return audionav(**{"goals": goals, "info": infos, "gt_actions": [0, 0, 2]} | changes)


@pytest.fixture
def root(tmp_path):
    write_scene(tmp_path, "hall", with_pictures=False, headings=[])
    write_scene(tmp_path, "attic", with_pictures=False, headings=[])
    return tmp_path


@pytest.fixture
def read(root):
    """All episodes of a split that was just written."""

    def episodes(records, task="audionav", **options):
        layout = standard_layout(root, "mp3d")
        in_active = task in ("aaviss", "aavidss")
        path = (
            layout.separation_episodes("val")
            if in_active
            else layout.navigation_episodes(task, "val")
        )
        if isinstance(records, bytes):
            path.parent.mkdir(parents=True)
            path.write_bytes(records)
        else:
            write_json(path, {"episodes": records})
        return list(SoundSpacesDataset(root).episodes(task, "val", **options))

    return episodes


def test_episodes_of_navigation(read):
    (episode,) = read([audionav()])
    assert isinstance(episode, NavigationEpisode)
    assert (episode.episode_id, episode.scene, episode.sound) == ("7", "hall", "telephone")
    assert episode.start.place.node == 3
    np.testing.assert_allclose(episode.start.place.position, POINTS[3], atol=1e-5)
    assert (episode.start.theta, episode.start.heading) == (theta_of(2), 2)
    (goal,) = episode.goals
    assert (goal.place.node, goal.radius, goal.object_category) == (6, 1e-5, None)
    assert (episode.geodesic_distance, episode.num_action, episode.start_room) == (2.0, 5, None)


def test_semantic_episodes(read):
    seen_from = [at(5), {"agent_state": {"position": at(2)}, "iou": 0}]
    off_the_grid = (np.array(at(6)) + np.array([0.3, 0.8, 0.1])).tolist()
    goal = {
        "position": off_the_grid, "radius": None, "object_id": 12, "object_name": "12",
        "object_category": "chair", "room_id": None, "room_name": None, "view_points": seen_from,
    }  # fmt: skip
    (episode,) = read(
        [
            audionav(
                goals=[goal], info=None, object_category="chair", sound_id="train/chair.wav",
                offset=3, duration=20, distractor_sound_id="train/bed.wav",
                distractor_position_index=4,
            )
        ],
        "semantic",
    )  # fmt: skip
    assert episode.goals[0].place.node is None  # objects need not stand on a node
    assert [place.node for place in episode.goals[0].view_points] == [5, 2]
    assert episode.goals[0].object_name == "12"
    assert (episode.sound, episode.offset, episode.duration) == ("train/chair.wav", 3, 20)
    assert (episode.distractor_sound, episode.distractor_node) == ("train/bed.wav", 4)


@pytest.mark.parametrize("task", ["aaviss", "aavidss"])
def test_episodes_of_separation(read, task):
    (episode,) = read([separation()], task)
    assert isinstance(episode, SeparationEpisode)
    target, other = episode.sources
    assert (target.place.node, target.sound, target.label, target.first_second) == (
        6, "7540_1", 41, 3,
    )  # fmt: skip
    assert (other.place.node, other.label, other.geodesic_distance) == (0, None, 2.0)
    assert episode.actions == (0, 0, 2)


def test_episodes_are_in_the_file_of_the_split_and_in_those_of_the_scenes(root):
    path = standard_layout(root, "mp3d").navigation_episodes("audionav", "train")
    write_json(path, {"episodes": [], "content_scenes_path": "{data_path}/content/{scene}.json.gz"})
    numbered = partial(audionav, scene_id="attic/attic.glb")
    write_json(content_file(path, "attic"), {"episodes": [numbered(episode_id=k) for k in (1, 2)]})
    write_json(content_file(path, "hall"), {"episodes": [audionav(episode_id="3")]})
    dataset = SoundSpacesDataset(root)
    told = [(one.scene, one.episode_id) for one in dataset.episodes("audionav", "train")]
    assert told == [("attic", "1"), ("attic", "2"), ("hall", "3")]
    of_attic = dataset.episodes("audionav", "train", scene="attic")
    assert [one.episode_id for one in of_attic] == ["1", "2"]
    write_json(path, {"episodes": [audionav(episode_id="4"), numbered(episode_id="5")]})
    of_attic = dataset.episodes("audionav", "train", scene="attic")
    assert [one.episode_id for one in of_attic] == ["5", "1", "2"]


def test_files_are_read_one_after_the_other(root):
    """The first scene can be played although the second is damaged."""
    path = standard_layout(root, "mp3d").navigation_episodes("audionav", "train")
    write_json(content_file(path, "attic"), {"episodes": [audionav()]})
    content_file(path, "hall").write_bytes(b"damaged")
    episodes = SoundSpacesDataset(root).episodes("audionav", "train")
    assert next(episodes).scene == "hall"
    with pytest.raises(UnreadableFileError, match=r"hall\.json\.gz: this is no whole gzip"):
        next(episodes)


@pytest.mark.parametrize(
    "scene_id",
    [
        "hall", "hall/hall.glb", "mp3d/hall/hall.glb", "data/scene_dataset/mp3d/hall/hall.glb",
        "data/scene_datasets/replica/hall/habitat/mesh_semantic.ply", "mp3d\\hall\\hall.glb",
        "/somewhere/attic/else/hall/hall.basis.glb",
    ],
)  # fmt: skip
def test_scenes_are_found_in_any_path(scene_id):
    assert scene_of(scene_id, ["attic", "hall"]) == "hall"


def test_a_turn_to_the_right_is_read_as_what_it_is_and_said(read):
    right = audionav(start_rotation=[0.0, -HALF, 0.0, HALF])
    with pytest.warns(UserWarning, match=r"val\.json\.gz: SoundSpaces reads the start_rotation"):
        first, second = read([right, right])
    assert (first.start.theta, first.start.heading, first.start.legacy_heading) == (270, 0, 2)
    assert second.start == first.start


def test_start_headings_need_not_be_straight(read):
    """Some episodes start at any angle; the nearest heading counts, the angle is told."""
    half = math.radians(100) / 2
    (episode,) = read([audionav(start_rotation=[0, math.sin(half), 0, math.cos(half)])])
    assert episode.start.theta == pytest.approx(100)
    assert episode.start.heading == 2


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([audionav(), audionav(scene_id="cellar/cellar.glb")], "episode 1 is of the scene 'cel"),
        ([audionav(start_position=[9, 9, 9])], "episode 0 has its start at .*no node of hall"),
        ([audionav(start_position=[1, 2])], "episode 0"),
        ([audionav(start_position=None)], "episode 0"),
        ([audionav(start_rotation=[0, 0, 0, 0])], "episode 0 rotation must be a quaternion"),
        ([{"episode_id": "1"}], "episode 0 lacks 'scene_id'"),
        ([audionav(goals=[{}])], "episode 0 lacks 'position'"),
        (["episode"], "episode 0"),
        ({"0": audionav()}, "episodes must be a list"),
        (None, "episodes must be a list"),
    ],
)
def test_what_is_wrong_in_an_episode_names_file_and_number(read, records, reason):
    with pytest.raises(UnreadableFileError, match=rf"val\.json\.gz: .*{reason}"):
        read(records)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (separation(info={"sound": "x"}), "must have info of each of its 2 sources"),
        (separation(info=[{"sound": "x"}]), "must have info of each of its 2 sources"),
        (separation(goals=[{"position": [9, 9, 9]}, {"position": at(0)}]), "has its source 0 at"),
        (separation(info=[{}, {}]), "lacks 'sound'"),
    ],
)
def test_sources_need_a_node_and_a_sound(read, record, reason):
    with pytest.raises(UnreadableFileError, match=rf"val\.json\.gz: episode 0 {reason}"):
        read([record], "aavidss")


def test_truncated_and_foreign_files_are_named(read, root):
    layout = standard_layout(root, "mp3d")
    path = layout.navigation_episodes("audionav", "val")
    read([audionav()])
    whole = path.read_bytes()
    dataset = SoundSpacesDataset(root)
    for content in (whole[: len(whole) // 2], whole[:-4], b"", b"{}", whole[:40] + b"\0" * 40):
        path.write_bytes(content)
        with pytest.raises(UnreadableFileError, match=r"val\.json\.gz: this is no"):
            list(dataset.episodes("audionav", "val"))
    write_json(path, {"goals": []})
    with pytest.raises(UnreadableFileError, match=r"val\.json\.gz: this is no JSON with episodes"):
        list(dataset.episodes("audionav", "val"))
    with pytest.raises(MissingFileError, match=r"test\.json\.gz: there are no episodes of this"):
        list(dataset.episodes("audionav", "test"))


def test_an_unknown_task_and_a_broken_graph_are_named(root):
    dataset = SoundSpacesDataset(root)
    with pytest.raises(ValueError, match="unknown task 'pointnav'; choose from audionav"):
        list(dataset.episodes("pointnav", "val"))
    layout = standard_layout(root, "mp3d")
    write_json(layout.navigation_episodes("audionav", "val"), {"episodes": [audionav()]})
    layout.graph("hall").unlink()
    with pytest.raises(MissingFileError, match=r"graph\.pkl"):
        list(dataset.episodes("audionav", "val"))


def test_passive_examples_are_read_with_our_headings(root):
    path = standard_layout(root, "mp3d").passive_examples("train", "hall")
    path.parent.mkdir(parents=True)
    records = [{"r": 3, "azimuth": alpha, "all_s": [6, np.int64(0)]} for alpha in (0, 90, 180, 270)]
    path.write_bytes(pickle.dumps({"hall": records}))
    examples = SoundSpacesDataset(root).passive_examples("train", "hall")
    # alpha 0 faces +y of the mesh, north; 90 faces +x, east
    assert examples == [PassiveExample(3, heading, (6, 0)) for heading in (1, 0, 3, 2)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1], "must be a dict with the scene 'hall'"),
        ({"attic": []}, "must be a dict with the scene 'hall'"),
        ({"hall": [{"r": 3, "all_s": [0]}]}, "example 0 lacks 'azimuth'"),
        ({"hall": [{"r": 3, "azimuth": 45, "all_s": [0]}]}, "example 0 theta must be a multiple"),
    ],
)
def test_passive_examples_that_are_none(root, content, reason):
    path = standard_layout(root, "mp3d").passive_examples("train", "hall")
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UnreadableFileError, match=rf"hall\.pkl: {reason}"):
        SoundSpacesDataset(root).passive_examples("train", "hall")
