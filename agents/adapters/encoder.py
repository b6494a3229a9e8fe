"""One network that reads the observations of both tasks, for every library."""

import math
from collections.abc import Mapping

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from av_envs.scene import CATEGORIES

# key: axes of one observer's array; one more means that a team is stacked in front
PICTURES = {"rgb": 3, "depth": 3, "semantic": 2}
SPECTROGRAMS = {"mixture": 3}
MAPS = {"footprints": 3}
WAVES = {"waveform": 2, "heard_rir": 3}
VECTORS = {
    "pose": 1,
    "azimuth": 1,
    "position": 1,
    "action_mask": 1,
    "partner_pose": 2,
    "told": 1,
}
CLASS = "target"
AXES = {**PICTURES, **SPECTROGRAMS, **MAPS, **WAVES, **VECTORS}

CATEGORY_SIZE = 4  # numbers that stand for a category of pixels
CLASS_SIZE = 16  # numbers that stand for a class of sounds
VECTOR_SIZE = 64
WAVE_GAIN = {"waveform": 1.0, "heard_rir": 100.0}  # a direct sound of a response is about 0.1
SMALL = 32  # cells along a side of pictures and spectrograms that need no convolutions
FFT, HOP = 1023, 512  # a second becomes (512, 32), as `mixture` is


