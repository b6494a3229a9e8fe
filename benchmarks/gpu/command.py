"""Tests and figures of the batch on a GPU: `python -m av_envs.benchmarks.gpu --out DIR`.

Every part runs in a process of its own and leaves DIR/gpu.json and DIR/gpu.md as it ends, so
that an interrupted run is not lost: speed and memory by number of environments, with and
without pictures; whether the device agrees with the processor; where the time of a step goes;
a policy in the loop; the tracer in Warp beside that of the processor; the tests of
`tests/separation/device` on the device, where the tests are there. It takes less than 6 minutes
on one H100; with `--device cpu` all sizes are tiny.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from av_envs.benchmarks.command_line import UserError, run_command
from av_envs.benchmarks.gpu import parts as gpu_parts
from av_envs.benchmarks.gpu import report
from av_envs.benchmarks.results.files import write_text
from av_envs.benchmarks.results.provenance import hardware, packages
from av_envs.options import positive_int
from av_envs.paths import path_argument

ROOT = Path(__file__).resolve().parents[2]
DEVICE_TESTS = ROOT / "tests" / "separation" / "device"
TEST_DEVICE = "AV_ENVS_TEST_DEVICE"  # read by those tests
PATIENCE = 240.0  # seconds a part may take


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    num_envs     environments in each turn of the speed part
    profiled     environments whose step is taken apart
    houses       of the pool
    nodes        about, of the house whose pairs are all traced
    n_rays       of the tracers
    steps        of an episode
    """

    num_envs: tuple[int, ...]
    profiled: int
    houses: int
    nodes: int
    n_rays: int
    steps: int


FULL = Sizes((256, 1024, 4096, 8192), 1024, 16, 100, 4096, 20)
TINY = Sizes((2,), 2, 1, 20, 64, 2)


def device_tests(device: str, sizes: Sizes) -> Iterator[dict[str, Any]]:
    """The tests of the torch batch, with its tensors on the device."""
    if not DEVICE_TESTS.is_dir():
        yield {"skipped": "the tests are not installed"}
        return
    chosen = DEVICE_TESTS if sizes == FULL else DEVICE_TESTS / "test_motion.py"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(chosen)],
        cwd=ROOT,
        env={**os.environ, TEST_DEVICE: device},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = run.stdout.strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    yield {"exit": run.returncode, "summary": lines[-1:] and lines[-1], "failed": failed}
    if run.returncode:
        yield {"output": "\n".join(lines[-150:]), "errors": run.stderr[-4000:]}


PARTS: dict[str, Callable[[str, Sizes], Iterator[dict[str, Any]]]] = {
    "prepare": gpu_parts.prepare,
    "speed": gpu_parts.speed,
    "agreement": gpu_parts.agreement,
    "profile": gpu_parts.profile,
    "learner": gpu_parts.learner,
    "tracer": gpu_parts.tracer,
    "tests": device_tests,
}


def run_part(name: str, device: str, sizes: Sizes, queue: multiprocessing.Queue) -> None:
    """Put the findings of a part into a queue, one after the other, and None at its end."""
    try:
        for finding in PARTS[name](device, sizes):
            queue.put(finding)
    except BaseException:
        queue.put({"error": traceback.format_exc()})
    queue.put(None)


def findings_of(name: str, device: str, sizes: Sizes) -> Iterator[dict[str, Any]]:
    """Findings of a part, which runs in a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=run_part, args=(name, device, sizes, queue))
    start, deadline = time.perf_counter(), time.monotonic() + PATIENCE
    process.start()
    while (finding := _next(queue, process, deadline)) is not None:
        yield finding
    process.join(5)
    process.kill()
    yield {"seconds": round(time.perf_counter() - start, 1)}


def _next(queue: Any, process: Any, deadline: float) -> dict[str, Any] | None:
    """The next finding of a part; None at its end."""
    while time.monotonic() < deadline:
        try:
            return queue.get(timeout=0.5)
        except Exception:  # nothing yet
            if not process.is_alive() and queue.empty():
                return None
    return None


def save(folder: Path, figures: dict[str, Any]) -> None:
    """Write both files anew, each as a whole."""
    texts = {"gpu.json": json.dumps(figures, indent=1), "gpu.md": report.page(figures)}
    for name, text in texts.items():
        write_text(folder / name, text + "\n")


def measure(device: str, sizes: Sizes, parts: list[str], folder: Path) -> dict[str, Any]:
    """Run parts one after the other; see the top of this file."""
    folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {
        "device": device,
        "sizes": asdict(sizes),
        "hardware": hardware(),
        "packages": packages(),
        "parts": {},
    }
    for name in parts:
        found = figures["parts"][name] = []
        for finding in findings_of(name, device, sizes):
            found.append(finding)
            print(f"{name}: {json.dumps(finding)[:400]}", flush=True)
            save(folder, figures)
    return figures


def _gpu(arguments: argparse.Namespace) -> None:
    sizes = FULL if arguments.device.startswith("cuda") else TINY
    if arguments.num_envs:
        sizes = Sizes(**{**asdict(sizes), "num_envs": tuple(arguments.num_envs)})
    if arguments.houses:
        sizes = Sizes(**{**asdict(sizes), "houses": arguments.houses})
    figures = measure(arguments.device, sizes, arguments.parts, arguments.out)
    broken = [
        name
        for name, found in figures["parts"].items()
        if any("error" in finding or finding.get("exit") for finding in found)
    ]
    if broken:
        raise UserError(f"these parts failed, see {arguments.out}/gpu.json: {', '.join(broken)}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=path_argument, required=True, help="folder for gpu.json and gpu.md"
    )
    parser.add_argument("--device", default="cuda", help="as torch names it; cpu: tiny sizes")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--num-envs", nargs="+", type=positive_int, help="of the speed part")
    parser.add_argument("--houses", type=positive_int, help="size of the pool")
    return run_command(_gpu, parser, argv)
