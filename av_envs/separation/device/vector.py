"""Many episodes of active separation side by side on one device, in torch."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from torch import Tensor

from av_envs.options import checked_count
from av_envs.paths import PlainSpec
from av_envs.separation.actions import action_space
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.asset_cache import AssetCache
from av_envs.separation.device.core import DeviceCore, Tensors
from av_envs.separation.device.episode_table import on_device
from av_envs.separation.device.memory_plan import checked_memory_gb, pages_for
from av_envs.separation.device.scoring import Scores
from av_envs.separation.device.validation import (
    checked_actions,
    checked_chunk,
    checked_config,
    checked_device,
)
from av_envs.separation.observation import observation_space
from av_envs.vector.autoreset import Autoreset


class DeviceSeparationVectorEnv(gym.vector.VectorEnv):
    """N episodes that stay on one device: what they observe, earn and are told are its tensors.

    Environment i plays the episodes of a single `SeparationEnv` with its seed; where it stands
    and sees is the same to the bit, what it hears to about a millionth. The host draws and
    loads the next episodes while the current ones are played, and waits for nothing else.

    num_envs           N
    device             as torch names it, such as "cuda" or "cpu"
    memory_gb          most memory that houses and clips may take, 1e9 bytes; by default 70 % of
                       what is free on a GPU, 8 GB on a CPU. The least recently used make room.
    chunk              how many environments are rendered at once; each takes about 10 MB meanwhile
    numpy              True: return arrays instead of tensors
    max_episode_steps  truncate earlier than after the option `steps`
    autoreset_mode     "NextStep", "SameStep" or "Disabled", see `gymnasium.vector.AutoresetMode`
    options            as for a single environment, except that the estimator is "mixture", the
                       microphones have no noise, the houses are traced ones, and nothing renders
    """

    spec = PlainSpec()
    metadata: ClassVar[dict] = {
        "render_modes": [],
        "render_fps": 1,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        device: str | torch.device = "cpu",
        memory_gb: float | None = None,
        chunk: int | None = None,
        numpy: bool = False,
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options,
    ):
        self.num_envs = checked_count("num_envs", num_envs)
        self.device = checked_device(device)
        self.config = checked_config(SeparationConfig.from_keywords(**options), render_mode)
        self.render_mode = None
        self._limit = min(self.config.steps, max_episode_steps or self.config.steps)
        self._autoreset = Autoreset(self.num_envs, autoreset_mode, self._limit)
        self.autoreset_mode = self._autoreset.mode
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self._numpy, chunk = numpy, checked_chunk(chunk, self.device)
        corpus = corpus_of(self.config.sounds)
        self.single_observation_space = observation_space(self.config, len(corpus.classes))
        self.single_action_space = action_space(self.config.estimator)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        with_views = bool({"rgb", "depth"} & set(self.config.observations))
        memory_gb = checked_memory_gb(memory_gb, self.device)
        n_pages = pages_for(self.config, corpus, with_views, memory_gb)
        self.store = AssetCache(n_pages, self.device, corpus, with_views)
        self._core = DeviceCore(self.config, corpus, self.store, self.num_envs, chunk)
        self._info: Scores = {}  # of the last second

    def __reduce__(self) -> tuple:
        raise TypeError(
            f"{type(self).__name__} cannot be copied or pickled: what it plays lies in the memory "
            f"of the device {str(self.device)!r}. Make another one with the same arguments and "
            "seeds, or leave out device= where copies are needed"
        )

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ):
        """Begin episodes; options["reset_mask"] (N,) bool says which, by default all."""
        begin = self._autoreset.of_reset(seed, options)
        self._core.begin(begin)
        self._autoreset.began(begin)
        observations, self._info = self._core.sense(None, True)
        return self._returned(observations, _masked(self._info, self._told(begin)))

    def step(self, actions: Any):
        """One second of every episode; where one is over, as `autoreset_mode` says.

        actions  (N,) integers; a tensor on the device is not looked at by the host
        """
        begin, before = self._autoreset.due(), self._info
        self._core.transition(checked_actions(actions, self.num_envs, self.device))
        if begin:
            self._core.begin(begin)
        observations, self._info = self._core.sense(None, bool(begin))
        earned = self._core.evaluate(self._info, before)
        truncated = self._core.t >= self._limit
        self._autoreset.moved(begin)
        observations, infos = self._begun_again(observations)
        infos |= _masked(self._info, torch.ones_like(truncated))
        terminated = torch.zeros_like(truncated)
        return self._returned(observations, earned, terminated, truncated, infos)

    def target_second(self) -> Tensor:
        """(N, 16000) float32, the target's dry sound of the last second: for trainers."""
        windows = self._core.renderer.dry_windows(slice(None), self._core.t)
        return windows[:, 0, 16000:].clone()

    def observation_numpy(self, observations: Tensors) -> dict[str, np.ndarray]:
        """Observations as arrays on the host."""
        return _as_numpy(observations)

    @property
    def np_random(self) -> tuple[np.random.Generator, ...]:
        """The random numbers of each environment."""
        return tuple(self._core.prefetcher.rng(i) for i in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:
        """The seed of each environment."""
        return tuple(self._core.prefetcher.seeds)

    def close_extras(self, **kwargs: Any) -> None:
        """Stop drawing ahead; the memory of the device is freed with the environments."""
        self._core.prefetcher.close()

    def _begun_again(self, observations: Tensors) -> tuple[Tensors, dict[str, Any]]:
        """With SAME_STEP, begin the episodes that are over, and tell what they ended with."""
        begin = self._autoreset.due_at_once()
        if not begin:
            return observations, {}
        told, rows = self._told(begin), on_device(np.array(list(begin)), self.device)
        finals = {
            **{"final_obs": observations, "_final_obs": told},
            **{"final_info": _masked(self._info, told), "_final_info": told.clone()},
        }
        self._core.begin(begin)
        self._autoreset.began(begin)
        first, info = self._core.sense(rows, True)
        self._info = _replaced(self._info, rows, info)
        return _replaced(observations, rows, first), finals

    def _told(self, numbers: Iterable[int]) -> Tensor:
        """(N,) bool, which environments these are."""
        mask = np.zeros(self.num_envs, bool)
        mask[list(numbers)] = True
        return on_device(mask, self.device)

    def _returned(self, *values: Any) -> tuple:
        return tuple(map(_as_numpy, values)) if self._numpy else values


def _masked(info: Scores, told: Tensor) -> Tensors:
    """Infos (N,), zero where there is none, and masks (N,) that say where."""
    infos: Tensors = {}
    for key, values in info.items():
        infos[key], infos[f"_{key}"] = torch.where(told, values, 0), told.clone()
    return infos


def _replaced(all_rows: Tensors, rows: Tensor, some: Tensors) -> Tensors:
    """Copies in which these rows are others."""
    return {key: values.index_copy(0, rows, some[key]) for key, values in all_rows.items()}


def _as_numpy(values: Any) -> Any:
    """Tensors, or dicts of tensors, on the host."""
    if isinstance(values, dict):
        return {key: _as_numpy(value) for key, value in values.items()}
    return values.cpu().numpy()
