"""Acoustic backend of measured rooms: responses are looked up, not computed.

Measured rooms rarely have enough positions for navigation, so this is not a world of the
tasks: it serves listening to real rooms and comparison with computed responses.
"""

from pathlib import Path

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.acoustics.measured.files import read_room
from av_envs.acoustics.measured.rooms import MeasuredRoom, calibrated
from av_envs.scene import HEAD_HEIGHT, NavigationGraph
from av_envs.scene.navigation import CLEARANCE_CAP, STEPS

ON_GRID = 0.02  # m by which neighbours may be off the grid


class RecordedAcoustics:
    """An `AcousticBackend` of measured responses, truncated or zero-padded to one second.

    room  nodes are its positions, see `MeasuredRoom`; other poses are a ValueError
    """

    def __init__(self, room: MeasuredRoom):
        self.room = room
        self._rows = {tuple(pose): row for row, pose in enumerate(room.poses.tolist())}

    @classmethod
    def open(
        cls, path: str | Path, clockwise: bool = False, calibrate: bool = True
    ) -> "RecordedAcoustics":
        """The room in a file, see `read_room`; its level and delay see `calibrated`."""
        room = read_room(path, clockwise)
        return cls(calibrated(room) if calibrate else room)

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        """(2, 16000) float32, left ear first; a source has amplitude 1 at 1 m."""
        out = np.empty((2, RIR_SAMPLES), np.float32)
        self.rirs_into(np.array([source]), receiver, heading, out[None])
        return out

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        for source, ears in zip(sources, out, strict=True):
            measured = self.room.responses[self._row(int(source), receiver, heading)]
            kept = measured[:, :RIR_SAMPLES]
            ears[:, : kept.shape[1]] = kept
            ears[:, kept.shape[1] :] = 0

    def _row(self, source: int, receiver: int, heading: int) -> int:
        row = self._rows.get((source, receiver, heading))
        if row is None:
            poses = self.room.poses
            headings = sorted(set(poses[poses[:, 1] == receiver][:, 2].tolist()))
            told = f"heads at {receiver} had the headings {headings}" if headings else (
                f"heads were at {sorted(set(poses[:, 1].tolist()))}"
            )  # fmt: skip
            raise ValueError(
                f"{self.room.name}: nobody measured source {source}, head {receiver}, heading "
                f"{heading}; {told}"
            )
        return row

    def graph(self, grid: float) -> NavigationGraph:
        """All positions as nodes, linked where they are one grid step apart along an axis.

        grid  metres. Nothing is known of walls: links may lead through them.
        """
        heads = self.room.positions
        apart = heads[None, :] - heads[:, None]
        neighbours = np.full((len(heads), len(STEPS)), -1, np.int32)
        for heading, step in enumerate(STEPS):
            off = np.linalg.norm(apart - [*(grid * step), 0.0], axis=2)
            node, other = np.nonzero(off < ON_GRID)
            neighbours[node, heading] = other
        floor = (heads - [0, 0, HEAD_HEIGHT]).astype(np.float32)
        room = np.zeros(len(heads), np.int32)
        clearance = np.full(len(heads), CLEARANCE_CAP, np.float32)
        return NavigationGraph(floor, neighbours, grid, room, clearance)
