"""What is built and installed: complete, nothing but av_envs, and of use to every user."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("av_envs", "agents", "baselines", "benchmarks")
SOURCES = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", *FOLDERS)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")
BYSTANDER = {
    "agents/__init__.py": "WHOSE = 'theirs'\n",
    "bystander-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: bystander\nVersion: 1.0\n",
    "bystander-1.0.dist-info/WHEEL": (
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ),
}
PLAYED = """
import json, sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import av_envs
import_warnings = [str(warning.message) for warning in caught]
import agents
import gymnasium
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", UserWarning)
    env = gymnasium.make("AVDynamicSep-v0", houses=1, observations=("pose", "mixture"))
    env.reset(seed=0)
    rewards = [float(env.step(action)[1]) for action in (0, 1, 0)]
print(json.dumps({
    "file": av_envs.__file__, "whose": agents.WHOSE, "rewards": rewards,
    "import": import_warnings, "warnings": [str(warning.message) for warning in caught],
}))
"""


def build(kind: str, source: Path, out: Path) -> Path:
    """The sdist or wheel of a source folder, built as pip would."""
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(out)!r}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return out / run.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, made of the sdist, as package indexes do."""
    pytest.importorskip("setuptools", reason="building needs setuptools")
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / name, source / name)
    with tarfile.open(build("sdist", source, folder)) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return build("wheel", unpacked, folder)


def test_the_wheel_holds_every_file_and_nothing_generic(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = set()
    for folder in FOLDERS:
        below = "" if folder == "av_envs" else "av_envs/"
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                wanted.add(below + path.relative_to(ROOT).as_posix())
    assert held == wanted
    assert "av_envs/py.typed" in held


def pip(target: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    command += ["--python", str(target / "bin" / "python"), *arguments]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


@pytest.fixture
def installed(tmp_path, wheel) -> Path:
    """A virtual environment with the wheel, beside a package that owns `agents`.

    What both depend on is taken from where the tests run, so that nothing is downloaded.
    """
    target = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", target], check=True)
    (packages,) = target.glob("lib/python*/site-packages")
    depended = [line for line in sys.path if line.endswith("site-packages")]
    (packages / "depended.pth").write_text("\n".join(depended) + "\n")
    bystander = tmp_path / "bystander-1.0-py3-none-any.whl"
    with zipfile.ZipFile(bystander, "w") as archive:
        for name, text in BYSTANDER.items():
            archive.writestr(name, text)
        record = "".join(f"{name},,\n" for name in [*BYSTANDER, "bystander-1.0.dist-info/RECORD"])
        archive.writestr("bystander-1.0.dist-info/RECORD", record)
    for one in (bystander, wheel):
        assert not pip(target, "install", "--quiet", "--no-deps", "--no-index", str(one))
    return target


@pytest.fixture
def as_nobody(installed, tmp_path):
    """Runs Python as a user who has no home and can read everything but write only here."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root, with setpriv, can be another user")
    place = tmp_path / "elsewhere"
    for folder in (place, place / "temporary"):
        folder.mkdir()
        os.chown(folder, 65_534, 65_534)
    # The interpreter may lie in root's home: the user may read there, but not write.
    reads = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads]
    path = {"PATH": os.environ["PATH"], "TMPDIR": str(place / "temporary")}

    def run(*arguments: str) -> str:
        command = [*user, str(installed / "bin" / "python"), *arguments]
        done = subprocess.run(command, cwd=place, env=path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        run("-c", "")
    except (AssertionError, OSError) as error:
        pytest.skip(f"cannot run as another user: {error}")
    return run


@pytest.mark.slow
def test_another_user_without_a_home_plays(as_nobody, installed):
    told = json.loads(as_nobody("-c", PLAYED).splitlines()[-1])
    assert Path(told["file"]).is_relative_to(installed)
    assert told["whose"] == "theirs"
    assert len(told["rewards"]) == 3
    (kernels,), (cache,) = told["import"], told["warnings"]
    assert "NUMBA_CACHE_DIR" in kernels
    assert "AV_ENVS_CACHE" in cache
    command = ["-m", "av_envs.benchmarks.run", "--suite", "sep-demo-v2", "--episodes", "1"]
    command += ["--agent", "av_envs.baselines.separation:Random", "--out", "results"]
    as_nobody("-W", "ignore", *command)
    assert list((installed.parent / "elsewhere" / "results").rglob("*.json"))


@pytest.mark.slow
def test_uninstalling_leaves_others_alone(installed):
    (packages,) = installed.glob("lib/python*/site-packages")
    assert (packages / "av_envs" / "agents" / "__init__.py").exists()
    pip(installed, "uninstall", "--quiet", "--yes", "av-envs")
    assert not (packages / "av_envs").exists()
    assert (packages / "agents" / "__init__.py").read_text() == BYSTANDER["agents/__init__.py"]
