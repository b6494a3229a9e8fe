"""Play the episodes of a suite. An agent that fails loses that episode, not the run."""

import hashlib
import json
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import gymnasium as gym
import joblib
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.action_check import AgentError, call_agent
from av_envs.benchmarks.play.agent_client import TIMEOUT, open_player
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.player import Declared, Player, PlayerSettings
from av_envs.benchmarks.play.predictors import install_predictor, takes_predictors
from av_envs.benchmarks.suites.secret_seeds import SecretSeeds
from av_envs.benchmarks.suites.suite import Group, Metric, Suite
from av_envs.separation.scoring import REFINED as REFINED_SCORES

LONGEST_ERROR = 300  # characters of an agent's error that a result keeps
CHUNKS_PER_WORKER = 6  # of every group
SERIES_DIGITS = 2
REFINED = "refined_"  # begins the source of a metric of estimates that were made with hindsight
WITHIN = re.compile(rf"{REFINED}([0-9]+)_")  # of that of so many seconds


@dataclass(frozen=True)
class Job:
    """One run: an agent with one seed plays episodes of a suite.

    n_episodes  how many of every group, the first ones; None for all
    isolated    whether the agent plays in a process of its own
    timeout     seconds that it may take for one answer there
    declared    what the agent must declare when it is built again; None for anything
    secret      seeds that stand in for those of the suite
    """

    suite: Suite
    agent: AgentSpec
    seed: int = 0
    n_episodes: int | None = None
    isolated: bool = True
    timeout: float = TIMEOUT
    declared: Declared | None = None
    secret: SecretSeeds | None = None

    @property
    def indices(self) -> list[int]:
        """Which of `suite.episodes` are played."""
        chosen, first = [], 0
        for group in self.suite.groups:
            n_seeds = len(group.seeds)
            chosen += range(first, first + min(self.n_episodes or n_seeds, n_seeds))
            first += n_seeds
        return chosen

    def env_seed(self, index: int) -> int:
        """What the environment is seeded with in an episode."""
        group, seed, _ = self.suite.episodes[index]
        return self.secret.seeds[group.seeds.index(seed)] if self.secret else seed


@dataclass(frozen=True)
class Played:
    """An episode's record, which a second run must reproduce, and what it cost.

    index      place in `suite.episodes`
    act_ms     one entry per step, milliseconds until the agent's answer was there
    seconds    from before the reset to after the last step
    traceback  of the error of an agent that failed
    """

    index: int
    record: dict[str, Any]
    act_ms: list[float]
    seconds: float
    traceback: str = ""


def make_env(suite: Suite, group: Group, **options: Any) -> gym.Env:
    """The environment of a group of episodes, unchecked for speed; `options` such as
    render_mode change nothing that counts.
    """
    return gym.make(
        suite.env_id,
        split=suite.split,
        disable_env_checker=True,
        **{**suite.later_options(group), **suite.env_kwargs, **group.env_kwargs, **options},
    )


def play(job: Job, workers: int = 1, done: Collection[int] = ()) -> Iterator[Played]:
    """Play all episodes of a job whose index is not `done`.

    Neither the records nor their number depend on `workers`; their order does.
    """
    todo = [index for index in job.indices if index not in done]
    if workers == 1:
        for chunk in _chunks(job.suite, todo, 1):
            yield from _play_in_order(job, chunk)
        return
    chunks = _chunks(job.suite, todo, CHUNKS_PER_WORKER * workers)
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    for played in parallel(joblib.delayed(_play_chunk)(job, chunk) for chunk in chunks):
        yield from played


def _chunks(suite: Suite, indices: list[int], per_group: int) -> list[list[int]]:
    """Indices of one group each; those with the same options, that is the same house, together."""
    episodes, chunks = suite.episodes, []
    for group in suite.groups:
        mine = [index for index in indices if episodes[index].group.name == group.name]
        mine.sort(key=lambda index: json.dumps(episodes[index].options, sort_keys=True))
        parts = np.array_split(np.array(mine), min(per_group, len(mine)) or 1)
        chunks += [part.tolist() for part in parts if len(part)]
    return chunks


def _play_chunk(job: Job, indices: list[int]) -> list[Played]:
    return list(_play_in_order(job, indices))


def _play_in_order(job: Job, indices: list[int]) -> Iterator[Played]:
    """Episodes of one group."""
    env = make_env(job.suite, job.suite.episodes[indices[0]].group)
    try:
        player = open_job_player(job, env)
        for index in indices:
            yield play_episode(env, player, job, index)
    finally:
        env.close()


def open_job_player(job: Job, env: gym.Env) -> Player:
    """The agent of a job, built for an environment and seated with its predictor."""
    settings = PlayerSettings(
        env.observation_space, env.action_space, job.seed, predicts=takes_predictors(env)
    )
    player = open_player(job.agent, settings, isolated=job.isolated, timeout=job.timeout)
    if job.declared not in (None, player.declared):
        raise UserError(f"agent {job.agent.path} declares other things every time it is built")
    install_predictor(env, player)
    return player


