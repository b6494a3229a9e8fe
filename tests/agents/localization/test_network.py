"""The network has the paper's shapes and number of weights."""

import pytest
import torch

from av_envs.agents.localization.network import SIZES, Crnn, CrnnConfig


@pytest.mark.parametrize(
    ("config", "weights"),
    [
        (CrnnConfig(maps=7), 1_553_928),
        (CrnnConfig(maps=10), 1_557_384),
        (CrnnConfig(maps=7, activity=False), 1_520_646),
        (CrnnConfig(maps=6), 1_552_776),
    ],
    ids=["foa", "mic", "without activity", "binaural"],
)
def test_number_of_weights(config, weights):
    assert sum(parameter.numel() for parameter in Crnn(config).parameters()) == weights


def test_shapes_of_every_layer():
    crnn = Crnn(CrnnConfig(maps=7))
    shapes = []
    for layer in crnn.convolutions:
        layer.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    directions, activity = crnn(torch.rand(2, 7, 250, 64))
    pooled = [(128, 50, 32), (128, 50, 16), (128, 50, 8)]
    assert shapes[3::4] == pooled
    assert shapes[0] == (128, 250, 64)
    assert crnn.gru.input_size == 1024
    assert directions.shape == (2, 50, 2, 3)
    assert activity.shape == (2, 50, 2)
    torch.testing.assert_close(directions.norm(dim=-1), torch.ones(2, 50, 2), atol=1e-3, rtol=0)


def test_columns_are_coordinates_by_track():
    """x of all tracks, then y, then z."""
    crnn = Crnn(CrnnConfig(maps=1, filters=2, hidden=2))
    with torch.no_grad():
        crnn.direction[-1].weight.zero_()
        crnn.direction[-1].bias.copy_(torch.tensor([3.0, 0, 0, 0, 4, 5]))
    directions, _ = crnn(torch.rand(1, 1, 5, 64))
    expected = torch.tensor([[0.6, 0, 0.8], [0, 0, 1]])
    torch.testing.assert_close(directions[0, 0], expected, atol=1e-4, rtol=1e-4)


def test_bounded_heads():
    config = CrnnConfig(maps=1, filters=2, hidden=2, bounded=True)
    crnn = Crnn(config)
    with torch.no_grad():
        crnn.activity[-2].bias.fill_(50)
    assert (crnn(torch.rand(1, 1, 5, 64))[1] <= 1).all()


@pytest.mark.parametrize("size", SIZES)
def test_sizes_run(size):
    directions, _ = Crnn(CrnnConfig(maps=3, tracks=1, **SIZES[size])).eval()(
        torch.rand(1, 3, 25, 64)
    )
    assert directions.shape == (1, 5, 1, 3)


def test_four_tracks_are_too_many():
    with pytest.raises(ValueError, match="tracks must be a whole number"):
        CrnnConfig(tracks=4)
