"""The random numbers of spaces, which go on in a copy although the spaces are made anew.

Bounds of images and spectrograms are arrays of their size: a space is by far larger than
all that an environment has to remember.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gymnasium import Space, spaces


def generator_states(*of: Space) -> list[dict[str, Any]]:
    """Where the random numbers of these spaces, or of all their parts, are."""
    return [part.np_random.bit_generator.state for space in of for part in _parts(space)]


def go_on(states: Sequence[dict[str, Any]], *of: Space) -> None:
    """Let spaces like those of `generator_states` draw what those would have drawn next."""
    parts = [part for space in of for part in _parts(space)]
    for part, state in zip(parts, states, strict=True):
        part.np_random.bit_generator.state = state


def _parts(space: Space) -> Iterator[Space]:
    """Spaces that draw numbers themselves: a composite one only lets its parts draw."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        for part in parts:
            yield from _parts(part)
    else:
        yield space
