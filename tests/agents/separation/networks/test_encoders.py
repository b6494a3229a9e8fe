"""Layer tables of the paper, and what is left of a sound in bands."""

import numpy as np
import pytest
import torch

from av_envs.agents.adapters.sb3.downsample import downsampled
from av_envs.agents.separation.networks.encoders import (
    BandEncoder,
    SpectrogramEncoder,
    ViewEncoder,
    bands,
    walls,
)


def n_weights(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def ears(left: float, right: float) -> torch.Tensor:
    """The same magnitude everywhere at each ear."""
    return torch.tensor([left, right])[:, None, None].expand(2, 512, 32)


def test_have_the_weights_of_the_paper():
    view = (8 * 8 * 3 + 1) * 32 + (4 * 4 * 32 + 1) * 64 + (3 * 3 * 64 + 1) * 32 + 4609 * 512
    rest = (4 * 4 * 32 + 1) * 64 + (2 * 2 * 64 + 1) * 32 + 33 * 512
    assert n_weights(ViewEncoder()) == view == 2_417_280
    assert n_weights(SpectrogramEncoder(2)) == (8 * 8 * 32 + 1) * 32 + rest == 123_520
    assert n_weights(SpectrogramEncoder(1)) == (8 * 8 * 16 + 1) * 32 + rest == 90_752


def test_bands_tell_levels_on_a_scale_of_90_db():
    loud, quiet = bands(ears(1.0, 1.0)), bands(ears(0.1, 0.1))
    assert loud.shape == (3, 32, 8)
    torch.testing.assert_close(loud[0], torch.full((32, 8), 6 / 9))  # 0 dB of -60 to 30
    torch.testing.assert_close(loud[0] - quiet[0], torch.full((32, 8), 20 / 90))
    assert not bands(ears(0.0, 0.0)).any()
    assert (bands(ears(1e4, 1e4))[0] == 1).all()


def test_bands_tell_which_ear_is_louder():
    left, right = bands(ears(1.0, 0.1)), bands(ears(0.1, 1.0))
    torch.testing.assert_close(left[1], torch.ones(32, 8))  # 20 dB
    torch.testing.assert_close(right[1], -left[1])
    torch.testing.assert_close(right[0], left[0])
    assert not bands(ears(0.0, 1e-4))[1].any()  # nothing that could be heard


def test_loud_bands_tell_more_about_the_ears_than_quiet_ones():
    sound = ears(1.0, 0.1).clone()
    sound[:, 256:] *= 0.01
    _, difference, weighted = bands(sound)
    loud, quiet = difference[:20], difference[-4:]
    torch.testing.assert_close(loud, torch.ones_like(loud))
    torch.testing.assert_close(weighted[:20], loud)
    torch.testing.assert_close(weighted[-4:], 0.01 * quiet)


def test_bands_put_a_bin_where_it_belongs():
    mono = torch.zeros(1, 512, 32)
    mono[0, 500, 9] = 1
    (level,) = bands(mono)
    assert level.nonzero().tolist() == [[31, 2]]
    covered = torch.eye(512)[:, None, :, None].expand(-1, 1, -1, 32)
    assert (bands(covered)[:, 0, :, 0] > 0).sum(dim=1).tolist() == [1] * 512


def test_bands_are_those_of_the_small_observations():
    magnitudes = np.random.default_rng(0).exponential(0.3, (5, 2, 512, 32)).astype(np.float32)
    expected = downsampled({"mixture": np.log1p(magnitudes)})["mixture"]
    found = bands(torch.from_numpy(magnitudes))[..., :2, :, :]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_negative_is_silence():
    mono = torch.rand(3, 4, 1, 512, 32) - 0.5
    assert torch.equal(bands(mono), bands(mono.clamp(min=0)))
    encoder = SpectrogramEncoder(1, (2, 2, 2), 8)
    assert torch.equal(encoder(mono[0]), encoder(mono[0].clamp(min=0)))


def test_reduced_sounds_and_whole_ones_are_the_same_to_an_encoder():
    torch.manual_seed(0)
    encoder, binaural = BandEncoder(2, 16), torch.rand(3, 2, 512, 32)
    assert encoder(binaural).shape == (3, 16)
    assert torch.equal(encoder(binaural), encoder(bands(binaural)))


@pytest.mark.parametrize("inputs", [1, 2])
def test_every_slice_of_a_spectrogram_is_heard(inputs):
    torch.manual_seed(0)
    encoder = SpectrogramEncoder(inputs)
    sound = torch.rand(1, inputs, 512, 32)
    before = encoder(sound)
    assert before.shape == (1, 512)
    for band in range(16):
        other = sound.clone()
        other[0, -1, band * 32 + 5] += 3
        assert not torch.equal(encoder(other), before), f"band {band}"


def test_a_view_is_read_from_bytes():
    torch.manual_seed(0)
    encoder = ViewEncoder((4, 4, 4), 16)
    rgb = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)
    seen = encoder(rgb)
    assert seen.shape == (2, 16)
    first, second, third = encoder.convolutions
    planes = third(second(first(rgb.permute(0, 3, 1, 2) / 255).relu()).relu())
    torch.testing.assert_close(seen, encoder.dense(planes.flatten(1)).relu())


def test_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"rgb must be \(B, 128, 128, 3\) uint8.*float32"):
        ViewEncoder()(torch.zeros(1, 128, 128, 3))
    with pytest.raises(ValueError, match=r"spectrograms must be \(B, 2, 512, 32\)"):
        SpectrogramEncoder(2)(torch.zeros(1, 1, 512, 32))
    with pytest.raises(ValueError, match=r"not bands already must be \(B, 2, 512, 32\)"):
        BandEncoder(2)(torch.zeros(1, 1, 32, 8))
    for shape in [(3, 512, 32), (512, 32), (2, 256, 32)]:
        with pytest.raises(ValueError, match=r"spectrogram must be \(\.\.\., 1 or 2, 512, 32\)"):
            bands(torch.zeros(shape))


def test_walls_are_how_near_the_nearest_of_each_column_is():
    depth = torch.ones(1, 128, 128, 1)
    depth[0, 60, 9] = 0.3  # in the second column of sixteen
    depth[0, 120, 40] = 0.1  # the floor at one's feet
    found = walls(depth)[0]
    assert found[1].item() == pytest.approx(0.7)
    assert found.sum().item() == pytest.approx(0.7)
    with pytest.raises(ValueError, match="depth must be"):
        walls(depth[:, :64])
