"""Episodes and other files of a tree whose values or sizes no data set can have."""

import gzip
import json
import math
import pickle

import numpy as np
import pytest
from tiny_tree import grid_edges, grid_points, nx_graph, pickled_as, write_json, write_scene

from av_envs import json_files
from av_envs.soundspaces.errors import UnreadableFileError
from av_envs.soundspaces.layout import standard_layout
from av_envs.soundspaces.reading import episodes, graph
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset
from av_envs.soundspaces.reading.graph import read_graph, read_points
from av_envs.soundspaces.reading.observations import read_observations
from tests.soundspaces.reading.test_read_episodes import at, audionav, separation

INF, NAN = math.inf, math.nan
NAVIGATION = {"geodesic_distance": 2.0, "num_action": 5, "sound": "telephone"}


@pytest.fixture
def read(tmp_path):
    write_scene(tmp_path, "hall", with_pictures=False, headings=[])
    layout = standard_layout(tmp_path, "mp3d")

    def made(content, task="audionav"):
        path = (
            layout.separation_episodes("val")
            if task == "aavidss"
            else layout.navigation_episodes(task, "val")
        )
        if isinstance(content, bytes):
            path.parent.mkdir(parents=True)
            path.write_bytes(gzip.compress(content, 1))
        else:
            write_json(path, {"episodes": [audionav(), content]})
        return list(SoundSpacesDataset(tmp_path).episodes(task, "val"))

    return made


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"goals": []}, "has no goals"),
        ({"goals": None}, "has goals None, which is no list"),
        ({"info": {**NAVIGATION, "num_action": -5}}, "has num_action -5; it must be 0 or more"),
        ({"info": {**NAVIGATION, "num_action": 2.5}}, "has num_action 2.5; .* a whole number"),
        ({"info": {**NAVIGATION, "num_action": "5"}}, "has num_action '5', which is no number"),
        ({"info": {**NAVIGATION, "geodesic_distance": INF}}, "has geodesic_distance inf"),
        ({"info": {**NAVIGATION, "sound": 7}}, "has sound 7, which is no text"),
        ({"duration": NAN}, "has duration nan; it must be greater than 0"),
        ({"duration": 0}, "has duration 0; it must be greater than 0"),
        ({"offset": -1}, "has offset -1"),
        ({"offset": True}, "has offset True, which is no number"),
        ({"distractor_position_index": 99}, "the graph has no node 99"),
        ({"goals": [{"position": at(6), "radius": -INF}]}, "has radius -inf"),
        ({"goals": [{"position": [NAN, 0, 0]}]}, "has a position that is no x, y, z"),
        ({"goals": [{"position": 5}]}, "has a position that is no x, y, z: 5"),
        ({"start_rotation": [0, INF, 0, 1]}, "rotation must be a quaternion"),
        ({"start_rotation": [0, NAN, 0, 1]}, "rotation must be a quaternion"),
        ({"start_rotation": [0, 10**400, 0, 1]}, "int too large"),
        ({"info": [1]}, "'list' object"),
    ],
)
def test_fields_that_cannot_be_are_named_with_their_episode(read, changes, reason):
    with pytest.raises(UnreadableFileError, match=rf"val\.json\.gz: episode 1 .*{reason}"):
        read(audionav(**changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"goals": [], "info": []}, "has no sources: its goals are empty"),
        ({"gt_actions": [0, 7]}, r"has the action 7; it must be one of 0\.\.3"),
        ({"gt_actions": [0, -1]}, "has the action -1"),
        ({"info": [{"sound": "a", "start_idx": -2}, {"sound": "b"}]}, "has start_idx -2"),
        ({"info": [{"sound": "a", "target_label": NAN}, {"sound": "b"}]}, "has target_label nan"),
    ],
)
def test_fields_of_separation_that_cannot_be_are_named(read, changes, reason, tmp_path):
    path = standard_layout(tmp_path, "mp3d").separation_episodes("val")
    write_json(path, {"episodes": [separation(**changes)]})
    with pytest.raises(UnreadableFileError, match=rf"val\.json\.gz: episode 0 {reason}"):
        list(SoundSpacesDataset(tmp_path).episodes("aavidss", "val"))


def test_files_that_unpack_to_more_than_is_read_are_refused(read, monkeypatch):
    monkeypatch.setattr(episodes, "LARGEST_JSON", 1_000_000)
    monkeypatch.setattr(json_files, "LARGEST_JSON", 1_000_000)
    bomb = b'{"episodes": [' + b" " * 40_000_000 + b"]}"
    with pytest.raises(UnreadableFileError, match=r"val\.json\.gz: .*more than 1000000 bytes of"):
        read(bomb)


def test_files_with_too_many_lists_are_refused(read, monkeypatch):
    monkeypatch.setattr(json_files, "MOST_BRACKETS", 1000)
    with pytest.raises(UnreadableFileError, match=r"val\.json\.gz: .*5002 lists and objects; at"):
        read(b'{"episodes": [' + b"[]," * 4999 + b"[]]}")


def test_lists_that_are_nested_too_deep_are_refused(read):
    deep = b'{"episodes": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with pytest.raises(UnreadableFileError, match=r"val\.json\.gz: .*are nested too deep"):
        read(deep)


def test_points_are_three_numbers(tmp_path):
    path = tmp_path / "graph.pkl"
    for point in (1.0, (1, 2), "xyz", ((1, 2), 0, 0), (None, 0, 0), {"x": 1}, (10**400, 0, 0)):
        nodes = {0: {"point": point}}
        path.write_bytes(pickled_as("networkx.classes.graph", "Graph",
                                    {"_node": nodes, "_adj": {0: {}}}))  # fmt: skip
        with pytest.raises(UnreadableFileError, match=r"graph\.pkl: nodes must be numbers with"):
            read_graph(path)
    path.write_bytes(pickle.dumps(nx_graph(grid_points("mp3d"), grid_edges())))
    assert len(read_graph(path)) == 8


def test_pictures_are_arrays(tmp_path):
    path = tmp_path / "hall.pkl"
    path.write_bytes(pickle.dumps({(0, 90): {"rgb": [[0] * 9] * 9}}))
    with pytest.raises(UnreadableFileError, match=r"hall\.pkl: .*\(0, 90\).*'rgb' is a list"):
        read_observations(path)
    path.write_bytes(pickle.dumps({(0, 90): {"rgb": np.zeros((2, 2, 3), np.uint8)}}))
    (view,) = read_observations(path).values()
    assert view.rgb.shape == (2, 2, 3)


def test_lists_of_points_have_a_longest(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "LARGEST_POINTS", 10)
    (tmp_path / "points.txt").write_text("0 1 2 3\n1 1 2 3\n")
    with pytest.raises(UnreadableFileError, match=r"points\.txt: has 16 bytes; of points 10 are"):
        read_points(tmp_path / "points.txt")


def test_passive_examples_are_a_list(tmp_path):
    write_scene(tmp_path, "hall", with_pictures=False, headings=[])
    path = standard_layout(tmp_path, "mp3d").passive_examples("train", "hall")
    path.parent.mkdir(parents=True)
    for content in ({"hall": 5}, {"hall": [[]]}, {"hall": [{"r": INF, "azimuth": 0, "all_s": []}]}):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(UnreadableFileError, match=r"hall\.pkl: example"):
            SoundSpacesDataset(tmp_path).passive_examples("train", "hall")


def test_what_may_be_absent_may_be_absent(read):
    (_, episode) = read(json.loads(json.dumps(audionav(info=None))))
    assert (episode.num_action, episode.duration, episode.sound) == (None, None, None)
