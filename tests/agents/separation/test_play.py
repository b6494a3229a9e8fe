"""Learned agents as entries: what they do with observations, and which files they refuse."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import av_envs  # noqa: F401  registers the environments
import av_envs.agents.separation as entries
from av_envs.agents.separation import Active, Move2Hear, Novelty, play
from av_envs.agents.separation.agent import KINDS, load_separator
from av_envs.agents.separation.from_afar import FromAfar
from tests.agents.separation.small_networks import (
    CLASSES,
    saved_agent,
    saved_separator,
    small_agent,
    small_separator,
)

CLASS_OF = {
    "active": "Active",
    "single_step": "SingleStep",
    "memoryless": "Memoryless",
    "move2hear": "Move2Hear",
    "novelty": "Novelty",
}
STEPS = 4
OPTIONS = {
    "split": "val",
    "houses": 1,
    "start": "near",
    "steps": STEPS,
    "observations": ("depth", "mixture", "waveform", "target", "pose"),
}


@pytest.fixture(scope="module")
def env():
    """Scored by the agent's own estimate, as on the boards."""
    return gym.make("AVDynamicSep-v0", estimator="agent", **OPTIONS)


@pytest.fixture
def entry(agent_files, separator_file, env):
    def made(kind: str, **options):
        spaces = options.pop("spaces", (env.observation_space, env.action_space))
        options = {"checkpoint": str(agent_files[kind]), "seed": 0, **options}
        return getattr(entries, CLASS_OF[kind])(*spaces, separator=str(separator_file), **options)

    return made


def episode(agent, env, seed: int = 0) -> tuple[list, dict, np.ndarray]:
    """Actions, the last info and the refined estimates of an episode."""
    observation, info = env.reset(seed=seed)
    actions, is_over = [], False
    while not is_over:
        actions.append(agent.act(observation))
        observation, _, terminated, truncated, info = env.step(actions[-1])
        is_over = terminated or truncated
    return actions, info, agent.refine(observation)


def test_every_kind_has_an_entry():
    assert CLASS_OF.keys() == KINDS.keys()
    assert {getattr(entries, name).kind for name in CLASS_OF.values()} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_episode(kind, entry, env):
    actions, info, refined = episode(entry(kind), env)
    assert len(actions) == STEPS
    assert all(env.action_space.contains(action) for action in actions)
    assert np.isfinite(info["si_sdr"])
    assert refined.shape == (STEPS + 1, 512, 32)
    assert (refined >= 0).all()
    scores = env.unwrapped.score_refined(refined)
    assert np.isfinite(scores["si_sdr"])


def test_the_estimate_that_counts_is_of_the_second_heard_last(entry, env):
    """Without look-back what is refined is what was said at once."""
    for kind in ("memoryless", "single_step", "move2hear"):
        actions, _, refined = episode(entry(kind), env)
        for action, kept in zip(actions, refined[:-1], strict=True):
            np.testing.assert_array_equal(action["estimate"], kept)


def test_hindsight_makes_the_seconds_before_other(entry, env):
    actions, _, refined = episode(entry("active"), env)
    for action, kept in zip(actions, refined[:-1], strict=True):
        assert np.abs(action["estimate"] - kept).max() > 1e-4


def test_hindsight_ends_where_the_training_looked_back_to(
    separator_file, env, tmp_path, monkeypatch
):
    networks = small_agent("active", load_separator(separator_file)[0], look_back=1)
    path = saved_agent(tmp_path / "a.safetensors", networks)
    made = Active(
        env.observation_space, env.action_space, seed=0, checkpoint=path, separator=separator_file
    )
    refiner, heard = made._senses.refiner, []
    refine = refiner.refine

    def refine_and_look_back(*second):
        refined = refine(*second)
        heard.append(refiner.hindsight()[0].clamp(min=0).numpy())
        return refined

    monkeypatch.setattr(refiner, "refine", refine_and_look_back)
    refined = episode(made, env)[2]
    for k in range(STEPS):  # as it was one second later
        np.testing.assert_allclose(refined[k], heard[k + 1][-2], atol=1e-5, rtol=1e-4)


def test_hindsight_of_so_many_seconds(entry, env):
    agent = entry("active")  # whose own look-back is longer than the episode
    actions, _, refined = episode(agent, env)
    close = {"atol": 1e-5, "rtol": 1e-4}
    np.testing.assert_allclose(agent.refine_within(14), refined, **close)
    np.testing.assert_allclose(
        agent.refine_within(0)[:-1], np.stack([action["estimate"] for action in actions]), **close
    )
    some = agent.refine_within(2)
    assert np.abs(some[0] - refined[0]).max() > 1e-4  # two seconds more were heard
    np.testing.assert_allclose(some[-3:], refined[-3:], **close)


def test_without_hindsight_more_of_it_is_worth_nothing(entry, env):
    for kind in ("memoryless", "move2hear"):
        agent = entry(kind)
        refined = episode(agent, env)[2]
        np.testing.assert_array_equal(agent.refine_within(9), refined)


def test_an_episode_longer_than_the_memory(entry, env, monkeypatch):
    monkeypatch.setattr(play, "MOST_SECONDS", 3)
    agent = entry("active")
    refined = episode(agent, env)[2]
    assert refined.shape == (STEPS + 1, 512, 32)
    np.testing.assert_array_equal(agent.refine_within(0)[:-3], refined[:-3])


