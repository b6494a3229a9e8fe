"""Many episodes of active separation at once, on all cores: what `gymnasium.make_vec` makes."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import create_empty_array, iterate

from av_envs.options import checked_count
from av_envs.paths import PlainSpec
from av_envs.separation.actions import checked_action
from av_envs.separation.audio import render_batch, sounds_together
from av_envs.separation.env import SeparationEnv
from av_envs.separation.state import EpisodeState, TargetSecond
from av_envs.threads import available_cores, in_threads
from av_envs.vector.actions import shaped
from av_envs.vector.autoreset import Autoreset, Played, Start
from av_envs.vector.copies import Copies
from av_envs.vector.infos import stacked_infos

TOGETHER = 4  # episodes rendered in one go: as many as the cache of a core holds
KEPT_POSES = 3  # of an episode: the start, this one and the one before

Arrays = dict[str, np.ndarray]
States = dict[int, EpisodeState]  # by the number of the environment
Sounding = tuple[np.ndarray, TargetSecond]  # of the sources, and the truth


class SeparationVectorEnv(Copies, gym.vector.VectorEnv):
    """N copies of `SeparationEnv` whose seconds are rendered together.

    Copy i does what a single environment with its seed does, bit for bit; with one seed s for
    all of them that is s + i. So it does what `gymnasium.vector.SyncVectorEnv` does, on all
    cores and with fewer and larger Fourier transforms. A plugged-in `BatchEstimator` is asked
    once in a step for all of them; whether its answers depend on how many it is asked at once,
    and so the scores in their last bits, is its own affair.

    num_envs           N
    max_episode_steps  truncate earlier than after the option `steps`
    autoreset_mode     "NextStep", "SameStep" or "Disabled", see `gymnasium.vector.AutoresetMode`
    render_mode        as for a single environment; `render()` returns N pictures
    options            as for a single environment

    `call`, `get_attr` and `set_attr` reach the copies, as in `SyncVectorEnv`:
    `envs.call("privileged", "action_gains")`.
    """

    envs: Sequence[SeparationEnv]
    spec = PlainSpec()
    metadata: ClassVar[dict] = {
        **SeparationEnv.metadata,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options,
    ):
        n = checked_count("num_envs", num_envs)
        self._autoreset = Autoreset(n, autoreset_mode, max_episode_steps)
        envs = [SeparationEnv(render_mode=render_mode, **options) for _ in range(n)]
        self.take(envs, render_mode, self._autoreset.mode)
        self.config = envs[0].config
        self._constant: list[Sounding | None] = [None] * self.num_envs  # of static sources
        for env in self.envs:
            env.core.responses.kept_poses = KEPT_POSES

    def __getstate__(self) -> dict[str, Any]:
        """As for a single environment; what static sources play is transformed again."""
        return {**super().__getstate__(), "_constant": [None] * self.num_envs}

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ):
        """Begin episodes; options["reset_mask"] (N,) bool says which, by default all."""
        observations = self._new_observations()
        played = self._autoreset.reset(seed, options, partial(self._play, observations))
        for i in set(range(self.num_envs)) - set(played):
            self.envs[i].core.observe(self.envs[i].state, _row(observations, i))
        infos = {i: one.info for i, one in played.items()}
        return observations, stacked_infos(infos, self.num_envs)

    def step(self, actions: Any):
        """One second of every episode; where one is over, as `autoreset_mode` says."""
        self._autoreset.due()  # raises ResetNeeded before actions are checked
        observations = self._new_observations()
        made = self._autoreset.step(self._split(actions), partial(self._play, observations))
        return observations, made.rewards(), made.terminated(), made.truncated(), made.infos()

    def _split(self, actions: Any) -> list:
        """The action of each environment."""
        wanted = self.action_space
        if not isinstance(wanted, gym.spaces.Dict):
            return list(shaped(actions, wanted.shape, "the actions"))
        if not isinstance(actions, Mapping) or set(actions) != set(wanted):
            raise ValueError(f"the actions must be a dict of {', '.join(wanted)}, got {actions!r}")
        parts = {
            key: shaped(actions[key], wanted[key].shape, f"the actions: {key!r}") for key in wanted
        }
        return list(iterate(wanted, parts))

    def _play(
        self, observations: Arrays, begin: dict[int, Start], move: dict[int, Any]
    ) -> dict[int, Played]:
        """Begin episodes, move in others, render all together and write what is observed."""
        checked = {i: checked_action(move[i], self.config.estimator) for i in move}
        numbers, workers = sorted([*begin, *move]), available_cores()
        size = min(TOGETHER, -(-len(numbers) // workers))
        groups = [numbers[k : k + size] for k in range(0, len(numbers), size)]

        def hear(group: list[int]) -> States:
            states = {}
            for i in group:
                if i in begin:
                    states[i] = self._begin(i, begin[i])
                else:
                    states[i] = self.envs[i].core.transition(self.envs[i].state, *checked[i])
            return self._render(states)

        def judge(states: States) -> dict[int, Played]:
            return {i: self._evaluate(i, state, observations) for i, state in states.items()}

        if self.envs[0].core.plug_in is None:
            played = in_threads(lambda group: judge(hear(group)), groups, workers, "vector")
        else:
            heard = self._separate(in_threads(hear, groups, workers, "vector"))
            played = in_threads(judge, heard, workers, "vector")
        return {i: one for group in played for i, one in group.items()}

    def _separate(self, groups: list[States]) -> list[States]:
        """The states with what the plugged-in estimator makes of them: it is asked once for all.

        In this thread, for it may have threads of its own.
        """
        states = {i: state for group in groups for i, state in group.items()}
        asked = {i: self.envs[i].core.questions(state) for i, state in states.items()}
        every = [question for some in asked.values() for question in some]
        answers = iter(self.envs[0].core.plug_in.ask(every))
        of = {i: [next(answers) for _ in some] for i, some in asked.items()}
        return [
            {i: self.envs[i].core.set_answers(state, of[i]) for i, state in group.items()}
            for group in groups
        ]

    def _begin(self, i: int, start: Start) -> EpisodeState:
        self._constant[i], env = None, self.envs[i]
        gym.Env.reset(env, seed=start.seed)  # which only seeds
        return env.core.begin(env.np_random, start.options)

    def _render(self, states: States) -> States:
        """The states of some environments with their sound."""
        requests, sounding = {}, self._sounding(states)
        for i, state in states.items():
            core, (dry, _) = self.envs[i].core, sounding[i]
            requests[i] = core.render_requests(state, core.poses_to_render(state), state.t, dry)
        every = [request for some in requests.values() for request in some]
        audio = iter(render_batch(every, self.config.convolution))
        rendered = {}
        for i, state in states.items():
            heard = [pose for _ in requests[i] for pose in next(audio)]
            rendered[i] = self.envs[i].core.set_audio(state, heard, sounding[i][1])
        return rendered

    def _sounding(self, states: States) -> dict[int, Sounding]:
        """What plays in each environment; static sources need to be transformed only once."""
        missing = [i for i in states if self._constant[i] is None]
        playing = [(states[i].episode.sounds, states[i].t) for i in missing]
        made = dict(zip(missing, sounds_together(self.config, playing), strict=True))
        if not self.config.dynamic:
            for i in missing:
                self._constant[i] = made[i]
        return {i: made[i] if i in made else self._constant[i] for i in states}

    def _evaluate(self, i: int, state: EpisodeState, observations: Arrays) -> Played:
        env, observation = self.envs[i], _row(observations, i)
        env.state, reward, truncated = env.core.evaluate(state)
        env.core.observe(env.state, observation)
        return Played(observation, reward, False, truncated, env.core.info(env.state))

    def _new_observations(self) -> Arrays:
        return create_empty_array(self.single_observation_space, self.num_envs, np.empty)


def separation_envs(device: str | None = None, **arguments: Any) -> gym.vector.VectorEnv:
    """Environments side by side: a `SeparationVectorEnv`, or on a device one in torch.

    device  as torch names it, such as "cuda" or "cpu"; see `DeviceSeparationVectorEnv`
    """
    if device is None:
        return SeparationVectorEnv(**arguments)
    from av_envs.separation.device import device_envs  # needs torch, extra [agents]

    return device_envs(device=device, **arguments)


def _row(observations: Arrays, i: int) -> Arrays:
    """Views of what belongs to environment i."""
    return {key: values[i, ...] for key, values in observations.items()}
