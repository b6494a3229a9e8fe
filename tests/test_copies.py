"""An environment can be copied and pickled at any moment, and the copy plays on, bit for bit."""

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pettingzoo
import pytest

import av_envs  # noqa: F401  registers the environments
from av_envs import rir_measure
from av_envs.rir_measure.vector.teams import ParallelVectorEnv
from av_envs.sound import open_corpus
from av_envs.worlds.base import WorldSettings, open_pool
from av_envs.worlds.traced import open_dwelling

WAYS = {"deepcopy": copy.deepcopy, "pickle": lambda env: pickle.loads(pickle.dumps(env))}
SOUND = {"observations": ("mixture", "target", "pose"), "houses": 2, "steps": 3}
PICTURES = {"houses": 2, "steps": 3}
SINGLE = {
    "pictures": ("AVDynamicSep-v0", PICTURES),
    "noise": ("AVDynamicSep-v0", {**SOUND, "noise_snr_db": 20.0, "reward": "approach"}),
    "own estimate": ("AVStaticSep-v0", {**SOUND, "estimator": "agent"}),
    "estimator": ("AVDynamicSep-v0", {**SOUND, "estimator": "tests.separation.pluggable:Louder"}),
    "shared": ("AVDynamicSep-v0", {**SOUND, "estimator": "tests.separation.pluggable:Fading"}),
    "team": ("AVRIRMeasure-v0", PICTURES),
    "queries": ("AVRIRMeasure-v0", {**PICTURES, "predictor": "interpolating", "queries": 2}),
    "oracle": (
        "AVRIRMeasure-v0",
        {**PICTURES, "predictor": "oracle", "observations": ("rgb", "semantic", "heard_rir")},
    ),
    "predictions": ("AVRIRMeasure-v0", {**PICTURES, "prediction": "action"}),
}
MODES = "NextStep", "SameStep", "Disabled"
LARGEST = 1_500_000  # bytes; most of it is the last observation, which a wrapper keeps


