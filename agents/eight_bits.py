"""Keep a file of weights in 8 bits: `python -m av_envs.agents.eight_bits FILE --out SMALLER`.

Half the size of the half precision in which weights are saved, for files that ship. A matrix is
kept as whole numbers from -127 to 127, and a factor for each of its rows beside it; what is no
matrix stays as it is, and so does the header. `weight_files.load_weights` reads both.
"""

import argparse
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from av_envs.agents.weight_files import FACTOR, MALFORMED, one_line
from av_envs.paths import path_argument, user_path
from av_envs.whole_files import replacing

LARGEST = 127
FEWEST = 1024  # numbers in a matrix that is worth it


def shrunk(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights by name, matrices as int8 with a factor (rows,) under the name + FACTOR.

    The error of a weight is at most a 254th of the largest one in its row.
    """
    made = {}
    for name, value in tensors.items():
        if not value.is_floating_point() or value.ndim < 2 or value.numel() < FEWEST:
            made[name] = value
            continue
        rows = value.float().flatten(1)
        factor = rows.abs().amax(dim=1) / LARGEST
        whole = (rows / factor.clamp(min=torch.finfo(torch.float32).tiny)[:, None]).round()
        made[name] = whole.to(torch.int8).reshape(value.shape)
        made[name + FACTOR] = factor
    return made


def shrink(path: Path, out: Path) -> None:
    """Write the weights and the header of one file into another; ValueError if it is damaged."""
    try:
        with safe_open(user_path(path), "pt") as file:
            header = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error
    with replacing(user_path(out)) as draft:
        save_file(shrunk(tensors), str(draft), header)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.eight_bits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=path_argument)
    parser.add_argument("--out", type=path_argument, required=True)
    arguments = parser.parse_args(argv)
    try:
        shrink(arguments.file, arguments.out)
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    before, after = (path.stat().st_size for path in (arguments.file, arguments.out))
    print(f"{before:,} bytes before, {after:,} now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
