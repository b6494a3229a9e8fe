"""What the network reads, and that nothing of it is lost on the way."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from small_worlds import every_task, single

from av_envs.agents.adapters.encoder import ObservationEncoder, _spectrogram
from av_envs.rir_measure.config import OBSERVATIONS as MEASURED
from av_envs.separation.config import OBSERVATIONS as SEPARATED

EVERYTHING = {"AVDynamicSep-v0": SEPARATED, "AVRIRMeasure-v0": MEASURED}


def batch_of(space: spaces.Dict, size: int = 3) -> dict[str, torch.Tensor]:
    """Random observations; unbounded numbers are normal."""
    space.seed(0)
    rows = [space.sample() for _ in range(size)]
    return {key: torch.from_numpy(np.stack([row[key] for row in rows])) for key in space}


@every_task
def test_every_key_of_a_task_has_an_effect(env_id):
    space = single(env_id, observations=EVERYTHING[env_id]).observation_space
    torch.manual_seed(0)  # of so few units all may be off
    encoder = ObservationEncoder(space, 32, (8, 8, 8))
    observation = batch_of(space)
    before = encoder(observation)
    assert before.shape == (3, 32)
    for key, values in observation.items():
        other = {**observation, key: values.roll(1, dims=0)}
        assert not torch.equal(encoder(other), before), f"{key} has no effect"


@every_task
@pytest.mark.parametrize("keys", ["default", "everything"])
def test_is_small(env_id, keys):
    options = {} if keys == "default" else {"observations": EVERYTHING[env_id]}
    encoder = ObservationEncoder(single(env_id, **options).observation_space)
    assert sum(weights.numel() for weights in encoder.parameters()) < 2.5e6


@pytest.mark.parametrize("key", MEASURED)
def test_any_single_key_will_do(key):
    space = single("AVRIRMeasure-v0", robots=3, observations=[key]).observation_space
    assert ObservationEncoder(space, 8, (2, 2, 2))(batch_of(space)).shape == (3, 8)


def test_a_class_alone_will_do():
    space = spaces.Dict({"target": spaces.Discrete(5)})
    rows = ObservationEncoder(space, 8)({"target": torch.tensor([0, 1, 0])})
    assert torch.equal(rows[0], rows[2])


def test_robots_are_read_by_the_same_weights():
    space = single("AVRIRMeasure-v0", robots=3, observations=MEASURED).observation_space
    encoder = ObservationEncoder(space, 16, (4, 4, 4))
    observation = batch_of(space)
    turned = {key: values.roll(1, dims=1) for key, values in observation.items()}
    parts, others = (
        encoder._read(each).unflatten(1, (3, -1)).detach() for each in (observation, turned)
    )
    torch.testing.assert_close(parts.roll(1, dims=1), others)


@every_task
def test_there_may_be_more_axes_than_the_batch_or_none(env_id):
    space = single(env_id).observation_space
    encoder, observation = ObservationEncoder(space, 16, (4, 4, 4)), batch_of(space, 6)
    expected = encoder(observation)
    windows = {key: rows.unflatten(0, (2, 3)) for key, rows in observation.items()}
    torch.testing.assert_close(encoder(windows), expected.unflatten(0, (2, 3)))
    alone = encoder({key: rows[4] for key, rows in observation.items()})
    torch.testing.assert_close(alone, expected[4])


def test_pictures_may_be_bytes_or_fractions_and_classes_one_hot():
    space = single("AVDynamicSep-v0").observation_space
    encoder, observation = ObservationEncoder(space, 16, (4, 4, 4)), batch_of(space)
    one_hot = torch.nn.functional.one_hot(observation["target"], int(space["target"].n))
    same = {
        **observation,
        "rgb": observation["rgb"].float() / 255,
        "target": one_hot.float()[:, None],  # as a rollout buffer of Stable-Baselines3 has it
    }
    torch.testing.assert_close(encoder(same), encoder(observation))
    column = {**observation, "target": observation["target"][:, None]}
    torch.testing.assert_close(encoder(column), encoder(observation))


def test_waves_become_spectrograms():
    """A tone lies in its bin, with half the sum of the window as its magnitude."""
    bin_width = 16_000 / 1023
    time = torch.arange(16_000) / 16_000
    tone = torch.sin(2 * torch.pi * 100 * bin_width * time)
    spectrogram = _spectrogram(torch.stack([tone, 0 * tone])[None])
    assert spectrogram.shape == (1, 2, 512, 32)
    assert (spectrogram[0, 0, :, 1:-1].argmax(dim=0) == 100).all()
    expected = np.log1p(torch.hann_window(1023).sum().item() / 2)
    np.testing.assert_allclose(spectrogram[0, 0, 100, 5], expected, rtol=1e-3)
    assert not spectrogram[0, 1].any()


def test_what_it_cannot_read_it_names():
    picture = spaces.Box(0, 255, (128, 128, 3), np.uint8)
    with pytest.raises(ValueError, match=r"no idea how to read \['smell'\]; known are"):
        ObservationEncoder(spaces.Dict({"rgb": picture, "smell": spaces.Discrete(3)}))
    position = spaces.Box(0, 1, (2, 3), np.float32)
    with pytest.raises(ValueError, match="neither one robot nor a team"):
        ObservationEncoder(spaces.Dict({"rgb": picture, "position": position}))
