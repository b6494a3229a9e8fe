"""The rules of active separation: verbs that turn one `EpisodeState` into the next."""

import math
from dataclasses import replace

import numpy as np

from av_envs.separation.actions import Action, pose_after
from av_envs.separation.audio import (
    RenderRequest,
    corpus_of,
    dry_sounds,
    render_batch,
    target_second,
)
from av_envs.separation.config import SeparationConfig
from av_envs.separation.episode import draw_in_pool, pool_of
from av_envs.separation.noise import MicrophoneNoise, power_below
from av_envs.separation.observation import OBSERVATIONS
from av_envs.separation.responses import ResponseCache
from av_envs.separation.rewards import REWARDS, reward
from av_envs.separation.scoring import EpisodeScorer
from av_envs.separation.state import (
    BinauralAudio,
    EpisodeState,
    Pose,
    Quantities,
    RenderedSecond,
    TargetSecond,
)
from av_envs.sound import Corpus

RENDERED_TOGETHER = 3  # poses, see `render_batch`


class SeparationCore:
    """What an environment needs to play episodes, beside the state of the episode.

    An episode is `begin`, `render`, `evaluate`, then for every action `transition`, `render`,
    `evaluate`; `observe` and `info` read the state. In place of `render`, many states may be
    rendered at once: `poses_to_render`, `render_requests`, `render_batch`, `set_audio`.

    No verb changes the state it is given. The resources do change: `responses` is a cache, and
    the estimators plugged into `scorer` remember what they heard, so every second is evaluated
    once and in order.
    """

    def __init__(self, config: SeparationConfig):
        self.config = config
        pool_of(config)  # raises if there is none
        corpus_of(config.sounds)  # as well
        self.against_start = REWARDS[config.reward].against_start
        self.scorer = EpisodeScorer(config.estimator, self.against_start, config.extra_scores)
        self.responses = ResponseCache()

    @property
    def corpus(self) -> Corpus:
        return corpus_of(self.config.sounds)

    def begin(self, rng: np.random.Generator, options: dict) -> EpisodeState:
        """A new episode at its start, where nothing is rendered yet.

        options  of `reset`
        """
        house, dwelling, episode = draw_in_pool(self.config, options, self.corpus, rng)
        is_open = self.config.start == "target"
        blocked = frozenset(() if is_open else episode.source_nodes.tolist())
        start = episode.start_node, episode.start_heading
        state = EpisodeState(house, dwelling, episode, blocked, (start,))
        self.scorer.reset()
        return replace(state, noise=self._microphone_noise(state))

    def transition(
        self, state: EpisodeState, move: Action, estimate: np.ndarray | None = None
    ) -> EpisodeState:
        """The state after a move, not yet rendered.

        estimate  (512, 32) the agent's own of the second it has just heard, which is scored
        """
        node, heading, collision = self.pose_after(state, move)
        return replace(
            state,
            trajectory=(*state.trajectory, (node, heading)),
            moves=state.moves + move.name[0],
            collision=collision,
            rendered=None,
            score=state.score if estimate is None else self._score(state, estimate),
            own_estimate=estimate is not None,
            quantities={},
            before=state.quantities,
        )

    def pose_after(self, state: EpisodeState, move: Action) -> tuple[int, int, bool]:
        """Node and heading after a move, and whether something was in the way."""
        neighbours = state.dwelling.scene.graph.neighbours
        return pose_after(move, *state.pose, neighbours, state.blocked_nodes)

    def render(self, state: EpisodeState) -> EpisodeState:
        """The state with the sound of its second."""
        truth = target_second(self.config, state.target, state.t)
        audio = self.render_at(state, self.poses_to_render(state), state.t)
        return self.set_audio(state, audio, truth)

    def poses_to_render(self, state: EpisodeState) -> list[Pose]:
        """Where the agent is and, if that is compared and elsewhere, where it started."""
        pose, start = state.pose, state.trajectory[0]
        return [pose, start] if self.against_start and pose != start else [pose]

    def render_requests(
        self, state: EpisodeState, poses: list[Pose], t: int, dry: np.ndarray
    ) -> list[RenderRequest]:
        """Second `t` at some poses; with a plugged-in estimator, each with both ears.

        dry  what sounds, (S, F) complex64
        """
        together = 1 if self.scorer.estimators else RENDERED_TOGETHER
        responses = [self.responses.spectra(state, pose) for pose in poses]
        with_image = "si_sdr_ideal" in self.config.extra_scores
        return [
            RenderRequest(dry, responses[k : k + together], state.noise, t, with_image and k == 0)
            for k in range(0, len(poses), together)
        ]

    def set_audio(
        self, state: EpisodeState, audio: list[BinauralAudio], truth: TargetSecond
    ) -> EpisodeState:
        """The state with what was rendered at `poses_to_render`, and what the target played."""
        return replace(state, rendered=RenderedSecond(audio[0], audio[-1], truth))

    def render_at(self, state: EpisodeState, poses: list[Pose], t: int) -> list[BinauralAudio]:
        """Second `t` of the episode at any poses."""
        dry = dry_sounds(self.config, state.episode.sounds, t)
        audio = []
        for request in self.render_requests(state, poses, t, dry):
            audio += render_batch([request], self.config.convolution)[0]
        return audio

    def evaluate(self, state: EpisodeState) -> tuple[EpisodeState, float, bool]:
        """The state with its scores, the reward of the step, and whether the episode ends.

        A second of which the agent gives an estimate of its own is scored in the next step.
        """
        score = state.score if state.own_estimate else self._score(state, None)
        now = {**score, **_whereabouts(state)}
        state = replace(state, score=score, quantities=now)
        if state.t == 0:
            return state, 0.0, False
        is_last = state.t >= self.config.steps
        return state, reward(self.config.reward, {**now, "is_last": is_last}, state.before), is_last

    def observe(self, state: EpisodeState, into: dict[str, np.ndarray]) -> None:
        """Write what the agent observes into arrays, those of the observation space."""
        for key, array in into.items():
            OBSERVATIONS[key].write(state, array)

    def info(self, state: EpisodeState) -> dict[str, np.float32]:
        """All scalars of this second, the same keys at every step."""
        return {key: np.float32(value) for key, value in state.quantities.items()}

    def action_gains(self, state: EpisodeState) -> np.ndarray:
        """(4,) float32 dB, `si_sdr_gain` of the next second after each action."""
        poses, start = [self.pose_after(state, move)[:2] for move in Action], state.trajectory[0]
        different, t = list(dict.fromkeys([*poses, start])), state.t + 1
        audio = dict(zip(different, self.render_at(state, different, t), strict=True))
        truth = target_second(self.config, state.target, t)
        at_start = audio.pop(start) if start not in poses else audio[start]
        gains = self.scorer.foresee_gains([*audio.values()], at_start, truth, state.target.label)
        of_pose = dict(zip(audio, gains, strict=True))
        return np.array([of_pose[pose] for pose in poses], np.float32)

    def _microphone_noise(self, state: EpisodeState) -> MicrophoneNoise | None:
        """Noise as far below the first second at the start as the config says."""
        if self.config.noise_snr_db is None:
            return None
        quiet = self.render_at(state, [state.pose], 0)[0].waveform
        power = power_below(quiet, self.config.noise_snr_db)
        return MicrophoneNoise(state.episode.noise_seed, power)

    def _score(self, state: EpisodeState, estimate: np.ndarray | None) -> Quantities:
        """Scores of the second rendered last: of this estimate, or else of the estimator's."""
        return self.scorer.score(estimate, state.second, state.target.label)


def _whereabouts(state: EpisodeState) -> Quantities:
    """What the info says of where the agent is."""
    (node, heading), positions = state.pose, state.dwelling.scene.graph.positions
    offset = positions[state.target.node] - positions[node]
    return {
        "distance_to_target": math.sqrt(float(offset @ offset)),
        "geodesic_to_target": state.metres_to_target,
        "collision": state.collision,
        "node": node,
        "heading": heading,
        "house": state.house,
    }
