"""The generator as a predictor of the environment: what it takes of the robots' observations."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.rir_measure.networks.encoders import SenseConfig
from av_envs.agents.rir_measure.networks.generator import RIRGenerator
from av_envs.agents.rir_measure.senses import (
    OF_ACTING,
    Features,
    ends_of,
    features_of,
    needed_observations,
)
from av_envs.conventions import N_HEADINGS
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import JointObservation, PredictionContext
from av_envs.rir_measure.predictors.mean import fitted

STILL = 1e-3  # m: nearer than that to a robot is where it stands
TIE = 1e-3  # m that speak against a robot which looks elsewhere, or which is the other end already
AT_ONCE = 64  # pairs


class Generated:
    """A `RIRPredictor` that plays a generator. It hears nothing, and forgets what was measured.

    Pairs between robots are predicted as in training. Of other pairs, such as held-out queries, the
    generator can be told where they are, but not what is seen there: each end stands for the robot
    nearest to it, moved and turned to that place. Positions must be in the frame "scene".
    """

    def __init__(self, generator: RIRGenerator, senses: SenseConfig):
        self.generator, self.senses = generator.eval(), senses

    def reset(self, context: PredictionContext) -> None:
        self._robots, self._n_samples = context.robots, context.n_samples

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        """See `RIRPredictor`; ValueError before anything was observed."""
        return fitted(self._said(self.generator, pairs, history), self._n_samples)

    def described(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        """(P, latent_size) float32: what the paper's nearest neighbour compares pairs by, see
        `av_envs.rir_measure.predictors.nearest_neighbor`.
        """
        return self._said(self.generator.encoded, pairs, history)

    @torch.no_grad()
    def _said(
        self,
        network: Callable[[Features], Tensor],
        pairs: Pairs,
        history: Sequence[JointObservation],
    ) -> np.ndarray:
        """(P, ...), what the network says about each pair."""
        if not history:
            raise ValueError("the generator predicts from what robots observe: nothing was yet")
        moments = self._moments(history)
        ends, moved, turned = self._ends(pairs, moments)
        answers = []
        for first in range(0, len(ends), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            features = ends_of(moments, ends[part])
            features["position"] = features["position"] + moved[part, None]
            azimuth = features["azimuth"].clone()
            azimuth[..., 0] = (azimuth[..., 0] + turned[part, None]) % 1.0
            features["azimuth"] = azimuth
            answers.append(network(features).numpy())
        return np.concatenate(answers)

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        pass

    def _moments(self, history: Sequence[JointObservation]) -> Features:
        """(1, moments, R, ...), the present first; the oldest one counts again."""
        count = self.generator.moments
        latest = [history[max(len(history) - 1 - k, 0)] for k in range(count)]
        keys = [key for key in needed_observations(self.senses) if key not in OF_ACTING]
        missing = [key for key in keys if key not in latest[0][self._robots[0]]]
        if missing:
            raise ValueError(f"the generator needs the observations {missing}")
        rows = {
            key: np.stack([[step[robot][key] for robot in self._robots] for step in latest])
            for key in keys
        }
        return {key: value[None] for key, value in features_of(rows, self.senses).items()}

    def _ends(self, pairs: Pairs, moments: Features) -> tuple[Tensor, Tensor, Tensor]:
        """Robots (P, 2) that stand for emitters and receivers, how far each is moved, metres
        (P, 2, 3), and turned, in whole turns (P, 2).
        """
        positions, headings = moments["position"][0, 0], moments["azimuth"][0, 0, :, 0]
        emitters, receivers = torch.tensor(pairs.emitter), torch.tensor(pairs.receiver)
        wanted = torch.tensor(pairs.heading) / N_HEADINGS
        turn = (wanted[:, None] - headings) % 1.0  # (P, R)
        looks_elsewhere = (turn > 0) * TIE
        receiving = (_metres(receivers, positions) + looks_elsewhere).argmin(dim=1)
        taken = torch.arange(len(positions)) == receiving[:, None]
        emitting = (_metres(emitters, positions) + taken * TIE).argmin(dim=1)
        ends = torch.stack([emitting, receiving], dim=1)
        places = torch.stack([emitters, receivers], dim=1)[..., :2]
        moved = places - positions[ends][..., :2]
        moved[moved.norm(dim=-1) < STILL] = 0.0
        turned = torch.zeros(len(ends), 2)
        turned[:, 1] = turn.gather(1, receiving[:, None])[:, 0]
        return ends, torch.cat([moved, torch.zeros_like(moved[..., :1])], dim=-1), turned


def _metres(points: Tensor, positions: Tensor) -> Tensor:
    """(P, R) on the floor, from points (P, 3) to robots (R, 3)."""
    return (points[:, None, :2] - positions[None, :, :2]).norm(dim=-1)
