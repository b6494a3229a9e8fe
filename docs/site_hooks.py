"""What `mkdocs` does beside building pages of docs/: README and its neighbours become pages, too.

Links to files that are no pages, such as code, become plain text. Formulas become MathML, which
browsers show by themselves.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
NAMED = re.compile(r"^```(\w+) ([\w./-]+)$", re.MULTILINE)  # a block that is a file
CODE_OR_FORMULA = re.compile(
    r"```.*?^```|`[^`]+`|\$(?P<formula>[^$`]+)\$", re.DOTALL | re.MULTILINE
)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie beside docs/."""
    for address, source in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, address, content=_from_the_root(text)))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Links that lead to no page or picture of the site say what they name, and no more.

    Blocks of code that are files get the file's name as a title.
    """
    folder = posixpath.dirname(page.file.src_uri)

    def kept(found: re.Match) -> str:
        target = found[3]
        address = posixpath.normpath(posixpath.join(folder, target))
        if "://" in target or target.startswith("mailto:") or files.get_file_from_path(address):
            return found[0]
        return found[2]

    shown = CODE_OR_FORMULA.sub(_readable, markdown)
    return LINK.sub(kept, NAMED.sub(r'```\1 title="\2"', shown))


def _readable(found: re.Match) -> str:
    """Code as it is, a formula in LaTeX as MathML."""
    return found[0] if found["formula"] is None else convert(found["formula"])


def _from_the_root(text: str) -> str:
    """Links of a page beside docs/ as those of a page in it."""
    neighbours = {source: address for address, source in PAGES.items()}

    def moved(found: re.Match) -> str:
        picture, words, target, anchor = found.groups()
        if target.startswith("docs/"):
            target = target.removeprefix("docs/")
        target = neighbours.get(target, target)
        return f"{picture}[{words}]({target}{anchor or ''})"

    return LINK.sub(moved, text)
