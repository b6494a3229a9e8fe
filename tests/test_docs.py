"""What the documentation shows is what the code does."""

import re
from pathlib import Path

import pytest

from docs import generate

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
WITH_CODE = [
    "README.md",
    "docs/agents.md",
    *sorted(f"docs/environments/{p.name}" for p in generate.PAGES.glob("*.md")),
]


def test_the_pages_of_the_environments_are_current(capsys):
    assert generate.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", WITH_CODE)
def test_code_blocks_run(name, monkeypatch, tmp_path):
    blocks = BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        exec(compile(block, name, "exec"), {"__name__": "example"})


def test_every_link_and_picture_exists():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points to {target}"
