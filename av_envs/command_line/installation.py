"""What is installed: extras and what they lack, compiled kernels, graphics processors."""

import os
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
KERNELS_VARIABLE = "NUMBA_CACHE_DIR"
NEEDED = re.compile(r"([A-Za-z0-9._-]+).*?extra == ['\"]([\w-]+)['\"]")
NAME = re.compile(r"[A-Za-z0-9._-]+")
CORE = "core"
BACKENDS = {  # what each kind of world imports, beyond the core
    "traced": (),
    "mesh": ("trimesh",),
    "soundspaces": (),
    "habitat": ("habitat_sim",),
    "warp tracer": ("warp",),
    "RLR engine": ("rlr_audio_propagation",),
}


def requirements() -> dict[str, set[str]]:
    """{extra: distributions}; "core" is what everybody needs; {} if not installed."""
    try:
        lines = requires("av-envs") or []
    except PackageNotFoundError:  # run from a folder that was never installed
        return {}
    found: dict[str, set[str]] = {}
    for line in lines:
        conditional = NEEDED.match(line)
        name = conditional[1] if conditional else NAME.match(line)[0]
        found.setdefault(conditional[2] if conditional else CORE, set()).add(name.lower())
    return found


def installed_version(distribution: str) -> str | None:
    """None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def extra_lines() -> list[str]:
    """A line per extra: complete, or what it lacks."""
    lines = []
    for extra, names in sorted(requirements().items()):
        if extra != CORE:
            missing = sorted(name for name in names if installed_version(name) is None)
            lines.append(f"{extra:<12} {'lacks ' + ', '.join(missing) if missing else 'complete'}")
    return lines or ["unknown: av-envs is not installed, only imported"]


def backend_lines() -> list[str]:
    """A line per kind of world or engine: whether what it imports is there."""
    lines = []
    for backend, modules in BACKENDS.items():
        missing = [name for name in modules if find_spec(name) is None]
        lines.append(f"{backend:<12} {'needs ' + ', '.join(missing) if missing else 'ready'}")
    return lines


def kernel_lines() -> list[str]:
    """Where compiled kernels are, and how many."""
    chosen = os.environ.get(KERNELS_VARIABLE)
    directory = Path(chosen) if chosen else PACKAGE
    count = sum(1 for _ in directory.rglob("*.nbi"))
    if count:
        return [f"{count} kernels are compiled, below {directory}"]
    return [f"none below {directory}: what is used first is compiled first, about a minute in all"]


def processor_lines() -> list[str]:
    """Graphics processors of NVIDIA, and whether there is a torch to use them."""
    torch = installed_version("torch")
    told = f"torch {torch}" if torch else "torch is not installed; environments do without"
    if shutil.which("nvidia-smi") is None:
        return [f"none ({told})"]
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    run = subprocess.run(command, capture_output=True, text=True)
    return [f"{name} ({told})" for name in run.stdout.splitlines()] or [f"none ({told})"]