def play_episode(env: gym.Env, player: Player, job: Job, index: int) -> Played:
    """Play one episode of the suite."""
    began = time.perf_counter()
    group, seed, options = job.suite.episodes[index]
    rewards: list[float] = []
    infos: list[dict[str, Any]] = []
    act_ms: list[float] = []
    error, words = None, ""
    try:
        observation, _ = env.reset(seed=job.env_seed(index), options=options)
        player.reset(agent_seed(job.seed, group.name, seed))
        done = False
        while not done:
            start = time.perf_counter()
            action = choose_action(player, env, observation)
            act_ms.append(1000 * (time.perf_counter() - start))
            observation, reward, terminated, truncated, info = env.step(action)
            rewards.append(float(reward))
            infos.append(info)
            done = terminated or truncated
        if any(metric.source.startswith(REFINED) for metric in job.suite.metrics):
            within = look_backs(job.suite)
            infos = with_refined(infos, env, player, observation, within)
    except AgentError as failure:
        error, words = f"{job.agent.path}: {failure}"[:LONGEST_ERROR], failure.traceback
    record = {
        "group": group.name,
        "episode": seed,
        "scene": env.unwrapped.scene.name,
        "length": len(rewards),
        "metrics": {
            metric.name: None if error else reduce_steps(metric, rewards, infos)
            for metric in job.suite.metrics
        },
        "series": [
            round(value, SERIES_DIGITS)
            for value in step_values(job.suite.primary_metric, rewards, infos)
        ],
        "replay": None if job.secret else env.unwrapped.replay_log(),  # it would tell the seed
        "error": error,
    }
    return Played(index, record, act_ms, time.perf_counter() - began, words)


def look_backs(suite: Suite) -> list[int]:
    """Seconds of hindsight with which metrics of a suite are asked for."""
    found = (WITHIN.match(metric.source) for metric in suite.metrics)
    return sorted({int(match[1]) for match in found if match})


def with_refined(
    infos: list[dict[str, Any]],
    env: gym.Env,
    player: Player,
    observation: Any,
    within: Collection[int] = (),
) -> list[dict[str, Any]]:
    """The infos of an episode with the scores of what the agent makes of it with hindsight.

    They stand in the last one, each under its name after REFINED; elsewhere, and if the agent
    does not refine, they are undefined (nan).

    within  seconds of hindsight with which the agent is asked, too
    """
    estimates = {REFINED: player.refine(observation)}
    estimates |= {f"{REFINED}{seconds}_": player.refine_within(seconds) for seconds in within}
    last = {}
    for prefix, given in estimates.items():
        scores = dict.fromkeys(REFINED_SCORES, float("nan"))
        if given is not None:
            scores = call_agent(env.unwrapped.score_refined, given)
        last |= {f"{prefix}{key}": scores[key] for key in REFINED_SCORES}
    undefined = dict.fromkeys(last, float("nan"))
    return [*({**info, **undefined} for info in infos[:-1]), {**infos[-1], **last}]


def agent_seed(seed: int, group: str, episode: int) -> int:
    """The agent's seed in an episode: no part of it is what the environment was seeded with.

    seed            of the run
    group, episode  by which the suite names the episode, secret seeds or not
    """
    digest = hashlib.sha256(json.dumps([seed, group, episode]).encode()).digest()
    return int.from_bytes(digest[:4], "little")


def choose_action(player: Player, env: gym.Env, observation: Any) -> Any:
    """The agent's action; it sees of the truth only what it has declared."""
    keys = player.declared.privileged
    truth = {key: call_agent(env.unwrapped.privileged, key) for key in keys} if keys else None
    return player.act(observation, truth)


def step_values(metric: Metric, rewards: list[float], infos: list[dict[str, Any]]) -> list[float]:
    """The quantity behind a metric at every step; nan where it is undefined."""
    if metric.source == "reward" or not infos:
        return rewards
    keys = [key for key in infos[-1] if fnmatchcase(key, metric.source)]
    if not keys:
        raise ValueError(f"metric {metric.name} needs info[{metric.source!r}], which is absent")
    return [sum(float(info[key]) for key in keys) for info in infos]


def reduce_steps(metric: Metric, rewards: list[float], infos: list[dict[str, Any]]) -> float:
    """One number per episode; nan if the quantity was undefined at every step that counts."""
    values = np.array(step_values(metric, rewards, infos), np.float64)
    counted = values[-1:] if metric.reduce == "final" else values[~np.isnan(values)]
    if np.isinf(counted).any():
        raise ValueError(f"metric {metric.name} is infinite at a step; no mean can hold that")
    if not len(counted):
        return float("nan")
    return float(counted.mean() if metric.reduce == "mean" else counted.sum())
