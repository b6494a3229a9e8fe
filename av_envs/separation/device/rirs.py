"""What every environment hears where it stands, and what that is worth, from pages to scores."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.profiler import record_function

from av_envs.acoustics.binaural import ear_tables
from av_envs.acoustics.convolution import N_BINS
from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.asset_cache import AssetCache
from av_envs.separation.device.audio import (
    dry_spectra,
    ground_truth,
    heard_second,
    mix,
    of_ear,
    response_spectra,
    stft,
    windows_on,
)
from av_envs.separation.device.binaural import binaural_responses, ears_on
from av_envs.separation.device.episode_table import EpisodeTable
from av_envs.separation.device.page_pool import RESPONSES
from av_envs.separation.device.scoring import ScoredSignals, Scores, scores_of_mixtures


class BinauralAudio(NamedTuple):
    """One second of R environments.

    waveform   (R, 2, 16000) float32, mixture at the ears
    magnitude  (R, 2, 32, 512) float32, linear
    scores     of the mixture at the better ear
    """

    waveform: Tensor
    magnitude: Tensor
    scores: Scores


class Poses(NamedTuple):
    """Where R environments are.

    place, heading, t  (R,) int64; t is the second of the episode
    """

    place: Tensor
    heading: Tensor
    t: Tensor


class BinauralRenderer:
    """Renders the second of environments; keeps the responses at the start poses."""

    def __init__(
        self, config: SeparationConfig, store: AssetCache, episodes: EpisodeTable, num_envs: int
    ):
        self._config, self._store, self._episodes = config, store, episodes
        device = store.pages.data.device
        self._ears = ears_on(ear_tables(config.hrtf), device)
        self._windows = windows_on(device)
        self._start: Tensor | None = None  # (N, S, 2, F) complex64
        if config.reward == "si_sdr_gain":
            shape = num_envs, config.num_sources, 2, N_BINS
            self._start = torch.zeros(shape, dtype=torch.complex64, device=device)

    def render(self, rows: slice | Tensor, poses: Poses, some_begin: bool) -> BinauralAudio:
        """What environments hear, and its scores.

        rows        which ones
        poses       of these
        some_begin  whether any of them is at its start
        """
        with record_function("av_envs: responses"):
            responses = self._responses(rows, poses)
        with record_function("av_envs: dry sounds"):
            windows = self.dry_windows(rows, poses.t)
            dry = dry_spectra(windows, self._config.convolution)
        with record_function("av_envs: mixtures"):
            mixed = mix(dry, responses)
            signals = [mixed.ears]
            if self._start is not None:
                if some_begin:
                    begins = (poses.t == 0)[:, None, None, None]
                    self._start[rows] = torch.where(begins, responses, self._start[rows])
                there = mix(dry, self._start[rows])
                signals.append(of_ear(there.ears, there.better))
            if "si_sdr_ideal" in self._config.extra_scores:
                signals.append(mixed.image)
        with record_function("av_envs: waveforms and spectrograms"):
            waveforms = heard_second(
                torch.cat(signals, 1), self._config.convolution, self._config.num_sources
            )
            magnitudes = stft(waveforms, self._windows).abs()
            truth = ground_truth(windows[:, 0, SAMPLE_RATE:], self._windows)
        with record_function("av_envs: scores"):
            scores = scores_of_mixtures(
                self._scored(mixed.better, waveforms, magnitudes), truth, self._windows
            )
            scores["target_to_rest_db"] = mixed.target_to_rest_db
        return BinauralAudio(waveforms[:, :2], magnitudes[:, :2], scores)

    def _scored(self, better: Tensor, waveforms: Tensor, magnitudes: Tensor) -> ScoredSignals:
        """What is scored.

        better      (R,) int64
        waveforms   (R, 2 to 4, 16000), the two ears, then the better ear at the start and the
                    target alone, each if it is wanted
        magnitudes  (R, 2 to 4, 32, 512) of these
        """
        extra = self._config.extra_scores
        return ScoredSignals(
            of_ear(magnitudes, better)[:, 0],
            None if self._start is None else magnitudes[:, 2],
            magnitudes[:, -1] if "si_sdr_ideal" in extra else None,
            of_ear(waveforms, better)[:, 0] if "si_sdr_mixture_phase" in extra else None,
        )

    def dry_windows(self, rows: slice | Tensor, t: Tensor) -> Tensor:
        """(R, S, 32000) float32, what each source plays in the second before and in this one."""
        pages = self._episodes.windows(rows, t)
        seconds = self._store.pages.seconds(pages.flatten())
        return seconds.view(*pages.shape[:2], 2 * SAMPLE_RATE)

    def metres_to_target(self, rows: slice | Tensor, place: Tensor) -> Tensor:
        """(R,) float32, of walking."""
        node = self._store.places.node[place]
        page = self._episodes.rows[rows][:, 0].gather(1, (node // RESPONSES)[:, None])
        return self._store.pages.metres(page[:, 0], node % RESPONSES)

    def _responses(self, rows: slice | Tensor, poses: Poses) -> Tensor:
        """(R, S, 2, F) complex64, spectra of the impulse responses."""
        episodes, node = self._episodes, self._store.places.node[poses.place][:, None]
        sources = episodes.source_nodes[rows]  # (R, S)
        node = node.expand_as(sources)
        pages = episodes.rows[rows].gather(2, (node // RESPONSES)[..., None])
        packed = self._store.pages.responses(pages.flatten(), (node % RESPONSES).flatten())
        salt = sources * episodes.fact("n_nodes")[rows][:, None] + node
        heading = poses.heading[:, None].expand_as(sources)
        with record_function("av_envs: responses in time"):
            ears = binaural_responses(packed, heading.flatten(), salt.flatten(), self._ears)
        return response_spectra(ears).unflatten(0, sources.shape)
