"""Encoders, policies and generators: shapes, ranges, and who knows what."""

import pytest
import torch

from av_envs.agents.ego_map import SIDE
from av_envs.agents.rir_measure.networks.encoders import Encoder, SenseConfig
from av_envs.agents.rir_measure.networks.generator import (
    ACTIVATIONS,
    GeneratorConfig,
    PixelNorm,
    RIRDecoder,
    RIRGenerator,
)
from av_envs.agents.rir_measure.networks.policy import PolicyConfig, TeamPolicy
from av_envs.agents.rir_measure.presets import SIZES
from av_envs.agents.rir_measure.senses import MASK
from av_envs.agents.rir_measure.team import TeamNetworks, sizes, team_config
from tests.agents.rir_measure.small_teams import GENERATOR, SENSES, features

T, N = 4, 3


def policy(**options) -> TeamPolicy:
    torch.manual_seed(0)
    made = TeamPolicy(PolicyConfig(state_size=8, **options), SENSES)
    for network in made.networks:
        torch.nn.init.normal_(network.actor.weight)
    return made


def said(made: TeamPolicy, seen: dict[str, torch.Tensor]):
    starts = torch.zeros(T, N, dtype=torch.bool)
    starts[0] = starts[2, 1] = True
    return made(seen, made.initial_state(N), starts)


@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_built(size):
    networks = TeamNetworks(team_config("macmara", size))
    seen = features(1, 1, senses=networks.config.senses)
    output = networks.policy(
        seen, networks.policy.initial_state(1), torch.ones(1, 1, dtype=torch.bool)
    )
    assert output.logits.shape == (1, 1, 2, 4)
    assert output.values.shape == (1, 1, 2)
    parts = ("policy", "generator", "assignment")
    counts = [sum(w.numel() for w in getattr(networks, part).parameters()) for part in parts]
    small = (320_000, 700_000, 70_000)
    most = small if size == "small" else (4_000_000, 10_000_000, 300_000)
    assert all(count <= limit for count, limit in zip(counts, most, strict=True))


def test_the_paper_has_its_sizes():
    senses, of_policy, of_generator = sizes("paper")
    policy = TeamPolicy(of_policy, senses)
    assert policy.networks[0].encoder.size == 256 + 2 + 32
    assert policy.networks[0].memory.hidden_size == 512
    generator = RIRGenerator(of_generator, senses)
    assert generator.now.size == 256 + 4 + 64
    assert generator.remembered.size == 256 + 8 + 64
    assert of_generator.latent_size == 512
    assert generator.decoder.layers[1].weight.shape == (512, 512, 4, 4)


@pytest.mark.parametrize("vision", ["rgbd", "rgb", "depth", "blind"])
@pytest.mark.parametrize("pixels", [16, 128])
def test_visions(vision, pixels):
    config = SenseConfig(vision=vision, pixels=pixels, picture_size=8)
    encoder = Encoder(config, 2, 4)
    seen = features(3, senses=config)
    found = encoder({key: seen[key] for key in seen if key != MASK})
    assert found.shape == (3, encoder.size) == (3, (8 if vision != "blind" else 0) + 4 + 4)


@pytest.mark.parametrize("weights", ["separate", "shared"])
def test_robots_act_on_the_map_that_they_see_themselves(weights):
    made, seen = policy(weights=weights, map=True), features(T, N)
    seen["footprints"] = torch.zeros(T, N, 2, 3, SIDE, SIDE).half()
    before = said(made, seen)
    seen["footprints"][0, 1, 1, :, 10, 11] = 1
    changed = (before.logits != said(made, seen).logits).any(-1)
    assert changed[0, 1, 1]
    changed[:2, 1, 1] = False
    assert not changed.any()


def test_what_robots_may_not_do_is_never_likely():
    seen = features(T, N)
    chances = said(policy(), seen).logits.softmax(-1)
    assert (chances[..., 0] == 0).all()
    assert (chances[..., 1:] > 0).all()


@pytest.mark.parametrize("weights", ["separate", "shared"])
def test_robots_act_on_what_they_see_themselves(weights):
    """And forget it when the next episode begins."""
    made, seen = policy(weights=weights), features(T, N)
    before = said(made, seen)
    seen["position"] = seen["position"].clone()
    seen["position"][0, 1, 1] += 5
    after = said(made, seen)
    changed = (before.logits != after.logits).any(-1)
    assert changed[:2, 1, 1].all()
    changed[:2, 1, 1] = False
    assert not changed.any()


