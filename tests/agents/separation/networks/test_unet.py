"""The layer tables of the paper, what the class does, and that the estimate is what is said."""

import pytest
import torch

from av_envs.agents.separation.networks.slicing import joined, sliced
from av_envs.agents.separation.networks.unet import WIDTHS, UNetConverter, UNetExtractor

TINY = (4, 4, 8, 8, 8)
N_CLASSES = 102


def n_weights(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def paper_weights(inputs: int, outputs: int) -> int:
    """Of the table in the paper's code, level by level."""
    down = [(inputs, 64), (64, 128), (128, 256), (256, 512), (512, 512)]
    up = [(512, 512), (1024, 256), (512, 128), (256, 64), (128, outputs)]
    convolutions = sum(16 * before * after for before, after in down + up)  # kernels of 4 x 4
    norms = sum(2 * after for _, after in down + up)
    return convolutions + norms + outputs * outputs + outputs


def mixture_of(size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(size, 2, 512, 32, generator=torch.Generator().manual_seed(seed))


def tiny(**options) -> UNetExtractor:
    torch.manual_seed(0)
    return UNetExtractor(5, TINY, **options).eval()


def test_has_the_weights_of_the_paper():
    extractor, converter = n_weights(UNetExtractor(N_CLASSES)), n_weights(UNetConverter())
    assert extractor == paper_weights(33, 32) == 16_751_456
    assert converter == paper_weights(32, 16) == 16_716_848
    assert [round(count / 1e6, 2) for count in (extractor, converter)] == [16.75, 16.72]


def test_small_ones_are_small():
    extractor = UNetExtractor(N_CLASSES, WIDTHS["small"], class_input="film")
    assert n_weights(extractor) == 1_768_448
    assert n_weights(UNetConverter(WIDTHS["small"])) == 1_647_904


def test_slices_are_bands_of_neighbouring_bins():
    spectrograms = torch.arange(2 * 2 * 512 * 32.0).reshape(2, 2, 512, 32)
    planes = sliced(spectrograms)
    assert planes.shape == (2, 32, 32, 32)
    assert torch.equal(planes[1, 16 + 3], spectrograms[1, 1, 3 * 32 : 4 * 32])
    assert torch.equal(joined(planes), spectrograms)


@pytest.mark.parametrize("class_input", ["plane", "film"])
@pytest.mark.parametrize("output", ["mask", "direct"])
def test_shape_and_class(class_input, output):
    extractor = tiny(class_input=class_input, output=output)
    mixture = mixture_of(3)
    estimate = extractor(mixture, torch.tensor([0, 1, 4]))
    other = extractor(mixture, torch.tensor([0, 2, 4]))
    assert estimate.shape == (3, 2, 512, 32)
    changed = (estimate != other).flatten(1).any(dim=1)
    assert changed.tolist() == [False, True, False]


def test_the_plane_holds_the_label_plus_one():
    extractor, seen = tiny(), []
    extractor.unet.down[0].register_forward_hook(lambda layer, inputs, _: seen.append(inputs[0]))
    mixture = mixture_of(2)
    extractor(mixture, torch.tensor([0, 4]))
    (planes,) = seen
    torch.testing.assert_close(planes[:, :32], sliced(mixture.log1p()))
    assert planes[:, 32].unique(dim=0)[:, 0, 0].tolist() == [1, 5]


def test_a_mask_of_one_is_the_mixture_and_nothing_bounds_it():
    extractor = tiny()
    torch.nn.init.zeros_(extractor.unet.last.weight)
    mixture, label = mixture_of(2), torch.tensor([1, 2])
    for ratio in (1.0, -3.0, 20.0):
        torch.nn.init.constant_(extractor.unet.last.bias, ratio)
        torch.testing.assert_close(extractor(mixture, label), ratio * mixture)


def test_a_direct_output_is_not_multiplied_by_the_mixture():
    extractor = tiny(output="direct")
    torch.nn.init.zeros_(extractor.unet.last.weight)
    torch.nn.init.constant_(extractor.unet.last.bias, 0.5)
    assert (extractor(mixture_of(2), torch.tensor([1, 2])) == 0.5).all()


def test_the_converter_takes_what_is_negative_as_silence():
    torch.manual_seed(0)
    converter = UNetConverter(TINY).eval()
    binaural = mixture_of(2) - 0.5
    mono = converter(binaural)
    assert mono.shape == (2, 512, 32)
    assert torch.equal(mono, converter(binaural.clamp(min=0)))
    assert (mono < 0).any()  # no output activation


@pytest.mark.parametrize("class_input", ["plane", "film"])
def test_every_weight_learns(class_input):
    torch.manual_seed(0)
    extractor, converter = UNetExtractor(5, TINY, class_input), UNetConverter(TINY)
    estimate = extractor(mixture_of(4), torch.tensor([0, 1, 2, 3]))
    converter(estimate).square().mean().backward()
    for module in (extractor, converter):
        for name, weights in module.named_parameters():
            assert weights.grad is not None, f"{name} is not used"
            assert weights.grad.isfinite().all(), name
            assert weights.grad.any(), name


def test_learns_to_name_one_of_two_sources():
    """High and low sounds together; the class says which one is asked for."""
    torch.manual_seed(0)
    extractor = UNetExtractor(2, TINY, "film")
    optimiser = torch.optim.Adam(extractor.parameters(), 1e-2)
    is_low = (torch.arange(512) < 256)[None, None, :, None].float()
    for k in range(25):
        mixture, label = mixture_of(8, seed=k), torch.arange(8) % 2
        is_asked = torch.where(label.view(-1, 1, 1, 1) == 0, is_low, 1 - is_low)
        loss = (extractor(mixture, label) - mixture * is_asked).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1  # the mixture itself is 0.25 off


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: UNetExtractor(0), "n_classes must be at least 1; got 0", id="classes"),
        pytest.param(
            lambda: UNetExtractor(5, TINY, "one-hot"), "class_input.*plane, film.*one-hot", id="how"
        ),
        pytest.param(
            lambda: UNetExtractor(5, TINY, output="wave"), "output.*mask, direct.*wave", id="what"
        ),
        pytest.param(lambda: UNetConverter((4, 4)), "widths must be 5 numbers", id="widths"),
    ],
)
def test_refuses_forms_that_do_not_exist(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("shape", "labels", "message"),
    [
        pytest.param((2, 1, 512, 32), [0, 1], r"mixture must be \(B, 2, 512, 32\)", id="one ear"),
        pytest.param((2, 2, 512, 32), [0], r"label must be \(2,\)", id="few labels"),
        pytest.param((2, 2, 512, 32), [0, 5], r"labels must be 0..4; got 0..5", id="high label"),
        pytest.param((2, 2, 512, 32), [-1, 1], r"labels must be 0..4; got -1..1", id="low label"),
    ],
)
def test_refuses_input_that_does_not_fit(shape, labels, message):
    with pytest.raises(ValueError, match=message):
        tiny()(torch.zeros(shape), torch.tensor(labels))
    with pytest.raises(ValueError, match=r"binaural must be \(B, 2, 512, 32\)"):
        UNetConverter(TINY)(torch.zeros(2, 512, 32))
