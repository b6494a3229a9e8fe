"""Results that come with the package, so that one's own agent is ranked among others at once.

They are result files as `av_envs.benchmarks.run` wrote them, compressed. They lie inside the
package and not beside it, because an installation without a clone has them too then.
`python -m av_envs.benchmarks.ship` renews them.
"""

import gzip
from collections.abc import Iterable
from pathlib import Path

SHIPPED = Path(__file__).parent / "shipped"
ENDING = ".json.gz"


def files_of(directory: Path, suites: Iterable[str]) -> list[Path]:
    """The result files of a directory, compressed or not, that are named after these suites."""
    names = tuple(f"{suite}--" for suite in suites)
    return sorted(
        path
        for path in directory.glob("*.json*")
        if path.name.startswith(names) and path.name.endswith((".json", ENDING))
    )


def compressed(text: bytes) -> bytes:
    """The same bytes for the same text, at any time and anywhere."""
    return gzip.compress(text, compresslevel=9, mtime=0)
