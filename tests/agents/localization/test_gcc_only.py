"""The control hears which side noise comes from, and nothing else."""

import numpy as np
import pytest

from av_envs.agents.localization.directions import angles_of
from av_envs.agents.localization.features import features
from av_envs.agents.localization.gcc_only import KIND, gcc_found_in
from av_envs.agents.localization.sequences import Sequences


def heard(later: int, tracks: int = 1) -> Sequences:
    """A second of noise that comes so many samples later to the right ear."""
    noise = np.random.default_rng(0).standard_normal(16_040).astype(np.float32)
    waveform = np.stack([noise[20:-20], noise[20 - later : len(noise) - 20 - later]])
    shape = (1, 10, tracks)
    return Sequences(
        features(KIND, waveform)[None], np.zeros((*shape, 3)), np.ones(shape, bool),
        np.ones(shape, bool),
    )  # fmt: skip


@pytest.mark.parametrize(("later", "degrees"), [(0, 0), (5, 36), (-5, -36), (10, 83), (-10, -83)])
def test_the_azimuth_of_a_delay(later, degrees):
    """Of a sphere of 8.75 cm: (a + sin a) r / c seconds."""
    azimuth, elevation = angles_of(gcc_found_in(heard(later)).found)
    np.testing.assert_allclose(np.degrees(azimuth), degrees, atol=5)
    assert not elevation.any()


def test_it_hears_one_source_at_a_time():
    found = gcc_found_in(heard(3, tracks=2))
    assert found.found.shape == (10, 2, 3)
    assert found.sounding[:, 0].all()
    assert not found.sounding[:, 1].any()
