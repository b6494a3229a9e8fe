"""The separation environment, rule by rule."""

import os
import re
from dataclasses import fields, replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence

import av_envs  # noqa: F401  (registers the suite)
from av_envs.separation.config import SeparationConfig
from av_envs.separation.env import Action, SeparationEnv
from av_envs.separation.metrics import si_sdr
from av_envs.separation.rewards import REWARDS
from av_envs.sound import second


@pytest.fixture(scope="module")
def env():
    return SeparationEnv(houses=2)


def walk(env, actions, seed=0, **options):
    env.reset(seed=seed, **options)
    return [env.step(action) for action in actions]


def blocked_heading(env) -> int | None:
    ways = env.scene.graph.neighbours[env.node]
    blocked = np.flatnonzero(ways < 0)
    return int(blocked[0]) if len(blocked) else None


def face(env, heading):
    while env.heading != heading:
        env.step(Action.LEFT)


def test_an_episode_is_truncated_after_twenty_seconds(env):
    steps = walk(env, [Action.STAY] * 20)
    assert [step[3] for step in steps] == [False] * 19 + [True]
    with pytest.raises(ResetNeeded, match="ended after 20 steps"):
        env.step(0)


def test_a_step_before_reset_is_an_error():
    with pytest.raises(ResetNeeded, match="before the first step"):
        SeparationEnv(houses=1).step(0)


@pytest.mark.parametrize("action", [4, -1, 1.0, np.nan, "left", None, [1], True])
def test_a_wrong_action_names_the_choices(env, action):
    env.reset(seed=0)
    with pytest.raises(ValueError, match="0 forward, 1 left, 2 right, 3 stay"):
        env.step(action)


def test_standing_still_gains_nothing(env):
    assert [step[1] for step in walk(env, [Action.STAY] * 20)] == [0.0] * 20


def test_four_turns_are_none(env):
    env.reset(seed=4)
    start = env.heading
    headings = [env.step(Action.LEFT)[4]["heading"] for _ in range(4)]
    assert headings == [(start + k) % 4 for k in (1, 2, 3, 4)]
    assert env.step(Action.RIGHT)[4]["heading"] == (start - 1) % 4


def test_forward_goes_to_the_neighbour_ahead_and_pose_tells(env):
    env.reset(seed=5)
    free = np.flatnonzero(env.scene.graph.neighbours[env.node] >= 0)
    face(env, int(free[0]))
    start_heading = env.trajectory[0][1]
    expected = env.scene.graph.neighbours[env.node, env.heading]
    observation, _, _, _, info = env.step(Action.FORWARD)
    assert info["node"] == expected
    assert info["collision"] == 0
    forward, left, turned, seconds = observation["pose"]
    turns = (env.heading - start_heading) % 4
    assert (round(float(forward)), round(float(left))) == [(1, 0), (0, 1), (-1, 0), (0, -1)][turns]
    assert np.isclose(np.cos(turned), np.cos(turns * np.pi / 2), atol=1e-6)
    assert seconds == env.state.t


def test_a_wall_stops_and_says_so(env):
    for seed in range(30):
        env.reset(seed=seed)
        heading = blocked_heading(env)
        if heading is not None:
            break
    face(env, heading)
    node = env.node
    info = env.step(Action.FORWARD)[4]
    assert info["collision"] == 1
    assert info["node"] == node


def test_nobody_walks_onto_a_source(env):
    env.reset(seed=0)
    graph, source = env.scene.graph, env.source_nodes[0]
    heading = int(np.flatnonzero(graph.neighbours[source] >= 0)[0])
    beside = int(graph.neighbours[source, heading]), (heading + 2) % 4
    env.state = replace(env.state, trajectory=(*env.trajectory, beside))
    info = env.step(Action.FORWARD)[4]
    assert info["collision"] == 1
    assert info["node"] != source


