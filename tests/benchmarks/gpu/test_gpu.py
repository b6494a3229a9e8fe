"""The command for whoever has a GPU, on the processor with tiny sizes."""

import json

import pytest

from av_envs.benchmarks.gpu import command as gpu
from av_envs.benchmarks.gpu import parts as gpu_parts
from av_envs.benchmarks.gpu import report

pytest.importorskip("torch", reason="needs torch: av-envs[agents]")
pytestmark = pytest.mark.usefixtures("one_torch_thread")
KNOWN = {  # what each part must say, besides how long it took
    "speed": {"num_envs", "pictures", "steps_per_s", "ms_step", "tables_gb"},
    "agreement": {"same_poses", "same_pictures", "spectrogram", "decibels"},
    "profile": {"num_envs", "stages", "kernels"},
    "learner": {"acting_steps_per_s", "learning_samples_per_s"},
}


@pytest.mark.parametrize("name", KNOWN)
def test_every_part_tells_what_it_finds(name):
    found = list(gpu.PARTS[name]("cpu", gpu.TINY))
    assert {key for finding in found for key in finding} >= KNOWN[name]
    if name == "speed":
        assert [finding["pictures"] for finding in found] == [False, True]
    if name == "agreement":
        assert found[0]["same_poses"]
        assert found[0]["same_pictures"]
        assert found[0]["spectrogram"] < 1e-3
        assert found[0]["decibels"] < 0.02
    if name == "profile":
        assert {"responses", "mixtures", "scores"} <= set(found[0]["stages"])


@pytest.mark.slow
def test_the_tracers_are_put_side_by_side():
    pytest.importorskip("warp", reason="NVIDIA Warp is an extra: av-envs[warp]")
    found = list(gpu_parts.tracer("cpu", gpu.TINY))
    assert found[0]["level_mean_db"] < 3  # of 256 rays
    assert {"all_pairs_s_numba", "all_pairs_s_warp"} <= {key for f in found for key in f}


@pytest.mark.slow
def test_what_was_found_is_kept_when_a_part_fails(tmp_path, capsys):
    """In processes of their own: the first part ends well, the second one does not."""
    arguments = ["--out", str(tmp_path), "--device", "nowhere", "--parts", "tests", "speed"]
    assert gpu.main(arguments) == 2
    assert "these parts failed" in capsys.readouterr().err
    parts = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert parts["tests"][0]["exit"] == 0
    assert "none that torch knows" in parts["speed"][0]["error"]
    assert "## speed" in (tmp_path / "gpu.md").read_text()


def test_alike_findings_become_a_table():
    figures = {
        "hardware": {"gpu": "NVIDIA X", "cpu": "Y", "count": 2},
        "packages": {"torch": "2"},
        "parts": {
            "speed": [{"num_envs": 2, "pictures": True, "ms_step": n} for n in (1, 3)],
            "profile": [{"stages": {"scores": {"ms": 1}}}],
        },
    }
    page = report.page(figures)
    assert page.startswith("# NVIDIA X\n")
    assert "| num_envs | pictures | ms_step |\n| --- | --- | --- |\n| 2 | True | 1 |" in page
    assert "| scores | 1 |" in page
