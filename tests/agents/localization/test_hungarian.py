"""Hnet: its size, its loss, its file."""

import math

import pytest
import torch

from av_envs.agents.localization.hungarian import Hnet, HnetConfig, hnet_loss, load_hnet, save_hnet


@pytest.mark.parametrize(("tracks", "weights"), [(2, 100_098), (3, 100_611), (4, 101_124)])
def test_number_of_weights(tracks, weights):
    hnet = Hnet(HnetConfig(tracks))
    assert sum(parameter.numel() for parameter in hnet.parameters()) == weights


def test_outputs():
    logits, rows, columns = Hnet()(torch.rand(7, 2, 2))
    assert logits.shape == (7, 2, 2)
    torch.testing.assert_close(rows, logits.max(dim=2).values)
    torch.testing.assert_close(columns, logits.max(dim=1).values)


def test_loss_of_knowing_nothing():
    """Four cells, two rows and two columns at even odds."""
    nothing = (torch.zeros(5, 2, 2), torch.zeros(5, 2), torch.zeros(5, 2))
    association = torch.eye(2).expand(5, 2, 2)
    assert hnet_loss(nothing, association).item() == pytest.approx(8 * math.log(2))
    certain = (40 * (2 * association - 1), torch.full((5, 2), 40.0), torch.full((5, 2), 40.0))
    assert hnet_loss(certain, association).item() < 1e-9


def test_a_file_gives_it_back_frozen(tmp_path):
    hnet = Hnet(HnetConfig(3, 16))
    save_hnet(hnet, tmp_path / "hnet.safetensors", {"command": "a test"})
    kept = load_hnet(tmp_path / "hnet.safetensors")
    assert kept.config == hnet.config
    assert not any(parameter.requires_grad for parameter in kept.parameters())
    distance = torch.rand(4, 3, 3)
    torch.testing.assert_close(kept(distance)[0], hnet(distance)[0], atol=1e-2, rtol=1e-2)


def test_another_file_is_named(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        load_hnet(tmp_path / "x.safetensors")


def test_what_is_far_is_all_alike():
    near = torch.rand(4, 2, 2) * 2
    away = torch.tensor([[False, True], [True, True]])
    hnet = Hnet()
    one, other = (hnet(torch.where(away, far, near))[0] for far in (10.0, 170.0))
    torch.testing.assert_close(one, other)