def test_with_start_on_the_target_sources_are_no_obstacle():
    env = SeparationEnv(houses=2, start="target")
    _, info = env.reset(seed=0)
    assert info["node"] == env.source_nodes[0]
    assert info["geodesic_to_target"] == 0
    assert np.isfinite(info["si_sdr"])
    heading = int(np.flatnonzero(env.scene.graph.neighbours[env.node] >= 0)[0])
    face(env, heading)
    env.step(Action.FORWARD)
    env.step(Action.LEFT)
    env.step(Action.LEFT)
    assert env.step(Action.FORWARD)[4]["geodesic_to_target"] == 0


@pytest.mark.parametrize(("start", "low", "high"), [("near", 2, 5), ("far", 8, np.inf)])
def test_starts_and_distances_are_as_promised(start, low, high):
    env = SeparationEnv(houses=3, start=start)
    for seed in range(15):
        _, info = env.reset(seed=seed)
        assert low <= info["geodesic_to_target"] <= high
        between = env.scene.graph.walking_distances[np.ix_(env.source_nodes, env.source_nodes)]
        assert between[0, 1] >= 8


def test_the_sound_heard_is_the_clip_through_the_room(env):
    """Far from any code path of the environment: plain convolution of plain windows."""
    env.reset(seed=7)
    env.step(Action.LEFT)
    expected = np.zeros((2, 48_000))
    for sound in env.state.episode.sounds:
        samples = env.corpus.samples(sound.clip)
        first = sound.first_second
        dry = np.concatenate([second(samples, first + k) for k in (0, 1)])
        response = env.state.dwelling.acoustics.rir(sound.node, env.node, env.heading)
        for ear in range(2):
            expected[ear, :47_999] += np.convolve(dry, response[ear]) / 2
    np.testing.assert_allclose(env.hear(), expected[:, 16_000:32_000], atol=2e-6)
    target = env.state.episode.sounds[0]
    dry = second(env.corpus.samples(target.clip), target.first_second + 1)
    np.testing.assert_array_equal(env.target_second(), dry)


def test_the_reward_is_the_gain_over_the_start(env):
    for _, reward, *_, info in walk(env, [0, 1, 0, 2, 0, 3]):
        assert reward == pytest.approx(info["si_sdr"] - info["si_sdr_start"], abs=1e-4)


def test_the_oracle_knows_what_each_action_brings(env):
    actions = [0, 1, 0, 0, 2, 3]
    env.reset(seed=11)
    for action in actions:
        promised = env.privileged("action_gains")[action]
        assert env.step(action)[1] == pytest.approx(promised, abs=1e-3)


@pytest.mark.parametrize("name", ["si_sdr", "neg_nmse", "improvement", "approach"])
def test_other_rewards(name):
    env = SeparationEnv(houses=2, reward=name, steps=3)
    _, info = env.reset(seed=2)
    errors, walks = [info["nmse"]], [info["geodesic_to_target"]]
    for step in range(3):
        _, reward, _, _, info = env.step(step)
        errors.append(info["nmse"])
        walks.append(info["geodesic_to_target"])
        last = 10 * errors[-1] if step == 2 else 0
        expected = {
            "si_sdr": info["si_sdr"],
            "neg_nmse": -errors[-1],
            "improvement": errors[-2] - errors[-1] - last,
            "approach": walks[-2] - walks[-1],
        }
        assert reward == pytest.approx(expected[name], abs=1e-4)
        assert "si_sdr_gain" not in info


def test_chosen_observations_and_reset_options():
    env = SeparationEnv(houses=3, observations=["waveform", "pose"])
    observation, info = env.reset(seed=0, options={"house": 2})
    assert observation.keys() == {"waveform", "pose"} == set(env.observation_space)
    assert observation["waveform"].shape == (2, 16_000)
    assert info["house"] == 2
    with pytest.raises(ValueError, match=r"house must be in 0\.\.2, got 3"):
        env.reset(options={"house": 3})
    with pytest.raises(ValueError, match="unknown reset options"):
        env.reset(options={"room": 3})


