"""What is installed: dependencies are pinned, torch is for tests only, tests stay at home."""

import os
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg")
PINS = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def names(requirements: str) -> set[str]:
    lines = [line for line in requirements.split("\n") if line]
    return {re.split(r"[<>=!~ \[]", line)[0].lower() for line in lines}


def test_every_dependency_is_pinned():
    required = names(SETUP["options"]["install_requires"])
    for extra in SETUP["options.extras_require"].values():
        required |= names(extra)
    assert required <= {re.split("==", pin)[0] for pin in PINS}


def test_pins_are_exact_and_work_for_everybody():
    for pin in PINS:
        version = re.fullmatch(r"[a-z0-9-]+==([0-9a-z.]+)( ; python_version .*)?", pin)
        assert version, f"{pin} is no exact version that every index has"


def test_only_tests_need_torch():
    extras = SETUP["options.extras_require"]
    users = {extra for extra in extras if {"torch", "stable-baselines3"} & names(extras[extra])}
    assert users == {"test"}
    assert not {"torch", "stable-baselines3"} & names(SETUP["options"]["install_requires"])


def test_files_that_are_no_python_are_installed_too():
    """Every package with such files names them; what git does not keep does not count."""
    listed = SETUP["options.package_data"]
    for package in ("av_envs", "agents", "baselines", "benchmarks"):
        patterns = listed.get(package, "").split()
        wanted = {
            path
            for path in (ROOT / package).rglob("*.*")
            if path.is_file() and path.suffix in {".npz", ".css", ".js", ".json", ".html", ".txt"}
        }
        assert wanted == {path for pattern in patterns for path in (ROOT / package).glob(pattern)}


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_the_integration_script_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
