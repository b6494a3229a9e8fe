import itertools

import pytest

from av_envs.scene import SPLITS, load_scene, scene_name
from av_envs.scene.procedural.splits import SPLIT_SIZE, split_of_dwelling


@pytest.mark.parametrize("kind", ["house", "flat"])
def test_splits_are_large_and_share_no_dwelling(kind):
    assert SPLIT_SIZE >= 100_000
    ends = [
        tuple(int(scene_name(split, index, kind).split("-")[1]) for index in (0, SPLIT_SIZE - 1))
        for split in SPLITS
    ]
    for (_, last), (first, _) in itertools.pairwise(ends):
        assert last < first


def test_a_name_leads_back_to_the_scene():
    name = scene_name("test", 5, "flat")
    scene = load_scene(name)
    assert scene.name == name
    assert scene.graph.grid == 0.5
    assert load_scene(name, grid=1.0).graph.grid == 1.0


@pytest.mark.parametrize(
    "name", ["castle-1", "house", "house--1", "house-01", "flat-1.5", "house-1 "]
)
def test_unknown_names_are_answered_with_the_valid_forms(name):
    with pytest.raises(ValueError, match=r'"house-<seed>" or "flat-<seed>"') as error:
        load_scene(name)
    assert repr(name) in str(error.value)


def test_wrong_arguments_are_named_with_the_choices():
    with pytest.raises(ValueError, match=r"'dev'.*train.*val.*test"):
        scene_name("dev", 0)
    with pytest.raises(ValueError, match=r"'castle'.*flat.*house"):
        scene_name("train", 0, "castle")
    with pytest.raises(ValueError, match=f"{SPLIT_SIZE - 1}.*got {SPLIT_SIZE}"):
        scene_name("train", SPLIT_SIZE)


def test_a_name_tells_its_split():
    assert split_of_dwelling(scene_name("val", 3, "flat")) == "val"
    assert [split_of_dwelling(f"house-{n}") for n in (999_999, 1_000_000)] == ["train", "val"]
    for name in ("house-3000000", "house_1", "house-01", "hall"):
        assert split_of_dwelling(name) is None