def test_the_seed_decides(entry, env):
    one, again, other = (
        [int(action["move"]) for seed in range(3) for action in episode(agent, env, seed)[0]]
        for agent in (
            entry("novelty", likeliest=False),
            entry("novelty", likeliest=False),
            entry("novelty", seed=1, likeliest=False),
        )
    )
    assert one == again
    assert one != other


def test_reset_begins_anew(entry, env):
    agent = entry("active")
    first = episode(agent, env)
    agent.reset(seed=0)
    second = episode(agent, env)
    np.testing.assert_array_equal(first[2], second[2])
    moves = [[action["move"] for action in played[0]] for played in (first, second)]
    assert moves[0] == moves[1]


def test_the_likeliest_move_needs_no_luck(entry, env):
    one, two = (
        [action["move"] for action in episode(entry("novelty", seed=s, likeliest=True), env)[0]]
        for s in (0, 1)
    )
    assert one == two


def test_moves_alone_where_no_estimate_is_asked_for(entry):
    plain = gym.make("AVDynamicSep-v0", **OPTIONS)
    agent = entry("active", spaces=(plain.observation_space, plain.action_space))
    move = agent.act(plain.reset(seed=0)[0])
    assert type(move) is int
    assert plain.action_space.contains(move)


def test_files_of_others_are_refused(agent_files, separator_file, env, tmp_path):
    spaces = (env.observation_space, env.action_space)
    given = {"seed": 0, "separator": str(separator_file)}
    with pytest.raises(ValueError, match=r"active\.safetensors: holds 'active', 'novelty' is want"):
        Novelty(*spaces, checkpoint=str(agent_files["active"]), **given)
    other = saved_separator(tmp_path / "other.safetensors", small_separator(seed=9))
    with pytest.raises(ValueError, match=r"move2hear\.safetensors: was trained with the separator"):
        Move2Hear(*spaces, seed=0, checkpoint=str(agent_files["move2hear"]), separator=str(other))
    with pytest.raises(ValueError, match=r"active\.safetensors: holds 'active', 'separator' is w"):
        Active(*spaces, seed=0, separator=str(agent_files["active"]))


def test_what_is_missing_is_named(entry, env):
    blind = gym.spaces.Dict({"target": env.observation_space["target"]})
    told = r"needs the observations depth, waveform, mixture, pose; .* observations=\(.*'depth'"
    with pytest.raises(ValueError, match=told):
        entry("active", spaces=(blind, env.action_space))
    few = {**env.observation_space.spaces, "target": gym.spaces.Discrete(3)}
    with pytest.raises(ValueError, match=f"trained on {len(CLASSES)} classes, the environment has"):
        entry("active", spaces=(gym.spaces.Dict(few), env.action_space))


def test_playing_draws_no_numbers_of_others(entry, env):
    agent = entry("active")
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    episode(agent, env)
    assert torch.equal(torch.rand(1), expected)


def test_an_agent_without_weights_says_how_to_train_them(
    env, monkeypatch, tmp_path, separator_file
):
    monkeypatch.setattr(play, "WEIGHTS", tmp_path)
    with pytest.raises(ValueError, match=r"no weights of Active ship.*--agent active --out DIR"):
        Active(env.observation_space, env.action_space, seed=0, separator=separator_file)


def test_from_afar_another_policy_walks_until_the_switch(entry, env, agent_files):
    """Its moves are those of the far policy alone; the near one begins where it is then."""
    far = str(agent_files["move2hear"])
    alone, _, _ = episode(entry("move2hear"), env)
    never, _, _ = episode(entry("move2hear", far=far, switch=STEPS), env)
    assert [action["move"] for action in never] == [action["move"] for action in alone]
    for mine, theirs in zip(never, alone, strict=True):  # the memory is one all along
        np.testing.assert_array_equal(mine["estimate"], theirs["estimate"])
    at_once, _, _ = episode(entry("move2hear", far=far, switch=0), env)
    assert [action["move"] for action in at_once] == [action["move"] for action in alone]
    agent, begun = entry("move2hear", far=far, switch=2), []
    policy = agent.networks.policy
    policy.register_forward_pre_hook(lambda _, told: begun.append(bool(told[2].all())))
    episode(agent, env)
    assert begun == [True, *[False] * (STEPS - 3)]


def test_a_switch_that_cannot_be(entry, agent_files):
    with pytest.raises(ValueError, match="switch must be a whole number"):
        entry("move2hear", far=str(agent_files["move2hear"]), switch=-1)


def test_from_afar_a_policy_without_a_memory_walks(entry, env, agent_files, separator_file):
    def from_afar(switch: int) -> FromAfar:
        return FromAfar(
            env.observation_space, env.action_space, seed=0, separator=separator_file,
            checkpoint=str(agent_files["move2hear"]), far=str(agent_files["memoryless"]),
            switch=switch,
        )  # fmt: skip

    walks, _, _ = episode(entry("memoryless"), env)
    separates, _, _ = episode(entry("move2hear"), env)
    actions, _, _ = episode(from_afar(STEPS), env)
    assert [action["move"] for action in actions] == [action["move"] for action in walks]
    for mine, theirs in zip(actions, separates, strict=True):
        np.testing.assert_array_equal(mine["estimate"], theirs["estimate"])
    at_once, _, _ = episode(from_afar(0), env)
    assert [action["move"] for action in at_once] == [action["move"] for action in separates]
