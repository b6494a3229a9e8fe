"""Episodes and passive examples as the software of the papers wants them."""

import gzip
import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
from small_scene import BACKEND, NAME, small_export

from av_envs.soundspaces.frames import heading_of, legacy_theta_of_quaternion, world_from_habitat
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.episodes import (
    Draw,
    fewest_actions,
    write_episodes,
    write_passive,
)
from av_envs.soundspaces.writing.metadata import habitat_positions
from av_envs.soundspaces.writing.projects import PROJECTS
from av_envs.worlds.base import BACKENDS, WorldSettings

FEW = Draw(per_scene=4, min_source_distance=2.0)


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    monkeypatch.setitem(BACKENDS, "small", BACKEND)


def records_of(path):
    return json.loads(gzip.decompress(path.read_bytes()))["episodes"]


def written(export, project, split, draw=FEW):
    """{split of the project: episodes} in the small scene, the paths being as they must."""
    names = write_episodes(export, project, split, [export.open(NAME).scene], draw)
    found = {}
    for name in names:
        folder = export.root / PROJECTS[project].episodes.format(dataset=export.dataset) / name
        assert records_of(folder / f"{name}.json.gz") == []
        found[name] = records_of(folder / "content" / f"{NAME}.json.gz")
        assert len(found[name]) == draw.per_scene
    return found


def test_splits_have_the_names_of_the_papers(tmp_path):
    export = Export(tmp_path, WorldSettings())
    scenes = [export.open("house-3").scene]
    names = {
        (project, split): write_episodes(export, project, split, scenes, Draw(per_scene=1))
        for project in PROJECTS
        for split in ("train", "val", "test")
    }
    assert names["aavidss", "train"] == ["train_1episodes"]
    assert names["aavidss", "test"] == ["test_1episodes", "testUnheard_1episodes"]
    assert names["aaviss", "val"] == [
        "val_nearTarget_1scenes_1episodes",
        "val_farTarget_1scenes_1episodes",
        "valUnheard_nearTarget_1scenes_1episodes",
        "valUnheard_farTarget_1scenes_1episodes",
    ]
    assert names["audionav", "val"] == ["val_multiple", "val_multiple_unheard"]
    folder = tmp_path / "active_datasets" / "v1" / "train_farTarget_1scenes_1episodes"
    (episode,) = records_of(folder / "content" / "house-3.json.gz")
    assert episode["info"][0]["geodesic_distance"] >= 8


def test_another_start_takes_the_place_of_those_of_the_project(tmp_path):
    export = small_export(tmp_path)
    (name,) = written(export, "aaviss", "train", FEW._replace(start="near"))
    assert name == "train_nearTarget_1scenes_4episodes"
    with pytest.raises(ValueError, match="leave no 'far' start"):
        written(export, "aaviss", "train", FEW._replace(start="far"))


def test_an_episode_is_where_the_graph_has_nodes(tmp_path):
    export = small_export(tmp_path)
    graph = export.open(NAME).scene.graph
    keys = ["{:.2f}_{:.2f}_{:.2f}".format(*p) for p in habitat_positions(export.open(NAME).scene)]
    (episodes,) = written(export, "aavidss", "train", FEW._replace(start="near")).values()
    for number, episode in enumerate(episodes):
        assert episode["episode_id"] == str(number)
        assert episode["scene_id"] == f"{NAME}/{NAME}.glb"
        places = [episode["start_position"], *(goal["position"] for goal in episode["goals"])]
        start, *sources = (keys.index("{:.2f}_{:.2f}_{:.2f}".format(*place)) for place in places)
        walks = graph.walking_distances
        assert walks[sources[0], sources[1]] >= 2
        assert 2 <= walks[start, sources[0]] <= 5
        assert [one["geodesic_distance"] for one in episode["info"]] == walks[
            start, sources
        ].tolist()
        distances = episode["all_geodesic_distances"]
        assert distances["agent_to_sources"] == walks[start, sources].tolist()
        heading = heading_of(legacy_theta_of_quaternion(episode["start_rotation"]))
        for info, source in zip(episode["info"], sources, strict=True):
            assert info["num_action"] == fewest_actions(graph, source)[start, heading]


