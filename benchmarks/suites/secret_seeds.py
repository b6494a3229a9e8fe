"""Secret seeds: for a board whose maintainers play the agents themselves.

A file holds one whole number per line, as many as the largest group of a suite has episodes. The
houses stay those of the suite; where bodies and sources stand, and what sounds, does not. A result
holds only the file's SHA-256, so that two of them can be compared and the file be shown later.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.suites.suite import Suite

LEAST, MOST = 2**32, 2**63 - 1  # smaller ones could be found by trying


@dataclass(frozen=True)
class SecretSeeds:
    """Seeds by place in a group, and the SHA-256 of the file they come from."""

    seeds: tuple[int, ...]
    commitment: str


def read_secret_seeds(path: Path) -> SecretSeeds:
    """Read a file of seeds; errors name the file, never a seed."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    try:
        seeds = tuple(int(word) for word in content.split())
    except ValueError:
        raise UserError(f"{path} must hold whole numbers, one a line") from None
    if not seeds or len(set(seeds)) < len(seeds):
        raise UserError(f"{path} must hold different seeds")
    if not all(LEAST <= seed <= MOST for seed in seeds):
        raise UserError(
            f"{path}: seeds must lie in 2**32..2**63-1, smaller ones can be found by trying; "
            "draw them with secrets.randbits(62) + 2**32"
        )
    return SecretSeeds(seeds, hashlib.sha256(content).hexdigest())


def check_enough(secret: SecretSeeds, suite: Suite) -> None:
    """Every group of the suite must find a seed for each of its episodes."""
    needed = max(len(group.seeds) for group in suite.groups)
    if len(secret.seeds) < needed:
        raise UserError(f"{suite.name} needs {needed} secret seeds, there are {len(secret.seeds)}")
