"""What promises are made about bits: docs/metrics.md, "Same bits".

A kernel that numba keeps in its cache holds a copy of every function it calls. While it is
compiled those functions exist a second time, on their own, and the linker takes these; once
it is loaded, it takes the copies, which were optimised anew. With fast-math their last bits
may differ. So no such function may be left to call: helpers are inlined, or do without fast-math.
"""

import hashlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import av_envs

ROOT = Path(av_envs.__file__).parent.parent
FOLDERS = {"av_envs": "av_envs", "agents": "av_envs.agents", "baselines": "av_envs.baselines"}
TASKS = "separation", "measuring"
# Of the largest value of an array, or of 1 if that is more: what rounding alone changes is less
# than 1e-4, but it may send one of the thousands of rays of a source another way.
ROUNDING = 5e-3
EXACT = {  # what the house and the moves alone decide
    *("depth", "target", "pose", "position", "azimuth"),
    *("distance_to_target", "geodesic_to_target", "walking_distances"),
    *("collision", "collision_0", "collision_1", "node", "node_0", "node_1", "rir_nodes"),
    *("heading", "heading_0", "heading_1", "house", "cr", "zeta", "psi", "phi", "t"),
}
CALLER = """
import hashlib
import numpy as np
from av_envs.acoustics.prime_factor import PAIR, _transform_33, kernel

@kernel
def transform(grid):
    _transform_33(grid)

grid = np.random.default_rng(0).standard_normal((16, 11, 3 * PAIR), np.float32)
transform(grid)
print(hashlib.sha256(grid.tobytes()).hexdigest())
"""


def modules_with_kernels() -> Iterator[ModuleType]:
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "njit" in path.read_text(encoding="utf-8"):
                parts = path.relative_to(ROOT / folder).with_suffix("").parts
                yield importlib.import_module(".".join((package, *parts)))


def kernels_called_by(kernel: Dispatcher) -> Iterator[Dispatcher]:
    known = kernel.py_func.__globals__
    for name in kernel.py_func.__code__.co_names:
        if isinstance(known.get(name), Dispatcher):
            yield known[name]


def test_what_a_kernel_calls_is_inlined_or_exact():
    kernels = {
        kernel
        for module in modules_with_kernels()
        for kernel in vars(module).values()
        if isinstance(kernel, Dispatcher)
    }
    assert len(kernels) > 100
    called = {helper for kernel in kernels for helper in kernels_called_by(kernel)}
    left = sorted(
        f"{helper.py_func.__module__}.{helper.py_func.__name__}"
        for helper in called
        if helper.targetoptions.get("fastmath")
        and not helper.targetoptions.get("forceinline")
        and helper.targetoptions.get("inline") != "always"
    )
    assert not left, "called by kernels, so decorate with forceinline=True: " + ", ".join(left)


def run(cache: Path, *arguments: str, **variables: str) -> str:
    """What another process prints; kernels are kept in `cache`."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *arguments], env=env, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.slow
def test_a_transform_has_the_same_bits_compiled_and_loaded(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER)
    compiled = run(tmp_path, str(tmp_path / "caller.py"))
    assert any(tmp_path.rglob("*.nbc"))
    assert run(tmp_path, str(tmp_path / "caller.py")) == compiled


def episode(folder: Path, task: str, name: str, **variables: str) -> dict[str, np.ndarray]:
    """All that an episode in another process returns; only its kernels may be in the cache."""
    path = folder / f"{name}.npz"
    variables["AV_ENVS_CACHE"] = str(folder / name)
    run(folder / "kernels", "tests/one_episode.py", task, str(path), **variables)
    with np.load(path) as returned:
        return dict(returned)


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


@pytest.fixture(scope="module", params=TASKS)
def compiled(request, tmp_path_factory) -> tuple[Path, str, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp(request.param)
    return folder, request.param, episode(folder, request.param, "compiled")


@pytest.mark.slow
def test_an_episode_has_the_same_bits_compiled_and_loaded(compiled):
    folder, task, first = compiled
    second = episode(folder, task, "loaded")
    assert first.keys() == second.keys()
    assert [k for k in first if digest(first[k]) != digest(second[k])] == []


@pytest.mark.slow
def test_another_processor_rounds_and_no_more(compiled):
    """Without AVX and FMA: the same house, walk and pictures; what is heard within `ROUNDING`."""
    folder, task, here = compiled
    there = episode(folder, task, "generic", NUMBA_CPU_NAME="generic")
    assert here.keys() == there.keys()
    exact = [key for key in here if EXACT & set(key.split("/"))]
    assert len(exact) > 30
    assert [k for k in exact if digest(here[k]) != digest(there[k])] == []
    for key, array in here.items():
        largest = np.abs(array, where=np.isfinite(array), out=np.zeros_like(array)).max(initial=0)
        np.testing.assert_allclose(
            there[key], array, rtol=0, atol=ROUNDING * max(1, largest), err_msg=key
        )
