"""JSON of others: how much of it is read."""

import json
from typing import Any

LARGEST_JSON = 2**28  # bytes of text
MOST_BRACKETS = 10_000_000  # lists and objects, of 64 bytes and more in memory


def parse_json(text: bytes) -> Any:
    """What a JSON text holds.

    Raises a ValueError for a text that is too long, has too many or too deep lists and objects,
    or is none.
    """
    if len(text) > LARGEST_JSON:
        raise ValueError(f"it has more than {LARGEST_JSON} bytes of JSON, the most that are read")
    brackets = text.count(b"[") + text.count(b"{")
    if brackets > MOST_BRACKETS:
        raise ValueError(f"it has {brackets} lists and objects; at most {MOST_BRACKETS} are read")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects are nested too deep") from None
