"""A planner over what is believed: where it turns, where it goes, and round what."""

import gymnasium as gym
import numpy as np
import pytest

from av_envs.acoustics.spectrogram import stft
from av_envs.agents.separation.learned_doa import (
    NEEDS,
    STEPS,
    LearnedDoA,
    first_step,
    quarter_of,
    turned,
)
from av_envs.agents.separation.networks.belief import AROUND, SHOWN

FORWARD, LEFT, RIGHT, STAY = range(4)


@pytest.fixture(scope="module")
def env():
    return gym.make("AVDynamicSep-v0", houses=1, split="val", observations=NEEDS)


def told(monkeypatch, env, *, mode: str = "face_and_approach", sure: float = 0.5) -> LearnedDoA:
    """An agent that is told what it hears: `agent.belief` is set by the test."""
    monkeypatch.setattr(LearnedDoA, "hear", lambda self, observation: None)
    return LearnedDoA(env.observation_space, env.action_space, seed=0, mode=mode, sure=sure)


def seen(second: int, *, forward=0.0, left=0.0, quarters=0, metres=9.0) -> dict[str, np.ndarray]:
    angle = quarters * np.pi / 2
    return {
        "pose": np.array([forward, left, angle, second], np.float32),
        "depth": np.full((128, 128, 1), metres / 10, np.float32),
    }


def at(ahead: int, left: int, probability: float = 1.0) -> np.ndarray:
    chances = np.full((SHOWN, SHOWN), (1 - probability) / SHOWN**2)
    chances[AROUND + ahead, AROUND + left] = probability
    return chances


def moves(agent: LearnedDoA, belief: np.ndarray, **pose) -> int:
    agent.belief = belief
    return agent.move(seen(5, **pose))


def test_it_listens_while_it_turns(monkeypatch, env):
    agent = told(monkeypatch, env)
    agent.belief = at(4, 0)
    assert [agent.move(seen(t, quarters=t)) for t in range(3)] == [LEFT] * 3


@pytest.mark.parametrize(
    ("ahead", "left", "move"), [(4, 0, FORWARD), (0, 4, LEFT), (0, -4, RIGHT), (-4, 0, RIGHT)]
)
@pytest.mark.parametrize("quarters", range(4))
def test_it_walks_where_it_believes_the_target(monkeypatch, env, ahead, left, move, quarters):
    agent = told(monkeypatch, env)
    assert moves(agent, at(ahead, left), quarters=quarters, forward=3.0, left=-2.0) == move


def test_beside_the_target_it_faces_it_and_stays(monkeypatch, env):
    agent = told(monkeypatch, env)
    assert moves(agent, at(1, 0)) == STAY
    assert moves(agent, at(0, 1)) == LEFT
    assert moves(agent, at(0, -1)) == RIGHT


def test_in_doubt_it_goes_on_listening(monkeypatch, env):
    agent = told(monkeypatch, env)
    assert moves(agent, at(4, 0, probability=0.3)) == LEFT
    assert moves(told(monkeypatch, env, sure=0.2), at(4, 0, probability=0.3)) == FORWARD


def test_it_walks_round_what_it_saw_or_bumped_into(monkeypatch, env):
    agent = told(monkeypatch, env)
    assert moves(agent, at(4, 0), metres=0.8) in (LEFT, RIGHT)
    agent.reset(seed=1)
    assert moves(agent, at(4, 0)) == FORWARD
    assert moves(agent, at(4, 0)) in (LEFT, RIGHT)  # it is where it was
    agent.reset(seed=1)
    assert moves(agent, at(4, 0)) == FORWARD


def test_to_hold_is_to_turn_once(monkeypatch, env):
    agent = told(monkeypatch, env, mode="face_and_hold")
    assert moves(agent, at(0, 4)) == LEFT
    assert moves(agent, at(0, -4), quarters=1) == STAY
    tracking = told(monkeypatch, env, mode="face_and_track")
    assert moves(tracking, at(0, 4)) == LEFT
    assert moves(tracking, at(0, -4), quarters=1) == RIGHT
    assert moves(tracking, at(5, 1), quarters=0) == STAY


def test_quarters_and_offsets_agree():
    for quarters, (x, y) in enumerate(STEPS):
        assert quarter_of(x, y) == quarters
        assert turned((1, 0), quarters) == (x, y)
    assert turned((2, 1), 1) == (-1, 2)
    assert turned((2, 1), -1) == turned((2, 1), 3) == (1, -2)


def test_the_first_step_of_a_shortest_way():
    assert first_step((0, 0), (3, 0), set()) == 0
    assert first_step((0, 0), (0, -2), set()) == 3
    assert first_step((0, 0), (1, 0), set()) is None  # it is beside the goal already
    wall = {((0, y), 0) for y in range(-2, 6)}
    assert first_step((0, 0), (3, 0), wall) == 3  # round the nearer end
    assert first_step((0, 0), (5, 5), {((0, 0), d) for d in range(4)}) is None


def test_it_hears(env):
    agent = LearnedDoA(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=2)
    for _ in range(5):
        move = agent.act(observation)
        assert move in range(4)
        assert agent.belief.shape == (SHOWN, SHOWN)
        observation, *_ = env.step(move)
    settled = agent.belief
    agent.reset(seed=0)
    agent.act(env.reset(seed=2)[0])
    assert agent.belief.max() < settled.max()  # one second tells less than six


def test_random_ears_believe_another_place_every_second(env):
    agent = LearnedDoA(env.observation_space, env.action_space, seed=0, ears="random")
    observation, _ = env.reset(seed=2)
    places = []
    for _ in range(12):
        agent.hear(observation)  # the same second again and again
        assert agent.belief.sum() == agent.belief.max() == 1
        places.append(agent.belief.argmax())
    assert len(set(places)) > 6
    agent.reset(seed=0)
    agent.hear(observation)
    assert agent.belief.argmax() == places[0]


def test_without_a_locator_it_follows_the_delay_between_the_ears(env):
    agent = LearnedDoA(env.observation_space, env.action_space, seed=0, ears="gcc")
    noise = np.random.default_rng(0).standard_normal(16_020).astype(np.float32)
    waveform = np.stack([noise[10:-10], noise[:-20]])  # the right ear hears it 10 samples later
    agent.hear(
        seen(0) | {"waveform": waveform, "mixture": np.log1p(np.abs(stft(waveform))), "target": 0}
    )
    ahead, left = agent._likeliest()
    assert left > abs(ahead)


def test_it_separates_where_it_is_asked_to():
    env = gym.make("AVDynamicSep-v0", houses=1, split="val", observations=NEEDS, estimator="agent")
    agent = LearnedDoA(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=2)
    action = agent.act(observation)
    assert env.action_space.contains(action)
    assert env.step(action)[4]["si_sdr"] > -30


@pytest.mark.parametrize("mode", ["face_and_fly", ""])
def test_modes_are_named(env, mode):
    with pytest.raises(ValueError, match="face_and_hold"):
        LearnedDoA(env.observation_space, env.action_space, seed=0, mode=mode)


def test_what_it_needs_is_named():
    deaf = gym.make("AVDynamicSep-v0", houses=1, split="val", observations=("mixture", "target"))
    with pytest.raises(ValueError, match="needs the observations waveform, depth, pose"):
        LearnedDoA(deaf.observation_space, deaf.action_space, seed=0)
