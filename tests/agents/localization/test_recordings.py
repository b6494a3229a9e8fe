"""Sequences from recordings: labels lie where the sound is, folds are kept apart."""

import numpy as np
import pytest
import torch

from av_envs.agents.localization.augment import augment, main
from av_envs.agents.localization.dcase import (
    Name,
    metadata_path,
    read_metadata,
    read_recording,
    recordings_in,
    slots_of,
    sound_path,
)
from av_envs.agents.localization.localizer import Localizer, localizer_config
from av_envs.agents.localization.recordings import Recordings
from tests.agents.localization.made_recordings import made_folder, made_recording


@pytest.fixture
def source(recordings, tmp_path) -> Recordings:
    return Recordings(recordings, "foa", 2, 1, tmp_path / "features")


def test_sound_and_labels_lie_together(source):
    """It is loud in the frames that are active, and comes from where the labels say."""
    batch = source.batch(np.random.default_rng(0), 16)
    assert batch.maps.shape == (16, 7, 50, 64)
    middle = batch.maps[:, :, 2::5]  # of every frame of 100 ms
    loud = middle[:, 0].mean(axis=-1) > -40
    np.testing.assert_array_equal(loud, batch.active[..., 0])
    assert not batch.active[..., 1].any()
    intensity = middle[:, 4:].sum(axis=-1)[:, [2, 0, 1]]  # x, y, z from Y, Z, X
    intensity = np.moveaxis(intensity, 1, -1)[batch.active[..., 0]]
    intensity /= np.linalg.norm(intensity, axis=-1, keepdims=True)
    cosine = (intensity * batch.direction[batch.active]).sum(axis=-1)
    assert cosine.min() > np.cos(np.radians(2))


def test_a_batch_is_a_function_of_the_generator(source):
    one, other = (source.batch(np.random.default_rng(3), 4) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_what_is_held_out_is_whole_and_of_its_fold(source, recordings):
    (one,) = source.held_out()
    assert one.maps.shape == (2, 7, 50, 64)  # two seconds in a row
    name = Name(2, 1, (1,), 1)
    path = metadata_path(recordings, name)
    direction, active = slots_of(read_metadata(path), 20, 2, path)
    np.testing.assert_array_equal(one.active.reshape(20, 2), active)
    np.testing.assert_array_equal(one.direction.reshape(20, 2, 3), direction)


def test_the_scale_is_of_the_training_folds(source):
    localizer = Localizer(localizer_config("foa", "tiny", 2))
    maps = torch.from_numpy(source.batch(np.random.default_rng(0), 8).maps)
    localizer.fit_scale(maps)
    scaled = (maps - localizer.mean) / localizer.spread
    torch.testing.assert_close(scaled.mean(dim=(0, 2)), torch.zeros(7, 64), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        scaled.std(dim=(0, 2), correction=0), torch.ones(7, 64), atol=1e-3, rtol=0
    )


def test_a_constant_column_is_not_divided_by_nothing():
    localizer = Localizer(localizer_config("foa", "tiny", 1))
    localizer.fit_scale(torch.full((2, 7, 10, 64), 3.0))
    assert (localizer.spread == 1).all()


def test_mistakes(recordings, tmp_path):
    with pytest.raises(ValueError, match="choose from foa, mic"):
        Recordings(recordings, "binaural", 1, 1, tmp_path)
    with pytest.raises(ValueError, match="lasts 2 s, a sequence 5 s"):
        Recordings(recordings, "foa", 1, 5, tmp_path).batch(np.random.default_rng(0), 1)


def test_sums_of_recordings(tmp_path):
    folder = made_folder(tmp_path, of_train=3)
    made_recording(folder, Name(3, 2, (9,), 1))  # alone in its room
    made_recording(folder, Name(3, 1, (8,), 2))  # has two sources already
    made = augment(folder, 4, np.random.default_rng(0))
    pairs = [(1, 2), (1, 3), (2, 3)]
    assert sorted(made) == [Name(f, 1, pair, 1) for f in (3, 4, 5, 6) for pair in pairs]
    name = made[0]
    parts = [Name(name.fold, 1, (mix,), 1) for mix in name.mixes]
    one, other, both = (read_recording(sound_path(folder, "foa", n), "foa") for n in (*parts, name))
    gains, *_ = np.linalg.lstsq(np.stack([one.ravel(), other.ravel()], 1), both.ravel(), rcond=None)
    assert gains.sum() == pytest.approx(1, abs=0.01)
    assert abs(20 * np.log10(gains[0] / gains[1])) <= 6.1
    rows = [read_metadata(metadata_path(folder, n)) for n in (*parts, name)]
    slots = [slots_of(r, 20, 2, tmp_path) for r in rows]
    for frame in range(20):
        expected = [d[0] for d, active in ((s[0][frame], s[1][frame]) for s in slots[:2])
                    if active[0]]  # fmt: skip
        direction, active = slots[2]
        assert active[frame].sum() == len(expected)
        for slot, unit in enumerate(expected):
            np.testing.assert_allclose(direction[frame, slot], unit, atol=1e-5)
    assert set(rows[2].track) == {0, 1}
    assert len(recordings_in(folder, "foa", (3,))) == 3 + 2 + 3  # found beside the others


def test_no_folder_to_augment(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path)])
    assert "has neither of foa_dev, mic_dev" in capsys.readouterr().err.splitlines()[-1]
