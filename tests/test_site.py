"""The documentation as a site: it builds without a warning, has every page, needs no network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
OWN = {"index.md", "contributing.md", "changelog.md"}  # made of pages beside docs/
LEFT_OUT = {"results/README.md"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="the extra [docs]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder


def pages() -> set[str]:
    found = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    return (found - LEFT_OUT) | OWN


def test_every_page_is_on_the_site_and_in_its_menu(site):
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    named = set(re.findall(r": ([\w/.-]+\.md)$", menu, re.MULTILINE))
    assert named == pages()
    made = [page.replace("README.md", "index.md").replace(".md", ".html") for page in pages()]
    assert [page for page in made if not (site / page).exists()] == []


def test_nothing_is_fetched_from_elsewhere(site):
    fetched = re.compile(
        r"<(?:script|link|img|iframe|source)[^>]*(?:src|href)=\"?(https?:[^\" >]+)"
    )
    for page in site.rglob("*.html"):
        assert fetched.findall(page.read_text(encoding="utf-8")) == [], page.name


def test_links_between_readme_and_docs_lead_on(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    for target in ("commands.html", "agents/active.html", "contributing.html", "episode.png"):
        assert f'"{target}"' in home
    assert "docs/" not in re.findall(r"(?:href|src)=\"([^\"]*)\"", home)


def test_files_in_recipes_have_their_names(site):
    tutorial = (site / "tutorials" / "mesh_to_rank.html").read_text(encoding="utf-8")
    assert '<span class="filename">my_flat.json</span>' in tutorial
    assert "```" not in tutorial


def test_the_reference_says_what_the_code_says(site):
    reference = (site / "api.html").read_text(encoding="utf-8")
    assert "av_envs.worlds.base" in reference
    assert "Surfaces, rooms and walkable places." in reference


def test_formulas_are_shown_without_a_program(site):
    metrics = (site / "metrics.html").read_text(encoding="utf-8")
    assert metrics.count("<math") > 20
    assert "\\operatorname" not in metrics


def test_it_can_be_searched_from_the_disk(site, tmp_path):
    """Without a server, where browsers refuse workers and to fetch the index."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("AV_ENVS_BROWSER") == "required":
            pytest.fail("needs chromium; on Debian: make browser")
        pytest.skip("needs chromium; on Debian: make browser")
    address = f"{(site / 'tutorials' / 'mesh_to_rank.html').as_uri()}?q=woodworth"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"]
    shown = subprocess.run([chromium, *flags, address], capture_output=True, text=True, timeout=120)
    found = re.findall(r'href="([^"]*)" class="md-search-result__link"', shown.stdout)
    assert f"{(site / 'acoustics.html').as_uri()}#two-ears" in found
