"""Senses one option away, memory that ends with the episode, and the weights of the paper."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from av_envs.agents.separation.networks.encoders import bands
from av_envs.agents.separation.networks.policy import (
    FEATURES,
    PRESETS,
    SOUNDS,
    PolicyConfig,
    SeparationPolicy,
    locating_loss,
)

EVERYTHING = PolicyConfig(
    features=FEATURES,
    n_actions=4,
    n_classes=7,
    view_channels=(2, 2, 2),
    sound_channels=(8, 8, 8),
    branch_size=8,
    state_size=16,
    auxiliary=True,
)
STATE = 16 + 25 * 25  # numbers: of the GRU, and the map
SOUND_INPUTS = ["spectrogram", "bands"]


def n_weights(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def features_of(steps: int, envs: int, seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    front = (steps, envs)
    return {
        "rgb": torch.randint(0, 256, (*front, 128, 128, 3), generator=random, dtype=torch.uint8),
        "mixture": torch.rand(*front, 2, 512, 32, generator=random),
        "binaural": torch.rand(*front, 2, 512, 32, generator=random),
        "mono": torch.rand(*front, 512, 32, generator=random),
        "delays": torch.randn(*front, 4, 33, generator=random),
        "walls": torch.rand(*front, 16, generator=random),
        "place": torch.randn(*front, 43, generator=random).log_softmax(dim=-1),
        "target": torch.randint(0, 7, front, generator=random),
        "pose": torch.randn(*front, 4, generator=random),
        "collision": torch.rand(front, generator=random) < 0.5,
        "previous_action": torch.randint(0, 4, front, generator=random),
    }


def policy_of(config: PolicyConfig = EVERYTHING) -> SeparationPolicy:
    torch.manual_seed(0)
    policy = SeparationPolicy(config)
    torch.nn.init.orthogonal_(policy.actor.weight)  # as if trained
    return policy


def no_starts(steps: int, envs: int) -> torch.Tensor:
    return torch.zeros(steps, envs, dtype=torch.bool)


def test_has_the_weights_of_the_paper():
    view, binaural, mono = 2_417_280, 123_520, 90_752  # see test_encoders.py
    gru = 3 * 512 * (3 * 512 + 512 + 2)
    moves, value = 3 * 513, 513
    policy = SeparationPolicy(PRESETS["paper"])
    assert n_weights(policy) == view + binaural + mono + gru + moves + value == 5_782_404


def test_the_small_one_is_small():
    sounds = 2 * (3 * 32 * 8 + 1) * 128
    numbers = (5 + 1 + 4 + 1) * 64
    vectors = (4 * 33 + 1 + 16 + 1 + 17 * 17 + 1 + 570 + 1) * 128
    belief = 2 + 1 + 7 + 7
    sensed = 6 * 128 + 64
    turned = (sensed + 1) * (128 + 128) + 257 * 128 + (256 + 128 + 1) * 128
    gru = 3 * 256 * (128 + 128 + 256 + 2)
    heads = (4 + 1 + 3) * 129
    assert (
        n_weights(SeparationPolicy(PRESETS["small"]))
        == sounds + vectors + belief + numbers + turned + gru + heads
        == 1_018_201
    )


@pytest.mark.parametrize("sound_input", SOUND_INPUTS)
@pytest.mark.parametrize("key", FEATURES)
def test_every_feature_counts_only_while_it_is_on(key, sound_input):
    features, other = features_of(1, 8), features_of(1, 8)
    other[key] = features_of(1, 8, seed=3)[key]
    assert not torch.equal(features[key], other[key])
    with_it = replace(EVERYTHING, sound_input=sound_input)
    gone = {key, "place"} if key == "pose" else {key}  # a place needs the pose
    without = replace(with_it, features=tuple(name for name in FEATURES if name not in gone))
    for config in (with_it, without):
        policy = policy_of(config)
        outputs = [
            policy(given, policy.initial_state(8), no_starts(1, 8)) for given in (features, other)
        ]
        assert torch.equal(outputs[0].logits, outputs[1].logits) == (config is without)


@pytest.mark.parametrize("key", FEATURES)
def test_any_single_feature_will_do(key):
    keys = ("place", "pose") if key == "place" else (key,)
    policy = policy_of(replace(EVERYTHING, features=keys))
    features = {key: features_of(2, 3)[key] for key in keys}
    output = policy(features, policy.initial_state(3), no_starts(2, 3))
    assert output.logits.shape == (2, 3, 4)
    assert output.values.shape == (2, 3)
    assert output.state.shape == (3, 16 + 625 * (key == "place"))


@pytest.mark.parametrize(
    ("features", "sound_input"),
    [(("mixture", "pose"), "bands"), (("mixture", "binaural"), "spectrogram")],
    ids=["one", "spectrogram"],
)
def test_shares_need_bands_of_both(features, sound_input):
    with pytest.raises(ValueError, match='shares need sound_input "bands"'):
        PolicyConfig(features=features, sound_input=sound_input, shares=True)


def test_nothing_is_dropped_unless_a_trainer_asks():
    policy, features = policy_of(), features_of(2, 3)
    state, starts = policy.initial_state(3), no_starts(2, 3)
    once, again = (policy(features, state, starts).logits for _ in range(2))
    assert torch.equal(once, again)
    policy.dropout = 0.5
    assert not torch.equal(policy(features, state, starts).logits, once)


def test_a_compass_and_a_place_need_the_pose():
    with pytest.raises(ValueError, match='compass needs the feature "pose"'):
        PolicyConfig(features=("mono",), compass=True)
    with pytest.raises(ValueError, match='the feature "place" needs "pose"'):
        PolicyConfig(features=("place",))


@pytest.mark.parametrize("compass", [False, True], ids=["plain", "compass"])
def test_a_sequence_is_its_steps_one_by_one(compass):
    policy, features = policy_of(replace(EVERYTHING, compass=compass)), features_of(6, 3)
    starts = no_starts(6, 3)
    starts[0, 0] = starts[2, 1] = starts[3, 2] = starts[5] = True
    first = torch.randn(3, STATE)
    whole = policy(features, first, starts)
    state = first
    for t in range(6):
        now = {key: array[t : t + 1] for key, array in features.items()}
        step = policy(now, state, starts[t : t + 1])
        torch.testing.assert_close(step.logits[0], whole.logits[t])
        torch.testing.assert_close(step.values[0], whole.values[t])
        torch.testing.assert_close(step.extra["bearing"][0], whole.extra["bearing"][t])
        state = step.state
    torch.testing.assert_close(state, whole.state)


def test_a_start_forgets_everything_of_its_environment_and_nothing_else():
    policy, features = policy_of(), features_of(4, 2)
    starts = no_starts(4, 2)
    starts[2, 0] = True
    other = {key: array.clone() for key, array in features.items()}
    for array in other.values():
        array[:2] = array[:2].flip(1)  # another past
    other["previous_action"][2] += 1
    other["previous_action"] %= 4
    outputs = [policy(given, torch.randn(2, STATE), starts) for given in (features, other)]
    same = (outputs[0].logits - outputs[1].logits).abs().amax(dim=2) < 1e-6
    assert same.tolist() == [[False, False], [False, False], [True, False], [True, False]]


def test_no_previous_action_may_be_said_as_minus_one_at_a_start():
    policy, features = policy_of(), features_of(1, 2)
    starts = ~no_starts(1, 2)
    known = policy(features, policy.initial_state(2), starts).logits
    features["previous_action"].fill_(-1)
    assert torch.equal(policy(features, policy.initial_state(2), starts).logits, known)
    features["previous_action"].fill_(0)
    moved = policy(features, policy.initial_state(2), ~starts).logits
    assert not torch.equal(moved, known)  # none is not the first action


def test_reduced_sounds_and_whole_ones_are_the_same():
    policy = policy_of(replace(EVERYTHING, sound_input="bands"))
    features = features_of(2, 3)
    small = dict(features)
    for key in SOUNDS:
        ears = features[key][:, :, None] if key == "mono" else features[key]
        small[key] = bands(ears)
    state, starts = policy.initial_state(3), no_starts(2, 3)
    whole, reduced = (policy(given, state, starts).logits for given in (features, small))
    assert torch.equal(whole, reduced)


def test_starts_indifferent_between_moves():
    torch.manual_seed(0)
    policy = SeparationPolicy(EVERYTHING)
    output = policy(features_of(3, 4), policy.initial_state(4), no_starts(3, 4))
    assert (output.logits.softmax(dim=-1) - 0.25).abs().max() < 0.01
    for gate in policy.memory.gru.weight_hh_l0.chunk(3):
        torch.testing.assert_close(gate.T @ gate, torch.eye(16), atol=1e-5, rtol=0)
    assert not policy.memory.gru.bias_ih_l0.any()


def test_headings_a_whole_turn_apart_are_the_same():
    policy, features = policy_of(), features_of(1, 2)
    state, starts = policy.initial_state(2), no_starts(1, 2)
    before = policy(features, state, starts).logits
    features["pose"][..., 2] += 2 * torch.pi
    torch.testing.assert_close(policy(features, state, starts).logits, before)


def test_every_weight_learns():
    policy = policy_of()
    starts = no_starts(3, 4)
    starts[0, :2] = True
    output = policy(features_of(3, 4), torch.randn(4, STATE), starts)
    place = sum(array.square().sum() for array in output.extra.values())
    (output.logits.square().sum() + output.values.square().sum() + place).backward()
    for name, weights in policy.named_parameters():
        assert weights.grad is not None, f"{name} is not used"
        assert weights.grad.isfinite().all(), name
        assert weights.grad.any(), name


def test_nothing_extra_without_the_auxiliary_head():
    policy = policy_of(replace(EVERYTHING, features=("pose",), auxiliary=False))
    assert policy(features_of(1, 1), policy.initial_state(1), no_starts(1, 1)).extra == {}


def test_locating_loss_is_the_error_of_direction_and_log_distance():
    offset = torch.tensor([[[2.0, 0.0], [0.0, -1.0], [0.0, 0.0]]])  # ahead, right, here
    right = {
        "bearing": torch.tensor([[[1.0, 0.0], [0.0, -1.0], [9.0, 9.0]]]),
        "log_distance": torch.tensor([[2.0, 1.0, 0.5]]).log(),
    }
    assert locating_loss(right, offset).item() == 0
    wrong = {**right, "bearing": -right["bearing"]}
    assert locating_loss(wrong, offset).item() == pytest.approx(4)
    far = {**right, "log_distance": right["log_distance"] + 3}
    assert locating_loss(far, offset).item() == pytest.approx(9)
    assert locating_loss(wrong, torch.zeros(1, 3, 2)).item() == 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_comes_back_from_json(name):
    config = PRESETS[name]
    assert PolicyConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": ("rgb", "smell")}, "features must be some of rgb, mixture.*smell"),
        ({"features": ()}, "features must be some of"),
        ({"features": ("rgb", "rgb")}, "each once"),
        ({"features": ("target",)}, '"target" needs n_classes; got 0'),
        ({"sound_input": "waves"}, "sound_input must be one of spectrogram, bands; got 'waves'"),
        ({"n_actions": 1}, "n_actions must be at least 2; got 1"),
    ],
    ids=["unknown", "none", "twice", "no classes", "sound", "actions"],
)
def test_refuses_configs_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        PolicyConfig(**options)


def test_names_the_features_that_are_missing():
    policy, features = policy_of(), features_of(1, 2)
    del features["pose"], features["mono"]
    with pytest.raises(ValueError, match=r"lacks the features \['mono', 'pose'\]"):
        policy(features, policy.initial_state(2), no_starts(1, 2))
