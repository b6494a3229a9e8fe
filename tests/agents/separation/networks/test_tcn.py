"""Convolutions over frames."""

import pytest
import torch
from torch import nn

from av_envs.agents.separation.networks.tcn import FilmBlock, FrameConv, TCNConfig, TCNExtractor


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 4), (5, 2)], ids=str)
def test_a_frame_conv_is_a_convolution(kernel, dilation):
    padding = dilation * (kernel - 1) // 2
    torch.manual_seed(0)
    mine = FrameConv(6, 10, kernel, padding=padding, dilation=dilation)
    other = nn.Conv1d(6, 10, kernel, padding=padding, dilation=dilation)
    other.load_state_dict(mine.state_dict())
    x = torch.randn(2, 32, 6)
    torch.testing.assert_close(mine(x), other(x.transpose(1, 2)).transpose(1, 2))


def test_a_block_normalises_all_of_a_second():
    """What it adds is blind to the level and the offset of its input."""
    torch.manual_seed(1)
    block = FilmBlock(8, 4, 3, 1)
    x, embedding = torch.randn(2, 32, 8), torch.randn(2, 4)
    added = block(x, embedding) - x
    torch.testing.assert_close(block(3 * x + 1, embedding) - (3 * x + 1), added, atol=1e-4, rtol=0)


def test_a_mask_belongs_to_its_bin():
    """An image is nowhere where nothing is heard."""
    extractor = TCNExtractor(3, TCNConfig(width=8))
    mixture = torch.zeros(1, 2, 512, 32)
    mixture[0, 1, 100, 7] = 2.0
    image, hidden = extractor(mixture, torch.tensor([1]))
    assert hidden.shape == (1, 32, 8)
    assert image.nonzero().tolist() == [[0, 1, 100, 7]]
