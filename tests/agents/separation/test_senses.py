"""What a policy is told of an observation."""

import numpy as np
import pytest
import torch

from av_envs.agents.separation.networks.encoders import bands
from av_envs.agents.separation.networks.policy import FEATURES, PolicyConfig
from av_envs.agents.separation.senses import Senses, needed_observations
from tests.agents.separation.small_networks import CLASSES, small_locator

N = 3
FORWARD, LEFT = 0, 1
STARTS, WITHIN = torch.ones(N, dtype=torch.bool), torch.zeros(N, dtype=torch.bool)
ALL = PolicyConfig(features=FEATURES, n_classes=len(CLASSES), n_actions=4)
SHAPES = {
    "rgb": (128, 128, 3),
    "mixture": (2, 512, 32),
    "binaural": (2, 512, 32),
    "mono": (1, 512, 32),
    "delays": (4, 33),
    "walls": (16,),
    "place": (43,),
    "target": (),
    "pose": (4,),
    "collision": (),
    "previous_action": (),
}
LOCATOR = small_locator()
BANDS = {"mixture": (3, 32, 8), "binaural": (3, 32, 8), "mono": (1, 32, 8)}


class Halves:
    """A refiner that notes when it is asked; its estimates can be below zero."""

    def __init__(self):
        self.asked = []

    def refine(self, estimates, steps, starts):
        self.asked.append((steps.tolist(), starts.tolist()))
        return estimates / 2 - 0.3


def observation(seed: int = 0, t: int = 0, at=(0.0, 0.0)) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "rgb": rng.integers(256, size=(N, 128, 128, 3), dtype=np.uint8),
        "mixture": rng.random((N, 2, 512, 32), np.float32),
        "depth": rng.random((N, 128, 128, 1), np.float32),
        "waveform": rng.standard_normal((N, 2, 16000), np.float32),
        "target": np.arange(N),
        "pose": np.tile(np.array([*at, 0.0, t], np.float32), (N, 1)),
    }


@pytest.mark.parametrize("sound_input", ["spectrogram", "bands"])
def test_names_and_shapes(separator, sound_input):
    config = PolicyConfig(features=FEATURES, n_classes=99, sound_input=sound_input)
    found = Senses(separator, config, locator=LOCATOR)(observation(), STARTS)
    shapes = SHAPES | (BANDS if sound_input == "bands" else {})
    assert {name: tuple(value.shape[1:]) for name, value in found.items()} == shapes
    assert {len(value) for value in found.values()} == {N}


def test_only_what_is_configured(separator):
    config = PolicyConfig(features=("pose", "mono"))
    assert list(Senses(separator, config)(observation(), STARTS)) == ["pose", "mono"]
    assert needed_observations(config) == ("mixture", "target", "pose")
    assert needed_observations(ALL) == ("rgb", "depth", "waveform", "mixture", "target", "pose")


def test_sounds_are_linear_and_separated(separator):
    seen, senses = observation(), Senses(separator, ALL, locator=LOCATOR)
    found = senses(seen, STARTS)
    mixture = torch.from_numpy(np.expm1(seen["mixture"]))
    torch.testing.assert_close(found["mixture"], mixture)
    image, dry = separator(mixture, torch.arange(N))
    torch.testing.assert_close(found["binaural"], image)
    torch.testing.assert_close(found["mono"], dry[:, None])
    torch.testing.assert_close(senses.passive, dry)
    assert senses.refined is senses.passive
    levels = Senses(separator, PolicyConfig(features=("mono",), sound_input="bands"))
    torch.testing.assert_close(levels(seen, STARTS)["mono"], bands(dry[:, None]))


def test_what_is_refined_is_heard_and_answered(separator):
    refiner = Halves()
    senses = Senses(separator, ALL, refiner, locator=LOCATOR)
    senses(observation(), STARTS)
    found = senses(observation(t=1), WITHIN)
    assert refiner.asked == [([0] * N, [True] * N), ([1] * N, [False] * N)]
    torch.testing.assert_close(senses.refined, (senses.passive / 2 - 0.3).clamp(min=0))
    torch.testing.assert_close(found["mono"][:, 0], senses.refined)
    actions = senses.answer(torch.tensor([2, 0, 1]))
    assert actions["move"].tolist() == [2, 0, 1]
    assert (actions["estimate"] >= 0).all()
    np.testing.assert_array_equal(actions["estimate"], senses.refined.numpy())


def test_collisions_are_felt_where_a_step_leads_nowhere(separator):
    senses = Senses(separator, ALL, locator=LOCATOR)
    found = senses(observation(), STARTS)
    assert found["previous_action"].tolist() == [0] * N
    assert not found["collision"].any()
    senses.answer(torch.tensor([FORWARD, FORWARD, LEFT]))
    seen = observation(t=1)
    seen["pose"][0, 0] = 1.0  # only the first one moved
    found = senses(seen, WITHIN)
    assert found["previous_action"].tolist() == [FORWARD, FORWARD, LEFT]
    assert found["collision"].tolist() == [False, True, False]
    senses.answer(torch.tensor([FORWARD] * N))
    found = senses(observation(t=0), torch.tensor([False, True, False]))
    assert found["collision"].tolist() == [False, False, True]  # a start is no collision


def test_types_do_not_change_from_step_to_step(separator):
    senses = Senses(separator, ALL, locator=LOCATOR)
    first = senses(observation(), STARTS)
    senses.answer(torch.tensor([FORWARD] * N))
    second = senses(observation(t=1), WITHIN)
    assert {k: v.dtype for k, v in first.items()} == {k: v.dtype for k, v in second.items()}


def test_without_estimates_features_are_the_same(separator):
    config = PolicyConfig(features=("mixture", "binaural", "pose"))
    whole = Senses(separator, config)(observation(), STARTS)
    senses = Senses(separator, config, separates=False)
    part = senses(observation(), STARTS)
    assert all(torch.equal(part[name], whole[name]) for name in whole)
    assert not hasattr(senses, "passive")


def test_a_move_made_without_an_estimate_is_remembered(separator):
    senses = Senses(separator, PolicyConfig(features=("previous_action",)), separates=False)
    senses(observation(), STARTS)
    senses.moved(torch.tensor([1, 2, 3]))
    assert senses(observation(t=1), WITHIN)["previous_action"].tolist() == [1, 2, 3]


def test_a_place_needs_a_locator(separator):
    with pytest.raises(ValueError, match='the feature "place" needs a locator'):
        Senses(separator, PolicyConfig(features=("place", "pose")))
