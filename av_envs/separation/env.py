"""Active audio-visual separation: walk through a house to hear one sound better."""

from dataclasses import replace
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from av_envs.paths import PlainSpec
from av_envs.replay import replay_log
from av_envs.scene import Scene
from av_envs.separation.actions import Action, action_space, checked_action
from av_envs.separation.audio import target_second
from av_envs.separation.config import SeparationConfig
from av_envs.separation.core import SeparationCore
from av_envs.separation.estimators import checked_estimate
from av_envs.separation.observation import observation_space
from av_envs.separation.privileged import OF_SITUATION, Situation
from av_envs.separation.scoring import mean_scores, oracle_phase_sounds, score_second
from av_envs.separation.state import EpisodeState, Pose
from av_envs.sound import Corpus
from av_envs.space_generators import generator_states, go_on

MADE_ANEW = "observation_space", "action_space"  # by a copy


class SeparationEnv(gym.Env):
    """An agent walks through a house and keeps separating one sound from the others.

    ## Description

    Several sources sound at once in a house that the agent has never seen; each plays a
    clip that changes all the time. One of them is the target. The agent hears the
    mixture with two ears, sees where it looks, and walks, one step a second, to a place
    and a heading from which the target can be told from the rest. After Majumder and
    Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022.

    | id                 | what is different                                               |
    |--------------------|-----------------------------------------------------------------|
    | `AVDynamicSep-v0`  | nothing                                                         |
    | `AVDynamicSep3-v0` | three sources                                                   |
    | `AVStaticSep-v0`   | every source repeats one second, starts near the target, the    |
    |                    | reward is `"improvement"`                                       |
    | `AVFarSep-v0`      | as static, starts far away, 80 steps, the reward is `"approach"`|

    ## Observation space

    A `Dict`; the option `observations` picks the keys.

    | key        | shape         | dtype   | meaning                                          |
    |------------|---------------|---------|--------------------------------------------------|
    | `rgb`      | (128, 128, 3) | uint8   | what the agent sees, 90 degrees wide             |
    | `depth`    | (128, 128, 1) | float32 | distance along the view axis, 1 is 10 m or more  |
    | `mixture`  | (2, 512, 32)  | float32 | log1p of the magnitude spectrogram, left and     |
    |            |               |         | right ear, of the last second                    |
    | `target`   | Discrete      | int64   | class of the sound to separate                   |
    | `pose`     | (4,)          | float32 | metres forward and left of the start, heading    |
    |            |               |         | against it (radians, counter-clockwise), seconds |
    | `waveform` | (2, 16000)    | float32 | the last second itself (not by default)          |

    ## Action space

    `Discrete(4)`: 0 forward by one node, 1 turn left, 2 turn right (by 90 degrees), 3 stay.
    A forward step into a wall, furniture or a source stays where it is and says so in
    `info["collision"]`.

    With `estimator="agent"` a `Dict`: `move` is as above and `estimate`, (512, 32) float32, is
    the agent's own magnitude of the target in the second heard last, the one just observed:
    finite, not negative, at most 1e6. It is scored in this step, before the move.

    ## Reward

    | `reward`        | worth of a step                                                    |
    |-----------------|--------------------------------------------------------------------|
    | `"si_sdr_gain"` | dB; SI-SDR of the estimate here minus SI-SDR of the same estimator |
    |                 | at the start pose hearing the same second: what moving has bought  |
    | `"si_sdr"`      | dB; SI-SDR without the comparison                                  |
    | `"neg_nmse"`    | the paper's code: minus the mean squared error of the magnitude    |
    |                 | over 1.44; here the last step counts, too                          |
    | `"improvement"` | Move2Hear's: how much that error fell since the estimate before;   |
    |                 | the last step also loses ten times the error that is left          |
    | `"approach"`    | Move2Hear's for far targets: metres of walking distance won        |

    The ground truth is the target's dry second with magnitude RMS 1.2. SI-SDR gives the
    estimate the target's own phase, as the paper does, and lies within 100 dB of zero.
    A second in which the target is silent has SI-SDR NaN and reward 0; an estimate that is
    silent or constant has -100 dB.

    ## Estimators

    | `estimator`        | whose estimate is scored                                        |
    |--------------------|-----------------------------------------------------------------|
    | `"mixture"`        | the mixture at the better ear, the one with more target per     |
    |                    | rest: the score says how audible the target is                  |
    | `"agent"`          | the agent's own, see the action space; it is compared with the  |
    |                    | mixture: at the start pose, and in place of an estimate before  |
    |                    | the first (so in the info of `reset`)                           |
    | `"module:Factory"` | `Factory()` makes a `BatchEstimator`, which is asked once in a  |
    |                    | step for all environments, or an `Estimator`, both of           |
    |                    | `av_envs.separation.estimators`; it also hears every second at  |
    |                    | the start pose, to compare, of which it keeps another memory    |

    ## Arguments

    | option                | default     | meaning                                             |
    |-----------------------|-------------|-----------------------------------------------------|
    | `split`               | `"train"`   | also `"val"`, `"test_heard"` (new houses, clips of  |
    |                       |             | training), `"test_unheard"` (new houses and clips)  |
    | `houses`              | 32          | dwellings of the split that episodes draw from      |
    | `num_sources`         | 2           | 1 to 8, the target included                         |
    | `start`               | `"between"` | see below                                           |
    | `min_source_distance` | None        | m of walking between any two sources; None: 4 with  |
    |                       |             | `start="between"`, 8 with the others                |
    | `starts_facing`       | `"any"`     | `"open"`: no wall just ahead, see below             |
    | `estimator`           | `"mixture"` | see above                                           |
    | `reward`              |`"si_sdr_gain"`| see above                                         |
    | `extra_scores`        | none        | which scores that take time the info has, too       |
    | `dynamic`             | True        | False: every source repeats its first second        |
    | `noise_snr_db`        | None        | dB by which the noise of the microphones is weaker  |
    |                       |             | than the mixture, see below                         |
    | `convolution`         | `"causal"`  | `"legacy_same"`: what the paper's code does         |
    | `sounds`              | `"embedded"`| or `"embedded-2"`, whose sounds are more like real  |
    |                       |             | ones, or the path of a folder of clips              |
    | `grid`                | 1.0         | m between the nodes that the agent walks on         |
    | `steps`               | 20          | actions of an episode, one second each              |
    | `hrtf`                | `"kemar"`   | or the path of a SOFA file                          |
    | `backend`             | `"traced"`  | where the dwellings come from, see below            |
    | `backend_options`     | None        | its own options, which may also be given directly   |
    | `observations`        | five keys   | which keys an observation has                       |

    The noise is white, independent for each ear and second, drawn from the episode's seed and
    the same wherever the agent stands. Its power lies `noise_snr_db` below the mean power, over
    both ears, of the mixture at the start pose in the first second of the episode.

    ## Backends

    `backend="traced"`: procedural houses, heard and seen by the built-in engine. Its option
    `look` says how views are drawn: `"lit"` (default) by lamps, with shadows, smooth edges and
    open doors, which are painted on the walls beside their openings; `"flat"` without, as in
    version 0.1 and on the boards; depth is the same. Other backends and their options are
    those of `av_envs.worlds.base.BACKENDS`; where they have fewer than `houses` dwellings,
    episodes draw from all of them.

    ## Starting state

    | start       | where the agent begins, with any heading                               |
    |-------------|------------------------------------------------------------------------|
    | `"between"` | as far from the target as from the nearest other source: the two walks |
    |             | are 2 to 5 m long and differ by one step (`grid`) at most. Which of    |
    |             | the sources that are so placed is the target is decided by lot, so     |
    |             | only its class tells; this takes two sources or more                   |
    | `"near"`    | 2 to 5 m of walking from the target                                    |
    | `"target"`  | on the target, as in the paper                                         |
    | `"far"`     | at least 8 m of walking from the target                                |

    Sources stand at least `min_source_distance` apart and, except with `start="target"`, cannot
    be walked through. With `starts_facing="open"` nobody begins in front of a wall, as one in
    five does otherwise: where half of what is seen is nearer than 1 m, the heading is drawn again
    from those where it is not, if there are any; all else is as drawn with `"any"`.
    `reset(options={"house": k})` chooses the dwelling, 0 <= k < `houses`; without it, a random
    one, or the next one in which the sources fit.

    ## Episode end

    Truncated after `steps` (20) actions. Never terminated.

    ## Info

    float32 scalars, the same keys at every step. Of the second that was scored, in dB:
    `si_sdr`, `si_sdr_mixture` (the better ear's mixture as it is), `si_sdr_improvement` (the
    first minus the second), `target_to_rest_db` (energy of the target's image at the better ear
    over that of all else there, to the end of the reverberation of these two seconds; 100 with
    nothing else, -100 with a silent target), and, with the reward that needs them,
    `si_sdr_start` and `si_sdr_gain`; then `stft_distance` and `nmse`. Of where the agent is now:
    `distance_to_target` (straight) and `geodesic_to_target` (walked) in metres, `collision`,
    `node`, `heading`, `house`.

    | extra score              | dB                                                        |
    |--------------------------|-----------------------------------------------------------|
    | `"si_sdr_ideal"`         | SI-SDR of the target's image alone at the better ear:     |
    |                          | what separates perfectly, but leaves the reverberation,   |
    |                          | has. Minus `si_sdr_mixture`, what separation can win here |
    | `"si_sdr_mixture_phase"` | SI-SDR of the estimate with the mixture's phase instead   |
    |                          | of the target's: mostly how late the sound arrives        |

    `env.unwrapped.score_refined(estimates)` scores estimates that were made with hindsight.
    """

    spec = PlainSpec()
    task: ClassVar[str] = "separation"
    config_type: ClassVar[type] = SeparationConfig
    metadata: ClassVar[dict] = {"render_modes": ["rgb_array"], "render_fps": 1}

    def __init__(self, *, render_mode: str | None = None, **options):
        self.config = SeparationConfig.from_keywords(**options)
        self.core = SeparationCore(self.config)
        self.state: EpisodeState | None = None  # until the first reset
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode {render_mode!r} does not exist; choose rgb_array")
        self.render_mode = render_mode
        self._make_spaces()

    def _make_spaces(self) -> None:
        self.observation_space = observation_space(self.config, len(self.corpus.classes))
        self.action_space = action_space(self.config.estimator)

    def __getstate__(self) -> dict[str, Any]:
        """All that a copy cannot make anew, so without the sound of this second."""
        made = {name: value for name, value in vars(self).items() if name not in MADE_ANEW}
        if self.state is not None:
            made["state"] = replace(self.state, rendered=None, judged=None)
        return {**made, "of_spaces": generator_states(self.observation_space, self.action_space)}

    def __setstate__(self, made: dict[str, Any]) -> None:
        """Play on where the other was: in the same dwelling, hearing the same second."""
        of_spaces = made.pop("of_spaces")
        vars(self).update(made)
        self._make_spaces()
        go_on(of_spaces, self.observation_space, self.action_space)
        if self.state is not None:
            self.state = self.core.render(self.state)

    @property
    def corpus(self) -> Corpus:
        """The clips that sources play."""
        return self.core.corpus

    @property
    def scene(self) -> Scene:
        """The dwelling of this episode."""
        return self.state.dwelling.scene

    @property
    def house(self) -> int:
        """Its index among the dwellings of the split."""
        return self.state.house

    @property
    def source_nodes(self) -> np.ndarray:
        """(num_sources,) nodes of the sources, the target first."""
        return self.state.episode.source_nodes

    @property
    def trajectory(self) -> tuple[Pose, ...]:
        """(node, heading) at every second of the episode, the start first."""
        return self.state.trajectory

    @property
    def node(self) -> int:
        """Where the agent is."""
        return self.state.pose[0]

    @property
    def heading(self) -> int:
        """Where it looks, in quarter turns counter-clockwise from x."""
        return self.state.pose[1]

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        begun = self.core.render(self.core.begin(self.np_random, options or {}))
        self.state, _, _ = self.core.evaluate(self.core.separate(begun))
        return self._observation(), self.core.info(self.state)

    def step(self, action: Any):
        self._require_running()
        move, estimate = checked_action(action, self.config.estimator)
        moved = self.core.render(self.core.transition(self.state, move, estimate))
        self.state, reward, truncated = self.core.evaluate(self.core.separate(moved))
        return self._observation(), reward, False, truncated, self.core.info(self.state)

    def render(self) -> np.ndarray | None:
        """The map, the view and the sound of this second as one picture, (H, W, 3) uint8."""
        if self.render_mode is None:
            gym.logger.warn("render() needs render_mode='rgb_array' in gymnasium.make")
            return None
        from av_envs.separation.showing import shown_state

        if self.state is None:
            raise ResetNeeded("render() was called before reset()")
        return shown_state(self.state, self.config, self.corpus.classes)

    def replay_log(self) -> dict[str, Any]:
        """The actions, poses and sources of the episode so far, see `av_envs.replay`."""
        return replay_log(
            self.task,
            self.scene,
            [(self.trajectory, self.state.moves)],
            sources=self.source_nodes,
            target=self.corpus.classes[self.state.target.label],
        )

    def hear(self) -> np.ndarray:
        """(2, 16000) float32, the last second at the two ears."""
        return self.state.audio.waveform.copy()

    def target_second(self) -> np.ndarray:
        """(16000,) float32, the target's dry sound of the last second: for trainers, not agents."""
        return self.state.truth.dry.copy()

    def estimated_second(self) -> np.ndarray:
        """(16000,) float32, the estimate that was scored last with the target's phase, as SI-SDR
        takes it: for people, not agents.

        It is of the last second, but with `estimator="agent"` of the one before, as the score is.
        A ValueError where no estimate was scored: the mixture was, or this is a copy.
        """
        if self.state.judged is None:
            raise ValueError(
                f"no estimate of estimator={self.config.estimator!r} was scored in second "
                f"{self.state.t}; what is heard there is hear()"
            )
        t = self.state.t - self.state.own_estimate
        truth = target_second(self.config, self.state.target, t)
        return oracle_phase_sounds([self.state.judged], truth)[0]

    @property
    def has_views(self) -> bool:
        """Whether one can `see` in this dwelling."""
        return self.state.dwelling.has_views

    def see(self) -> np.ndarray:
        """(1, 128, 128, 3) uint8, what the agent sees; a ValueError in a dwelling without views."""
        return self.state.view[0][np.newaxis].copy()

    def privileged(self, key: str) -> np.ndarray:
        """What no fair agent knows, for oracles and trainers.

        "action_gains"     (4,) dB, `si_sdr_gain` of the next second after each action
        "source_nodes"     (num_sources,) the target first, as in the next three
        "source_distances" (num_sources,) metres of walking to each source
        "source_quarters"  (num_sources,) `"bearing_quarters"` of each source
        "source_routes"    (num_sources,) `"route_heading"` of each source; -2 where other sources
                           bar every way
        "target_bearing"   () radians from the heading to the target, counter-clockwise
        "bearing_quarters" () the quarter turn that points nearest to the target: 0 none,
                           1 left, 2 behind, 3 right
        "forward_is_free"  () bool, whether a forward step leads to another node
        "distances_after"  (4,) metres of walking to the target after each action
        "straight_after"   (4,) metres to the target as the crow flies after each action
        "route_heading"    () where the shortest walk to a node beside the target begins: 0 ahead,
                           1 left, 2 behind, 3 right; -1 on such a node
        """
        known = ("action_gains", *OF_SITUATION)
        if key not in known:
            raise ValueError(f"{key!r} is not privileged; choose from {', '.join(known)}")
        self._require_running()
        if key == "action_gains":
            return self.core.action_gains(self.state)
        return OF_SITUATION[key](self._situation())

    def score_refined(self, estimates: np.ndarray) -> dict[str, float]:
        """Mean scores of estimates that were made with hindsight.

        estimates  (k, 512, 32) magnitudes of all k seconds heard so far, that of `reset` first;
                   each may use what was heard later, as those that the paper reports
        """
        if self.state is None:
            raise ResetNeeded("score_refined() was called before reset()")
        n_seconds = self.state.t + 1
        if np.ndim(estimates) != 3 or len(estimates) != n_seconds:
            raise ValueError(
                f"estimates must be ({n_seconds}, 512, 32), one for each second heard so far; "
                f"got shape {np.shape(estimates)}"
            )
        scores, extra = [], self.config.extra_scores
        for t, (pose, given) in enumerate(zip(self.trajectory, estimates, strict=True)):
            estimate = checked_estimate(given, f"the estimate of second {t}")
            truth = target_second(self.config, self.state.target, t)
            audio = self.core.render_at(self.state, [pose], t)[0]
            scores.append(score_second(estimate, audio, truth, extra_scores=extra))
        return mean_scores(scores)

    def _require_running(self) -> None:
        if self.state is None:
            raise ResetNeeded("call reset() before the first step")
        if self.state.t >= self.config.steps:
            raise ResetNeeded(f"the episode ended after {self.state.t} steps; call reset()")

    def _situation(self) -> Situation:
        after = np.array([self.core.pose_after(self.state, move)[0] for move in Action])
        blocked = np.array(sorted(self.state.blocked_nodes), int)
        return Situation(self.scene.graph, *self.state.pose, self.source_nodes, blocked, after)

    def _observation(self) -> dict[str, np.ndarray]:
        spaces = self.observation_space.spaces
        observation = {key: np.empty(space.shape, space.dtype) for key, space in spaces.items()}
        self.core.observe(self.state, observation)
        return {key: observation[key][()] for key in self.config.observations}
