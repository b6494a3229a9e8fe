"""Refiners: identity before training, gains, files, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest
import torch

from av_envs.acoustics.refined import RefinedAcoustics
from av_envs.agents.refinement import Refined, ablate
from av_envs.agents.refinement.flow import SOLVERS
from av_envs.agents.refinement.refiner import FlowRefiner, refiner_config, save_refiner
from av_envs.agents.separation import checkpoints

POSE = np.linspace(-0.5, 0.5, 12).astype(np.float32)


def response(n: int = 16000) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((2, n)).astype(np.float32)
    return noise * np.exp(-np.arange(n, dtype=np.float32) / 2000)


def trained(representation: str, **options) -> FlowRefiner:
    """As if it had learned something, though nothing good."""
    torch.manual_seed(1)
    refiner = FlowRefiner(refiner_config(representation, "tiny", **options)).eval()
    torch.nn.init.normal_(refiner.network.last.weight, std=0.02)
    return refiner


KINDS = [
    ("levels", {}),
    ("levels", {"is_told_start": True}),
    ("waveform", {"samples": 2000}),
    ("waveform", {"samples": 2000, "is_told_dry": True, "is_told_start": True}),
]
IDS = ["levels", "levels_start", "waveform", "waveform_dry"]


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=IDS)
def test_an_untrained_refiner_is_the_identity(kind, options):
    refiner = FlowRefiner(refiner_config(kind, "tiny", **options))
    assert np.array_equal(refiner.refine(response(), POSE), response())


@pytest.mark.parametrize("solver", SOLVERS)
def test_so_it_is_by_every_solver_and_without_a_checkpoint(solver):
    refiner = Refined(solver=solver, steps=3)
    assert np.array_equal(refiner.refine(response()), response())


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=IDS)
def test_refinement_is_as_loud_as_what_is_refined(kind, options):
    refiner = trained(kind, **options)
    once = refiner.refine(response(), POSE)
    assert not np.allclose(once, response(), atol=1e-2)
    louder = refiner.refine(np.float32(8) * response(), POSE)
    np.testing.assert_allclose(louder / 8, once, atol=1e-4)
    assert np.array_equal(once, refiner.refine(response(), POSE))


@pytest.mark.parametrize("n", [16000, 5000])
def test_any_length_is_refined(n):
    for kind in ("levels", "waveform"):
        assert trained(kind).refine(response(n), POSE).shape == (2, n)


def test_only_the_first_samples_of_a_waveform_change():
    found = trained("waveform", samples=2000).refine(response(), POSE)
    assert np.array_equal(found[:, 2000:], response()[:, 2000:])
    assert not np.array_equal(found[:, :2000], response()[:, :2000])


def test_silence_stays_silence():
    assert not trained("levels").refine(np.zeros((2, 16000), np.float32), POSE).any()


def test_the_truth_is_where_the_flow_of_a_perfect_network_ends():
    refiner = FlowRefiner(refiner_config("waveform", "tiny"))
    cheap, truth = response(), response()[:, ::-1].copy()
    start = refiner.start(cheap)
    after = refiner.end(truth, start.scale)
    np.testing.assert_allclose(refiner.signal_at(cheap, start, after), truth, atol=1e-5)


def test_conditions_reach_the_network():
    with_view = trained("levels", view=8)
    seen = [with_view.refine(response(), POSE, view=np.full(8, v)) for v in (0.0, 1.0)]
    assert not np.array_equal(*seen)
    with_dry = trained("waveform", samples=500, is_told_dry=True)
    played = [with_dry.refine(response(), POSE, dry) for dry in (None, response()[0])]
    assert not np.array_equal(*played)


@pytest.fixture
def file(tmp_path) -> Path:
    save_refiner(trained("levels"), tmp_path / "refiner.safetensors", {"command": "none"})
    return tmp_path / "refiner.safetensors"


def test_a_file_brings_the_refiner_back(file):
    refiner = Refined(file, solver="heun", steps=2)
    assert refiner.config == trained("levels").config
    assert refiner.header.made == {"command": "none"}
    kept = trained("levels")
    kept.load_state_dict(refiner.state_dict())
    kept.solver, kept.steps = "heun", 2
    assert np.array_equal(kept.refine(response(), POSE), refiner.refine(response(), POSE))


def test_what_was_trained_by_regression_takes_one_step(tmp_path):
    path = tmp_path / "regression.safetensors"
    save_refiner(trained("levels"), path, {"options": {"objective": "regression"}})
    refiner, once = Refined(path), trained("levels")
    once.load_state_dict(refiner.state_dict())
    once.steps = 1
    assert np.array_equal(refiner.refine(response(), POSE), once.refine(response(), POSE))
    assert Refined(path, steps=1).steps == 1
    for other in ({"steps": 4}, {"solver": "heun"}):
        with pytest.raises(ValueError, match=r"regression\.safetensors: was trained by regression"):
            Refined(path, **other)


def test_files_of_other_versions_and_things_are_refused(file, monkeypatch):
    monkeypatch.setattr(checkpoints, "VERSION", 2)
    with pytest.raises(ValueError, match="networks have version 1, here they have 2"):
        Refined(file)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="'refiner' is wanted"):
        Refined(Path(checkpoints.__file__).parent.parent / "weights" / "separator.safetensors")
    file.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        Refined(file)


def test_a_refiner_of_another_rate_is_refused_by_acoustics(tmp_path):
    refiner = trained("levels")
    refiner.sample_rate = 22_050
    with pytest.raises(ValueError, match="refines signals of 22050 Hz"):
        RefinedAcoustics(None, refiner)


@pytest.mark.parametrize(
    ("signal", "pose", "said"),
    [
        (np.full((2, 100), np.nan), POSE, "samples that are not finite"),
        (np.ones((1, 100)), POSE, r"must be \(2, n\), got \(1, 100\)"),
        (np.ones((2, 100)), None, "give RefinedAcoustics the scene"),
        (np.ones((2, 100)), np.full(12, np.nan), "give RefinedAcoustics the scene"),
    ],
    ids=["nan", "channels", "no_pose", "nan_pose"],
)
def test_what_cannot_be_refined_is_said(signal, pose, said):
    with pytest.raises(ValueError, match=said):
        trained("levels").refine(signal, pose)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"representation": "cepstrum"}, "choose from levels, waveform"),
        ({"size": "huge"}, "choose from tiny, small, paper"),
        ({"pose": "all"}, "choose from none, relative, full"),
        ({"is_told_dry": True}, "only a refiner of waveforms"),
    ],
    ids=["representation", "size", "pose", "dry"],
)
def test_configs_that_cannot_be_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        refiner_config(**{"representation": "levels", "size": "tiny", **options})


def test_no_solver_is_compared_on_what_was_trained_by_regression(tmp_path, capsys):
    path = tmp_path / "regression.safetensors"
    save_refiner(trained("levels"), path, {"options": {"objective": "regression"}})
    with pytest.raises(SystemExit):
        ablate.main(["--refiner", str(path), "--out", str(tmp_path)])
    assert "was trained by regression, which no solver follows" in capsys.readouterr().err
