"""RLR-Audio-Propagation, the engine of SoundSpaces 2.0, as an acoustic backend for comparisons.

RLR-Audio-Propagation (Schissler and others, in Chen and others, "SoundSpaces 2.0: A
Simulation Platform for Visual-Acoustic Learning", NeurIPS 2022) traces rays from the
listener and from the source. It is a Linux library under CC BY-NC 4.0
(`pip install -e '.[rlr]'`): no other module needs it, its results are non-commercial.

Measured deviations of version 0.0.1 that are corrected here: sound travels at 344 m/s, so
the scene is stretched to keep all times; amplitudes are 1 / sqrt(4 pi) of ours; a second
simulation in one context differs from the first, so each response comes from a context of
its own; its built-in head adds a delay of 16 samples. Not corrected: nearer than 1 m
the direct sound is too faint (-0.3 dB at 1 m, -1.3 dB at 0.5 m), and sound that falls from
the side reaches both ears at the same time.
"""

import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.paths import path_text, user_path
from av_envs.scene import Scene
from av_envs.soundspaces.frames import habitat_from_world, quaternion_of
from av_envs.worlds.base import check_head

LICENCE = (
    "RLR-Audio-Propagation is licensed under CC BY-NC 4.0: use it, and what it makes, "
    "for non-commercial measuring only"
)
SPEED_THERE = 344.0  # m/s, of the library
STRETCH = SPEED_THERE / SPEED_OF_SOUND
VOLUME = np.sqrt(4 * np.pi) * STRETCH  # 1 at 1 m of ours
HEAD_LATENCY = 16  # samples of 16 kHz, of the built-in head
CHANNELS = {"mono": 1, "binaural": 2}


class LicenceNotice(UserWarning):
    """Warning, once per process: what the library may be used for."""


@dataclass(frozen=True)
class RLRConfig:
    """Parameters of the library."""

    n_rays: int = 5000  # from the listener
    n_source_rays: int = 200
    source_ray_depth: int = 10  # reflections
    bands: int = 8  # 4 or 8, log-spaced by the library
    diffraction: bool = True
    ears: str = "binaural"  # or "mono": one microphone that hears all directions alike
    hrtf: str | os.PathLike[str] | None = None  # path of a SOFA file instead of the built-in head
    threads: int = 1  # with more, no answer comes twice


