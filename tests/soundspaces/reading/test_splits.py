"""Every scene is on one side, and stays there."""

from av_envs.soundspaces.reading.splits import MP3D, REPLICA, split_of


def test_the_published_split_of_matterport3d():
    sizes = {split: len(scenes.split()) for split, scenes in MP3D.items()}
    assert sizes == {"train": 59, "val": 11, "test": 15}
    assert split_of("17DRP5sb8fy") == "train"
    assert split_of("8194nk5LbLH") == "val"
    assert split_of("YFuZgdQ5vWj") == "test"


def test_no_scene_is_on_two_sides():
    for table in (MP3D, REPLICA):
        scenes = " ".join(table.values()).split()
        assert len(set(scenes)) == len(scenes)
    assert sum(len(scenes.split()) for scenes in REPLICA.values()) == 18


def test_one_flat_is_not_learnt_and_judged():
    assert {split_of(f"frl_apartment_{k}") for k in range(6)} == {"train"}


def test_unknown_scenes_fall_by_their_name():
    """Golden values: nobody may change where a scene falls."""
    names = ("hall", "attic", "house_0", "house_1", "flat_7")
    assert [split_of(name) for name in names] == ["val", "val", "train", "train", "val"]
    names = [split_of(f"house_{k}") for k in range(1000)]
    assert 560 < names.count("train") < 640
    assert 160 < names.count("val") < 240


def test_exported_dwellings_stay_in_their_split():
    names = ("house-0", "house-999999", "house-1000000", "flat-2000007")
    assert [split_of(name) for name in names] == ["train", "train", "val", "test"]
