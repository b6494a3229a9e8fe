"""Same seed, same actions: the same bytes, whoever asks, and nobody can spoil them."""

import json
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from small_teams import SMALL, Guesser, arrays_of, digest, play, random_walk, team

import av_envs
from av_envs.registration import MEASURING
from av_envs.rir_measure import env as turn_based

IDS = [env_id for env_id, (entry, _) in av_envs.VARIANTS.items() if entry == MEASURING]
OPTIONS = {
    "houses": 1,
    "steps": 3,
    "predictor": "zero",
    "robots": 3,
    "fixed_sources": 1,
    "observations": ["rgb", "depth", "azimuth", "position", "action_mask", "heard_rir"],
    "expose_rir": True,
    "room_errors": True,
}


def fingerprint(options: dict) -> str:
    return digest(play(team(**options), seed=11))


def test_the_same_again_in_one_process():
    assert fingerprint(OPTIONS) == fingerprint(OPTIONS)
    assert fingerprint(OPTIONS) != fingerprint({**OPTIONS, "rho": 0})


def test_one_environment_forgets_its_last_episode():
    env = team(**OPTIONS)
    first = digest(play(env, seed=11))
    play(env, seed=12)
    assert digest(play(env, seed=11)) == first


def test_an_episode_that_was_broken_off_leaves_no_trace():
    env, fresh = team(stop_mode="latch"), team(stop_mode="latch")
    env.reset(seed=3)
    env.step({"robot_0": 0, "robot_1": 1})
    assert digest(play(env, seed=11)) == digest(play(fresh, seed=11))


