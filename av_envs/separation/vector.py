"""Many episodes of active separation at once, on all cores: what `gymnasium.make_vec` makes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import create_empty_array, iterate

from av_envs.options import checked_count
from av_envs.paths import PlainSpec
from av_envs.separation.actions import checked_action
from av_envs.separation.audio import TargetSecond, listen, sounds_together
from av_envs.separation.env import SeparationEnv
from av_envs.threads import available_cores, in_threads
from av_envs.vector.actions import shaped
from av_envs.vector.autoreset import check_may_step
from av_envs.vector.copies import Copies
from av_envs.vector.seeding import seeds_of, taken_mask

TOGETHER = 4  # episodes heard in one go: as many as the cache of a core holds
KEPT_POSES = 3  # of an episode: the start, this one and the one before

Arrays = dict[str, np.ndarray]
Sounding = tuple[np.ndarray, TargetSecond]  # of the sources, and the truth


class Played(NamedTuple):
    """What one environment returns, but for the observation."""

    reward: float
    is_last: bool
    info: dict[str, np.float32]


class SeparationVectorEnv(Copies, gym.vector.VectorEnv):
    """N copies of `SeparationEnv` that hear together.

    Copy i does what a single environment with its seed does, bit for bit; with one seed s for
    all of them that is s + i. So it does what `gymnasium.vector.SyncVectorEnv` does, on all
    cores and with fewer and larger Fourier transforms.

    num_envs           N
    max_episode_steps  truncate earlier than after the option `steps`
    autoreset_mode     "NextStep", "SameStep" or "Disabled", see `gymnasium.vector.AutoresetMode`
    render_mode        as for a single environment; `render()` returns N pictures
    options            as for a single environment

    `call`, `get_attr` and `set_attr` reach the copies, as in `SyncVectorEnv`:
    `envs.call("privileged", "action_gains")`.
    """

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
        self.num_envs = checked_count("num_envs", num_envs)
        self.envs = [SeparationEnv(render_mode=render_mode, **options) for _ in range(num_envs)]
        self.config = self.envs[0].config
        self.render_mode = render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.take_spaces(self.envs[0])
        self._limit = max_episode_steps
        self._is_over: np.ndarray | None = None  # (N,) bool, a reset is due; None: of all
        self._constant: list[Sounding | None] = [None] * self.num_envs  # of static sources
        for env in self.envs:
            env.kept_poses = KEPT_POSES

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
        seeds, options = seeds_of(seed, self.num_envs), dict(options or {})
        begun = taken_mask(options, self.num_envs, self._is_over is None)
        observations = self._new_observations()
        played = self._play(
            {i: partial(self._begin, i, seeds[i], options) for i in np.flatnonzero(begun)},
            observations,
        )
        for i in np.flatnonzero(~begun):
            self.envs[i].observe(_row(observations, i))
        self._is_over = np.zeros(self.num_envs, bool) if begun.all() else self._is_over & ~begun
        return observations, self._infos(played)

    def step(self, actions: Any):
        """One second of every episode; where one is over, as `autoreset_mode` says."""
        check_may_step(self._is_over, self.autoreset_mode)
        todo = {}
        for i, action in enumerate(self._split(actions)):
            if self._is_over[i]:
                todo[i] = partial(self._begin, i, None, {})
            else:
                checked = checked_action(action, self.config.estimator)
                todo[i] = partial(self.envs[i].move, *checked)
        observations = self._new_observations()
        played = self._play(todo, observations)
        rewards = np.array([one.reward for one in played.values()])
        truncated = np.array([one.is_last for one in played.values()])
        self._is_over, infos = truncated, {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and truncated.any():
            infos = self._begun_again(played, observations)
        infos |= self._infos(played)
        terminated = np.zeros(self.num_envs, bool)
        return observations, rewards, terminated, truncated.copy(), infos

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

    def _begun_again(self, played: dict[int, Played], observations: Arrays) -> dict[str, Any]:
        """Begin the episodes that are over, and tell what they ended with."""
        infos, over = {}, np.flatnonzero(self._is_over)
        for i in over:
            final = {key: np.array(value)[()] for key, value in _row(observations, i).items()}
            ended = {"final_obs": final, "final_info": played[i].info}
            infos = self._add_info(infos, ended, i)
        played |= self._play({i: partial(self._begin, i, None, {}) for i in over}, observations)
        self._is_over = np.zeros(self.num_envs, bool)
        return infos

    def _begin(self, i: int, seed: int | None, options: dict) -> None:
        self._constant[i], env = None, self.envs[i]
        gym.Env.reset(env, seed=seed)  # which only seeds
        env.begin(env.np_random, options)

    def _play(self, todo: dict[int, Callable], observations: Arrays) -> dict[int, Played]:
        """Do something to some environments, hear what follows and write what they observe."""
        numbers, workers = list(todo), 1 if self.envs[0].asks_others else available_cores()
        size = min(TOGETHER, -(-len(numbers) // workers))
        groups = [numbers[k : k + size] for k in range(0, len(numbers), size)]

        def play(group: list[int]) -> list[Played]:
            for i in group:
                todo[i]()
            self._hear(group)
            return [self._settle(i, observations) for i in group]

        played = [one for group in in_threads(play, groups, workers, "vector") for one in group]
        return dict(zip(numbers, played, strict=True))

    def _hear(self, group: list[int]) -> None:
        """Let environments hear their second at all poses they want."""
        moments, sounding = [], self._sounding(group)
        for i, (dry, _) in zip(group, sounding, strict=True):
            env = self.envs[i]
            moments.append(env.moments(env.poses_to_hear(), env.playing[1], dry))
        heard = iter(listen([one for some in moments for one in some], self.config.convolution))
        for i, some, (_, truth) in zip(group, moments, sounding, strict=True):
            self.envs[i].take_in([place for _ in some for place in next(heard)], truth)

    def _sounding(self, group: list[int]) -> list[Sounding]:
        """What plays in each environment; static sources need to be transformed only once."""
        missing = [i for i in group if self._constant[i] is None]
        playing = [self.envs[i].playing for i in missing]
        made = dict(zip(missing, sounds_together(self.config, playing), strict=True))
        if not self.config.dynamic:
            for i in missing:
                self._constant[i] = made[i]
        return [made[i] if i in made else self._constant[i] for i in group]

    def _settle(self, i: int, observations: Arrays) -> Played:
        env = self.envs[i]
        reward, is_last = env.settle()
        env.observe(_row(observations, i))
        if self._limit is not None and env.playing[1] >= self._limit:
            is_last = True
        return Played(reward, is_last, env.info())

    def _infos(self, played: dict[int, Played]) -> dict[str, np.ndarray]:
        """Infos as arrays (N,), zero where there is none, and masks (N,) that say where."""
        infos, told = {}, np.zeros(self.num_envs, bool)
        told[list(played)] = True
        for key in next(iter(played.values())).info:
            values = np.zeros(self.num_envs, np.float32)
            values[told] = [one.info[key] for one in played.values()]
            infos[key], infos[f"_{key}"] = values, told.copy()
        return infos

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
