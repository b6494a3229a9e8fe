"""What runs go on from."""

import pytest
import torch

from av_envs.agents.states import load_state, save_state


def test_what_is_saved_is_loaded(tmp_path):
    save_state(tmp_path / "last.pt", {"weights": {"a": torch.arange(3)}, "done": 2})
    found = load_state(tmp_path / "last.pt")
    assert found["weights"]["a"].tolist() == [0, 1, 2]
    assert found["done"] == 2


@pytest.mark.parametrize("size", [None, 0, 100], ids=["missing", "empty", "cut"])
def test_what_is_damaged_is_named(size, tmp_path):
    path = tmp_path / "last.pt"
    if size is not None:
        save_state(path, {"done": 2})
        path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"last\.pt: is no checkpoint"):
        load_state(path)


def test_pickled_code_is_not_run(tmp_path):
    torch.save({"code": print}, tmp_path / "last.pt")
    with pytest.raises(ValueError, match=r"last\.pt: is no checkpoint of this run"):
        load_state(tmp_path / "last.pt")