@pytest.mark.slow
def test_another_process_with_cold_caches_makes_the_same_bytes(tmp_path):
    """Nothing depends on what was traced before, on threads or on the process."""
    program = (
        "import json, sys\n"
        "from test_determinism import fingerprint\n"
        "print(fingerprint(json.loads(sys.argv[1])))\n"
    )
    here = Path(__file__).parent
    environment = {
        **os.environ,
        "AV_ENVS_CACHE": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parent.parent)]),
        "PYTHONHASHSEED": "1",
    }
    options = {**OPTIONS, "steps": 2, "robots": 2, "fixed_sources": 0}
    command = [sys.executable, "-c", program, json.dumps(options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.rows"))
    assert done.stdout.split()[-1] == fingerprint(options)


@pytest.mark.parametrize("seed", [0, 1])
def test_seeds_continue_from_one_episode_to_the_next(seed):
    starts = []
    for _ in range(2):
        env = team()
        env.reset(seed=seed)
        for _ in range(3):
            env.reset()
            starts.append(tuple(path[0] for path in env.trajectories.values()))
    assert starts[:3] == starts[3:]
    assert len(set(starts)) == 3


def test_without_a_seed_episodes_differ():
    starts = set()
    for _ in range(3):
        env = team()
        env.reset()
        starts.add(tuple(path[0] for path in env.trajectories.values()))
    assert len(starts) > 1


@pytest.mark.parametrize("env_id", IDS)
def test_workers_play_the_same_episode(env_id):
    """Over several episodes, in other processes, as in this one."""
    options = {**SMALL, "steps": 4, "prediction": "none"}
    makers = [lambda: gym.make(env_id, **options)] * 2
    apart = gym.vector.AsyncVectorEnv(makers, context="fork")
    together = gym.vector.SyncVectorEnv(makers)
    results = []
    for envs in (apart, together):
        rng = np.random.default_rng(0)
        played = [envs.reset(seed=[5, 5])]
        played += [envs.step(rng.integers(1, 4, (1, 2)).repeat(2, 0)) for _ in range(9)]
        results.append(played)
        envs.close()
    for ours, theirs in zip(*results, strict=True):
        assert digest(ours) == digest(theirs)
    observations, rewards, _, truncated, infos = results[0][4]
    assert truncated.all()
    assert rewards[0] == rewards[1]
    assert infos["rir_nodes"].shape == (2, 2, 3)
    np.testing.assert_array_equal(*observations["position"])


@pytest.mark.parametrize("prediction", ["env", "none", "action"])
def test_turns_and_parallel_steps_are_one_episode(prediction):
    options = {**SMALL, "prediction": prediction, "robots": 3}
    parallel, turns = team(**options), turn_based(**options)
    parallel.reset(seed=2)
    turns.reset(seed=2)
    for moves in random_walk(parallel):
        actions = dict(zip(parallel.possible_agents, moves.tolist(), strict=True))
        if prediction == "action":
            for robot, move in actions.items():
                rir = np.zeros(parallel.action_space(robot)["rir"].shape, np.float32)
                actions[robot] = {"move": move, "rir": rir}
        _, rewards, _, truncated, infos = parallel.step(actions)
        for robot in actions:
            assert turns.agent_selection == robot
            turns.step(actions[robot])
        for robot, reward in rewards.items():
            assert turns.rewards[robot] == reward
            assert turns.truncations[robot] == truncated[robot]
            assert digest(turns.infos[robot]) == digest(infos[robot])


def test_nothing_that_was_told_is_written_to_again():
    """No array shares memory with one of another step, nor with one of another robot."""
    env = team(**OPTIONS)
    steps = play(env)
    before = digest(steps)
    for earlier, later in pairwise(steps):
        for old in arrays_of(earlier):
            assert not any(np.may_share_memory(old, new) for new in arrays_of(later))
    for observations, *_, infos in steps:
        for told in (observations, infos):
            mine, others = arrays_of(told["robot_0"]), arrays_of(told["robot_1"])
            assert not any(np.may_share_memory(a, b) for a in mine for b in others)
    play(env, seed=7)
    assert digest(steps) == before


class Vandal(Guesser):
    """Overwrites whatever it can reach."""

    refused = 0

    def predict(self, pairs, history):
        answer = super().predict(pairs, history)
        for array in arrays_of([list(pairs), *history]):
            self.spoil(array)
        return answer

    def observe(self, pairs, rirs):
        for array in (*pairs, rirs):
            self.spoil(array)

    def spoil(self, array):
        try:
            array[...] = 1
        except ValueError:
            self.refused += 1


@pytest.mark.parametrize("xi_timing", ["post_move", "pre_move"])
def test_a_predictor_spoils_nothing(xi_timing):
    options = {**OPTIONS, "xi_timing": xi_timing, "queries": 2}
    vandal = Vandal()
    fair = digest(play(team(**{**options, "predictor": Guesser()})))
    assert digest(play(team(**{**options, "predictor": vandal}))) == fair
    assert vandal.refused > 0


def test_a_predictor_may_use_its_array_again():
    class Reuses(Guesser):
        out = np.zeros((6, 2, 16_000), np.float32)

        def predict(self, pairs, history):
            self.out[: len(pairs.heading)] = super().predict(pairs, history)
            return self.out[: len(pairs.heading)]

    fresh, reused = (play(team(predictor=who, robots=3)) for who in (Guesser(), Reuses()))
    assert digest(fresh) == digest(reused)


def test_robots_cannot_spoil_what_they_were_told():
    def rewards(spoil: bool):
        env = team(**{**OPTIONS, "predictor": Guesser()})
        returned = env.reset(seed=0)
        found = []
        for moves in random_walk(env):
            if spoil:
                for array in arrays_of(returned):
                    array[...] = 1
            actions = dict(zip(env.possible_agents, moves.tolist(), strict=True))
            returned = env.step(actions)
            found.append(digest(returned))
        return found

    assert rewards(spoil=True) == rewards(spoil=False)


def test_predictors_remember_what_robots_overwrote():
    class Remembers(Guesser):
        seen = ()

        def predict(self, pairs, history):
            self.seen = [joint["robot_0"]["position"].tolist() for joint in history]
            return super().predict(pairs, history)

    predictor = Remembers()
    env = team(predictor=predictor)
    observations, _ = env.reset(seed=0)
    start = observations["robot_0"]["position"].tolist()
    observations["robot_0"]["position"][:] = -1
    env.step({"robot_0": 2, "robot_1": 2})
    assert predictor.seen == [start, start]


@pytest.mark.parametrize("env_id", IDS)
def test_ids_and_fresh_environments_can_be_sent_elsewhere(env_id):
    options = {
        **SMALL,
        "observations": ["position"],
        "robots": 3,
        "receivers": [0, 2],
        "xi_timing": "pre_move",
    }
    spec = gym.make(env_id, **options).spec
    expected = digest(gym.make(spec).reset(seed=3))
    for again in (
        gym.envs.registration.EnvSpec.from_json(spec.to_json()),
        pickle.loads(pickle.dumps(spec)),
    ):
        assert again.kwargs == {**av_envs.VARIANTS[env_id][1], **options}
        assert digest(gym.make(again).reset(seed=3)) == expected
    sent = pickle.loads(pickle.dumps(gym.make(spec)))
    assert digest(sent.reset(seed=3)) == expected
    alone = pickle.loads(pickle.dumps(team(robots=3)))
    assert digest(play(alone)) == digest(play(team(robots=3)))


def test_spaces_of_two_environments_are_equal():
    """Vector environments and buffers compare them."""
    for prediction in ("env", "action"):
        options = {**SMALL, "prediction": prediction, "robots": 3}
        one, other = (gym.make("AVRIRMeasure-v0", **options) for _ in range(2))
        assert one.observation_space == other.observation_space
        assert one.action_space == other.action_space
