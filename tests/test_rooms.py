"""Which room may look into which. Read `MAY_IMPORT` as the floor plan."""

import ast
import importlib
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("av_envs", "agents", "baselines", "benchmarks")  # of the package av_envs, see setup.cfg
EVERYWHERE = {
    "av_envs.conventions",
    "av_envs.arguments",
    "av_envs.options",
    "av_envs.threads",
    "av_envs.paths",
    "av_envs.plugins",
    "av_envs.progress",
    "av_envs.replay",
    "av_envs.sound_files",
    "av_envs.json_files",
    "av_envs.cache.rows",
    "av_envs.whole_files",
}
SHARED = {"av_envs.worlds", "av_envs.vector", "av_envs.space_generators"}  # of the tasks
EPISODES = {"av_envs.separation.config", "av_envs.separation.episode"}  # exported as they are
SENSES = {"av_envs.scene", "av_envs.sound", "av_envs.acoustics", "av_envs.vision"}
CORE = {
    f"av_envs.{path.stem}"
    for path in (ROOT / "av_envs").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
} | {"av_envs.VARIANTS"}

MAY_IMPORT = {
    "av_envs/cache": {"av_envs.cache"},
    "av_envs/scene": {"av_envs.scene"},
    "av_envs/sound": {"av_envs.sound"},
    "av_envs/acoustics": {"av_envs.scene", "av_envs.acoustics"},
    "av_envs/vision": {"av_envs.scene", "av_envs.vision"},
    "av_envs/worlds": SENSES | {"av_envs.worlds", "av_envs.registration"},
    "av_envs/vector": {"av_envs.vector", "av_envs.space_generators"},
    "av_envs/separation": SENSES | SHARED | {"av_envs.separation"},
    "av_envs/rir_measure": SENSES | SHARED | {"av_envs.rir_measure"},
    "av_envs/soundspaces": SENSES | EPISODES | {"av_envs.worlds", "av_envs.soundspaces"},
    "av_envs/command_line": CORE | {"av_envs.command_line"},
    "agents": CORE | {"av_envs.agents"},
    "baselines": CORE | {"av_envs.baselines"},
    "benchmarks": CORE | {"av_envs.benchmarks"},  # agents and baselines arrive as strings
}
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
WITH_TORCH = (ROOT / "agents", ROOT / "av_envs" / "separation" / "device")
TORCH_FREE = [path for path in FILES if not any(map(path.is_relative_to, WITH_TORCH))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """As which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "av_envs" else ("av_envs", *parts)
    return ".".join(part for part in parts if part != "__init__")


@cache
def imported_modules(path: Path) -> set[str]:
    """Full names of what a file imports, `from a import b` counting as a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} uses a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room):
    allowed = MAY_IMPORT[room] | EVERYWHERE
    for path in (ROOT / room).rglob("*.py"):
        for name in imported_modules(path):
            if name.startswith("av_envs."):
                inside = any(name == room_ or name.startswith(room_ + ".") for room_ in allowed)
                assert inside, f"{name_of(path)} must not import {name}"


def test_no_module_imports_itself_by_a_detour():
    """Not even inside a function."""
    modules = {module_name(path): path for path in FILES}
    sorter = TopologicalSorter()
    for name, path in modules.items():
        found = {_known(imported, modules) for imported in imported_modules(path)}
        sorter.add(name, *(found - {None, name}))
    sorter.prepare()  # raises CycleError, which names the circle


def _known(imported: str, modules: dict[str, Path]) -> str | None:
    """The module that `import` finds behind a full name of something in it."""
    return next((n for n in (imported, imported.rpartition(".")[0]) if n in modules), None)


def test_every_room_is_on_the_floor_plan():
    rooms = {name_of(path.parent) for path in (ROOT / "av_envs").glob("*/__init__.py")}
    assert rooms <= set(MAY_IMPORT)


def test_only_a_device_brings_torch_in():
    """Making and stepping environments, single or many, is done without it."""
    code = (
        "import sys, gymnasium, av_envs\n"
        "envs = gymnasium.make_vec('AVDynamicSep-v0', 2, houses=1)\n"
        "envs.reset(seed=0)\n"
        "envs.step([0, 1])\n"
        "print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_torch_stays_with_agents_and_devices():
    for path in TORCH_FREE:
        roots = {name.split(".")[0] for name in imported_modules(path)}
        assert "torch" not in roots, f"{name_of(path)} must not import torch"


def test_a_file_is_one_idea_of_readable_length():
    for path in [*FILES, *(ROOT / "tests").rglob("*.py")]:
        length = len(path.read_text(encoding="utf-8").splitlines())
        assert length <= 400, f"{name_of(path)} has {length} lines"
        assert path.stem not in {"utils", "util", "common", "misc", "helpers"}, name_of(path)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_packages_come_from_this_repository(folder):
    name = folder if folder == "av_envs" else f"av_envs.{folder}"
    assert Path(importlib.import_module(name).__file__).parent == ROOT / folder


def test_importing_the_environments_is_light():
    code = "import sys, av_envs; print({'torch', 'numba'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
