"""Which ear hears it first."""

import pytest
import torch

from av_envs.agents.separation.networks.delays import LAGS, delays, spectra_by_torch, spectra_of

SECOND = 16000
MIDDLE = LAGS // 2


def noise(seed: int) -> torch.Tensor:
    return torch.randn(SECOND + 40, generator=torch.Generator().manual_seed(seed))


def at_both_ears(sound: torch.Tensor, lag: int) -> torch.Tensor:
    """(1, 2, 16000); with a positive lag the left ear hears it so many samples earlier."""
    return torch.stack([sound[20 : 20 + SECOND], sound[20 - lag : 20 - lag + SECOND]])[None]


def magnitude(waveform: torch.Tensor) -> torch.Tensor:
    window = torch.hann_window(1023)
    spectra = torch.stft(
        waveform.flatten(0, 1), 1023, 512, window=window, pad_mode="constant", return_complex=True
    )
    return spectra.abs().unflatten(0, (-1, 2))


@pytest.mark.parametrize("lag", [-11, 0, 7], ids=str)
def test_the_peak_is_at_the_delay(lag):
    waveform = at_both_ears(noise(0), lag)
    mixture = magnitude(waveform)
    found = delays(spectra_of(waveform), mixture, mixture)
    assert (found.argmax(dim=-1) - MIDDLE == -lag).all()
    torch.testing.assert_close(found.amax(dim=-1), torch.full((1, 4), 2.0), atol=0.1, rtol=0)


def test_a_separated_image_has_the_delay_of_its_source():
    """Two sources share no bin: one has the low frequencies, the other one the high ones."""
    low, high = at_both_ears(noise(1), 6), at_both_ears(noise(2), -9)
    spectra = torch.fft.rfft(torch.stack([low, high]))
    spectra[0, ..., 4000:] = 0
    spectra[1, ..., :4000] = 0
    low, high = torch.fft.irfft(spectra, n=SECOND)
    waveform = low + high
    mixture = magnitude(waveform)
    for image, lag in ((magnitude(low), 6), (magnitude(high), -9)):
        found = delays(spectra_of(waveform), mixture, image)[0, 2:]
        assert (found.argmax(dim=-1) - MIDDLE == -lag).all()


def test_spectra_are_the_same_on_every_device():
    waveform = at_both_ears(noise(5), 3)
    torch.testing.assert_close(
        spectra_of(waveform), spectra_by_torch(waveform), atol=1e-4, rtol=1e-4
    )


def test_silence_has_no_delay():
    nothing = torch.zeros(2, 2, 512, 32)
    assert not delays(spectra_of(torch.zeros(2, 2, SECOND)), nothing, nothing).any()


def test_exchanged_ears_are_mirrored_lags():
    waveform = torch.randn(1, 2, SECOND, generator=torch.Generator().manual_seed(3))
    mixture = magnitude(waveform)
    image = mixture * torch.rand(mixture.shape, generator=torch.Generator().manual_seed(4))
    here = delays(spectra_of(waveform), mixture, image)
    there = delays(spectra_of(waveform.flip(1)), mixture.flip(1), image.flip(1))
    torch.testing.assert_close(here.flip(-1), there, atol=1e-4, rtol=0)


def test_a_waveform_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"waveform must be \(B, 2, 16000\); got \(1, 2, 8000\)"):
        spectra_of(torch.zeros(1, 2, 8000))
