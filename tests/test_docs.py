"""What the documentation shows is what the code does."""

import re
import warnings
from pathlib import Path

import pytest

from docs import generate

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
WITH_CODE = [
    "README.md",
    "docs/acoustics.md",
    "docs/agents.md",
    "docs/agents/passive.md",
    "docs/device.md",
    "docs/start.md",
    *sorted(f"docs/environments/{p.name}" for p in generate.PAGES.glob("*.md")),
]
LIBRARIES = ROOT / "docs" / "libraries"
OF_LIBRARIES = sorted(page.name for page in LIBRARIES.glob("*.md"))
NEEDS = {"rllib.md": "ray", "README.md": "av"}
THEIR_OWN = {  # what libraries warn of, on pages where everything is as it should be
    "torchrl.md": (
        "Creating .* which inherits from WeightUpdaterBase",
        "PettingZoo in TorchRL is tested using version",
    ),
    "pettingzoo.md": ("The `render_mode` attribute is not defined",),  # SuperSuit has none
    "rllib.md": (".*Overriding environment rllib-",),  # which it registered itself
}


def test_the_pages_of_the_environments_are_current(capsys):
    assert generate.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", WITH_CODE)
def test_code_blocks_run(name, monkeypatch, tmp_path):
    blocks = BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        exec(compile(block, name, "exec"), {"__name__": "example"})


@pytest.mark.parametrize("name", WITH_CODE)
def test_every_block_runs_by_itself(name):
    """One that makes an environment registers it, too: readers copy one block."""
    for block in BLOCK.findall((ROOT / name).read_text(encoding="utf-8")):
        if re.search(r"\b(gym|gymnasium|pettingzoo)\.make", block):
            assert re.search(r"^(import|from) av_envs", block, re.MULTILINE), block


@pytest.mark.parametrize("name", OF_LIBRARIES)
def test_pages_of_libraries_run(name, monkeypatch, tmp_path):
    """From top to bottom; later blocks go on with the names of earlier ones."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="of no extra, or not of all: see the page")
    pytest.importorskip("torch").set_num_threads(1)  # tiny networks are fastest on one core
    monkeypatch.chdir(tmp_path)  # they save what they have learned
    for message in THEIR_OWN.get(name, ()):
        warnings.filterwarnings("ignore", message)
    names = {"__name__": "example"}
    for block in BLOCK.findall((LIBRARIES / name).read_text(encoding="utf-8")):
        exec(compile(block, name, "exec"), names)


def test_every_link_and_picture_exists():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_the_glossary_says_where_things_are():
    for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| term"):
            for path in re.findall(r"`([^`]+)`", line.rsplit(" | ", 1)[1]):
                assert any((top / path).exists() for top in (ROOT / "av_envs", ROOT)), line
