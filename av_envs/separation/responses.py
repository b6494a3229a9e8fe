"""Spectra of the impulse responses at the poses of an episode, kept for as long as they help."""

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.acoustics.convolution import response_spectra
from av_envs.separation.state import Episode, EpisodeState, Pose


class ResponseCache:
    """Responses of the poses of one episode that were used last; another episode empties it.

    kept_poses  at most. A pose with two sources takes 0.5 MB.

    A copy begins empty.
    """

    def __init__(self, kept_poses: int = 64):
        self.kept_poses = kept_poses
        self._episode: Episode | None = None
        self._spectra: dict[Pose, np.ndarray] = {}  # the latest last

    def __reduce__(self) -> tuple:
        return type(self), (self.kept_poses,)

    def spectra(self, state: EpisodeState, pose: Pose) -> np.ndarray:
        """(S, 2, F) complex64, from every source to the two ears at a pose."""
        if state.episode is not self._episode:
            self._episode, self._spectra = state.episode, {}
        spectra = self._spectra.pop(pose, None)
        if spectra is None:
            while len(self._spectra) >= self.kept_poses:
                del self._spectra[next(iter(self._spectra))]
            sources = state.episode.source_nodes
            ears = np.empty((len(sources), 2, RIR_SAMPLES), np.float32)
            state.dwelling.acoustics.rirs_into(sources, *pose, ears)
            spectra = response_spectra(ears)
        self._spectra[pose] = spectra
        return spectra
