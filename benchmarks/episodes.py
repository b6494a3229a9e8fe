"""Play the episodes of a suite. An agent that fails loses that episode, not the run."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import joblib
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from benchmarks.agents import Agent, AgentSpec, build_agent
from benchmarks.suites import Metric, Suite

LONGEST_ERROR = 300  # characters of an agent's error that a result keeps
CHUNKS_PER_WORKER = 4


class AgentError(Exception):
    """The agent raised, or its answer is no action."""


@dataclass(frozen=True)
class Job:
    """One run: an agent with one seed plays the first `n_episodes` of a suite."""

    suite: Suite
    agent: AgentSpec
    seed: int
    n_episodes: int


@dataclass(frozen=True)
class Played:
    """An episode's record, which a second run must reproduce, and what it cost.

    act_ms  one entry per step, milliseconds the agent thought
    """

    record: dict[str, Any]
    act_ms: list[float]


def make_env(suite: Suite, **options: Any) -> gym.Env:
    """The environment of a suite, unchecked for speed; `options` such as render_mode change
    nothing that counts.
    """
    return gym.make(
        suite.env_id,
        split=suite.split,
        disable_env_checker=True,
        **suite.env_kwargs,
        **options,
    )


def play(job: Job, workers: int = 1) -> Iterator[Played]:
    """Play all episodes of a job, in order; the records do not depend on `workers`."""
    indices = range(job.n_episodes)
    if workers == 1:
        yield from _play_in_order(job, indices)
        return
    n_chunks = min(job.n_episodes, CHUNKS_PER_WORKER * workers)
    chunks = [part.tolist() for part in np.array_split(np.array(indices), n_chunks)]
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
    for played in parallel(joblib.delayed(_play_chunk)(job, chunk) for chunk in chunks):
        yield from played


def _play_chunk(job: Job, indices: list[int]) -> list[Played]:
    return list(_play_in_order(job, indices))


def _play_in_order(job: Job, indices: range | list[int]) -> Iterator[Played]:
    env = make_env(job.suite)
    try:
        agent = build_agent(job.agent, env.observation_space, env.action_space, job.seed)
        for index in indices:
            yield play_episode(env, agent, job, index)
    finally:
        env.close()


def play_episode(env: gym.Env, agent: Agent, job: Job, index: int) -> Played:
    """Play one episode of the suite; the agent's own seed follows from its seed and the run's."""
    episode = job.suite.seeds[index]
    observation, _ = env.reset(seed=episode, options=job.suite.options[index])
    record: dict[str, Any] = {"episode": episode, "scene": env.unwrapped.scene.name}
    rewards: list[float] = []
    infos: list[dict[str, Any]] = []
    act_ms: list[float] = []
    error = None
    try:
        _ask(agent.reset, seed=agent_seed(job.seed, episode))
        done = False
        while not done:
            start = time.perf_counter()
            action = choose_action(agent, env, observation)
            act_ms.append(1000 * (time.perf_counter() - start))
            observation, reward, terminated, truncated, info = env.step(action)
            rewards.append(float(reward))
            infos.append(info)
            done = terminated or truncated
    except AgentError as failure:
        error = f"{job.agent.path}: {failure}"[:LONGEST_ERROR]
    metrics = {
        metric.name: None if error else reduce_steps(metric, rewards, infos)
        for metric in job.suite.metrics
    }
    return Played({**record, "length": len(rewards), "metrics": metrics, "error": error}, act_ms)


def agent_seed(seed: int, episode: int) -> int:
    return int(np.random.SeedSequence([seed, episode]).generate_state(1)[0])


def choose_action(agent: Agent, env: gym.Env, observation: Any) -> Any:
    """The agent's action; it sees of the truth only what it has declared."""
    declared = getattr(agent, "privileged", ())
    if declared:
        truth = {key: _ask(env.unwrapped.privileged, key) for key in declared}
        action = _ask(agent.act, observation, truth)
    else:
        action = _ask(agent.act, observation)
    if not _ask(env.action_space.contains, action):
        raise AgentError(f"{action!r} is not in {env.action_space}")
    return action


def _ask(function: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except Exception as error:
        raise AgentError(f"{type(error).__name__}: {error}") from error


def reduce_steps(metric: Metric, rewards: list[float], infos: list[dict[str, Any]]) -> float:
    """One number per episode; nan if the quantity was undefined at every step that counts."""
    if metric.source == "reward":
        values = np.array(rewards)
    else:
        if metric.source not in infos[-1]:
            raise ValueError(f"metric {metric.name} needs info[{metric.source!r}], which is absent")
        values = np.array([info[metric.source] for info in infos], np.float64)
    if np.isinf(values).any():
        raise ValueError(f"metric {metric.name} is infinite at a step; no mean can hold that")
    if metric.reduce == "final":
        return float(values[-1])
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan")
    return float(values.sum() if metric.reduce == "sum" else values.mean())
