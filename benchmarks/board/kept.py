"""What the page plays of episodes, kept from one report to the next.

To take an episode again, ask its agent and code its sounds takes seconds. All of that is decided
by the result, so it is kept in the cache directory under the result's hash.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

import av_envs
from av_envs.acoustics.bank import ENGINE_VERSION
from av_envs.benchmarks.results.files import canonical
from av_envs.cache.rows import RowFile
from av_envs.vision.views import LOOKS, pictures_version

KEPT_VERSION = 1  # of tracks and sheets of views: raise it when they are made otherwise
MOST = 1 << 20  # bytes; what is longer is made anew for every report

Senses = dict[str, Any]


def kept_senses(
    result: dict[str, Any], record: dict[str, Any], make: Callable[[], tuple[Senses, bool]]
) -> Senses:
    """What `make` returns for an episode of a result, made once; JSON-safe.

    make  also returns whether that is worth keeping: an agent that could not be asked may be
          asked another time
    """
    row_file = RowFile(f"heard/{_key(result, record)}", np.uint8, (MOST,), 1)
    row = row_file.read(0)
    if row is not None:
        return json.loads(row.tobytes().rstrip(b"\0"))
    senses, lasts = make()
    text = json.dumps(senses).encode()
    if lasts and len(text) <= MOST:
        row_file.put(0, np.frombuffer(text.ljust(MOST, b"\0"), np.uint8))
    return senses


def _key(result: dict[str, Any], record: dict[str, Any]) -> str:
    """Changes with all that decides what the page plays."""
    parts = (
        result["result_hash"], record["group"], record["episode"], KEPT_VERSION, ENGINE_VERSION,
        *map(pictures_version, LOOKS), av_envs.__version__,
    )  # fmt: skip
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:32]
