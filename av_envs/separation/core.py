"""Episodes of separation in parts, which one environment and a batch put together differently."""

import math

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.acoustics.convolution import response_spectra
from av_envs.scene import Scene
from av_envs.separation.actions import Action, pose_after
from av_envs.separation.audio import Heard, Moment, TargetSecond, corpus_of, dry_sounds, listen
from av_envs.separation.config import SeparationConfig
from av_envs.separation.episode import Sound, draw_in_pool, pool_of
from av_envs.separation.noise import MicrophoneNoise, power_below
from av_envs.separation.observation import pose_since
from av_envs.separation.rewards import reward
from av_envs.separation.scoring import Judge

HEARD_TOGETHER = 3  # poses, see `listen`


class Walk:
    """One agent in one episode after another; it knows where, what it heard and what it scored.

    An episode is `begin`, then again and again: hear a second at `poses_to_hear`, `take_in`
    that, `settle`, read `observe` and `info`, and `move`.

    kept_poses  of an episode, latest first: those whose impulse responses are kept. A pose
                with two sources takes 0.5 MB.
    """

    kept_poses = 64

    def __init__(self, config: SeparationConfig):
        self.config = config
        pool_of(config)  # raises if there is none
        self.corpus = corpus_of(config.sounds)
        self._against_start = config.reward == "si_sdr_gain"
        self._judge = Judge(config.estimator, self._against_start, config.extra_scores)
        self._t: int | None = None

    def begin(self, rng: np.random.Generator, options: dict) -> None:
        """Draw an episode and stand at its start, where nothing has been heard yet.

        options  of `reset`
        """
        self.house, self._dwelling, self._episode = draw_in_pool(
            self.config, options, self.corpus, rng
        )
        self._solid = set() if self.config.start == "target" else set(self.source_nodes.tolist())
        self._spectra: dict[tuple[int, int], np.ndarray] = {}
        self.node, self.heading = self._episode.start_node, self._episode.start_heading
        self.trajectory = [(self.node, self.heading)]
        self._collided, self._t = False, 0
        self._noise = self._microphone_noise()
        self._judge.reset()
        self._before: dict[str, float] | None = None
        self._is_scored = False

    @property
    def scene(self) -> Scene:
        """The dwelling of this episode."""
        return self._dwelling.scene

    @property
    def source_nodes(self) -> np.ndarray:
        """(num_sources,) nodes of the sources, the target first."""
        return self._episode.source_nodes

    @property
    def playing(self) -> tuple[tuple[Sound, ...], int]:
        """What sounds, the target first, and the second of the episode."""
        return self._episode.sounds, self._t

    @property
    def asks_others(self) -> bool:
        """Whether an estimator that is plugged in is asked for every second."""
        return bool(self._judge.estimators)

    def move(self, move: Action, estimate: np.ndarray | None) -> None:
        """Score the agent's estimate of the second heard last, if it gives one; then walk."""
        self._before = {"nmse_before": self._score["nmse"], "geodesic_before": self._geodesic()}
        self._is_scored = estimate is not None
        if estimate is not None:
            self._score = self._scored(estimate)
        self.node, self.heading, self._collided = self._pose_after(move)
        self.trajectory.append((self.node, self.heading))
        self._t += 1

    def poses_to_hear(self) -> list[tuple[int, int]]:
        """Where the agent is and, if that counts and is elsewhere, where it started."""
        pose, start = self.trajectory[-1], self.trajectory[0]
        return [pose, start] if self._against_start and pose != start else [pose]

    def moments(self, poses: list[tuple[int, int]], t: int, dry: np.ndarray) -> list[Moment]:
        """Second `t` at some poses; with a plugged-in estimator, each with both ears.

        dry  what sounds, (S, F) complex64
        """
        together = 1 if self.asks_others else HEARD_TOGETHER
        responses = [self._responses(*pose) for pose in poses]
        with_image = "si_sdr_ideal" in self.config.extra_scores
        return [
            Moment(dry, responses[k : k + together], self._noise, t, with_image and k == 0)
            for k in range(0, len(poses), together)
        ]

    def take_in(self, heard: list[Heard], truth: TargetSecond) -> None:
        """What this second was like at `poses_to_hear`, and what was to be heard."""
        self._heard, self._heard_at_start, self._truth = heard[0], heard[-1], truth

    def settle(self) -> tuple[float, bool]:
        """Score the second just heard if it is its turn; reward of the step, and whether it ends.

        A second of which the agent gives an estimate of its own is scored in the next step.
        """
        if not self._is_scored:
            self._score = self._scored(None)
        if self._before is None:
            return 0.0, False
        is_last = self._t >= self.config.steps
        now = {"geodesic_to_target": self._geodesic(), "is_last": is_last}
        return reward(self.config.reward, {**self._score, **self._before, **now}), is_last

    def observe(self, into: dict[str, np.ndarray]) -> None:
        """Write what the agent observes into arrays, those of the observation space."""
        if "rgb" in into or "depth" in into:
            pictures = self._dwelling.views.view(self.node, self.heading)
            for key in {"rgb", "depth"} & set(into):
                into[key][:] = pictures[key == "depth"]
        if "mixture" in into:
            np.log1p(self._heard.spectrogram, out=into["mixture"])
        if "waveform" in into:
            into["waveform"][:] = self._heard.waveform
        if "target" in into:
            into["target"][...] = self._episode.sounds[0].label
        if "pose" in into:
            start, now = self.trajectory[0], self.trajectory[-1]
            into["pose"][:] = pose_since(self.scene.graph.positions, start, now, self._t)

    def info(self) -> dict[str, np.float32]:
        """All scalars of this second, the same keys at every step."""
        graph, target = self.scene.graph, self._episode.sounds[0].node
        offset = graph.positions[target] - graph.positions[self.node]
        values = {
            **self._score,
            "distance_to_target": math.sqrt(float(offset @ offset)),
            "geodesic_to_target": self._geodesic(),
            "collision": self._collided,
            "node": self.node,
            "heading": self.heading,
            "house": self.house,
        }
        return {key: np.float32(value) for key, value in values.items()}

    def _microphone_noise(self) -> MicrophoneNoise | None:
        """Noise as far below the first second at the start as the config says."""
        self._noise = None
        if self.config.noise_snr_db is None:
            return None
        quiet = self._hear_at(self.trajectory, 0)[0].waveform
        power = power_below(quiet, self.config.noise_snr_db)
        return MicrophoneNoise(self._episode.noise_seed, power)

    def _pose_after(self, action: Action) -> tuple[int, int, bool]:
        return pose_after(action, self.node, self.heading, self.scene.graph.neighbours, self._solid)

    def _responses(self, node: int, heading: int) -> np.ndarray:
        """(S, 2, F) complex64, spectra of the impulse responses at a pose."""
        pose = (node, heading)
        spectra = self._spectra.pop(pose, None)
        if spectra is None:
            while len(self._spectra) >= self.kept_poses:
                del self._spectra[next(iter(self._spectra))]
            ears = np.empty((len(self.source_nodes), 2, RIR_SAMPLES), np.float32)
            self._dwelling.acoustics.rirs_into(self.source_nodes, node, heading, ears)
            spectra = response_spectra(ears)
        self._spectra[pose] = spectra  # now the latest
        return spectra

    def _hear_at(self, poses: list[tuple[int, int]], t: int) -> list[Heard]:
        dry = dry_sounds(self.config, self._episode.sounds, t)
        heard = []
        for moment in self.moments(poses, t, dry):
            heard += listen([moment], self.config.convolution)[0]
        return heard

    def _scored(self, estimate: np.ndarray | None) -> dict[str, float]:
        """Scores of the second heard last: of this estimate, or else of the estimator's."""
        label = self._episode.sounds[0].label
        return self._judge.score(estimate, self._heard, self._heard_at_start, self._truth, label)

    def _geodesic(self) -> np.float32:
        return self.scene.graph.walking_distances[self.node, self._episode.sounds[0].node]
