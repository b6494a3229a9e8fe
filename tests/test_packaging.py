"""What is installed: dependencies are pinned, torch is for agents only, tests stay at home."""

import re
from configparser import ConfigParser
from pathlib import Path

import av_envs

ROOT = Path(__file__).resolve().parent.parent
SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg")
PINS = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
APART = {"rllib"}  # not installed with the rest: Ray demands another version of Gymnasium
LEARNERS = {"torch", "stable-baselines3", "torchrl", "skrl", "ray"}


def names(requirements: str) -> set[str]:
    lines = [line for line in requirements.split("\n") if line]
    return {re.split(r"[<>=!~ \[]", line)[0].lower() for line in lines}


def test_every_dependency_is_pinned():
    required = names(SETUP["options"]["install_requires"])
    for name, extra in SETUP["options.extras_require"].items():
        if name not in APART:
            required |= names(extra)
    assert required <= {re.split("==", pin)[0] for pin in PINS}


def test_pins_are_exact_and_work_for_everybody():
    for pin in PINS:
        version = re.fullmatch(r"[a-z0-9-]+==([0-9a-z.]+)( ; python_version .*)?", pin)
        assert version, f"{pin} is no exact version that every index has"


def test_only_agents_need_torch():
    extras = SETUP["options.extras_require"]
    users = {extra for extra in extras if LEARNERS & names(extras[extra])}
    assert users == {"agents", "rl", "rllib", "test"}
    assert not LEARNERS & names(SETUP["options"]["install_requires"])


def test_what_is_installed_apart_stays_apart():
    extras = SETUP["options.extras_require"]
    for name in set(extras) - APART:
        assert "ray" not in names(extras[name])


FOLDERS = dict(line.split(" = ") for line in SETUP["options"]["package_dir"].strip().split("\n"))
DATA_FILES = {".npz", ".typed", ".css", ".js", ".json", ".html", ".txt", ".safetensors", ".gz"}


def folder_of(package: str) -> Path:
    name = max((name for name in FOLDERS if f"{package}.".startswith(f"{name}.")), key=len)
    return ROOT / FOLDERS[name] / package[len(name) + 1 :].replace(".", "/")


def test_files_that_are_no_python_are_installed_too():
    """Every package with such files names them; what git does not keep does not count."""
    wanted = {
        path
        for folder in FOLDERS.values()
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file() and path.suffix in DATA_FILES
    }
    assert wanted == {
        path
        for package, patterns in SETUP["options.package_data"].items()
        for pattern in re.split(r"[\s,]+", patterns)
        for path in folder_of(package).glob(pattern)
    }


def test_every_package_is_installed_and_nothing_generic_is():
    """Each folder with an `__init__.py`, under the one name av_envs."""
    wanted = set()
    for name, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("__init__.py"):
            wanted.add(".".join([name, *path.parent.relative_to(ROOT / folder).parts]))
    assert set(SETUP["options"]["packages"].split()) == wanted
    assert all(name.split(".")[0] == "av_envs" for name in wanted)


def test_one_version_everywhere():
    """Changelog and citation are of the version that is installed, and dated alike."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    newest, date = re.search(r"^## (\S+) \((.*)\)$", changes, re.MULTILINE).groups()
    assert newest == av_envs.__version__
    assert f"\nversion: {newest}\n" in cited
    assert f'\ndate-released: "{date}"\n' in cited
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"version = {{{newest}}}" in readme
    assert f"year    = {{{date[:4]}}}" in readme


def test_users_get_the_types():
    assert (Path(av_envs.__file__).parent / "py.typed").is_file()


def test_hints_name_extras_that_there_are():
    """The package is on no index: extras are installed from a clone."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    hint = re.compile(r"pip install (?:-e )?['\"]?(\.|av-envs)\[([\w,]+)\]")
    found = []
    for folder in ("av_envs", "agents", "baselines", "benchmarks", "docs"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.md")]:
            found += hint.findall(path.read_text(encoding="utf-8"))
    extras = {extra for _, several in found for extra in several.split(",")}
    assert {where for where, _ in found} == {"."}
    assert extras <= set(config["options.extras_require"])
    assert {"mesh", "play", "sofa"} <= extras
