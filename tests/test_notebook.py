"""The notebook of the documentation: it runs from top to bottom, and is kept without outputs."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parent.parent / "docs" / "quickstart.ipynb"


def cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def test_it_is_kept_without_outputs():
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert len(code) >= 4
    for cell in code:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_its_links_lead_to_pages():
    text = "".join("".join(cell["source"]) for cell in cells() if cell["cell_type"] == "markdown")
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert len(targets) == 3
    assert [target for target in targets if not (NOTEBOOK.parent / target).exists()] == []


@pytest.mark.slow
# of the kernel's own libraries
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_it_shows_an_episode_and_lets_it_be_heard(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="the extra [notebook]")
    pytest.importorskip("ipykernel", reason="the extra [notebook]")
    nbformat = pytest.importorskip("nbformat", reason="the extra [notebook]")
    played = nbclient.NotebookClient(
        nbformat.read(NOTEBOOK, as_version=4),
        timeout=1200,  # the first run compiles
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    outputs = [output for cell in played.cells for output in cell.get("outputs", ())]
    told = "".join(output.get("text", "") for output in outputs)
    shown = [kind for output in outputs for kind in output.get("data", ())]
    assert "dB better than where the episode began" in told
    assert "of the places visited" in told
    assert shown.count("image/png") == 3
    (player,) = [o["data"]["text/html"] for o in outputs if "text/html" in o.get("data", ())]
    assert "data:audio/wav;base64," in player
    assert list(tmp_path.iterdir()) == []