@pytest.mark.parametrize(
    ("option", "value", "names"),
    [
        ("split", "dev", "train, val, test_heard, test_unheard"),
        ("estimator", "magic", "mixture, agent"),
        ("reward", "money", "si_sdr_gain, si_sdr, neg_nmse, improvement, approach"),
        ("start", "here", "between, near, target, far"),
        ("convolution", "full", "causal, legacy_same"),
        ("observations", ["smell"], "rgb, depth, mixture"),
    ],
)
def test_an_unknown_choice_lists_the_valid_ones(option, value, names):
    with pytest.raises(ValueError, match=names):
        SeparationEnv(**{option: value})


def test_unknown_sounds_and_silly_numbers_are_named():
    with pytest.raises((ValueError, FileNotFoundError), match="no-such-folder"):
        SeparationEnv(sounds="no-such-folder")
    with pytest.raises(ValueError, match=r"whole number in 1\.\.8, got 9"):
        SeparationEnv(num_sources=9)
    with pytest.raises(ValueError, match="grid must be positive"):
        SeparationEnv(grid=0)
    with pytest.raises(ValueError, match="'action_gain' is not privileged"):
        SeparationEnv(houses=1).privileged("action_gain")


def test_legacy_convolution_sounds_different_but_scores():
    legacy = SeparationEnv(houses=2, convolution="legacy_same")
    causal = SeparationEnv(houses=2)
    legacy.reset(seed=0)
    causal.reset(seed=0)
    assert legacy.source_nodes.tolist() == causal.source_nodes.tolist()
    assert not np.allclose(legacy.hear(), causal.hear(), atol=1e-3)
    assert np.isfinite(legacy.step(0)[1])


def test_splits_share_neither_houses_nor_clips():
    clips, scenes = {}, {}
    for split in ("train", "test_heard", "test_unheard"):
        env = SeparationEnv(houses=4, split=split)
        clips[split], scenes[split] = set(), set()
        for seed in range(12):
            env.reset(seed=seed)
            clips[split] |= {sound.clip for sound in env.state.episode.sounds}
            scenes[split].add(env.scene.name)
    assert not scenes["train"] & scenes["test_heard"]
    assert not clips["train"] & clips["test_unheard"]
    assert clips["test_heard"] <= {
        clip for name in env.corpus.classes for clip in env.corpus.clips("train", name)
    }


def test_three_sources_are_the_mean_of_three():
    env = SeparationEnv(houses=2, num_sources=3)
    env.reset(seed=0)
    assert len(set(env.source_nodes.tolist())) == 3
    assert np.isfinite(env.step(0)[4]["si_sdr"])


def test_a_frame_is_a_picture(env):
    env.render_mode = "rgb_array"
    walk(env, [0, 1])
    frame = env.render()
    assert frame.dtype == np.uint8
    assert frame.ndim == 3
    env.render_mode = None


def test_scores_are_what_their_formulas_say(env):
    env.reset(seed=3)
    _, _, _, _, info = env.step(0)
    ear = env.state.audio.better_ear
    magnitude = env.state.audio.spectrogram[ear]
    expected = 0.5 * np.mean((magnitude - env.state.truth.magnitude) ** 2)
    assert info["stft_distance"] == pytest.approx(expected, rel=1e-5)
    # The metric uses the target's phase; the mixture's own phase must score differently.
    own_phase = si_sdr(env.hear()[ear], env.target_second())
    assert own_phase != pytest.approx(info["si_sdr"], abs=0.01)


def test_loading_another_seed_of_gym_make_works():
    gym.make("av_envs:AVDynamicSep-v0", houses=1).reset(seed=0)


