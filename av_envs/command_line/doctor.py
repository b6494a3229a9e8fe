"""`av-envs doctor`: what is installed here and whether it works.

The first thing to paste into a report of a fault.
"""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module

import av_envs
from av_envs.arguments import parse
from av_envs.cache.contents import kept_in
from av_envs.cache.rows import cache_directory
from av_envs.command_line import installation
from av_envs.command_line.cached import cache_lines
from av_envs.threads import available_cores

PACKAGES = ("gymnasium", "pettingzoo", "numpy", "scipy", "numba", "llvmlite", "soundfile", "torch")
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
SELF_TEST = "av_envs.command_line.self_test"
WRONG = 1  # exit status when the test fails


def main(arguments: Sequence[str]) -> int:
    """Print all of it; status 1 if the test finds other numbers than it should."""
    parser = argparse.ArgumentParser(
        description="What is installed here, and whether it computes what it should. Paste all of "
        "it into a report of a fault."
    )
    parser.add_argument("--no-test", action="store_true", help="only look, compute nothing")
    options = parse(parser, arguments)
    for title, lines in _findings():
        _print(title, lines)
    if options.no_test:
        return 0
    good, lines = import_module(SELF_TEST).report()
    _print("self-test", [*lines, "all as it should be" if good else "THIS MACHINE DIFFERS"])
    return 0 if good else WRONG


def _print(title: str, lines: Sequence[str]) -> None:
    print(f"{title}", *(f"  {line}" for line in lines), sep="\n", flush=True)


def _findings() -> list[tuple[str, list[str]]]:
    return [
        ("versions", _versions()),
        ("threads", _threads()),
        ("compiled kernels", installation.kernel_lines()),
        ("graphics processors", installation.processor_lines()),
        ("extras", installation.extra_lines()),
        ("worlds and engines", installation.backend_lines()),
        ("cache", _cache()),
    ]


def _versions() -> list[str]:
    lines = [
        f"av-envs {av_envs.__version__} in {installation.PACKAGE}",
        f"Python {platform.python_version()} in {sys.prefix}, {platform.platform()}",
    ]
    found = [(name, installation.installed_version(name)) for name in PACKAGES]
    return [*lines, ", ".join(f"{name} {number or '-'}" for name, number in found)]


def _threads() -> list[str]:
    given = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return [f"{available_cores()} cores for this process; {', '.join(given) or 'no limit is set'}"]


def _cache() -> list[str]:
    directory = cache_directory()
    free = shutil.disk_usage(directory).free
    return [*cache_lines(directory, kept_in(directory)), f"{free / 1e9:8.2f} GB  free on that disk"]
