"""The command that trains, and what can be done with what it leaves."""

import json

import gymnasium as gym
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from av_envs.agents import senses_used
from av_envs.agents.adapters.sb3 import SB3Agent
from av_envs.agents.adapters.sb3.eval_callback import rows_of
from av_envs.agents.train_sb3 import main, make_venv

SENSES = {
    "AVDynamicSep-v0": ("depth", "mixture", "target", "pose"),
    "AVRIRMeasure-v0": ("depth", "azimuth", "position"),
}
ENDINGS = {
    "AVDynamicSep-v0": {"val/si_sdr", "val/si_sdr_gain", "val/geodesic_to_target"},
    "AVRIRMeasure-v0": {"val/cr"},
}
TINY = {"houses": 1, "steps": 5}
BRIEF = ["--num-envs", "2", "--val-envs", "1", "--rollout", "5", "--batch-size", "5"]
BRIEF += ["--epochs", "1", "--features", "8", "--val-every", "20"]


def options(env_id: str) -> dict:
    silent = {"predictor": "zero"} if env_id == "AVRIRMeasure-v0" else {}
    return {**TINY, **silent}


def run(folder, env_id: str, *more: str) -> int:
    words = ["--env", env_id, "--env-kwargs", json.dumps(options(env_id)), "--out", str(folder)]
    return main([*words, "--observations", *SENSES[env_id], *BRIEF, *more])


def complaint(capsys, folder, *more: str, env_id: str = "AVDynamicSep-v0") -> str:
    with pytest.raises(SystemExit) as stop:
        run(folder, env_id, "--steps", "10", *more)
    assert stop.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("env_id", "algorithm", "more"),
    [
        ("AVDynamicSep-v0", "recurrent_ppo", []),
        ("AVDynamicSep-v0", "ppo", ["--told"]),
        ("AVRIRMeasure-v0", "ppo", ["--map", "--own-finds"]),
    ],
)
def test_a_trained_policy_plays(env_id, algorithm, more, tmp_path):
    assert run(tmp_path, env_id, "--algorithm", algorithm, "--steps", "20", *more) == 0
    rows = rows_of(tmp_path)
    assert [row["steps"] for row in rows] == ["0", "20"]
    assert all(np.isfinite(float(row["val_return"])) for row in rows)
    board = EventAccumulator(str(tmp_path)).Reload()
    told = {tag: [event.value for event in board.Scalars(tag)] for tag in board.Tags()["scalars"]}
    np.testing.assert_allclose(
        told["val/return"], [float(row["val_return"]) for row in rows], rtol=1e-5
    )
    domain = ENDINGS[env_id]
    assert domain <= set(told)
    assert all(len(told[name]) == 2 and np.isfinite(told[name]).all() for name in domain)
    env = gym.make(env_id, **options(env_id))  # with all observations, as on the boards
    name = "PPO" if algorithm == "ppo" else "RecurrentPPO"
    pickled, plain = (
        SB3Agent(
            env.observation_space,
            env.action_space,
            seed=0,
            checkpoint=str(tmp_path / f"best.{suffix}"),
            algorithm=name,
        )
        for suffix in ("zip", "safetensors")
    )
    assert bool(plain.privileged) == ("--told" in more)
    assert plain.privileged == pickled.privileged
    assert play(pickled, env) == play(plain, env)


def play(agent: SB3Agent, env: gym.Env) -> list:
    """The actions of an episode."""
    observation, _ = env.reset(seed=0)
    agent.reset(seed=0)
    actions = []
    for _ in range(TINY["steps"]):
        truth = {key: env.unwrapped.privileged(key) for key in agent.privileged}
        actions.append(agent.act(observation, truth) if truth else agent.act(observation))
        observation, *_ = env.step(actions[-1])
    return np.array(actions).tolist()


@pytest.mark.slow
def test_a_run_is_resumed(tmp_path, capsys):
    run(tmp_path, "AVDynamicSep-v0", "--algorithm", "ppo", "--steps", "10")
    before = rows_of(tmp_path)
    run(tmp_path, "AVDynamicSep-v0", "--algorithm", "ppo", "--steps", "30", "--resume")
    after = rows_of(tmp_path)
    assert after[: len(before)] == before
    assert int(after[-1]["steps"]) == 30
    assert float(after[-1]["seconds"]) >= float(before[-1]["seconds"])
    assert "holds a run already" in complaint(capsys, tmp_path)
    assert "other seed" in complaint(capsys, tmp_path, "--algorithm", "ppo", "--resume", "--seed=1")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--resume"], "config.json is missing"),
        (["--env", "AVNowhere-v0"], "AVNowhere"),
        (["--env-kwargs", "[1]"], "must be a JSON object"),
        (["--env-kwargs", '{"house": 1}'], "unknown option 'house'"),
        (["--observations", "smell"], "'smell' does not exist"),
        (["--observations", "pose", "--told"], "no target to tell of"),
        (["--map"], "a map needs the observations"),
        (["--own-finds"], "only robots that measure"),
        (["--steps", "0"], "must be at least 1"),
    ],
)
def test_a_mistake_is_named(more, says, tmp_path, capsys):
    assert says in complaint(capsys, tmp_path / "run", *more)


def test_rewards_are_scaled_for_the_learner_alone():
    plain, scaled = (
        make_venv("AVDynamicSep-v0", 1, reward_scale=scale, observations=("pose",), **TINY)
        for scale in (1.0, 0.5)
    )
    for venv in (plain, scaled):
        venv.seed(0)
        venv.reset()
    for _ in range(TINY["steps"]):
        (_, full, done, info), (_, half, _, same) = plain.step([0]), scaled.step([0])
        assert half == pytest.approx(0.5 * full)
        assert info[0]["reward"] == same[0]["reward"] == pytest.approx(full[0])
    assert done.all()
    assert not info[0]["TimeLimit.truncated"]


def test_robots_are_paid_for_what_they_find():
    options = {**TINY, "predictor": "zero", "observations": SENSES["AVRIRMeasure-v0"]}
    venv = make_venv("AVRIRMeasure-v0", 1, own_finds=True, reward_scale=2.0, **options)
    venv.seed(0)
    venv.reset()
    for moves in ([1, 2], [1, 1], [2, 1]):
        _, paid, _, infos = venv.step(np.array(moves))
        assert paid.tolist() == [2 * infos[k][f"new_nodes_{k}"] for k in (0, 1)]
        assert infos[0]["reward"] == infos[1]["reward"]


@pytest.mark.slow
def test_senses_are_spoilt_one_by_one(tmp_path, capsys):
    run(tmp_path, "AVDynamicSep-v0", "--algorithm", "recurrent_ppo", "--steps", "10")
    capsys.readouterr()
    brief = ["--episodes", "2", "--houses", "1"]
    assert senses_used.main(["--checkpoint", str(tmp_path / "best.safetensors"), *brief]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:32].strip() for line in lines] == list(senses_used.ABLATIONS)
