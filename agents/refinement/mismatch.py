"""Acoustics that stand in for recordings: a simulation with parameters that no simulation knows.

What differs from the simulation is the same in all houses (the surfaces of a kind absorb more or
less than the table says; one loudspeaker, one pair of ears), or of one session (gain, noise), or
of one placement (a few centimetres and degrees). Only the first can be learned from pairs.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from scipy.fft import irfft, rfft

from av_envs.acoustics import TraceConfig, TracedAcoustics
from av_envs.acoustics.binaural import (
    RIR_SAMPLES,
    binaural_response,
    ear_tables,
    octave_power_filters,
)
from av_envs.acoustics.response import DELAY_STEPS, ENERGY_STEP_DB, GAIN_STEP_DB
from av_envs.conventions import N_BANDS, SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.options import check_whole
from av_envs.scene import Scene
from av_envs.scene.materials import Bands


@dataclass(frozen=True)
class MismatchConfig:
    """How far a recording is from the simulation."""

    seed: int = 0  # of everything hidden
    absorption: float = 0.3  # share by which each material may absorb more or less
    loudspeaker_db: float = 3.0  # standard deviation per band
    directivity_db: float = 6.0  # of the direct sound behind the loudspeaker, at 8 kHz
    ears_db: float = 1.5  # standard deviation per ear and band
    drift_db: float = 0.5  # standard deviation of the gain of a session, which is a source
    snr_db: tuple[float, float] = (30.0, 40.0)  # of a session, below the energy of a response
    metres: float = 0.02  # by which a place is off
    degrees: float = 2.0  # by which a head is turned

    def __post_init__(self):
        check_whole("seed", self.seed, 0, 2**31)
        if not 0 <= self.absorption < 1:
            raise ValueError(f"absorption must lie in 0..1, got {self.absorption}")


class PseudoRealAcoustics:
    """Responses as if they were recorded; an `AcousticBackend`.

    trace  another seed is another recording: the noise and what a placement is off are others
    """

    def __init__(
        self,
        scene: Scene,
        trace: TraceConfig,
        config: MismatchConfig | None = None,
        hrtf: str = "kemar",
    ):
        self.scene, self._trace, self._hrtf = scene, trace, hrtf
        self.config = config or MismatchConfig()
        self._bank = TracedAcoustics(other_surfaces(scene, self.config), trace, hrtf).bank
        self._ears = ear_tables(hrtf)
        rng = np.random.default_rng([self.config.seed, 1])
        self._loudspeaker = self.config.loudspeaker_db * rng.standard_normal(N_BANDS)
        ears = self.config.ears_db * rng.standard_normal((2, N_BANDS))
        self._ear_filters = (10 ** (ears / 20)) @ octave_power_filters(RIR_SAMPLES) ** 2
        # the filters' squares add up to one

    def __reduce__(self) -> tuple:
        return type(self), (self.scene, self._trace, self.config, self._hrtf)

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        out = np.empty((2, RIR_SAMPLES), np.float32)
        self.rirs_into(np.array([source]), receiver, heading, out[None])
        return out

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        for source, ears in zip(sources, out, strict=True):
            self._record(int(source), receiver, heading, ears)

    def _record(self, source: int, receiver: int, heading: int, out: np.ndarray) -> None:
        response = self.altered(source, receiver)
        salt = source * len(self.scene.graph) + receiver
        binaural_response(response, heading, salt, self._ears, out)
        out[:] = irfft(rfft(out) * self._ear_filters, RIR_SAMPLES)
        session = self._random(2, source)
        gain_db = self.config.drift_db * session.standard_normal()
        snr_db = session.uniform(*self.config.snr_db)
        out *= np.float32(10 ** (gain_db / 20))
        power = np.mean(np.square(out, dtype=float)) * 10 ** (-snr_db / 10)
        noise = self._random(3, self._trace.seed, source, receiver, heading).standard_normal(
            out.shape, np.float32
        )
        out += noise * np.float32(np.sqrt(power))

    def altered(self, source: int, receiver: int) -> np.ndarray:
        """() RESPONSE of that loudspeaker, at a place a little off."""
        row = self._bank.row(source)[receiver : receiver + 1].copy()
        placement = self._random(4, self._trace.seed, source, receiver)
        row["energy"] = _shifted(row["energy"], self._loudspeaker / ENERGY_STEP_DB)
        row["path_gain"] = _shifted(row["path_gain"], self._loudspeaker / GAIN_STEP_DB)
        strongest = row["path_gain"][:, :1]
        row["path_gain"][:, :1] = _shifted(
            strongest, self._towards(source, receiver) / GAIN_STEP_DB
        )
        steps = self.config.metres / SPEED_OF_SOUND * SAMPLE_RATE * DELAY_STEPS
        delays = row["path_delay"] + placement.uniform(-steps, steps)
        row["path_delay"] = np.clip(np.round(delays), 0, 65535)
        turn = np.deg2rad(self.config.degrees) * placement.uniform(-1, 1)
        x, y, z = np.moveaxis(row["path_direction"].astype(float), -1, 0)
        turned = (np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y, z)
        row["path_direction"] = np.clip(np.round(np.stack(turned, axis=-1)), -127, 127)
        return row[0]

    def _towards(self, source: int, receiver: int) -> np.ndarray:
        """(7,) dB of the strongest path: loudspeakers face somewhere, and beam high bands."""
        heads = self.scene.graph.heads
        away = heads[receiver] - heads[source]
        faces = self._random(5, source).uniform(0, 2 * np.pi)
        behind = (1 - np.cos(np.arctan2(away[1], away[0]) - faces)) / 2  # 0 in front of it
        return -self.config.directivity_db * behind * np.arange(N_BANDS) / (N_BANDS - 1)

    def _random(self, *what: int) -> np.random.Generator:
        """A generator for one purpose in this house."""
        house = int(self.scene.fingerprint[:8], 16)
        return np.random.default_rng([self.config.seed, house, *what])


def other_surfaces(scene: Scene, config: MismatchConfig) -> Scene:
    """The scene with what its materials really absorb; a material is the same in all scenes."""
    materials = []
    for material in scene.materials:
        name = int(sha256(material.name.encode()).hexdigest()[:8], 16)
        rng = np.random.default_rng([config.seed, name])
        factor = 1 + config.absorption * rng.uniform(-1, 1)
        most = 1 - np.asarray(material.transmission)
        absorbed = np.minimum(np.asarray(material.absorption) * factor, most)
        absorption: Bands = tuple(float(value) for value in absorbed)
        materials.append(replace(material, absorption=absorption))
    return replace(scene, materials=tuple(materials))


def _shifted(codes: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Codes of levels, some steps up; 0, which is nothing, stays."""
    moved = np.clip(np.round(codes.astype(float) + steps), 1, 255)
    return np.where(codes == 0, 0, moved).astype(np.uint8)
