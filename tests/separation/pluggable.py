"""Estimators for the tests of `estimator="module:Factory"`, right ones and wrong ones."""

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


class Mute:
    def reset(self):
        pass


def needs_an_argument(path):
    return LeftEar()
