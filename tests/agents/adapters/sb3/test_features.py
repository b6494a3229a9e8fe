"""The features extractor within policies: what arrives there, and how large they are."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from small_worlds import TINY, every_task, single
from stable_baselines3 import PPO
from stable_baselines3.common.torch_layers import CombinedExtractor

from av_envs.agents.adapters.encoder import ObservationEncoder
from av_envs.agents.adapters.sb3 import AVFeaturesExtractor


def policy(env, **options):
    options = {"features_extractor_class": AVFeaturesExtractor, **options}
    return PPO("MultiInputPolicy", env, n_steps=4, batch_size=4, policy_kwargs=options).policy


@every_task
def test_a_policy_reads_observations_as_they_are(env_id):
    """Stable-Baselines3 turns single pictures and scales them, but not those of a team."""
    env = single(env_id)
    extractor_options = {"features_extractor_kwargs": TINY}
    network = policy(env, **extractor_options)
    raw = ObservationEncoder(env.observation_space, TINY["features_dim"], TINY["channels"])
    raw.load_state_dict(network.features_extractor.encoder.state_dict())
    observation, _ = env.reset(seed=0)
    tensors, _ = network.obs_to_tensor(observation)
    with torch.no_grad():
        features = network.extract_features(tensors)
        expected = raw({key: torch.as_tensor(value)[None] for key, value in observation.items()})
    torch.testing.assert_close(features, expected)
    assert expected.any()


@every_task
def test_policies_are_smaller_than_with_the_extractor_of_the_library(env_id):
    """Which flattens depth and spectrograms, and the pictures of teams altogether."""
    env = single(env_id)
    ours, theirs = (
        sum(weights.numel() for weights in network.parameters())
        for network in (policy(env), policy(env, features_extractor_class=CombinedExtractor))
    )
    assert ours < 2.5e6 < 5e6 < theirs


def test_bytes_without_a_third_axis_are_left_to_the_encoder():
    space = spaces.Dict({"rgb": spaces.Box(0, 255, (4, 2, 128, 128, 3), np.uint8)})
    with pytest.raises(ValueError, match="neither one robot nor a team"):
        AVFeaturesExtractor(space)