@pytest.mark.parametrize("convolution", ["causal", "legacy_same"])
def test_static_sources_repeat_the_first_second_that_a_dynamic_one_plays(convolution):
    options = {"houses": 2, "convolution": convolution}
    static, dynamic = SeparationEnv(dynamic=False, **options), SeparationEnv(**options)
    static.reset(seed=6)
    dynamic.reset(seed=6)
    first, heard = dynamic.target_second(), static.hear()
    for _ in range(3):
        info = static.step(Action.STAY)[4]
        np.testing.assert_array_equal(static.target_second(), first)
        np.testing.assert_array_equal(static.hear(), heard)
    assert info["si_sdr_gain"] == 0
    expected = np.zeros((2, 32_000))
    for sound in static.state.episode.sounds:
        dry = second(static.corpus.samples(sound.clip), sound.first_second)
        looped = np.tile(dry, 1 if convolution == "legacy_same" else 2)
        response = static.state.dwelling.acoustics.rir(sound.node, static.node, static.heading)
        for ear in range(2):
            arrived = np.convolve(looped, response[ear])
            early = 7_999 if convolution == "legacy_same" else 16_000
            expected[ear, :16_000] += arrived[early : early + 16_000] / 2
    np.testing.assert_allclose(static.hear(), expected[:, :16_000], atol=2e-5)


def test_approach_adds_up_to_the_distance_won():
    env = SeparationEnv(houses=2, start="far", reward="approach", observations=["pose"])
    _, info = env.reset(seed=1)
    before, won = info["geodesic_to_target"], 0.0
    for _ in range(12):
        won += env.step(int(np.argmin(env.privileged("distances_after"))))[1]
    for action in (1, 0, 2, 0, 1, 0):
        _, reward, _, _, info = env.step(action)
        won += reward
    assert won == before - info["geodesic_to_target"]


@pytest.mark.parametrize(
    "options",
    [
        {"noise_snr_db": 20},
        {"noise_snr_db": 10, "convolution": "legacy_same", "dynamic": False},
        {"num_sources": 8, "min_source_distance": 3, "reward": "neg_nmse"},
        {"num_sources": 1, "reward": "improvement", "start": "far"},
        {"start": "target", "reward": "approach", "split": "test_unheard"},
        {"estimator": "agent", "noise_snr_db": 30},
    ],
)
def test_same_seed_and_actions_give_the_same_bits_with_every_option(options):
    """In one environment, in a fresh one, and in another process."""
    options = {"houses": 2, "observations": ["mixture", "waveform", "pose"], **options}

    def play(env):
        env.action_space.seed(0)
        steps = [env.reset(seed=5)]
        return steps + [env.step(env.action_space.sample()) for _ in range(4)]

    env = SeparationEnv(**options)
    once, again, fresh = play(env), play(env), play(SeparationEnv(**options))
    assert data_equivalence(once, again, exact=True)
    assert data_equivalence(once, fresh, exact=True)
    if hasattr(os, "fork"):
        other = gym.vector.AsyncVectorEnv([lambda: SeparationEnv(**options)], context="fork")
        observations, infos = other.reset(seed=[5])
        other.close()
        for key, value in once[0][0].items():
            np.testing.assert_array_equal(observations[key][0], value)
        assert {key: infos[key][0] for key in once[0][1]} == once[0][1]


def test_the_page_names_every_option_with_its_default():
    page = SeparationEnv.__doc__
    rows = dict(re.findall(r"\| `(\w+)` +\| *`?\"?([\w.]+)", page.split("## Arguments")[1]))
    for option in fields(SeparationConfig):
        assert option.name in rows, f"{option.name} is not on the page"
        if option.name not in ("observations", "extra_scores"):
            assert rows[option.name] == str(option.default)


def test_the_page_names_every_info_and_reward():
    page = SeparationEnv.__doc__
    _, info = SeparationEnv(houses=1).reset(seed=0)
    for key in info:
        assert f"`{key}`" in page
    for name in REWARDS:
        assert f'`"{name}"`' in page


def test_what_the_agent_sees_is_seen_without_being_observed():
    seeing, blind = SeparationEnv(houses=2), SeparationEnv(houses=2, observations=["pose"])
    seeing.reset(seed=3)
    blind.reset(seed=3)
    assert blind.has_views
    for action in (Action.LEFT, Action.FORWARD):
        observation = seeing.step(action)[0]
        blind.step(action)
        np.testing.assert_array_equal(blind.see(), observation["rgb"][np.newaxis])
