"""Curves of runs that were written down, as table and figure."""

import json
from pathlib import Path

import numpy as np
import pytest

from av_envs.agents.curve import write_rows
from av_envs.agents.localization.compare import COLOURS, MEASURES, curves_of, figure, main, table


def made_run(folder: Path, association: str, seed: int, *le: float, size: str = "small") -> Path:
    run = folder / f"{association}-{seed}-{size}"
    run.mkdir()
    options = {"association": association, "seed": seed, "size": size}
    (run / "config.json").write_text(json.dumps(options))
    rest = dict.fromkeys(MEASURES, 1.0)
    rows = [{"sequences": 100.0 * (1 + k), **rest, "le": value} for k, value in enumerate(le)]
    write_rows(run / "curve.csv", rows)
    return run


@pytest.fixture
def runs(tmp_path) -> list[Path]:
    return [
        made_run(tmp_path, "exact", 0, 40, 20),
        made_run(tmp_path, "exact", 1, 50, 30),
        made_run(tmp_path, "ordered", 0, 60, 50),
    ]


def test_mean_and_deviation_of_the_last_rows(runs):
    lines = table(curves_of(runs)).splitlines()
    assert lines[0].startswith("| association | seeds | sequences | le |")
    assert lines[2].startswith("| ordered | 1 | 200 | 50.00 |")
    assert lines[3].startswith(f"| exact | 2 | 200 | 25.00 ± {np.sqrt(50):.2f} |")


def test_every_association_has_its_colour_in_the_figure(runs):
    picture = figure(curves_of(runs)).reshape(-1, 3)
    drawn = {name: (picture == colour).all(axis=1).sum() for name, colour in COLOURS.items()}
    assert drawn["exact"] > 100
    assert drawn["ordered"] > 50
    assert drawn["pit"] == drawn["hnet"] == 0


def test_the_command_writes_both(runs, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*map(str, runs), "--out", str(out)]) == 0
    assert (out / "comparison.md").read_text() == capsys.readouterr().out
    assert (out / "comparison.png").read_bytes()[:4] == b"\x89PNG"


def test_runs_that_differ_otherwise_are_refused(runs, tmp_path, capsys):
    other = made_run(tmp_path, "pit", 0, 30, size="paper")
    with pytest.raises(SystemExit):
        main([*map(str, runs), str(other), "--out", str(tmp_path / "out")])
    assert "was made with other size than" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(tmp_path / "none"), "--out", str(tmp_path / "out")])
