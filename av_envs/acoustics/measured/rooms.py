"""Measured rooms: binaural responses with their poses, and their calibration."""

from dataclasses import dataclass, replace

import numpy as np

from av_envs.acoustics.ears import check_sides
from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.measures import DIRECT_WINDOW, onset
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND

SAME_PLACE = 0.01  # m; positions that are nearer to each other are one node
BEFORE_ONSET = 8  # samples that still belong to the direct sound
BAND_HZ = (300, 3000)  # where levels are compared, as for heads


@dataclass(frozen=True, eq=False)
class MeasuredRoom:
    """Binaural responses of one room.

    name       what errors call it
    positions  (N,3) float64, metres: of loudspeakers and of heads, x east, y north, z up
    poses      (M,3) int64: node of the source, node of the head, its heading, 0 to 3
    responses  (M,2,n) float32, left ear first, 16 kHz
    """

    name: str
    positions: np.ndarray
    poses: np.ndarray
    responses: np.ndarray

    def __post_init__(self):
        faulty = ~np.isfinite(self.responses).all(axis=(1, 2))
        faulty |= ~self.responses.any(axis=2).all(axis=1)
        if faulty.any():
            row = int(faulty.argmax())
            raise ValueError(
                f"{self.name}: response {row}, source, head and heading "
                f"{self.poses[row].tolist()}, is silent or not finite"
            )
        poses, counts = np.unique(self.poses, axis=0, return_counts=True)
        if counts.max() > 1:
            twice = poses[counts.argmax()].tolist()
            raise ValueError(f"{self.name}: source, head and heading {twice} are there twice")

    @property
    def offsets(self) -> np.ndarray:
        """(M,3) metres from the head to the source in the frame of the head, x ahead, y left."""
        world = self.positions[self.poses[:, 0]] - self.positions[self.poses[:, 1]]
        turn = np.exp(-0.5j * np.pi * self.poses[:, 2])
        across = (world[:, 0] + 1j * world[:, 1]) * turn
        return np.stack([across.real, across.imag, world[:, 2]], axis=1)


def room_of(
    name: str, sources: np.ndarray, heads: np.ndarray, headings: np.ndarray, responses: np.ndarray
) -> MeasuredRoom:
    """The room of M responses (M,2,n) from sources (M,3) to heads (M,3); places become nodes."""
    places, numbers = [], []
    for place in np.concatenate([sources, heads]):
        near = [k for k, one in enumerate(places) if np.linalg.norm(one - place) < SAME_PLACE]
        numbers.append(near[0] if near else len(places))
        if not near:
            places.append(place)
    source, head = np.reshape(numbers, (2, -1))
    return MeasuredRoom(name, np.array(places), np.stack([source, head, headings], 1), responses)


def calibrated(room: MeasuredRoom) -> MeasuredRoom:
    """The same with a source that has amplitude 1 at 1 m, heard after distance over speed of sound.

    One gain and one delay for all: microphones, loudspeakers and recorders have their own. They
    are such that direct sounds are as loud as with the built-in head in the same directions, and
    that half of them come earlier and half later than distances say.
    """
    distances = np.linalg.norm(room.offsets, axis=1)
    apart = distances > SAME_PLACE
    if not apart.any():
        raise ValueError(f"{room.name}: every source stands where its head is; no level is known")
    head = load_hrtf()
    rows = [head.nearest(offset) for offset in room.offsets[apart] / distances[apart, None]]
    expected = _band_power(head.responses[rows]).mean(axis=1) / distances[apart] ** 2
    starts = onset(room.responses[apart])
    found = _band_power(_direct(room.responses[apart], starts)).mean(axis=1)
    gain = np.sqrt(expected.sum() / found.sum())
    late = starts.mean(axis=1) - distances[apart] / SPEED_OF_SOUND * SAMPLE_RATE
    moved = _later(room.responses, -round(float(np.median(late))))
    return replace(room, responses=(gain * moved).astype(np.float32))


def _direct(responses: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(M,2,n) only what comes first, up to 2.5 ms after its onset."""
    since = np.arange(responses.shape[-1]) - starts[..., None]
    inside = (since >= -BEFORE_ONSET) & (since < DIRECT_WINDOW * SAMPLE_RATE)
    return responses * inside


def _band_power(responses: np.ndarray) -> np.ndarray:
    """(...,n) to (...,) mean squared magnitude between 300 Hz and 3 kHz."""
    frequency = np.fft.rfftfreq(4096, 1 / SAMPLE_RATE)
    inside = (frequency > BAND_HZ[0]) & (frequency < BAND_HZ[1])
    lengthened = np.pad(responses[..., :4096], [(0, 0)] * (responses.ndim - 1) + [(0, 1)])
    return np.square(np.abs(np.fft.rfft(lengthened, 4096)[..., inside])).mean(axis=-1)


def _later(responses: np.ndarray, shift: int) -> np.ndarray:
    """The same, `shift` samples later or, if negative, earlier; nothing comes round."""
    moved = np.zeros((*responses.shape[:-1], responses.shape[-1] + max(shift, 0)), np.float32)
    kept = responses[..., max(-shift, 0) :]
    moved[..., max(shift, 0) : max(shift, 0) + kept.shape[-1]] = kept
    return moved


def check_room_sides(room: MeasuredRoom) -> None:
    """Raise a ValueError if what is on the left comes to the right ear first or louder."""
    distances = np.linalg.norm(room.offsets, axis=1)
    sine = room.offsets[:, 1] / np.maximum(distances, SAME_PLACE)
    check_sides(room.name, sine, _direct(room.responses, onset(room.responses)))
