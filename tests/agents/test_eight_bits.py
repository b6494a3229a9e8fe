"""Weights in 8 bits."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from av_envs.agents.eight_bits import main, shrunk
from av_envs.agents.weight_files import FACTOR, load_weights, read_header, save_weights


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Conv1d(16, 48, 3), nn.Linear(64, 32), nn.Linear(4, 2))
    layers[1].weight.data[5] = 0  # a row of nothing
    layers.register_buffer("count", torch.arange(3))
    return layers


@pytest.fixture
def files(tmp_path):
    save_weights(network(0), tmp_path / "whole", {"agent": "mine"})
    assert main([str(tmp_path / "whole"), "--out", str(tmp_path / "small")]) == 0
    return tmp_path


def test_weights_come_back_within_a_254th_of_the_largest_of_their_row(files):
    whole, small = network(1), network(2)
    load_weights(whole, files / "whole", "network")
    load_weights(small, files / "small", "network")
    for name, value in whole.state_dict().items():
        found = small.state_dict()[name]
        if value.ndim < 2 or value.numel() < 1024:
            assert torch.equal(found, value)
            continue
        rows, others = value.flatten(1), found.flatten(1)
        most = rows.abs().amax(dim=1, keepdim=True) / 254 * 1.001
        assert ((rows - others).abs() <= most).all()
        assert not torch.equal(rows, others)


def test_it_is_half_as_large_and_says_the_same(files):
    whole, small = (files / name for name in ("whole", "small"))
    assert small.stat().st_size < 0.65 * whole.stat().st_size
    said = [read_header(path, "header", "network") for path in (whole, small)]
    assert said[0] == said[1] == {"agent": "mine"}


def test_what_it_keeps():
    kept = shrunk({"a": torch.rand(40, 40), "b": torch.rand(40), "c": torch.ones(99, 99).int()})
    assert {name: value.dtype for name, value in kept.items()} == {
        "a": torch.int8,
        "a" + FACTOR: torch.float32,
        "b": torch.float32,
        "c": torch.int32,
    }
    assert kept["a"].abs().amax(dim=1).tolist() == [127] * 40


def test_weights_that_are_no_numbers_are_still_found(files, tmp_path):
    tensors = load_file(files / "small")
    tensors["0.weight" + FACTOR][3] = torch.nan
    save_file(tensors, str(tmp_path / "broken"))
    with pytest.raises(ValueError, match=r"not finite numbers: 0\.weight"):
        load_weights(network(0), tmp_path / "broken", "network")


def test_a_damaged_file_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"nothing")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "file"), "--out", str(tmp_path / "out")])
    assert "cannot be read as weights" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
