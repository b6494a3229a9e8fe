"""Examples that passive separators are trained on: a pose and where the sources are."""

from dataclasses import dataclass
from pathlib import Path

from av_envs.soundspaces.errors import UnreadableFileError
from av_envs.soundspaces.frames import heading_of
from av_envs.soundspaces.reading.unpickling import load_pickle


@dataclass(frozen=True)
class PassiveExample:
    """A mixture to be: nodes as in the file names of responses, the target first.

    heading  quarter turns from east of the receiver
    """

    receiver: int
    heading: int
    sources: tuple[int, ...]


def read_passive_examples(path: Path, scene: str) -> list[PassiveExample]:
    """All examples of one scene."""
    stored = load_pickle(path)
    if not isinstance(stored, dict) or scene not in stored:
        raise UnreadableFileError(path, f"must be a dict with the scene {scene!r}")
    if not isinstance(stored[scene], list | tuple):
        raise UnreadableFileError(path, f"examples of {scene!r} must be a list")
    examples = []
    for number, record in enumerate(stored[scene]):
        try:
            sources = tuple(int(node) for node in record["all_s"])
            # azimuth is a folder of responses: alpha, which runs against theta
            heading = heading_of(-float(record["azimuth"]))
            examples.append(PassiveExample(int(record["r"]), heading, sources))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise UnreadableFileError(path, f"example {number} {reason}") from None
    return examples
