"""`av-envs cache list` and `av-envs cache clear`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from av_envs.arguments import parse
from av_envs.cache.contents import Kept, kept_in, remove_kept
from av_envs.cache.rows import (
    CACHE_VARIABLE,
    LIMIT_VARIABLE,
    cache_limit_bytes,
    chosen_directory,
)


def list_cache(arguments: Sequence[str]) -> int:
    """Print what the cache holds."""
    parser = argparse.ArgumentParser(
        description=f"What is kept in the cache directory ({CACHE_VARIABLE} names it): responses, "
        "views and sounds that were computed once."
    )
    parse(parser, arguments)
    directory = chosen_directory()
    print("\n".join(cache_lines(directory, kept_in(directory))))
    return 0


def cache_lines(directory: Path, kept: Sequence[Kept]) -> list[str]:
    """A table of what is kept, and how much may be."""
    lines = [f"{one.n_bytes / 1e9:8.2f} GB  {one.files:6} files  {one.kind}" for one in kept]
    used = sum(one.n_bytes for one in kept)
    limit = f"{cache_limit_bytes() / 1e9:g} GB may be kept ({LIMIT_VARIABLE})"
    return [f"{directory}: {used / 1e9:.2f} GB; {limit}", *lines]


def clear_cache(arguments: Sequence[str]) -> int:
    """Remove what the cache holds, or one kind of it."""
    parser = argparse.ArgumentParser(
        description="Remove cached responses, views and sounds; they are computed again when they "
        "are needed. Nothing else in that directory is touched."
    )
    parser.add_argument("--only", nargs="+", metavar="KIND", help="as `cache list` calls them")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    options = parse(parser, arguments)
    directory = chosen_directory()
    kept = {one.kind: one for one in kept_in(directory)}
    kinds = tuple(options.only or kept)
    unknown = [kind for kind in kinds if kind not in kept]
    if unknown:
        found = ", ".join(kept) or "nothing"
        print(f"error: the cache holds no {unknown[0]!r}; it holds {found}", file=sys.stderr)
        return 2
    if options.dry_run:
        removed, verb = [kept[kind] for kind in kinds], "would be removed"
    else:
        removed, verb = [remove_kept(directory, kinds)], "removed"
    files, n_bytes = sum(one.files for one in removed), sum(one.n_bytes for one in removed)
    print(f"{directory}: {files} files, {n_bytes / 1e9:.2f} GB {verb}")
    return 0