class ObservationEncoder(nn.Module):
    """Observations of `SeparationEnv`, `MeasureEnv` or `JointMeasureEnv` to feature vectors.

    Convolutions read pictures and sounds, small layers the rest. The robots of a team are
    read by the same weights and then joined.

    observation_space  a Dict of the environments' keys, any subset of them
    features           length of the result, and of what each branch says
    channels           of the three convolutions of each branch
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        features: int = 256,
        channels: tuple[int, int, int] = (32, 64, 64),
    ):
        super().__init__()
        known = observation_space.spaces
        unknown = sorted(set(known) - {*AXES, CLASS})
        if unknown:
            raise ValueError(f"no idea how to read {unknown}; known are {sorted([*AXES, CLASS])}")
        shapes = {key: known[key].shape for key in AXES if key in known}
        self.robots = _robots(shapes)
        self.keys = tuple(known)
        if self.robots is not None:
            shapes = {key: shape[1:] for key, shape in shapes.items()}
        self.branches = nn.ModuleDict()
        self._read_pictures(shapes, channels, features)
        self._read_sounds(shapes, channels, features)
        numbers = sum(torch.Size(shapes[key]).numel() for key in VECTORS if key in shapes)
        if numbers:
            self.branches["vectors"] = nn.Sequential(nn.Linear(numbers, VECTOR_SIZE), nn.ReLU())
        if CLASS in known:
            self.branches[CLASS] = nn.Embedding(int(known[CLASS].n), CLASS_SIZE)
        with torch.no_grad():
            size = self._read(_example(known)).shape[-1]
        self.head = nn.Linear(size, features)

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """(..., features)

        observation  arrays as the environment returns them, with any axes in front (batch, time);
                     pictures may also be floats in 0..1, the class of the target also one-hot
        """
        front = self._axes_in_front(observation)
        rows = {
            key: observation[key].reshape(-1, *observation[key].shape[len(front) :])
            for key in self.keys
        }
        return relu(self.head(self._read(rows))).reshape(*front, -1)

    def _axes_in_front(self, observation: Mapping[str, Tensor]) -> torch.Size:
        for key in self.keys:
            if key in AXES:
                own = AXES[key] + (self.robots is not None)
                return observation[key].shape[: observation[key].ndim - own]
        return observation[CLASS].shape[:1]  # a class alone

    def _read_pictures(self, shapes, channels, features) -> None:
        depth = {"rgb": 3, "depth": 1, "semantic": CATEGORY_SIZE}
        seen = [key for key in PICTURES if key in shapes]
        if "semantic" in seen:
            self.branches["categories"] = nn.Embedding(len(CATEGORIES), CATEGORY_SIZE)
        if seen:
            size = (sum(depth[key] for key in seen), *shapes[seen[0]][:2])
            self.branches["pictures"] = _layers(size, channels, (8, 4, 3), (4, 2, 2), features)

    def _read_sounds(self, shapes, channels, features) -> None:
        sizes = {key: shapes[key] for key in SPECTROGRAMS if key in shapes}
        for key in WAVES:
            if key in shapes:
                *many, samples = shapes[key]
                size = (FFT // 2 + 1, samples // HOP + 1)
                sizes[key] = (torch.Size(many).numel(), *size)
        for key in MAPS:
            if key in shapes:
                self.branches[key] = _convolutions(
                    shapes[key], channels[:2], (3, 3), (2, 2), features
                )
        for key, size in sizes.items():
            kernels, strides = ((8, 4), (8, 4), (4, 4)), ((4, 2), (4, 2), (4, 2))
            self.branches[key] = _layers(size, channels, kernels, strides, features)

    def _read(self, observation: Mapping[str, Tensor]) -> Tensor:
        arrays = {key: observation[key] for key in self.keys if key in AXES}
        parts = []
        if arrays:
            if self.robots is not None:  # every robot is one of the batch, for now
                arrays = {key: array.flatten(0, 1) for key, array in arrays.items()}
            each = torch.cat(list(self._parts(arrays)), dim=-1)
            parts.append(each if self.robots is None else each.unflatten(0, (-1, self.robots)))
        if CLASS in self.keys:
            parts.append(self.branches[CLASS](self._classes(observation[CLASS])))
        return torch.cat([part.flatten(1) for part in parts], dim=-1)

    def _parts(self, arrays: dict[str, Tensor]):
        pictures = [self._picture(key, arrays[key]) for key in PICTURES if key in arrays]
        if pictures:
            yield self.branches["pictures"](torch.cat(pictures, dim=-1).movedim(-1, 1))
        for key in (*SPECTROGRAMS, *MAPS):
            if key in arrays:
                yield self.branches[key](arrays[key].float())
        for key in WAVES:
            if key in arrays:
                yield self.branches[key](_spectrogram(WAVE_GAIN[key] * arrays[key].float()))
        vectors = [arrays[key].float().flatten(1) for key in VECTORS if key in arrays]
        if vectors:
            yield self.branches["vectors"](_squeezed(torch.cat(vectors, dim=-1)))

    def _picture(self, key: str, picture: Tensor) -> Tensor:
        """(B, height, width, channels) floats of about 0 to 1."""
        if key == "semantic":
            return self.branches["categories"](picture.long())
        return picture if picture.is_floating_point() else picture.float() / 255

    def _classes(self, target: Tensor) -> Tensor:
        rows = target.reshape(len(target), -1)
        return rows[:, 0].long() if rows.shape[1] == 1 else rows.argmax(dim=1)


def _robots(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """How many are stacked in every array; None if it is one observer without that axis."""
    found = {shape[0] if len(shape) == AXES[key] + 1 else None for key, shape in shapes.items()}
    wrong = [key for key, shape in shapes.items() if len(shape) - AXES[key] not in (0, 1)]
    if wrong or len(found) > 1:
        raise ValueError(f"the shapes are of neither one robot nor a team: {dict(shapes)}")
    return found.pop() if found else None


def _example(known: Mapping[str, spaces.Space]) -> dict[str, Tensor]:
    """A batch of one, to learn the sizes of layers from."""
    arrays = {key: torch.zeros(1, *space.shape) for key, space in known.items() if key != CLASS}
    return {**arrays, CLASS: torch.zeros(1, dtype=torch.long)}


def _layers(size, channels, kernels, strides, features) -> nn.Sequential:
    """Convolutions; a dense layer if the input is small."""
    if max(size[1:]) <= SMALL:
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(size), features), nn.ReLU())
    return _convolutions(size, channels, kernels, strides, features)


def _convolutions(size, channels, kernels, strides, features) -> nn.Sequential:
    """Of an input of `size` (channels, height, width)."""
    layers, before = [], size[0]
    for after, kernel, stride in zip(channels, kernels, strides, strict=True):
        layers += [nn.Conv2d(before, after, kernel, stride), nn.ReLU()]
        before = after
    layers.append(nn.Flatten())
    with torch.no_grad():
        flat = nn.Sequential(*layers)(torch.zeros(1, *size)).shape[1]
    return nn.Sequential(*layers, nn.Linear(flat, features), nn.ReLU())


def _squeezed(numbers: Tensor) -> Tensor:
    """sign(x) log(1 + |x|): metres keep their order and stay near those that lie in 0..1."""
    return numbers.sign() * numbers.abs().log1p()


def _spectrogram(waves: Tensor) -> Tensor:
    """log(1 + magnitude) (B, channels, 512, 32) of (B, ..., 16000) samples."""
    waves = waves.flatten(1, -2)
    rows = pad(waves.flatten(0, 1), (FFT // 2, FFT // 2))
    window = torch.hann_window(FFT, device=waves.device)
    spectra = torch.stft(rows, FFT, HOP, window=window, center=False, return_complex=True)
    return spectra.abs().log1p().unflatten(0, waves.shape[:2])
