"""One episode at one second: what chance decided, where the agent is, what it hears, its score."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from av_envs.separation.noise import MicrophoneNoise
from av_envs.worlds.base import Dwelling

Pose = tuple[int, int]  # node and heading
Quantities = dict[str, Any]  # scalars by the keys of the info


@dataclass(frozen=True)
class Sound:
    """One source: where it stands, which clip it plays, and the second it starts with."""

    node: int
    label: int
    clip: str
    first_second: int


@dataclass(frozen=True)
class Episode:
    """Everything that chance decides about an episode; sounds[0] is the target."""

    sounds: tuple[Sound, ...]
    start_node: int
    start_heading: int
    noise_seed: int  # of the microphones

    @property
    def source_nodes(self) -> np.ndarray:
        return np.array([sound.node for sound in self.sounds])


class TargetSecond(NamedTuple):
    """The ground truth of one second.

    dry        (16000,) float32, as the clip plays
    magnitude  (512, 32) float32, RMS 1.2
    phase      (512, 32) complex64, unit phasors of the dry sound
    """

    dry: np.ndarray
    magnitude: np.ndarray
    phase: np.ndarray


@dataclass(frozen=True)
class BinauralAudio:
    """One second at one pose.

    waveform           (2, 16000) float32, mixture at the ears
    better_ear         the ear with more target per rest
    spectrogram        (2, 512, 32) float32, linear magnitude of the mixture
    target_to_rest_db  energies at the better ear, see `mix`
    image              (512, 32) float32, linear magnitude of the target alone at the better
                       ear, without noise of the microphones; None unless requested
    """

    waveform: np.ndarray
    better_ear: int
    spectrogram: np.ndarray
    target_to_rest_db: float
    image: np.ndarray | None = None

    @cached_property
    def mixture(self) -> np.ndarray:
        """(512, 32) float32, linear magnitude at the better ear, the same array at every call."""
        return self.spectrogram[self.better_ear]


class RenderedSecond(NamedTuple):
    """What a second sounds like at the agent's pose and, where rewards compare, at the start.

    audio_at_start  is `audio` where the two poses are the same or nothing is compared
    """

    audio: BinauralAudio
    audio_at_start: BinauralAudio
    truth: TargetSecond


class SeparatedSecond(NamedTuple):
    """(512, 32) float32 each: what a plugged-in estimator made of a second, here and at the start.

    at_start  is `estimate` where the two poses always were the same or nothing is compared
    """

    estimate: np.ndarray
    at_start: np.ndarray


@dataclass(frozen=True, eq=False)
class EpisodeState:
    """An episode at second `t`. `SeparationCore` makes it and derives the next ones from it.

    house          index of the dwelling in the pool
    dwelling       where the episode takes place
    blocked_nodes  nodes that cannot be entered
    trajectory     poses of all seconds; the first is the start, the last is now
    moves          initials of the actions so far
    noise          of the microphones, if there is any
    collision      whether the last action was blocked
    rendered       what this second sounds like; None until it is rendered
    separated      what a plugged-in estimator made of it; None without one and once it is scored
    memories       what that estimator remembers of the agent's seconds, and of those at the start
    score          of the second scored last, as `score_second` returns it
    own_estimate   whether `score` is that of an estimate that was part of the last action
    quantities     the info of this second, before rounding to float32; empty until `evaluate`
    before         the same of the second before; empty at the start
    history        dB that every second so far was worth: SI-SDR gain, or SI-SDR where nothing is
                   compared with the start
    judged         (512, 32) float32, the estimate that was scored last; None where it was the
                   mixture at the better ear
    """

    house: int
    dwelling: Dwelling
    episode: Episode
    blocked_nodes: frozenset[int]
    trajectory: tuple[Pose, ...]
    moves: str = ""
    noise: MicrophoneNoise | None = None
    collision: bool = False
    rendered: RenderedSecond | None = None
    separated: SeparatedSecond | None = None
    memories: tuple[Any, Any] = (None, None)
    score: Quantities = field(default_factory=dict)
    own_estimate: bool = False
    quantities: Quantities = field(default_factory=dict)
    before: Quantities = field(default_factory=dict)
    history: tuple[float, ...] = ()
    judged: np.ndarray | None = None

    @property
    def t(self) -> int:
        """Seconds since the start."""
        return len(self.trajectory) - 1

    @property
    def pose(self) -> Pose:
        return self.trajectory[-1]

    @property
    def target(self) -> Sound:
        return self.episode.sounds[0]

    @property
    def audio(self) -> BinauralAudio:
        """Of this second, at the agent's pose."""
        return self.second.audio

    @property
    def truth(self) -> TargetSecond:
        """What the target plays in this second."""
        return self.second.truth

    @property
    def second(self) -> RenderedSecond:
        """`rendered`, or a ValueError if it is missing."""
        if self.rendered is None:
            raise ValueError(f"second {self.t} has not been rendered; see SeparationCore.render")
        return self.rendered

    @property
    def separated_second(self) -> SeparatedSecond:
        """`separated`, or a ValueError if it is missing."""
        if self.separated is None:
            raise ValueError(f"second {self.t} has not been separated; see SeparationCore.separate")
        return self.separated

    @cached_property
    def view(self) -> tuple[np.ndarray, np.ndarray]:
        """What the agent sees: (128, 128, 3) uint8 and (128, 128, 1) float32 in [0, 1]."""
        return self.dwelling.views.view(*self.pose)

    @property
    def metres_to_target(self) -> np.float32:
        """Of walking."""
        return self.dwelling.scene.graph.walking_distances[self.pose[0], self.target.node]
