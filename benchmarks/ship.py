"""Renew the results that come with the package: `python -m av_envs.benchmarks.ship DIR`.

Takes every complete result of a published suite with public seeds that was played in isolation with
the code of today. Others are named and left out. What was shipped before is removed, so DIR must
hold all that shall be shipped.
"""

import argparse
import sys
from pathlib import Path

from av_envs.benchmarks.board.leaderboard import why_unranked
from av_envs.benchmarks.command_line import UserError, run_command
from av_envs.benchmarks.report import NAME, read_checked
from av_envs.benchmarks.results.shipped import ENDING, SHIPPED, compressed
from av_envs.paths import path_argument
from av_envs.whole_files import write_whole


def ship(source: Path, target: Path = SHIPPED) -> tuple[list[Path], dict[str, str]]:
    """The files written, and the reason why others were not, by name.

    Errors: `UserError` if nothing can be shipped; nothing is removed then.
    """
    texts: dict[str, bytes] = {}
    reasons: dict[str, str] = {}
    for path in sorted(source.glob("*.json")):
        if path.stem == NAME:
            continue
        result = read_checked(path)
        secret = result["suite"]["secret_seeds"] is not None
        reason = "secret seeds" if secret else why_unranked(result)
        if reason:
            reasons[path.name] = reason
        else:
            texts[path.stem + ENDING] = compressed(path.read_bytes())
    if not texts:
        why = "".join(f"\n  {name}: {reason}" for name, reason in reasons.items())
        raise UserError(f"no result in {source} can be shipped{why}")
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob(f"*{ENDING}"):
        old.unlink()
    for name, data in texts.items():
        write_whole(target / name, data)
    return [target / name for name in texts], reasons


def _ship(arguments: argparse.Namespace) -> None:
    written, reasons = ship(arguments.directory)
    for name, reason in reasons.items():
        print(f"left out: {name}: {reason}")
    size = sum(path.stat().st_size for path in written)
    print(f"{len(written)} results, {size / 1e6:.1f} MB, in {SHIPPED}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.ship", description=__doc__)
    parser.add_argument(
        "directory", type=path_argument, help="where av_envs.benchmarks.run put its files"
    )
    return run_command(_ship, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
