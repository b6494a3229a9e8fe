"""In torch a house sounds as it does in numba: responses, mixtures, spectrograms."""

import numpy as np
import pytest
import torch

from av_envs.acoustics import spectrogram
from av_envs.acoustics.binaural import _hash, binaural_response, ear_tables
from av_envs.acoustics.convolution import N_BINS, response_spectra
from av_envs.scene import scene_name
from av_envs.separation import metrics
from av_envs.separation.audio import (
    RenderRequest,
    corpus_of,
    dry_sounds,
    render_batch,
    target_second,
)
from av_envs.separation.config import SeparationConfig
from av_envs.separation.device import audio, binaural, scoring
from av_envs.separation.episode import Sound
from av_envs.worlds.traced import open_dwelling

CPU = torch.device("cpu")
SOURCES = (3, 40, 71)  # nodes
CLIPS = ("voice-03/train-1", "music/train-0", "ambience/train-2")


@pytest.fixture(scope="module")
def dwelling():
    return open_dwelling(scene_name("train", 0), 1.0)


@pytest.fixture(scope="module")
def poses(dwelling):
    """Source, receiver and heading of pairs near, far, and on the same node."""
    n = len(dwelling.scene.graph)
    rng = np.random.default_rng(0)
    sources = rng.choice(SOURCES, 24)
    receivers = rng.integers(n, size=24)
    receivers[:3] = sources[:3]
    return sources, receivers, np.arange(24) % 4


def packed(dwelling, sources, receivers):
    rows = [dwelling.acoustics.bank.row(int(s))[r] for s, r in zip(sources, receivers, strict=True)]
    return torch.tensor(np.stack(rows).view(np.uint8).reshape(len(rows), -1))


def responses(dwelling, sources, receivers, headings):
    salts = torch.tensor(sources * len(dwelling.scene.graph) + receivers)
    ears = binaural.ears_on(ear_tables(), CPU)
    codes = packed(dwelling, sources, receivers)
    return binaural.binaural_responses(codes, torch.tensor(headings), salts, ears)


def assert_near(ours, theirs, tolerance):
    """Norm of the difference over the norm, row by row."""
    ours, theirs = (np.asarray(rows).reshape(len(rows), -1) for rows in (ours, theirs))
    errors = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
    assert errors.max() < tolerance


def test_the_noise_of_a_pair_is_picked_by_the_same_number():
    rng = np.random.default_rng(0)
    salts = [0, 1, 2**40, 2**62, *rng.integers(2**20, size=500).tolist()]
    assert binaural.mixed_salt(torch.tensor(salts)).tolist() == [_hash(salt) for salt in salts]


def test_responses_are_those_of_numba(dwelling, poses):
    ours = responses(dwelling, *poses)
    theirs = [dwelling.acoustics.rir(int(s), int(r), int(h)) for s, r, h in zip(*poses)]  # noqa: B905
    assert_near(ours, theirs, 1e-6)


def test_an_empty_response_is_silent(dwelling):
    nothing = torch.zeros(2, 914, dtype=torch.uint8)
    ears = binaural.ears_on(ear_tables(), CPU)
    out = binaural.binaural_responses(nothing, torch.tensor([0, 3]), torch.tensor([1, 2]), ears)
    assert not out.any()


def test_any_codes_mean_the_same():
    """Random bytes: loudest and latest paths, gaps in decays, all directions."""
    from av_envs.acoustics.response import RESPONSE

    rng = np.random.default_rng(1)
    codes = rng.integers(256, size=(8, RESPONSE.itemsize), dtype=np.uint8)
    rows = codes.view(RESPONSE)[:, 0]
    rows["n_paths"] %= 17
    rows["energy"][:4] %= 160
    rows["energy"][2, 30:] = 0
    headings, salts = np.arange(8) % 4, np.arange(8) * 977
    ears = binaural.ears_on(ear_tables(), CPU)
    ours = binaural.binaural_responses(
        torch.tensor(codes), torch.tensor(headings), torch.tensor(salts), ears
    )
    theirs = [
        binaural_response(row, int(heading), int(salt), ear_tables())
        for row, heading, salt in zip(rows, headings, salts, strict=True)
    ]
    assert_near(ours, theirs, 1e-5)


def test_transforms_are_those_of_numba():
    rng = np.random.default_rng(2)
    signals = rng.standard_normal((3, 16000)).astype(np.float32)
    windows = audio.windows_on(CPU)
    spectra = spectrogram.stft(signals)
    assert_near(audio.stft(torch.tensor(signals), windows).mT, spectra, 1e-6)
    changed = spectra * rng.random(spectra.shape, np.float32)
    back = audio.istft(torch.tensor(changed).mT, windows)
    assert_near(back, spectrogram.istft(changed, 16000), 1e-6)


