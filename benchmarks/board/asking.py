"""Agents asked again for the estimates that results do not keep.

The agent is built again and asked second by second along the recorded way. What it says counts
only where it decides and scores as recorded.
"""

from typing import Any

import gymnasium as gym
import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.action_check import AgentError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import (
    Job,
    agent_seed,
    choose_action,
    open_job_player,
    step_values,
)
from av_envs.benchmarks.play.player import Player
from av_envs.benchmarks.play.trust import foreign_code
from av_envs.benchmarks.results.files import canonical
from av_envs.benchmarks.suites.suite import Suite

SAME_SCORE = 0.05  # in the recorded series, which has two digits


class NoEstimateError(Exception):
    """Why what was scored cannot be heard, in words for the page."""


class AskedAgent:
    """The agent of a run, at the start of an episode that it has played."""

    def __init__(self, job: Job, env: gym.Env, record: dict[str, Any]):
        self._record = record
        try:
            self._player: Player = open_job_player(job, env)
            self._player.reset(agent_seed(job.seed, record["group"], record["episode"]))
        except (UserError, AgentError) as fault:
            raise NoEstimateError(f"the agent cannot be built again: {fault}") from fault

    def answer(self, env: gym.Env, observation: Any, recorded: dict[str, Any]) -> dict[str, Any]:
        """Its action, with an estimate; the move must be the recorded one."""
        try:
            action = choose_action(self._player, env, observation)
        except AgentError as fault:
            raise NoEstimateError(f"the agent fails when it is asked again: {fault}") from fault
        if int(action["move"]) != int(recorded["move"]):
            raise NoEstimateError("asked again, the agent does not go the recorded way")
        return action

    def check_scores(self, suite: Suite, rewards: list[float], infos: list[dict[str, Any]]) -> None:
        """`NoEstimateError` unless every step has scored as recorded."""
        here = np.array(step_values(suite.primary_metric, rewards, infos), float)
        recorded = np.array(self._record["series"], float)  # None is nan
        if not np.allclose(here, recorded, rtol=0, atol=SAME_SCORE, equal_nan=True):
            raise NoEstimateError("asked again, the agent's estimates score otherwise")


def job_of(suite: Suite, result: dict[str, Any], trust: bool) -> Job:
    """The run behind a result, its agent in this process; nothing of it is imported yet.

    trust  whether code that does not come with the package may run; `NoEstimateError` where it
           would have to and may not
    """
    agent = AgentSpec.parse(result["agent"]["path"], canonical(result["agent"]["kwargs"]))
    foreign = foreign_code(agent)
    if foreign and not trust:
        raise NoEstimateError(
            f"the agent would run code that does not come with av-envs ({', '.join(foreign)}); "
            "report with --trust to hear it"
        )
    return Job(suite, agent, result["seed"], isolated=False)
