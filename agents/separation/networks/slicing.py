"""How convolutions see a spectrogram: its frequencies cut into 16 bands that become channels.

A band of 32 neighbouring bins by 32 frames is a square, and kernels differ from band to band.
Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022.
"""

from torch import Tensor

N_FREQUENCIES, N_FRAMES = 512, 32
BANDS = 16  # slices of the frequencies
BINS = N_FREQUENCIES // BANDS


def sliced(spectrograms: Tensor) -> Tensor:
    """(B, C, 512, 32) -> (B, 16 C, 32, 32); channel c * 16 + b is band b of spectrogram c."""
    return spectrograms.reshape(len(spectrograms), -1, BINS, N_FRAMES)


def joined(planes: Tensor) -> Tensor:
    """(B, 16 C, 32, 32) -> (B, C, 512, 32), the inverse of `sliced`."""
    return planes.reshape(len(planes), -1, N_FREQUENCIES, N_FRAMES)


def checked_shape(spectrograms: Tensor, name: str, front: tuple[int, ...]) -> Tensor:
    """The spectrograms.

    name   of the tensor, for the error
    front  the axes between the batch and (512, 32)

    Raises ValueError if the shape is not (B, *front, 512, 32).
    """
    expected = (*front, N_FREQUENCIES, N_FRAMES)
    if tuple(spectrograms.shape[1:]) != expected:
        sizes = ", ".join(map(str, expected))
        raise ValueError(f"{name} must be (B, {sizes}); got {tuple(spectrograms.shape)}")
    return spectrograms