def test_sounds_are_named_as_their_files_are(tmp_path):
    export = small_export(tmp_path)
    dynamic = written(export, "aavidss", "val")
    for name, split in (("val_4episodes", "train"), ("valUnheard_4episodes", "val")):
        for episode in dynamic[name]:
            for info in episode["info"]:
                called, clip = info["sound"].split("_")
                assert PROJECTS["aavidss"].classes[info["target_label"]] == called
                assert clip[:-3] == split  # its clips are what MONO_DIR of that split holds
                assert 0 <= info["start_idx"] < 20
            assert episode["info"][0]["target_label"] != 81  # background only distracts
    static = written(export, "aaviss", "train", FEW._replace(start="target"))
    (info, _) = static["train_nearTarget_1scenes_4episodes"][0]["info"]
    clip, second = info["sound"].split("-")
    assert clip.split("_")[0] == PROJECTS["aaviss"].classes[info["target_label"]]
    assert 0 <= int(second) < 20


def test_the_papers_start_on_the_target_and_navigation_has_one_goal(tmp_path):
    export = small_export(tmp_path)
    for episode in written(export, "aavidss", "train")["train_4episodes"]:
        assert episode["start_position"] == episode["goals"][0]["position"]
        assert episode["info"][0]["num_action"] == 0
    (episode, *_) = written(export, "audionav", "train", FEW._replace(start="near"))[
        "train_multiple"
    ]
    assert set(episode) == {
        "episode_id", "scene_id", "start_position", "start_rotation", "goals", "start_room",
        "shortest_paths", "info",
    }  # fmt: skip
    assert set(episode["info"]) == {"sound", "geodesic_distance", "num_action"}
    assert episode["info"]["num_action"] > episode["info"]["geodesic_distance"]  # the stop counts


def test_replica_has_other_meshes(tmp_path):
    export = small_export(tmp_path, "replica")
    episodes = written(export, "audionav", "train", FEW._replace(start="near"))["train_multiple"]
    assert episodes[0]["scene_id"] == f"{NAME}/habitat/mesh_semantic.ply"


def test_the_same_seed_draws_the_same_episodes(tmp_path):
    first = written(small_export(tmp_path / "a"), "aavidss", "val")
    assert written(small_export(tmp_path / "b"), "aavidss", "val") == first
    other = written(small_export(tmp_path / "c"), "aavidss", "val", FEW._replace(seed=1))
    assert other != first
    heard, unheard = first.values()
    assert [e["start_position"] for e in heard] != [e["start_position"] for e in unheard]
    files = [tmp_path / root / "active_datasets/v1/val_4episodes" for root in ("a", "b")]
    a, b = (path / "content" / f"{NAME}.json.gz" for path in files)
    assert a.read_bytes() == b.read_bytes()


def test_sources_that_do_not_fit_name_the_scene(tmp_path):
    export = small_export(tmp_path)
    with pytest.raises(ValueError, match="scene 'small-0': no room for 2 sources 8 m apart"):
        written(export, "aavidss", "train", Draw(per_scene=1))


def test_passive_examples_name_responses(tmp_path):
    export = small_export(tmp_path)
    scene = export.open(NAME).scene
    write_passive(export, "train", scene, FEW)
    path = tmp_path / "passive_datasets" / "v1" / "train" / f"{NAME}.pkl"
    (examples,) = pickle.loads(path.read_bytes()).values()
    assert len(examples) == 4
    for example in examples:
        assert example["azimuth"] in (0, 90, 180, 270)
        source, other = example["all_s"]
        assert scene.graph.walking_distances[source, other] >= 2
        assert 2 <= scene.graph.walking_distances[example["r"], source] <= 5


def test_actions_are_counted_turn_by_turn():
    """In a whole house, against walking back from every pose along the counts."""
    graph = Export(".", WorldSettings()).open("house-3").scene.graph
    goal = len(graph) // 2
    counts = fewest_actions(graph, goal)
    assert (counts[goal] == 0).all()
    assert np.flatnonzero((counts == 0).any(axis=1)).tolist() == [goal]
    best = np.full_like(counts, np.inf)
    for turned in (1, 3):
        best = np.minimum(best, np.roll(counts, -turned, axis=1))
    for heading in range(4):
        ahead = graph.neighbours[:, heading]
        free = ahead >= 0
        best[free, heading] = np.minimum(best[free, heading], counts[ahead[free], heading])
    others = np.arange(len(graph)) != goal
    assert (counts[others] == 1 + best[others]).all()
    assert all(abs(a - b) <= 2 for row in counts for a, b in pairwise(row))


def test_positions_are_those_of_the_world(tmp_path):
    scene = small_export(tmp_path).open(NAME).scene
    assert np.allclose(world_from_habitat(habitat_positions(scene)), scene.graph.positions)
