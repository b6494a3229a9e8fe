"""Estimators for the tests of `estimator="module:Factory"`, right ones and wrong ones."""

from typing import ClassVar

import numpy as np


class Louder:
    """The louder ear's mixture, and a memory: each second is mixed with the second before."""

    def reset(self):
        self.heard = []

    def estimate(self, mixture, label):
        self.heard.append(mixture[np.argmax((mixture**2).sum((1, 2)))].copy())
        mixture[:] = np.nan  # an estimator may use its input as scratch
        return np.mean(self.heard[-2:], axis=0)


class LeftEar:
    def reset(self):
        pass

    def estimate(self, mixture, label):
        return mixture[0]


class Wrong(LeftEar):
    def estimate(self, mixture, label):
        return mixture


class NotANumber(LeftEar):
    def estimate(self, mixture, label):
        mixture[0, 3, 4] = np.nan
        return mixture[0]


class Fading:
    """For batches, row by row: the louder ear mixed with its own estimates of the past.

    calls  of all objects: how many mixtures each had
    """

    calls: ClassVar[list[int]] = []

    def estimate_batch(self, mixtures, labels, memories):
        Fading.calls.append(len(mixtures))
        assert mixtures.shape[1:] == (2, 512, 32)
        assert labels.shape == (len(mixtures),)
        rows = zip(mixtures, memories, strict=True)
        estimates = [self._one(mixture, memory) for mixture, memory in rows]
        mixtures[:] = np.nan  # an estimator may use its input as scratch
        return np.stack(estimates), estimates

    @staticmethod
    def _one(mixture, memory):
        louder = mixture[np.argmax((mixture**2).sum((1, 2)))]
        return louder.copy() if memory is None else (louder + memory) / 2


class BothEars:
    """For batches, without a memory; `weights` stand for those of a large network."""

    def __init__(self):
        self.weights = np.zeros(2_000_000)

    def estimate_batch(self, mixtures, labels, memories):
        return mixtures.min(axis=1), memories


class NoMemories(BothEars):
    def estimate_batch(self, mixtures, labels, memories):
        return mixtures[:, 0]


class OneTooFew(BothEars):
    def estimate_batch(self, mixtures, labels, memories):
        return mixtures[1:, 0], memories


class LostMemory(BothEars):
    def estimate_batch(self, mixtures, labels, memories):
        return mixtures[:, 0], None


class BatchNotANumber(BothEars):
    def estimate_batch(self, mixtures, labels, memories):
        mixtures[-1, 0, 3, 4] = np.nan
        return mixtures[:, 0], memories


class NotCallable:
    estimate_batch = 3


class Mute:
    def reset(self):
        pass


def needs_an_argument(path):
    return LeftEar()