def bits(value: Any) -> Any:
    """The same for two values if and only if they are the same to the bit."""
    if isinstance(value, dict):
        return {key: bits(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [bits(part) for part in value]
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype == object:
        return [bits(part) for part in array.tolist()]
    return array.dtype.str, array.shape, array.tobytes()


def assert_same_play(env: Any, other: Any, play: Callable[[Any], Any]) -> None:
    """Both return the same bits, whoever plays first."""
    assert bits(play(other)) == bits(play(env))


def one_step(env: gym.Env) -> tuple:
    action = env.action_space.sample()
    return action, env.step(action)


def to_the_next_episode(env: gym.Env) -> list:
    """Random actions to the end of the episode, and one more in the next."""
    returned = []
    while not returned or not (returned[-1][1][2] or returned[-1][1][3]):
        returned.append(one_step(env))
    return [*returned, env.reset(), one_step(env)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SINGLE)
def test_a_copy_plays_on(name, way):
    env_id, options = SINGLE[name]
    env = gym.make(env_id, **options)
    assert_same_play(env, WAYS[way](env), lambda env: env.reset(seed=5))
    env.action_space.seed(5)
    after_reset = WAYS[way](env)
    assert_same_play(env, after_reset, one_step)
    assert_same_play(env, WAYS[way](env), to_the_next_episode)


@pytest.mark.parametrize("name", SINGLE)
def test_a_pickle_is_small(name):
    env_id, options = SINGLE[name]
    env = gym.make(env_id, **options)
    env.reset(seed=0)
    one_step(env)
    assert len(pickle.dumps(env)) < LARGEST
    if name in ("noise", "own estimate"):
        assert len(pickle.dumps(env.unwrapped)) < LARGEST / 100


def some_steps(env: gym.vector.VectorEnv, n_steps: int = 5) -> list:
    """Random actions, through the end of the episodes if somebody begins new ones."""
    returned = []
    for _ in range(n_steps):
        actions = env.action_space.sample()
        returned.append((actions, env.step(actions)))
    return returned


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVStaticSep-v0", "AVRIRMeasure-v0"])
def test_a_copy_of_a_batch_plays_on(env_id, mode):
    options = PICTURES if env_id == "AVRIRMeasure-v0" else SOUND
    envs = gym.make_vec(env_id, num_envs=2, autoreset_mode=mode, **options)
    envs.reset(seed=3)
    envs.action_space.seed(3)
    assert_same_play(envs, copy.deepcopy(envs), partial(some_steps, n_steps=2))
    pickled = pickle.dumps(envs)
    assert len(pickled) < 2 * LARGEST
    n_left = 1 if mode == "Disabled" else 3
    assert_same_play(envs, pickle.loads(pickled), partial(some_steps, n_steps=n_left))
    mask = {"reset_mask": np.array([True, False])}
    assert_same_play(envs, copy.deepcopy(envs), lambda envs: envs.reset(options=mask))


def turns(env: pettingzoo.AECEnv) -> list:
    """Everybody acts in turn until the episode is over."""
    return [(env.last(), env.step(env.action_space(robot).sample())) for robot in env.agent_iter(3)]


def parallel_steps(env: pettingzoo.ParallelEnv) -> list:
    actions = {robot: env.action_space(robot).sample() for robot in env.agents}
    return [actions, env.step(actions), env.state()]


def batch_step(envs: ParallelVectorEnv) -> tuple:
    return envs.step(dict.fromkeys(envs.agents, np.array([1, 2])))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("make", "play"),
    [
        (rir_measure.parallel_env, parallel_steps),
        (rir_measure.env, turns),
        (rir_measure.raw_env, turns),
        (partial(pettingzoo.make, "aec", "AVRIRMeasure-v0"), turns),
        (partial(ParallelVectorEnv, 2), batch_step),
    ],
    ids=["parallel", "aec", "raw", "made", "batch"],
)
def test_a_copy_of_a_team_plays_on(make, play, way):
    env = make(**PICTURES, predictor="nearest_measured")
    env.reset(seed=1)
    assert_same_play(env, WAYS[way](env), play)
    assert_same_play(env, WAYS[way](env), play)


def test_what_a_predictor_remembers_is_the_same():
    """Its history holds more than the last step, which nobody can write to."""
    env = rir_measure.parallel_env(**{**PICTURES, "steps": 20}, room_errors=True)
    env.reset(seed=1)
    for _ in range(18):
        env.step(dict.fromkeys(env.agents, 1))
    other = WAYS["pickle"](env)
    ours, theirs = env.episode.history, other.episode.history
    assert bits(list(theirs)) == bits(list(ours))
    assert theirs.maxlen == ours.maxlen
    for step in theirs:
        assert not any(a.flags.writeable for seen in step.values() for a in seen.values())
    assert not other.measurement.rirs.flags.writeable


def test_a_scene_that_was_named_is_found_again():
    env = rir_measure.parallel_env(**PICTURES)
    env.reset(seed=1, options={"scene": "flat-7"})
    other = WAYS["pickle"](env)
    assert other.dwelling is env.dwelling is open_dwelling("flat-7", 0.5)


def test_a_dwelling_is_opened_again_and_not_copied():
    pool = open_pool(WorldSettings(), "train", 3)
    dwelling = pool.open(pool.names[1])
    for way in WAYS.values():
        assert way(dwelling) is dwelling
    assert len(pickle.dumps(dwelling)) < 1000


def test_a_dwelling_that_has_changed_is_refused(monkeypatch):
    pool = open_pool(WorldSettings(), "train", 3)
    dwelling = pool.open(pool.names[1])
    pickled = pickle.dumps(dwelling)
    monkeypatch.setitem(vars(dwelling.scene), "fingerprint", "another")
    with pytest.raises(ValueError, match="the dwelling 'house-1' of backend 'traced' has changed"):
        pickle.loads(pickled)


def test_what_is_kept_on_disk_is_opened_again():
    """A bank, views and a corpus by themselves: none takes its rows along."""
    dwelling, corpus = open_dwelling("house-1", 1.0), open_corpus("embedded")
    corpus.samples("music/train-0")
    assert len(pickle.dumps(corpus)) < 1000
    for way in WAYS.values():
        acoustics, views = way(dwelling.acoustics), way(dwelling.views)
        assert bits(acoustics.rir(3, 5, 1)) == bits(dwelling.acoustics.rir(3, 5, 1))
        assert bits(views.view(3, 1)) == bits(dwelling.views.view(3, 1))
        samples = way(corpus).samples("music/train-0")
        assert bits(samples) == bits(corpus.samples("music/train-0"))


def test_a_copy_goes_its_own_way():
    """What the one does changes nothing for the other."""
    env = gym.make("AVDynamicSep-v0", **SOUND)
    env.reset(seed=2)
    first, second = copy.deepcopy(env), copy.deepcopy(env)
    first.step(0)
    first.reset(seed=7)
    assert_same_play(env, second, lambda env: env.step(1))


def test_environments_on_a_device_say_why_they_cannot():
    pytest.importorskip("torch")
    envs = gym.make_vec("AVDynamicSep-v0", num_envs=1, device="cpu", houses=1)
    for way in WAYS.values():
        with pytest.raises(TypeError, match=r"cannot be copied or pickled.*leave out device="):
            way(envs)
    envs.close()
