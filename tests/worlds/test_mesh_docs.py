"""What the page about meshes shows is what the code does."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "meshes.md"


def test_the_page_runs_from_top_to_bottom(monkeypatch, tmp_path, capsys):
    pytest.importorskip("trimesh", reason="needs the extra [mesh]")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, PAGE.name, "exec"), names)
    printed = capsys.readouterr().out
    assert "wood_furniture   Cube.001" in printed
    assert "['room 1', 'room 2']" in printed
