"""The documentation names modules, attributes and files that exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = "agents|av_envs|baselines|benchmarks|docs|tests"
DOTTED = re.compile(r"\bav_envs(?:\.[A-Za-z_]\w*)+")
FILE = re.compile(rf"(?<![\w/.-])(?:{FOLDERS})/[\w/.-]*\.(?:py|md|json|npz|png|safetensors)\b")
FOLDER = re.compile(rf"`((?:{FOLDERS})(?:/\w+)+)`")


def exists(name: str) -> bool:
    """Whether a dotted name is a module (maybe one that needs an extra) or an attribute of one."""
    found, rest = importlib.import_module("av_envs"), name.split(".")[1:]
    for k, part in enumerate(rest):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join(["av_envs", *rest[: k + 1]]))
            except ModuleNotFoundError as error:
                return not error.name.startswith("av_envs")
        found = getattr(found, part)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    named = set(FILE.findall(text)) | set(FOLDER.findall(text))
    missing = sorted(path for path in named if not (ROOT / path).exists())
    missing += sorted(name for name in set(DOTTED.findall(text)) if not exists(name))
    assert missing == []
