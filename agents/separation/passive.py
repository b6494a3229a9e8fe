"""The passive separator as an estimator: `estimator="av_envs.agents.separation:Passive"`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from av_envs.agents.separation.agent import load_separator

AT_ONCE = 64  # seconds: more of them leave the cache of a core


class Passive:
    """Separates every second by itself, whoever hears it: it moves nobody and remembers nothing.

    checkpoint  file of a separator; None: the one that ships

    Asked once for a whole batch of environments, see `av_envs.separation.estimators`.
    """

    def __init__(self, checkpoint: str | Path | None = None):
        self.separator, self.header = load_separator(
            None if checkpoint is None else Path(checkpoint)
        )

    def estimate_batch(
        self, mixtures: np.ndarray, labels: np.ndarray, memories: Sequence[Any]
    ) -> tuple[np.ndarray, Sequence[Any]]:
        """(B, 512, 32) magnitudes of the targets' dry seconds, and the memories as given.

        mixtures  (B, 2, 512, 32) float32, linear magnitude at both ears
        labels    (B,) int64, classes of the targets
        """
        n_classes = len(self.header.classes)
        if (labels >= n_classes).any() or (labels < 0).any():
            raise ValueError(
                f"the separator knows {n_classes} classes, the labels are in "
                f"{labels.min()}..{labels.max()}"
            )
        estimates = np.empty((len(labels), *mixtures.shape[2:]), np.float32)
        with torch.inference_mode():
            for first in range(0, len(labels), AT_ONCE):
                part = slice(first, first + AT_ONCE)
                mixture, label = torch.from_numpy(mixtures[part]), torch.from_numpy(labels[part])
                estimates[part] = self.separator(mixture, label)[1].clamp(min=0).numpy()
        return estimates, memories
