"""The result file: schema, canonical form, hash, reading and writing.

One immutable JSON per (suite, agent, seed). `result_hash` covers everything that a
second run must reproduce and nothing that it cannot (times, hardware); `file_hash` covers all.
Neither needs a key: they tell a damaged file from a whole one, not an honest one from a forged one.
"""

import gzip
import hashlib
import json
import math
import zlib
from pathlib import Path
from typing import Any

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.results.schema import SHAPE, first_fault
from av_envs.benchmarks.results.version_3 import VERSION_3, upgraded
from av_envs.whole_files import write_whole

SCHEMA = "av-bench/result/4"
OLDER = ("av-bench/result/1", "av-bench/result/2")
DIGITS = 6  # libraries of linear algebra differ after that
DETERMINISTIC = (
    "schema", "complete", "suite", "env", "agent", "isolated", "seed", "episodes", "summary",
)  # fmt: skip


class EditedFileError(UserError):
    """A result that is not what was written."""


def rounded(value: Any) -> Any:
    """The value as it is written: floats to 6 digits, nan as null; infinity is refused."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            raise ValueError("a result cannot hold infinity")
        return round(value, DIGITS) + 0.0  # turns -0.0 into 0.0
    return value


def canonical(value: Any) -> str:
    """JSON with one spelling per value."""
    return json.dumps(rounded(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def result_hash(result: dict[str, Any]) -> str:
    """sha256 over the deterministic part."""
    part = {key: result[key] for key in DETERMINISTIC}
    return hashlib.sha256(canonical(part).encode()).hexdigest()


def file_hash(result: dict[str, Any]) -> str:
    """sha256 over everything but itself."""
    part = {key: value for key, value in result.items() if key != "file_hash"}
    return hashlib.sha256(canonical(part).encode()).hexdigest()


def summarise(episodes: list[dict[str, Any]]) -> dict[str, float | None]:
    """Mean of every metric over the episodes that have it."""
    names = episodes[0]["metrics"] if episodes else ()
    summary = {}
    for name in names:
        values = [e["metrics"][name] for e in episodes if e["metrics"][name] is not None]
        summary[name] = sum(values) / len(values) if values else None
    return rounded(summary)


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Round, seal with the hash, and put the file in place in one move."""
    sealed = rounded(result)
    sealed["result_hash"] = result_hash(sealed)
    sealed["file_hash"] = file_hash(sealed)
    write_text(path, text_of(sealed))


def text_of(result: dict[str, Any]) -> str:
    """JSON with one line per episode and per other key, easy to read and to compare."""
    lines = []
    for key in sorted(result):
        value = canonical(result[key])
        if key == "episodes":
            value = "[\n" + ",\n".join(map(canonical, result[key])) + "\n]"
        lines.append(f"{json.dumps(key)}: {value}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: readers see the old one or the whole new one."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def read_result(path: Path) -> dict[str, Any]:
    """Read a result file and check that it is as it was written; see `version_3` for older ones.

    A name that ends with .gz is that of a compressed one.
    """
    try:
        text = _bytes_of(path).decode("utf-8")
        result = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error})") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply for a result") from None
    if isinstance(result, dict) and result.get("schema") in OLDER:
        raise UserError(
            f"{path} is an {result['schema']} file of an earlier version of av-envs, whose suites "
            f"were withdrawn; play again for an {SCHEMA} file"
        )
    if not isinstance(result, dict) or result.get("schema") not in (SCHEMA, VERSION_3):
        raise UserError(f"{path} is not an {SCHEMA} file")
    missing = sorted(set(SHAPE) - set(result))
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}")
    for name, hashed in (("result_hash", result_hash), ("file_hash", file_hash)):
        if hashed(result) != result[name]:
            raise EditedFileError(f"{path} was edited: its content does not match its {name}")
    try:
        read = result if result["schema"] == SCHEMA else upgraded(result)
    except ValueError as error:
        raise UserError(f"{path} is malformed: {error}") from None
    fault = first_fault(read)
    if fault:
        raise UserError(f"{path} is malformed: {fault}")
    return read


def _bytes_of(path: Path) -> bytes:
    """What a file holds, decompressed where its name says so."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _finite(text: str) -> float:
    """A number of a result file; infinity and nan have no place in one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number