@pytest.mark.parametrize("convolution", ["causal", "legacy_same"])
@pytest.mark.parametrize("n_sources", [1, 2, 3])
def test_a_second_is_heard_as_in_numba(dwelling, n_sources, convolution):
    config = SeparationConfig(num_sources=n_sources, start="near", convolution=convolution)
    sounds = [Sound(s, 0, c, 5) for s, c in zip(SOURCES, CLIPS, strict=True)][:n_sources]
    dry = dry_sounds(config, tuple(sounds), 2)
    sources = np.array(SOURCES[:n_sources])
    theirs, spectra = [], []
    for node, heading in ((10, 1), (60, 2)):
        ears = np.empty((n_sources, 2, 16000), np.float32)
        dwelling.acoustics.rirs_into(sources, node, heading, ears)
        spectra.append(response_spectra(ears))
        theirs += render_batch([RenderRequest(dry, spectra[-1:], with_image=True)], convolution)[0]
    windows = np.empty((n_sources, 32000), np.float32)
    for row, sound in zip(windows, sounds, strict=True):
        corpus_of("embedded").window(sound.clip, 7, row)
    ours = audio.dry_spectra(torch.tensor(windows), convolution).expand(2, -1, -1)
    mixed = audio.mix(ours, torch.tensor(np.stack(spectra)))
    waveforms = audio.heard_second(mixed.ears, convolution, n_sources)
    magnitudes = audio.stft(waveforms, audio.windows_on(CPU)).abs().mT
    assert mixed.better.tolist() == [heard.better_ear for heard in theirs]
    ratios = [heard.target_to_rest_db for heard in theirs]
    np.testing.assert_allclose(mixed.target_to_rest_db, ratios, atol=1e-3)
    image = audio.heard_second(mixed.image, convolution, n_sources)
    magnitudes_alone = audio.stft(image, audio.windows_on(CPU)).abs()[:, 0].mT
    assert_near(magnitudes_alone, [heard.image for heard in theirs], 1e-3)
    assert_near(waveforms, [heard.waveform for heard in theirs], 1e-3)
    assert_near(magnitudes, [heard.spectrogram for heard in theirs], 1e-3)


def test_the_ground_truth_is_that_of_numba():
    config, sound = SeparationConfig(), Sound(0, 0, CLIPS[0], 5)
    theirs = target_second(config, sound, 2)
    ours = audio.ground_truth(torch.tensor(theirs.dry)[None], audio.windows_on(CPU))
    assert_near(ours.magnitude.mT, theirs.magnitude[None], 1e-6)
    audible = theirs.magnitude > 1e-3
    np.testing.assert_allclose(ours.phase[0].mT[audible], theirs.phase[audible], atol=1e-3)
    silent = audio.ground_truth(torch.zeros(1, 16000), audio.windows_on(CPU))
    assert not silent.magnitude.any()
    assert not silent.phase.any()


@pytest.mark.parametrize("silent", [(0,), (1,), (0, 1)])
def test_silence_has_the_floors_of_numba(silent):
    rng = np.random.default_rng(0)
    dry, responses = (
        rng.standard_normal((*shape, N_BINS, 2), np.float32).view(np.complex64)[..., 0]
        for shape in ((2,), (2, 2))
    )
    dry[list(silent)] = 0
    (theirs,) = render_batch([RenderRequest(dry, [responses], with_image=True)], "causal")[0]
    mixed = audio.mix(torch.tensor(dry)[None], torch.tensor(responses)[None])
    assert mixed.better.tolist() == [theirs.better_ear]
    assert mixed.target_to_rest_db.tolist() == [theirs.target_to_rest_db]
    assert mixed.image.abs().max() == 0 or 0 not in silent


@pytest.mark.parametrize("value", [0.0, 0.1, -1.0, 1e3])
def test_a_constant_scores_as_in_numba(value):
    target = np.sin(np.arange(16000) / 20).astype(np.float32)
    estimates = torch.full((1, 1, 16000), value)
    ours = scoring.si_sdr(estimates, torch.tensor(target)[None])
    assert ours.item() == pytest.approx(-100, abs=1e-4)
    assert metrics.si_sdr(estimates[0, 0].numpy(), target) == pytest.approx(-100, abs=1e-4)
    assert scoring.si_sdr(estimates + torch.tensor(target), torch.tensor(target)[None]).item() > 60
