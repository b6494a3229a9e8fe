"""The options are the paper's, decay as told, and are refused by name."""

import re

import pytest

from av_envs.agents.ppo.config import PPOConfig


def test_the_defaults_take_the_steps_of_the_paper():
    config = PPOConfig()
    assert config.updates * 8 * 14 * config.rollout == 150_398_080
    assert (config.clip, config.epochs, config.minibatches) == (0.1, 4, 1)


@pytest.mark.parametrize("decays", [True, False], ids=["decays", "stays"])
def test_decay_is_linear_to_zero(decays):
    config = PPOConfig(updates=10, clip_decay=decays, learning_rate_decay=decays)
    half = 0.5 if decays else 1.0
    assert config.clip_at(0) == 0.1
    assert config.clip_at(5) == pytest.approx(0.1 * half)
    assert config.learning_rate_at(5) == pytest.approx(1e-4 * half)
    assert config.learning_rate_at(10) == pytest.approx(0.0 if decays else 1e-4)


def test_a_run_without_decay_may_be_made_longer():
    same = {"clip_decay": False, "learning_rate_decay": False}
    short, long = PPOConfig(updates=1, **same), PPOConfig(updates=2, **same)
    assert short.what_is_learned() == long.what_is_learned()
    assert PPOConfig(updates=1).what_is_learned() != PPOConfig(updates=2).what_is_learned()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("truncation", "stop", "'stop' does not exist; choose from bootstrap, terminal"),
        ("rollout", 0, "rollout must be a whole number in 1..1000000000, got 0"),
        ("minibatches", 2.0, "minibatches must be a whole number"),
        ("epochs", True, "epochs must be a whole number"),
        ("gamma", 1.1, "gamma must lie in 0..1, got 1.1"),
        ("sync_frac", -1, "sync_frac must lie in 0..1, got -1"),
        ("clip", 0, "clip must be a positive number, got 0"),
        ("learning_rate", float("nan"), "learning_rate must be a positive number, got nan"),
        ("entropy_coef", -0.1, "entropy_coef must be a number and not negative, got -0.1"),
        ("clip_value", 1, "clip_value must be True or False, got 1"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_values_that_cannot_be_are_named(name, value, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        PPOConfig(**{name: value})
