"""What a run goes on from: a file of tensors and plain values that no other program writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch

from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.whole_files import replacing


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write it; the file is there whole or not at all."""
    with replacing(path) as draft:
        torch.save(dict(state), draft)


def load_state(path: Path) -> dict[str, Any]:
    """Read it, without pickled code; ValueError with its name if it is damaged."""
    if not is_zipfile(path):  # as torch.save writes; torch.load would try older forms
        raise ValueError(f"{path}: is no checkpoint: it is missing, cut or another file")
    try:
        return torch.load(path, weights_only=True)
    except MALFORMED as error:
        raise ValueError(f"{path}: is no checkpoint of this run: {one_line(error)}") from error
