"""What separators compute, what they are built of, and the losses that they learn by."""

import json
import math
from dataclasses import asdict

import pytest
import torch

from av_envs.agents.separation.networks.unet import WIDTHS
from av_envs.agents.separation.separator import (
    EPSILON,
    FLOOR,
    LOSSES,
    SIZES,
    Separator,
    SeparatorConfig,
    config_from,
    l1,
    log_nmse,
    minus_si_sdr,
    separator_config,
)
from tests.agents.separation.small_networks import small_separator

FORMS = {
    "tcn": {},
    "unet": {"extractor": "unet", "converter": "unet", "widths": WIDTHS["small"]},
    "tcn and unet": {"converter": "unet", "widths": WIDTHS["small"]},
    "unet and tcn": {"extractor": "unet", "widths": WIDTHS["small"]},
}


def n_weights(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def seconds(rows: int = 2, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.rand(rows, 2, 512, 32)


def test_the_paper_has_its_numbers_of_weights():
    separator = Separator(separator_config("paper", 11))
    assert n_weights(separator.extractor) == 16_751_456
    assert n_weights(separator.converter) == 16_716_848
    config = separator.config
    assert (config.loss, config.detached, config.class_input) == ("l1", True, "plane")


@pytest.mark.parametrize("form", FORMS)
def test_shapes_and_signs(form):
    image, dry = small_separator(5, **FORMS[form])(seconds(), torch.tensor([0, 4]))
    assert image.shape == (2, 2, 512, 32)
    assert dry.shape == (2, 512, 32)
    if form == "tcn":
        assert (image >= 0).all()
        assert (dry >= 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_another_class_is_another_estimate(form):
    separator, mixture = small_separator(5, **FORMS[form]), seconds(1)
    told = [separator(mixture, torch.tensor([label]))[1] for label in (0, 0, 3)]
    assert torch.equal(told[0], told[1])
    assert (told[0] - told[2]).abs().max() > 1e-4


def test_rows_of_a_batch_do_not_meet():
    separator, mixture, label = small_separator(5), seconds(3), torch.tensor([1, 0, 2])
    together = separator(mixture, label)[1]
    for k in range(3):
        alone = separator(mixture[k : k + 1], label[k : k + 1])[1][0]
        torch.testing.assert_close(together[k], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("detached", [False, True])
def test_what_the_loss_of_the_converter_teaches(form, detached):
    separator = small_separator(5, detached=detached, **FORMS[form]).train()
    separator(seconds(), torch.tensor([0, 1]))[1].square().sum().backward()
    taught = any(weight.grad is not None for weight in separator.extractor.parameters())
    assert taught != detached
    assert all(weight.grad is not None for weight in separator.converter.parameters())


def test_the_loss_adds_image_and_dry_sound():
    separator, mixture, label = small_separator(5), seconds(), torch.tensor([0, 1])
    image, dry = separator(mixture, label)
    found = separator.loss(mixture, label, 2 * image, 3 * dry)
    expected = log_nmse(image, 2 * image) + log_nmse(dry, 3 * dry)
    assert found.item() == pytest.approx(expected.item())


def test_a_silent_estimate_has_no_decibels_to_its_credit():
    truth = torch.rand(3, 512, 32) + 0.1
    assert log_nmse(torch.zeros_like(truth), truth).item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_logarithm_of_the_error_counts_decibels(share):
    truth = torch.rand(3, 512, 32) + 0.1
    found = log_nmse((1 + share) * truth, truth)
    assert found.item() == pytest.approx(math.log10(share**2 + FLOOR), abs=1e-3)


def test_loud_and_quiet_pairs_count_alike():
    truth = torch.rand(2, 512, 32) + 0.1
    estimate = truth + 0.1 * torch.rand_like(truth)
    scaled = torch.tensor([1.0, 100.0])[:, None, None]
    apart = log_nmse(estimate * scaled, truth * scaled)
    assert apart.item() == pytest.approx(log_nmse(estimate, truth).item(), abs=1e-3)


def test_l1_is_the_mean_difference():
    assert l1(torch.tensor([[1.0, 4.0]]), torch.tensor([[2.0, 2.0]])).item() == 1.5


def test_the_ratio_of_a_known_estimate():
    along = torch.tensor([[1.2, 0.0, 1.2, 0.0]])
    across = torch.tensor([[0.0, 0.12, 0.0, 0.12]])
    kept, lost = 2 * 1.2**2, 2 * 0.12**2
    level = (across.square().mean() / 1.44).item()
    expected = 0.1 * level - math.log10(kept / (lost + EPSILON) + FLOOR)
    assert minus_si_sdr(along + across, along).item() == pytest.approx(expected, rel=1e-5)


def test_the_ratio_leaves_the_level_to_the_error():
    truth = torch.rand(1, 512, 32) + 0.1
    estimate = truth + 0.1 * torch.rand_like(truth)
    one, two = (minus_si_sdr(factor * estimate, truth).item() for factor in (1.0, 2.0))
    assert two > one
    levels = [((f * estimate - truth).square().mean() / 1.44).item() for f in (1.0, 2.0)]
    assert two - one == pytest.approx(0.1 * (levels[1] - levels[0]), abs=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_lowest_at_the_truth_and_has_gradients(loss):
    truth = torch.rand(2, 512, 32) + 0.1
    for estimate in (truth.clone(), 1.5 * truth + 0.1 * torch.rand_like(truth), 0 * truth):
        estimate.requires_grad_()
        found = LOSSES[loss](estimate, truth)
        found.backward()
        assert estimate.grad.isfinite().all()
        assert found >= LOSSES[loss](truth, truth) - 1e-6


@pytest.mark.parametrize("size", SIZES)
def test_a_configuration_survives_json(size):
    config = separator_config(size, 7, loss="si_sdr")
    assert config.loss == "si_sdr"
    assert config_from(json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    ("option", "value"), [("extractor", "gru"), ("converter", "gru"), ("loss", "l2")]
)
def test_choices_are_named(option, value):
    with pytest.raises(ValueError, match=f"{option} '{value}' does not exist; choose from"):
        SeparatorConfig(5, **{option: value})


def test_sizes_are_named():
    with pytest.raises(ValueError, match="size 'large' does not exist; choose from small, paper"):
        separator_config("large", 5)
