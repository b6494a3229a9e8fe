"""corpus.json: labels, distractors and origin of a folder of clips."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from av_envs.whole_files import write_whole

FILE_NAME = "corpus.json"


@dataclass(frozen=True)
class Description:
    """The file corpus.json beside the split folders.

    classes      names in the order of their labels, 0 first
    distractors  those that may only distract
    uncut        clips play as they are: no pause is cut out when they are read
    recordings   {clip: files it was made of}, for people and for checks; may be empty
    """

    classes: tuple[str, ...]
    distractors: tuple[str, ...] = ()
    uncut: bool = False
    recordings: dict[str, list[str]] = field(default_factory=dict)

    def write(self, root: Path) -> None:
        """Put it into `root` in one go."""
        content = {
            "classes": {name: label for label, name in enumerate(self.classes)},
            "distractors": list(self.distractors),
            "uncut": self.uncut,
            "recordings": dict(sorted(self.recordings.items())),
        }
        write_whole(root / FILE_NAME, (json.dumps(content, indent=1) + "\n").encode())


def read_description(root: Path) -> Description | None:
    """Content of corpus.json in `root`; None if there is none."""
    path = root / FILE_NAME
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Description(
            in_order(content["classes"]),
            tuple(content.get("distractors", ())),
            bool(content.get("uncut", False)),
            dict(content.get("recordings", {})),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} does not describe a corpus: {error!r}") from None


def in_order(labels: dict[str, int]) -> tuple[str, ...]:
    """The names of a table {name: label}, whose labels must count from 0 without a gap."""
    if sorted(labels.values()) != list(range(len(labels))):
        raise ValueError(f"labels must be 0 to {len(labels) - 1}, each once")
    return tuple(sorted(labels, key=labels.__getitem__))
