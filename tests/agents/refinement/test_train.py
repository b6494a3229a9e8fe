"""The commands that train, judge and draw refiners: what they leave and what they refuse."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from av_envs.agents import fitting
from av_envs.agents.refinement import Refined, ablate, evaluate, pairs, picture
from av_envs.agents.refinement.evaluate import Judged, rays_as_good
from av_envs.agents.refinement.train import main

TIERS = ["--cheap", "T1", "--truth", "T2"]  # without many rays
SMALL = ["--houses", "1", "--sources", "1", "--receivers", "8"]
BRIEF = [*TIERS, *SMALL, "--size", "tiny", "--val-houses", "1", "--batch-size", "4"]
BRIEF += ["--updates", "6", "--val-every", "3", "--threads", "1", "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def often_saved(monkeypatch):
    monkeypatch.setattr(fitting, "SAVED_EVERY", 1)


def run(folder, *more: str) -> int:
    return main(["--out", str(folder), *BRIEF, *more])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        often_saved.__wrapped__(patch)
        assert run(folder) == 0
    return folder


def left_by(folder) -> tuple[dict, list]:
    state = torch.load(folder / "last.pt", weights_only=True)
    moments = {k: v["exp_avg"] for k, v in state["optimiser"]["state"].items()}
    written = [(folder / name).read_bytes() for name in ("curve.csv", "best.safetensors")]
    return {**state["network"], **moments}, [state["updates"], state["best"], *written]


def test_a_run_leaves_a_refiner_and_its_curve(undisturbed):
    with (undisturbed / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["pairs"]) for row in rows] == [12, 24]
    assert {"loss", "error_before", "error"} < set(rows[0])
    refiner = Refined(undisturbed / "best.safetensors")
    assert refiner.header.made["options"]["truth"] == "T2"
    noise = np.random.default_rng(0).standard_normal((2, 16000)).astype(np.float32)
    assert not np.array_equal(refiner.refine(noise, np.zeros(12)), noise)


def test_an_interrupted_run_goes_on_to_the_same_bits(undisturbed, tmp_path, monkeypatch):
    folder, update = tmp_path / "run", fitting.Fitting.update

    def killed(self, batch):
        if self.updates == 4:
            raise Killed
        return update(self, batch)

    monkeypatch.setattr(fitting.Fitting, "update", killed)
    with pytest.raises(Killed):
        run(folder)
    monkeypatch.setattr(fitting.Fitting, "update", update)
    assert run(folder, "--resume") == 0
    (tensors, rest), (theirs, expected) = left_by(folder), left_by(undisturbed)
    assert rest == expected
    assert all(torch.equal(tensors[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(
    "options",
    [["--objective", "regression"], ["--representation", "waveform", "--samples", "400"]],
    ids=["regression", "waveform"],
)
def test_other_kinds_learn_too(tmp_path, options):
    assert run(tmp_path / "run", *options, "--pose", "none") == 0
    assert Refined(tmp_path / "run" / "best.safetensors").config.pose == "none"


def test_a_run_is_not_written_over(undisturbed, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(undisturbed)
    assert "holds a run already" in capsys.readouterr().err


def test_refiners_are_judged(undisturbed, tmp_path, capsys):
    words = ["--refiner", str(undisturbed / "best.safetensors"), *TIERS, *SMALL]
    words += ["--split", "val", "--fit-houses", "1", "--json", str(tmp_path / "found.json")]
    assert evaluate.main(words) == 0
    printed = capsys.readouterr().out
    assert "| cheap |" in printed
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["cheap"]["gap_closed"][0] == 0
    assert found["floor"]["gap_closed"][0] == 1
    assert found["floor"]["levels"] < found["cheap"]["levels"]


def test_tracing_more_rays_is_compared_with(monkeypatch):
    errors = {"cheap": 8.0, "512 rays": 4.0, "1024 rays": 2.0, "ours": 4.0, "best": 1.0}
    found = {name: Judged([{"levels": value}], 0.005) for name, value in errors.items()}
    monkeypatch.setattr(evaluate, "seconds_per_source", lambda config, rays: rays / 10_000)
    said = evaluate.worth(pairs.PairConfig(), found, "ours", [512, 1024])
    assert "as good as 512 rays, which take 51 ms per source" in said
    assert "cheaper below 5.1 responses" in said
    said = evaluate.worth(pairs.PairConfig(), found, "best", [512, 1024])
    assert said == "best: as good as no number of rays from 256 to 1024"


def test_tiers_without_rays_have_no_more_of_them(capsys):
    with pytest.raises(SystemExit, match="2"):
        evaluate.main(["--rays", "64", "--cheap", "T1"])
    assert "tier T1 has no rays" in capsys.readouterr().err


def test_rays_as_good_lie_between_those_traced():
    by_rays = {256: 8.0, 1024: 4.0, 4096: 2.0}
    assert rays_as_good(4.0, by_rays) == pytest.approx(1024)
    assert rays_as_good(np.sqrt(8.0 * 4.0), by_rays) == pytest.approx(512)
    assert rays_as_good(1.9, by_rays) is None
    assert rays_as_good(9.0, by_rays) is None


def test_solvers_are_drawn_against_evaluations(undisturbed, tmp_path, capsys):
    words = ["--refiner", str(undisturbed / "best.safetensors"), "--out", str(tmp_path), *TIERS]
    assert ablate.main([*words, *SMALL, "--split", "val", "--most", "4"]) == 0
    rows = (tmp_path / "solvers.md").read_text().splitlines()
    assert rows[2] == "| NFE | euler | midpoint | heun | paper_midpoint |"
    assert [row.count("|  |") + row.count("|  |  |") > 0 for row in rows[5:9]] == [
        True, False, True, False
    ]  # fmt: skip
    with Image.open(tmp_path / "solvers.png") as image:
        assert image.size == (640, 400)
    assert capsys.readouterr().out.count("| 4 |") == 1


def test_one_response_is_drawn_three_times(undisturbed, tmp_path):
    words = ["--refiner", str(undisturbed / "best.safetensors"), *TIERS]
    assert picture.main([*words, "--out", str(tmp_path / "one.png")]) == 0
    with Image.open(tmp_path / "one.png") as file:
        image = np.asarray(file.convert("RGB"))
    thirds = np.split(image[30:-30, : image.shape[1] // 3 * 3], 3, axis=1)
    assert all(part.std() > 10 for part in thirds)
    with pytest.raises(SystemExit, match="2"):
        picture.main([*words, "--out", str(tmp_path / "one.png"), "--receiver", "99"])
