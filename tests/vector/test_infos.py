"""Infos of many environments as Gymnasium stacks them."""

import numpy as np
from gymnasium.vector import SyncVectorEnv

from av_envs.vector.infos import stacked_finals, stacked_infos

FEW = {
    0: {"x": np.float32(1), "mask": {"move": np.ones(2, np.int8), "rir": None}},
    2: {"x": np.float32(3), "text": "a"},
}


def test_numbers_arrays_dicts_and_objects():
    infos = stacked_infos(FEW, 3)
    assert infos["x"].dtype == np.float32
    assert infos["x"].tolist() == [1, 0, 3]
    assert infos["_x"].tolist() == [True, False, True]
    assert infos["text"].tolist() == [None, None, "a"]
    assert infos["mask"]["move"].tolist() == [[1, 1], [0, 0], [0, 0]]
    assert infos["mask"]["rir"].tolist() == [None] * 3
    assert infos["mask"]["_rir"].tolist() == infos["_mask"].tolist() == [True, False, False]


def test_numbers_are_stacked_as_gymnasium_does():
    given = {i: {"x": np.float32(i), "final_info": {"y": np.float32(-i)}} for i in (1, 2)}
    gymnasium, theirs = SyncVectorEnv.__new__(SyncVectorEnv), {}
    gymnasium.num_envs = 3
    for i, info in given.items():
        theirs = gymnasium._add_info(theirs, info, i)
    ours = stacked_infos(given, 3)
    assert ours.keys() == theirs.keys()
    for key in ("x", "_x", "_final_info"):
        assert ours[key].dtype == theirs[key].dtype
        assert (ours[key] == theirs[key]).all()
    for key in ("y", "_y"):
        assert (ours["final_info"][key] == theirs["final_info"][key]).all()


def test_finals_are_there_only_when_an_episode_ended():
    assert stacked_finals({}, 3) == {}
    finals = stacked_finals({1: ({"t": np.ones(2)}, {"x": np.float32(4)})}, 3)
    assert [one is None for one in finals["final_obs"]] == [True, False, True]
    assert finals["_final_obs"].tolist() == finals["_final_info"].tolist() == [False, True, False]
    assert finals["final_info"]["x"].tolist() == [0, 4, 0]
