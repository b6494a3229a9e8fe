"""The network of the flow: its size, its field, and that it is zero before it has learned."""

import pytest
import torch

from av_envs.agents.refinement.network import SIZES, FlowConfig, FlowNetwork, encoded_pose

TOLD = {"conditions": 1, "pose": 12, "view": 5}


def told(batch: int, n: int) -> list[torch.Tensor]:
    return [torch.randn(batch, 1, n), torch.randn(batch, 12), torch.randn(batch, 5)]


@pytest.mark.parametrize(
    ("channels", "millions"), [(32, 1.23), (64, 2.62), (128, 6.89)], ids=["32", "64", "128"]
)
def test_thirty_blocks_have_the_weights_of_the_papers_completion(channels, millions):
    """Without the networks that read the conditions, whose inputs it leaves open."""
    network = FlowNetwork(FlowConfig(channels=channels, conditions=1, pose=12))
    of_conditions = sum(p.numel() for p in network.told.parameters())
    total = sum(p.numel() for p in network.parameters())
    assert round((total - of_conditions) / 1e6, 2) == millions


def test_sizes_are_of_growing_networks():
    assert SIZES["paper"] == {"channels": 64, "blocks": 30}
    counts = [
        sum(p.numel() for p in FlowNetwork(FlowConfig(**SIZES[name])).parameters())
        for name in ("tiny", "small", "paper")
    ]
    assert counts == sorted(counts)


def test_an_untrained_network_is_zero():
    network = FlowNetwork(FlowConfig(**SIZES["tiny"], **TOLD))
    found = network(torch.randn(2, 2, 50), torch.rand(2), *told(2, 50))
    assert found.shape == (2, 2, 50)
    assert not found.any()


def test_the_field_of_the_paper():
    config = FlowConfig()
    assert config.dilations == tuple(2**k for k in range(10)) * 3
    assert config.receptive_field == 1 + 2 * sum(config.dilations) == 6139


def test_an_output_depends_on_its_field_and_nothing_else():
    torch.manual_seed(0)
    config = FlowConfig(channels=16, blocks=5, cycle=3)
    network = FlowNetwork(config)
    torch.nn.init.normal_(network.last.weight)
    at = torch.randn(1, 2, 61, requires_grad=True)
    network(at, torch.zeros(1))[0, :, 30].sum().backward()
    touched = at.grad[0].abs().sum(dim=0).nonzero().flatten()
    assert config.receptive_field == 1 + 2 * (1 + 2 + 4 + 1 + 2)
    assert touched[-1] - touched[0] + 1 == config.receptive_field


def test_time_and_every_condition_matter():
    torch.manual_seed(0)
    network = FlowNetwork(FlowConfig(**SIZES["tiny"], **TOLD))
    torch.nn.init.normal_(network.last.weight)
    at, time, given = torch.randn(1, 2, 40), torch.tensor([0.3]), told(1, 40)
    before = network(at, time, *given)
    assert not torch.equal(before, network(at, time + 0.2, *given))
    for k, value in enumerate(given):
        other = [*given]
        other[k] = value + 1
        assert not torch.equal(before, network(at, time, *other))


@pytest.mark.parametrize(
    ("name", "position"), [("conditions", 0), ("pose", 1), ("view", 2)], ids=TOLD
)
def test_a_condition_that_lacks_is_named(name, position):
    network = FlowNetwork(FlowConfig(**SIZES["tiny"], **TOLD))
    given = told(1, 10)
    given[position] = None
    with pytest.raises(ValueError, match=f"values of {name}, got none"):
        network(torch.zeros(1, 2, 10), torch.zeros(1), *given)


def test_poses_are_told_in_octaves():
    found = encoded_pose(torch.tensor([[0.5, 0.0]]))
    assert found.shape == (1, 2 * 9)
    assert found[0, :2].tolist() == [0.5, 0.0]
    assert found[0, 2].item() == pytest.approx(1)  # sin(pi / 2)
