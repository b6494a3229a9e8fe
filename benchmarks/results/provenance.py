"""Provenance of a result: hardware, packages and commit."""

import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import llvmlite.binding

import av_envs

DATA = Path(av_envs.__file__).parent / "data"
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gymnasium", "numpy", "scipy", "numba", "llvmlite", "soundfile", "torch")


def cpu_model() -> str:
    """The processor's name as the system tells it."""
    listing = Path("/proc/cpuinfo")  # Linux only
    lines = listing.read_text().splitlines() if listing.exists() else []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def hardware() -> dict[str, Any]:
    """The `hardware` block of a result file."""
    return {
        "cpu": cpu_model(),
        "count": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "gpu": _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
        "ram_gb": _ram_gb(),
        "features": cpu_features(),
    }


def cpu_features() -> str:
    """What the kernels are compiled for: the processor's name and its instruction sets.

    Machines that agree in this, and in their packages, compute the same bits.
    """
    name = os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name()
    given = os.environ.get("NUMBA_CPU_FEATURES")
    features = llvmlite.binding.get_host_cpu_features() if given is None else {given: True}
    if given is None and os.environ.get("NUMBA_CPU_NAME"):
        features = {}  # those of the named processor
    return ",".join([name, *sorted(feature for feature, there in features.items() if there)])


@cache
def asset_hash() -> str:
    """sha256 over names and bytes of the data files shipped with the environments."""
    digest = hashlib.sha256()
    for path in sorted(DATA.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(DATA).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _ram_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def packages() -> dict[str, str]:
    """Versions of what the numbers may depend on; absent packages are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> dict[str, Any]:
    """Commit of the checkout and whether files differ from it; None outside a checkout."""
    commit = _output("git", "rev-parse", "HEAD")
    changes = _output("git", "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": bool(changes) if commit else None}


def _output(*command: str) -> str | None:
    """What a program prints, or None if it is absent, fails or prints nothing."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None
