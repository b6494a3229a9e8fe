"""Many episodes of active separation side by side on one device, in torch."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from torch import Tensor
from torch.profiler import record_function

from av_envs.options import checked_count
from av_envs.paths import PlainSpec
from av_envs.separation.actions import action_space
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.asset_cache import HouseStore
from av_envs.separation.device.episode_table import Episodes, on_device
from av_envs.separation.device.memory_plan import checked_memory_gb, pages_for
from av_envs.separation.device.motion import Compass, moved, pose_since
from av_envs.separation.device.prefetch import EpisodesAhead
from av_envs.separation.device.rirs import Heard, Listeners, Poses
from av_envs.separation.device.scoring import Scores, rewards
from av_envs.separation.device.validation import (
    checked_actions,
    checked_chunk,
    checked_config,
    checked_device,
)
from av_envs.separation.observation import observation_space
from av_envs.vector.autoreset import check_may_step
from av_envs.vector.seeding import seeds_of, taken_mask

Tensors = dict[str, Tensor]


class DeviceSeparationVectorEnv(gym.vector.VectorEnv):
    """N episodes that stay on one device: what they observe, earn and are told are its tensors.

    Environment i plays the episodes of a single `SeparationEnv` with its seed; where it stands
    and sees is the same to the bit, what it hears to about a millionth. The host draws and
    loads the next episodes while the current ones are played, and waits for nothing else.

    num_envs           N
    device             as torch names it, such as "cuda" or "cpu"
    memory_gb          most memory that houses and clips may take, 1e9 bytes; by default 70 % of
                       what is free on a GPU, 8 GB on a CPU. The least recently used make room.
    chunk              how many environments hear at once; each takes about 10 MB meanwhile
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
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self._numpy, self._chunk = numpy, checked_chunk(chunk, self.device)
        corpus = corpus_of(self.config.sounds)
        self.single_observation_space = observation_space(self.config, len(corpus.classes))
        self.single_action_space = action_space(self.config.estimator)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._limit = min(self.config.steps, max_episode_steps or self.config.steps)
        self._prepare(corpus, checked_memory_gb(memory_gb, self.device))

    def _prepare(self, corpus, memory_gb: float) -> None:
        with_views = bool({"rgb", "depth"} & set(self.config.observations))
        n_pages = pages_for(self.config, corpus, with_views, memory_gb)
        self.store = HouseStore(n_pages, self.device, corpus, with_views)
        self._ahead = EpisodesAhead(self.config, corpus, self.store, self.num_envs)
        self._episodes = Episodes(self.config, self.num_envs, self.device)
        self._listeners = Listeners(self.config, self.store, self._episodes, self.num_envs)
        self._compass = Compass(self.device)
        self._place, self._heading, self._t = torch.zeros(
            (3, self.num_envs), dtype=torch.int64, device=self.device
        )
        self._collided = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        self._played = np.zeros(self.num_envs, np.int64)  # seconds, as the host counts them
        self._is_over: np.ndarray | None = None  # (N,) bool, a reset is due; None: of all
        self._score: Scores = {}

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
        seeds, options = seeds_of(seed, self.num_envs), dict(options or {})
        begun = taken_mask(options, self.num_envs, self._is_over is None)
        self._begin(np.flatnonzero(begun), seeds, options)
        self._is_over = np.zeros(self.num_envs, bool) if begun.all() else self._is_over & ~begun
        observations, self._score = self._observed(None, True)
        told = on_device(begun, self.device)
        return self._returned(observations, self._infos(self._score, told))

    def step(self, actions: Any):
        """One second of every episode; where one is over, as `autoreset_mode` says.

        actions  (N,) integers; a tensor on the device is not looked at by the host
        """
        check_may_step(self._is_over, self.autoreset_mode)
        before = self._score
        self._move(checked_actions(actions, self.num_envs, self.device))
        begun = np.flatnonzero(self._is_over)
        if len(begun):
            self._begin(begun, [None] * self.num_envs, {})
        observations, score = self._observed(None, bool(len(begun)))
        earned, truncated = self._earned(score, before), self._t >= self._limit
        self._score, self._is_over = score, self._played >= self._limit
        infos = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._is_over.any():
            observations, infos = self._begun_again(observations)
        infos |= self._infos(self._score, torch.ones_like(truncated))
        terminated = torch.zeros_like(truncated)
        return self._returned(observations, earned, terminated, truncated, infos)

    def target_second(self) -> Tensor:
        """(N, 16000) float32, the target's dry sound of the last second: for trainers."""
        return self._listeners.dry_windows(slice(None), self._t)[:, 0, 16000:].clone()

    def observation_numpy(self, observations: Tensors) -> dict[str, np.ndarray]:
        """Observations as arrays on the host."""
        return _as_numpy(observations)

    @property
    def np_random(self) -> tuple[np.random.Generator, ...]:
        """The random numbers of each environment."""
        return tuple(self._ahead.rng(i) for i in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:
        """The seed of each environment."""
        return tuple(self._ahead.seeds)

    def close_extras(self, **kwargs: Any) -> None:
        """Stop drawing ahead; the memory of the device is free when nobody has the environments."""
        self._ahead.close()

    def _begin(self, begun: np.ndarray, seeds: Sequence[int | None], options: dict) -> None:
        """Put environments at the starts of new episodes."""
        with record_function("av_envs: next episodes"):
            prepared = self._ahead.begin(begun.tolist(), seeds, options)
        rows = on_device(begun, self.device)
        with record_function("av_envs: their tables"):
            self._episodes.write(rows, prepared)
        self._place[rows] = self._episodes.fact("start_place")[rows]
        self._heading[rows] = self._episodes.fact("start_heading")[rows]
        self._t[rows] = 0
        self._collided[rows] = False
        self._played[begun] = 0

    def _move(self, actions: Tensor) -> None:
        solid = None if self.config.start == "target" else self._episodes.source_places
        ahead = self.store.places.neighbours[self._place, self._heading]
        self._place, self._heading, self._collided = moved(
            actions, self._place, self._heading, ahead, solid, self._compass
        )
        self._t = self._t + 1
        self._played += 1

    def _earned(self, score: Scores, before: Scores) -> Tensor:
        """(N,) float32, the reward; none for an episode that has just begun."""
        compared = {
            **score,
            "nmse_before": before["nmse"],
            "geodesic_before": before["geodesic_to_target"],
            "is_last": self._t >= self.config.steps,
        }
        earned = rewards(self.config.reward, compared)
        return torch.where(self._t > 0, earned, 0)

    def _begun_again(self, observations: Tensors) -> tuple[Tensors, dict[str, Any]]:
        """Begin the episodes that are over, and tell what they ended with."""
        over = np.flatnonzero(self._is_over)
        told, rows = on_device(self._is_over, self.device), on_device(over, self.device)
        final_info = self._infos(self._score, told)
        self._begin(over, [None] * self.num_envs, {})
        self._is_over = np.zeros(self.num_envs, bool)
        begun, score = self._observed(rows, True)
        merged = {
            key: values.index_copy(0, rows, begun[key]) for key, values in observations.items()
        }
        self._score = {
            key: values.index_copy(0, rows, score[key]) for key, values in self._score.items()
        }
        infos = {"final_obs": observations, "_final_obs": told}
        return merged, infos | {"final_info": final_info, "_final_info": told.clone()}

    def _observed(self, rows: Tensor | None, some_begin: bool) -> tuple[Tensors, Scores]:
        """Observations and scores of the second that has just passed.

        rows        (n,) int64, of which environments; None: of all
        some_begin  whether any of them is at its start
        """
        n = self.num_envs if rows is None else len(rows)
        observations: Tensors = {}
        scores: Scores = {}
        for chunk in _chunks(n, self._chunk):
            taken = chunk if rows is None else rows[chunk]
            poses = Poses(self._place[taken], self._heading[taken], self._t[taken])
            heard = self._listeners.hear(taken, poses, some_begin)
            with record_function("av_envs: observations"):
                _keep(observations, self._observations(taken, poses, heard), chunk, n)
            with record_function("av_envs: infos"):
                _keep(scores, self._told(taken, poses, heard), chunk, n)
        return observations, scores

    def _observations(self, rows: slice | Tensor, poses: Poses, heard: Heard) -> Tensors:
        places, pages, episodes = self.store.places, self.store.pages, self._episodes
        start, offset = episodes.fact("start_place")[rows], None
        made: Tensors = {}
        for key in self.config.observations:
            if key in ("rgb", "depth"):
                made[key] = getattr(pages, key)(places.view_page[poses.place, poses.heading])
            elif key == "mixture":
                made[key] = heard.magnitude.log1p().mT
            elif key == "waveform":
                made[key] = heard.waveform
            elif key == "target":
                made[key] = episodes.fact("label")[rows]
            elif key == "pose":
                offset = places.position[poses.place] - places.position[start]
                first = episodes.fact("start_heading")[rows]
                made[key] = pose_since(offset, first, poses.heading, poses.t, self._compass)
        return made

    def _told(self, rows: slice | Tensor, poses: Poses, heard: Heard) -> Scores:
        """All scalars of this second, (R,) float32, keyed as in the environment's info."""
        places, episodes = self.store.places, self._episodes
        score, node = dict(heard.scores), places.node[poses.place]
        if "si_sdr_gain" in score:  # where both are the same second they are the same to the bit
            start = episodes.fact("start_place")[rows], episodes.fact("start_heading")[rows]
            is_there = (poses.place == start[0]) & (poses.heading == start[1])
            score["si_sdr_start"] = torch.where(is_there, score["si_sdr"], score["si_sdr_start"])
            score["si_sdr_gain"] = score["si_sdr"] - score["si_sdr_start"]
        target = episodes.source_places[rows][:, 0]
        offset = places.position[target] - places.position[poses.place]
        score |= {
            "distance_to_target": offset.square().sum(1).sqrt(),
            "geodesic_to_target": self._listeners.metres_to_target(rows, poses.place),
            "collision": self._collided[rows].float(),
            "node": node.float(),
            "heading": poses.heading.float(),
            "house": episodes.fact("house")[rows].float(),
        }
        return score

    def _infos(self, score: Scores, told: Tensor) -> Tensors:
        """Infos (N,), zero where there is none, and masks (N,) that say where."""
        infos: Tensors = {}
        for key, values in score.items():
            infos[key], infos[f"_{key}"] = torch.where(told, values, 0), told.clone()
        return infos

    def _returned(self, *values: Any) -> tuple:
        return tuple(map(_as_numpy, values)) if self._numpy else values


def _chunks(n: int, size: int) -> Iterator[slice]:
    return (slice(first, min(first + size, n)) for first in range(0, n, size))


def _keep(made: Tensors, parts: Tensors, chunk: slice, n: int) -> None:
    """Put the part of a chunk into tensors of n rows."""
    for key, part in parts.items():
        if key not in made:
            made[key] = part.new_empty((n, *part.shape[1:]))
        made[key][chunk] = part


def _as_numpy(values: Any) -> Any:
    """Tensors, or dicts of tensors, on the host."""
    if isinstance(values, dict):
        return {key: _as_numpy(value) for key, value in values.items()}
    return values.cpu().numpy()