@pytest.mark.parametrize(
    ("critic", "knows_others"), [("central", True), ("separate", False), ("shared", False)]
)
def test_critics(critic, knows_others):
    made, seen = policy(critic=critic), features(T, N)
    before = said(made, seen).values
    seen["position"] = seen["position"].clone()
    seen["position"][..., 1, :] += 5
    changed = (said(made, seen).values != before).all(dim=0).all(dim=0)
    assert changed.tolist() == [knows_others, True]


def test_shared_weights_are_those_of_every_robot():
    made, seen = policy(weights="shared", critic="shared"), features(T, N)
    turned = {key: value.flip(2) for key, value in seen.items()}
    torch.testing.assert_close(said(made, turned).logits, said(made, seen).logits.flip(2))
    torch.testing.assert_close(said(made, turned).values, said(made, seen).values.flip(2))


@pytest.mark.parametrize("channels", [(8,), (8, 4, 4), (8, 4, 4, 4, 4, 4)], ids=str)
@pytest.mark.parametrize("output", ["sigmoid_affine", "tanh"])
def test_responses_lie_within_the_amplitude(channels, output):
    torch.manual_seed(0)
    config = GeneratorConfig(latent_size=8, channels=channels, amplitude=0.5, output=output)
    decoder = RIRDecoder(config)
    assert decoder(torch.zeros(1, 8)).abs().max() < 1e-3  # quiet at first
    for weight in decoder.parameters():
        torch.nn.init.normal_(weight, std=30)
    rirs = decoder(10 * torch.randn(3, 8))
    assert rirs.shape == (3, 2, 16000)
    assert 0.45 < rirs.abs().max() <= 0.5
    assert (rirs[:, 0] != rirs[:, 1]).any()


def test_the_two_outputs_are_one_function():
    made = [RIRDecoder(GeneratorConfig(8, 8, (8,), 1.0, name)) for name in ACTIVATIONS]
    made[1].load_state_dict(made[0].state_dict())
    with torch.no_grad():
        made[1].layers[-2].weight /= 2
        made[1].layers[-2].bias /= 2
        latent = torch.randn(2, 8)
        torch.testing.assert_close(made[0](latent), made[1](latent))


def test_pixel_norm():
    found = PixelNorm()(torch.randn(2, 5, 3, 3))
    torch.testing.assert_close(found.square().mean(1), torch.ones(2, 3, 3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kappa", [0, 1, 3])
def test_memory(kappa):
    torch.manual_seed(0)
    made = RIRGenerator(GeneratorConfig(kappa, 8, (8,)), SENSES)
    assert (made.remembered is None) == (kappa == 0)
    assert made.moments == max(kappa, 1)
    seen = features(2, made.moments)
    seen.pop(MASK)
    before = made.encoded(seen)
    assert before.shape == (2, 8)
    seen["position"][:, -1] += 5
    assert (made.encoded(seen) != before).any()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: SenseConfig(vision="radar"), "vision 'radar' does not exist"),
        (lambda: SenseConfig(pixels=64), "pixels must be 128 or 16, got 64"),
        (lambda: PolicyConfig(weights="none"), "weights 'none' does not exist"),
        (lambda: PolicyConfig(critic="none"), "critic 'none' does not exist"),
        (lambda: PolicyConfig(robots=0), "robots must be"),
        (lambda: GeneratorConfig(kappa=17), "kappa must be"),
        (lambda: GeneratorConfig(channels=()), "channels must be 1 to 6 numbers"),
        (lambda: GeneratorConfig(amplitude=0.0), "amplitude must be positive"),
        (lambda: GeneratorConfig(output="relu"), "output 'relu' does not exist"),
        (lambda: team_config("paid", "small"), "preset 'paid' does not exist"),
        (lambda: team_config("macma", "huge"), "size 'huge' does not exist"),
    ],
    ids=lambda value: value.split()[0] + value.split()[1] if isinstance(value, str) else None,
)
def test_what_cannot_be_is_named(made, says):
    with pytest.raises(ValueError, match=says):
        made()


def test_small_generators_share_the_senses():
    assert RIRGenerator(GENERATOR, SENSES).now.config is SENSES