class RLRAcoustics:
    """An `AcousticBackend` by the library; every call runs a new simulation.

    With `ears="mono"` both rows of a response are the same microphone.
    """

    def __init__(self, scene: Scene, config: RLRConfig | None = None):
        self.scene = scene
        self.config = config or RLRConfig()
        if self.config.ears not in CHANNELS:
            raise ValueError(f"ears must be one of {sorted(CHANNELS)}, got {self.config.ears!r}")
        if self.config.hrtf is not None:  # the library reads the file itself and checks nothing
            check_head(path_text(self.config.hrtf, "hrtf"))
        self._library = load_library()
        self._materials = json.dumps(material_database(scene))

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        """(2, 16000) float32, left ear first; a source has amplitude 1 at 1 m."""
        return self.draws(source, receiver, heading, 1)[0]

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        for source, ears in zip(sources, out, strict=True):
            ears[:] = self.rir(int(source), receiver, heading)

    def draws(self, source: int, receiver: int, heading: int, n: int) -> np.ndarray:
        """(n, 2, 16000) of one pair with other random numbers each; the first is `rir`.

        The library has no seed: its random numbers go on from one simulation to the next.
        """
        context = self._context()
        layout = getattr(self._library.ChannelLayoutType, self.config.ears.capitalize())
        context.add_listener(self._library.ChannelLayout(layout, CHANNELS[self.config.ears]))
        context.set_listener_radius(0, 0.0)  # else sound arrives earlier by as much
        context.set_listener_position(0, self._place(receiver))
        x, y, z, w = quaternion_of(heading)
        context.set_listener_orientation_quaternion(0, [w, x, y, z])
        if self.config.hrtf is not None:
            context.set_listener_hrtf(0, str(user_path(self.config.hrtf, "hrtf")))
        context.add_source()
        context.set_source_radius(0, 0.0)
        context.set_source_position(0, self._place(source))
        responses = []
        for _ in range(n):
            context.simulate()
            responses.append(self._response(context))
        return np.array(responses)

    def _place(self, node: int) -> list[float]:
        heads = self.scene.graph.heads
        if not 0 <= node < len(heads):
            raise ValueError(f"a node must lie in 0..{len(heads) - 1}, got {node}")
        return (STRETCH * habitat_from_world(heads[node])).tolist()

    def _response(self, context: Any) -> np.ndarray:
        """The library's last response at 16 kHz, of one second, without its delay."""
        n_channels = CHANNELS[self.config.ears]
        late = HEAD_LATENCY if n_channels == 2 and self.config.hrtf is None else 0
        out = np.zeros((2, RIR_SAMPLES), np.float32)
        for ear in range(2):
            samples = context.get_ir_channel(0, 0, ear % n_channels)[late : late + RIR_SAMPLES]
            out[ear, : len(samples)] = samples
        return out

    def _context(self) -> Any:
        """A new context with the scene in it."""
        settings = self._library.Config()
        wanted = {
            "sample_rate": SAMPLE_RATE,
            "global_volume": VOLUME,
            "indirect_ray_count": self.config.n_rays,
            "source_ray_count": self.config.n_source_rays,
            "source_ray_depth": self.config.source_ray_depth,
            "frequency_bands": self.config.bands,
            "diffraction": self.config.diffraction,
            "thread_count": self.config.threads,
            "max_ir_length": RIR_SAMPLES / SAMPLE_RATE,
        }
        for name, value in wanted.items():
            setattr(settings, name, value)
        with _quiet():
            context = self._library.Context(settings)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(self._materials)
            file.flush()
            context.set_material_database_json(file.name)
        context.add_object()
        triangles = STRETCH * habitat_from_world(self.scene.triangles)
        context.add_mesh_vertices(triangles.ravel().tolist())
        corners = np.arange(3 * len(triangles)).reshape(-1, 3)
        for material in range(len(self.scene.materials)):
            used = corners[self.scene.material == material]
            if len(used):
                context.add_mesh_indices(used.ravel().tolist(), 3, category(material))
        context.finalize_object_mesh(0)
        return context


def load_library() -> ModuleType:
    """The library's Python module, with its licence said once per process."""
    try:
        library = import_module("rlr_audio_propagation")
    except ImportError as error:
        raise ImportError(
            "the RLR engine is not installed: pip install -e '.[rlr]' "
            "(Linux on x86-64; CC BY-NC 4.0, non-commercial use only)"
        ) from error
    warnings.warn(LICENCE, LicenceNotice, stacklevel=3)
    return library


def category(material: int) -> str:
    """The library matches materials by parts of their names: none may contain another."""
    return f"<{material}>"


def material_database(scene: Scene) -> dict[str, Any]:
    """The scene's materials as the library reads them.

    Its absorption is all that does not come back, what passes included. A ray that enters a
    wall goes to and fro between the two faces, n times until it is absorbed: where ours gives
    the loss of the wall as built, `face_transmission` gives what one face must let through.
    """
    swallowed = np.minimum(scene.absorption + scene.transmission, 1)
    tables = {
        "absorption": swallowed,
        "scattering": scene.scattering,
        "transmission": face_transmission(swallowed, scene.transmission),
        "damping": np.zeros_like(swallowed),  # dB per metre inside a wall
    }
    rows = []
    for index, material in enumerate(scene.materials):
        row = {"name": material.name, "labels": [category(index)]}
        for name, table in tables.items():
            pairs = zip(BANDS_HZ, table[index], strict=True)
            row[name] = [float(number) for pair in pairs for number in pair]
        rows.append({**row, "density": 1.2, "speed": SPEED_THERE})  # kg/m3, m/s: air
    return {"materials": rows}


def face_transmission(swallowed: np.ndarray, through: np.ndarray) -> np.ndarray:
    """Energy that one face passes, so that two with air between them pass `through`.

    Of what enters, a share t leaves at the first contact with the far face and as much of what
    is left after two more, each returning 1 - a: through = t t / (1 - (1 - a)^2). A face
    cannot pass more than it swallows; then a becomes t.
    """
    passed = np.sqrt(through * swallowed * (2 - swallowed))
    return np.where(passed <= swallowed, passed, 2 * through / (1 + through))


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the library's standard output, which it writes from C++."""
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
