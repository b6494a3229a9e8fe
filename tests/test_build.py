"""What an index would get: it builds, its description is in order, and nothing is missing."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = ("*.npz", "*.safetensors", "published/*.json", "web/*", "normalisation.json", "py.typed")


def done(module: str, *arguments: str | Path, folder: Path) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    made = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr


@pytest.mark.slow
def test_the_wheel_has_all_that_is_needed(tmp_path):
    pytest.importorskip("build", reason="the extra [release]")
    pytest.importorskip("twine", reason="the extra [release]")
    done("build", "--no-isolation", "--outdir", tmp_path, ROOT, folder=tmp_path)
    done("twine", "check", "--strict", *tmp_path.glob("*"), folder=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, package in (
        ("av_envs", "av_envs"),
        ("agents", "av_envs/agents"),
        ("baselines", "av_envs/baselines"),
        ("benchmarks", "av_envs/benchmarks"),
    ):
        wanted = [
            path
            for pattern in ("*.py", *DATA)
            for path in (ROOT / folder).rglob(pattern)
            if "__pycache__" not in path.parts
        ]
        packed = {f"{package}/{path.relative_to(ROOT / folder).as_posix()}" for path in wanted}
        assert packed <= names, sorted(packed - names)[:5]
    assert not [name for name in names if name.startswith(("tests", "docs", "site"))]
