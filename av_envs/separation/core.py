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
from av_envs.separation.estimators import BUILT_IN, Answer, PlugIn, Question
from av_envs.separation.noise import MicrophoneNoise, power_below
from av_envs.separation.observation import OBSERVATIONS
from av_envs.separation.responses import ResponseCache
from av_envs.separation.rewards import REWARDS, reward
from av_envs.separation.scoring import oracle_phase_si_sdr, score_second
from av_envs.separation.state import (
    BinauralAudio,
    EpisodeState,
    Pose,
    Quantities,
    RenderedSecond,
    SeparatedSecond,
    TargetSecond,
)
from av_envs.sound import Corpus

RENDERED_TOGETHER = 3  # poses, see `render_batch`


class SeparationCore:
    """What an environment needs to play episodes, beside the state of the episode.

    An episode is `begin`, `render`, `separate`, `evaluate`, then for every action `transition`
    and these three again; `observe` and `info` read the state. In place of `render`, many states
    may be rendered at once: `poses_to_render`, `render_requests`, `render_batch`, `set_audio`.
    So they may be in place of `separate`: `questions`, `plug_in.ask`, `set_answers`.

    No verb changes the state it is given. The resources do change: `responses` is a cache, and
    an `Estimator` in `plug_in` remembers what it heard, so that it can play one episode at a time
    and every second is separated once and in order. A `BatchEstimator` does not: what it
    remembers is in the state.
    """

    def __init__(self, config: SeparationConfig):
        self.config = config
        pool_of(config)  # raises if there is none
        corpus_of(config.sounds)  # as well
        self.against_start = REWARDS[config.reward].against_start
        is_plugged_in = config.estimator not in BUILT_IN
        n_heard = 1 + self.against_start
        self.plug_in = PlugIn(config.estimator, n_heard) if is_plugged_in else None
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
        memories = (None, None) if self.plug_in is None else self.plug_in.new_memories()
        return replace(state, noise=self._microphone_noise(state), memories=memories)

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
            separated=None,
            score=state.score if estimate is None else self._score(state, estimate),
            own_estimate=estimate is not None,
            judged=estimate,
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
        together = RENDERED_TOGETHER if self.plug_in is None else 1
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

    def separate(self, state: EpisodeState) -> EpisodeState:
        """The state with what the plugged-in estimator makes of its second, if there is one."""
        if self.plug_in is None:
            return state
        return self.set_answers(state, self.plug_in.ask(self.questions(state)))

    def questions(self, state: EpisodeState) -> list[Question]:
        """What the plugged-in estimator is asked: of the second here and, if it differs, at the
        start, where the second estimator has heard something else or is another object.
        """
        here, at_start, _ = state.second
        label, (of_here, of_start) = state.target.label, state.memories
        asked = [Question(here.spectrogram, label, of_here)]
        if at_start is not here or of_start is not of_here:
            asked.append(Question(at_start.spectrogram, label, of_start))
        return asked

    def set_answers(self, state: EpisodeState, answers: list[Answer]) -> EpisodeState:
        """The state with the answers to its `questions`."""
        here, at_start = answers[0], answers[-1]
        separated = SeparatedSecond(here.estimate, at_start.estimate)
        return replace(state, separated=separated, memories=(here.memory, at_start.memory))

    def evaluate(self, state: EpisodeState) -> tuple[EpisodeState, float, bool]:
        """The state with its scores, the reward of the step, and whether the episode ends.

        A second of which the agent gives an estimate of its own is scored in the next step.
        """
        score = state.score if state.own_estimate else self._score(state, None)
        now = {**score, **_whereabouts(state)}
        worth = float(score.get("si_sdr_gain", score["si_sdr"]))
        separated = state.separated
        state = replace(
            state,
            score=score,
            quantities=now,
            separated=None,
            history=(*state.history, worth),
            judged=state.judged if separated is None else separated.estimate,
        )
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
        estimates = self._foreseen(state, [*audio.values(), at_start])
        *ratios, at_start_ratio = oracle_phase_si_sdr(estimates, truth)
        gain_at = {pose: ratio - at_start_ratio for pose, ratio in zip(audio, ratios, strict=True)}
        return np.array([gain_at[pose] for pose in poses], np.float32)

    def _foreseen(self, state: EpisodeState, audio: list[BinauralAudio]) -> list[np.ndarray]:
        """(512, 32) each, what will be scored of the next second as it may be rendered.

        The last is that at the start pose. An agent's own estimate is not known, so it is the
        mixture's with the estimator "agent".
        """
        if self.plug_in is None:
            return [one.mixture for one in audio]
        if not self.against_start:
            name = self.config.estimator
            raise ValueError(f"action_gains of {name!r} need the reward 'si_sdr_gain'")
        here, at_start = state.memories
        memories, label = [here] * (len(audio) - 1) + [at_start], state.target.label
        heard = zip(audio, memories, strict=True)
        return self.plug_in.foresee([Question(one.spectrogram, label, m) for one, m in heard])

    def _microphone_noise(self, state: EpisodeState) -> MicrophoneNoise | None:
        """Noise as far below the first second at the start as the config says."""
        if self.config.noise_snr_db is None:
            return None
        quiet = self.render_at(state, [state.pose], 0)[0].waveform
        power = power_below(quiet, self.config.noise_snr_db)
        return MicrophoneNoise(state.episode.noise_seed, power)

    def _score(self, state: EpisodeState, estimate: np.ndarray | None) -> Quantities:
        """Scores of the second rendered last: of this estimate, or else of the estimator's."""
        audio, audio_at_start, truth = state.second
        judged, at_start = estimate, audio_at_start.mixture
        if self.plug_in is not None:
            judged, at_start = state.separated_second
        compared = at_start if self.against_start else None
        return score_second(judged, audio, truth, compared, self.config.extra_scores)


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
