"""Saved policies as agents of the boards."""

import numpy as np
import pytest
from sb3_contrib import MaskablePPO, RecurrentPPO
from small_worlds import (
    BRIEF,
    STEPS,
    TINY,
    every_task,
    robots_of_supersuit,
    single,
    without_render_mode,
)
from stable_baselines3 import PPO

from av_envs.agents.adapters.sb3 import AVFeaturesExtractor, SB3Agent
from av_envs.benchmarks.play.action_check import action_fault
from av_envs.benchmarks.play.agents import AgentSpec, build_agent

FEATURES = {"features_extractor_class": AVFeaturesExtractor, "features_extractor_kwargs": TINY}
SENSES = ("azimuth", "position", "action_mask")
MEMORY = {"lstm_hidden_size": 8}


def saved(folder, algorithm, policy: str, env, seed: int | None = 0, **more) -> str:
    """The path of an untrained policy."""
    options = {**BRIEF, "seed": seed}
    model = algorithm(policy, env, policy_kwargs={**FEATURES, **more}, **options)
    model.save(folder / "model")
    return str(folder / "model.zip")


def play(agent, env, seed: int = 0) -> list:
    agent.reset(seed=seed)
    observation, _ = env.reset(seed=seed)
    actions = []
    for _ in range(STEPS):
        action = agent.act(observation)
        assert action_fault(env.action_space, action) is None
        actions.append(np.asarray(action).tolist())
        observation, *_ = env.step(action)
    return actions


@every_task
def test_a_policy_plays_by_name(env_id, tmp_path):
    env = single(env_id)
    path = saved(tmp_path, PPO, "MultiInputPolicy", env)
    kwargs = f'{{"checkpoint": "{path}", "predictor": "mean"}}'
    spec = AgentSpec.parse("av_envs.agents.adapters.sb3:SB3Agent", kwargs)
    agent = build_agent(spec, env.observation_space, env.action_space, seed=0)
    assert agent.predictor == "mean"
    assert play(agent, env) == play(agent, env)


def test_actions_may_be_drawn(tmp_path):
    env = single("AVDynamicSep-v0", observations=("pose",))
    path = saved(tmp_path, PPO, "MultiInputPolicy", env)
    spaces = env.observation_space, env.action_space
    likeliest, same = (SB3Agent(*spaces, seed=seed, checkpoint=path) for seed in (0, 1))
    drawn = SB3Agent(*spaces, seed=0, checkpoint=path, deterministic=False)
    assert play(drawn, env, seed=2) == play(drawn, env, seed=2)
    assert len({tuple(play(drawn, env, seed)) for seed in range(4)}) > 1
    assert play(likeliest, env) == play(same, env)


@every_task
def test_a_recurrent_policy_remembers_until_reset(env_id, tmp_path):
    env = single(env_id)
    path = saved(tmp_path, RecurrentPPO, "MultiInputLstmPolicy", env, **MEMORY)
    agent = SB3Agent(
        env.observation_space, env.action_space, seed=0, checkpoint=path, algorithm="RecurrentPPO"
    )
    first, states = play(agent, env), agent._state
    assert agent._state[0].any()
    again = play(agent, env)
    assert again == first
    np.testing.assert_array_equal(agent._state[0], states[0])
    play(agent, env, seed=1)
    assert not np.array_equal(agent._state[0], states[0])


def test_a_masked_policy_keeps_to_what_is_allowed(tmp_path):
    env = single("AVRIRMeasure-v0", observations=SENSES)
    path = saved(tmp_path, MaskablePPO, "MultiInputPolicy", env)
    spaces = env.observation_space, env.action_space
    options = {"seed": 0, "checkpoint": path, "algorithm": "MaskablePPO"}
    agent = SB3Agent(*spaces, deterministic=False, **options)
    for seed in range(3):
        assert 0 not in np.array(play(agent, env, seed))[:-1]  # nobody stops before the end
    blind = single("AVRIRMeasure-v0", observations=SENSES[:2]).observation_space
    with pytest.raises(ValueError, match="the policy was trained on"):
        SB3Agent(blind, env.action_space, **options)


@without_render_mode
@pytest.mark.parametrize(
    ("algorithm", "policy", "more"),
    [(PPO, "MultiInputPolicy", {}), (RecurrentPPO, "MultiInputLstmPolicy", MEMORY)],
)
def test_a_policy_of_one_robot_plays_every_robot(algorithm, policy, more, tmp_path):
    """The joint view is a batch of robots for it."""
    path = saved(tmp_path, algorithm, policy, robots_of_supersuit(), seed=None, **more)
    env = single("AVRIRMeasure-v0")
    agent = SB3Agent(
        env.observation_space,
        env.action_space,
        seed=0,
        checkpoint=path,
        algorithm=algorithm.__name__,
    )
    assert np.array(play(agent, env)).shape == (STEPS, 2)
    # alone, the second robot would have done the same at the first step
    agent.reset()
    observation, _ = env.reset(seed=0)
    both = agent.act(observation)
    alone, _ = agent.model.predict(
        {key: value[1] for key, value in observation.items()}, deterministic=True
    )
    assert both[1] == alone


def test_the_wrong_world_is_named(tmp_path):
    env = single("AVRIRMeasure-v0", observations=SENSES)
    path = saved(tmp_path, PPO, "MultiInputPolicy", env)
    other = single("AVRIRMeasure-v0", observations=SENSES, robots=3)
    with pytest.raises(ValueError, match="the policy was trained on"):
        SB3Agent(other.observation_space, other.action_space, seed=0, checkpoint=path)
    with pytest.raises(ValueError, match="the policy was trained for"):
        SB3Agent(env.observation_space, other.action_space, seed=0, checkpoint=path)
    with pytest.raises(ValueError, match="algorithm 'POP' does not exist; choose"):
        SB3Agent(env.observation_space, env.action_space, seed=0, checkpoint=path, algorithm="POP")
