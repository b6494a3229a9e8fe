"""Every tree that people really have is found, and what is missing is named."""

from dataclasses import astuple
from pathlib import Path

import pytest

from av_envs.soundspaces.errors import MissingFileError
from av_envs.soundspaces.layout import content_file, find_layout, standard_layout
from av_envs.soundspaces.world import SoundSpacesWorld
from av_envs.soundspaces.writing.config import Export
from av_envs.worlds.base import WorldSettings


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def plant(layout, scene="hall"):
    """Empty files where a tree has full ones."""
    touch(layout.points(scene))
    touch(layout.rir(scene, 0, 3, 5))
    touch(layout.pictures(scene))


@pytest.mark.parametrize("dataset", ["mp3d", "replica"])
def test_paths_of_the_standard_tree(tmp_path, dataset):
    layout = standard_layout(tmp_path, dataset)
    scene = "hall"
    paths = {
        f"binaural_rirs/{dataset}/hall/270/3_5.wav": layout.rir(scene, 270, 3, 5),
        f"metadata/{dataset}/hall/points.txt": layout.points(scene),
        f"metadata/{dataset}/hall/graph.pkl": layout.graph(scene),
        f"scene_observations/{dataset}/hall.pkl": layout.pictures(scene),
        f"datasets/audionav/{dataset}/v1/val/val.json.gz": (
            layout.navigation_episodes("audionav", "val")
        ),
        f"datasets/semantic_audionav/{dataset}/v1/val/val.json.gz": (
            layout.navigation_episodes("semantic", "val")
        ),
        "active_datasets/v1/train_731243episodes/train_731243episodes.json.gz": (
            layout.separation_episodes("train_731243episodes")
        ),
        "passive_datasets/v1/train/hall.pkl": layout.passive_examples("train", scene),
    }
    assert {name: tmp_path / name for name in paths} == paths
    plant(layout)
    assert find_layout(tmp_path, dataset) == layout
    assert layout.scenes() == [scene]


def test_content_lies_beside_the_file_of_a_split(tmp_path):
    split = standard_layout(tmp_path, "mp3d").separation_episodes("val")
    assert content_file(split, "hall") == split.parent / "content" / "hall.json.gz"


@pytest.mark.parametrize("prefix", ["data", "sound_spaces", "data/sound_spaces"])
def test_a_tree_may_begin_further_down(tmp_path, prefix):
    plant(standard_layout(tmp_path / prefix, "mp3d"))
    found = find_layout(tmp_path, "mp3d")
    assert found.rirs == tmp_path / prefix / "binaural_rirs/mp3d"
    assert found.observations == tmp_path / prefix / "scene_observations/mp3d"


def test_move2hear_keeps_episodes_beside_soundspaces(tmp_path):
    touch(tmp_path / "sound_spaces/metadata/mp3d/hall/points.txt")
    touch(tmp_path / "sound_spaces/scene_observations_new/mp3d/hall.pkl")
    touch(tmp_path / "data/active_datasets/v1/val/val.json.gz")
    found = find_layout(tmp_path, "mp3d")
    assert found.pictures("hall").is_file()
    assert found.separation_episodes("val").is_file()
    assert not found.rirs.exists()  # nobody has asked for them yet


def test_responses_may_lie_directly_below_the_root(tmp_path):
    touch(tmp_path / "metadata/mp3d/hall/points.txt")
    touch(tmp_path / "mp3d/hall/0/1_1.wav")
    assert find_layout(tmp_path, "mp3d").rirs == tmp_path / "mp3d"


def test_a_folder_of_that_name_without_responses_is_not_taken(tmp_path):
    touch(tmp_path / "metadata/mp3d/hall/points.txt")
    touch(tmp_path / "mp3d/hall/readme.txt")
    assert find_layout(tmp_path, "mp3d").rirs == tmp_path / "binaural_rirs/mp3d"


def test_every_part_can_be_elsewhere(tmp_path):
    for k, part in enumerate(("rirs", "metadata", "observations", "passive")):
        (tmp_path / part / str(k)).mkdir(parents=True)
    touch(tmp_path / "metadata/1/hall/points.txt")
    (tmp_path / "tree").mkdir()
    elsewhere = {
        "rirs": tmp_path / "rirs/0",
        "metadata": str(tmp_path / "metadata/1"),
        "observations": tmp_path / "observations/2",
        "passive": tmp_path / "passive/3",
    }
    found = find_layout(tmp_path / "tree", "mp3d", **elsewhere)
    assert {str(path) for path in elsewhere.values()} <= set(map(str, astuple(found)))


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere: this is no folder"):
        find_layout(tmp_path / "nowhere", "mp3d")
    with pytest.raises(MissingFileError, match=r"no <scene>/points.txt of 'mp3d' in .*metadata"):
        find_layout(tmp_path, "mp3d")
    with pytest.raises(MissingFileError, match=r"pictures: this folder of observations"):
        find_layout(tmp_path, "mp3d", observations=tmp_path / "pictures")
    with pytest.raises(ValueError, match="unknown part 'wavs' of a tree; choose from rirs"):
        find_layout(tmp_path, "mp3d", wavs=tmp_path)
    with pytest.raises(ValueError, match="unknown dataset 'gibson'; choose from replica, mp3d"):
        find_layout(tmp_path, "gibson")
    with pytest.raises(ValueError, match="alpha must be one of"):
        standard_layout(tmp_path, "mp3d").rir("hall", 45, 0, 0)


def test_a_tree_may_be_named_by_any_kind_of_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    plant(standard_layout(tmp_path / "tree", "mp3d"))
    plant(standard_layout(tmp_path / "other", "mp3d"))
    expected = find_layout(tmp_path / "tree", "mp3d", rirs=tmp_path / "other")
    for home in ("~", Path("~")):
        assert find_layout(f"{home}/tree", "mp3d", rirs=Path(home) / "other") == expected
        assert standard_layout(f"{home}/tree", "mp3d") == standard_layout(tmp_path / "tree", "mp3d")
        world = SoundSpacesWorld(grid=1.0, root=Path(home) / "tree")
        assert world.dataset.layout.metadata == expected.metadata
        assert Export(Path(home) / "tree", WorldSettings()).root == tmp_path / "tree"


def test_a_split_goes_without_its_number_if_there_is_one_only(tmp_path):
    layout = standard_layout(tmp_path, "mp3d")
    assert layout.separation_split("val") == "val"  # nothing is there; the reader will say so
    touch(layout.separation_episodes("val_100episodes"))
    touch(layout.separation_episodes("train_9episodes"))
    assert layout.separation_split("val") == "val_100episodes"
    assert layout.separation_split("val_100episodes") == "val_100episodes"
    touch(layout.separation_episodes("val_20episodes"))
    with pytest.raises(ValueError, match="val_100episodes, val_20episodes; name one"):
        layout.separation_split("val")
    touch(layout.separation_episodes("val"))
    assert layout.separation_split("val") == "val"
