"""Episodes taken again, to be heard and seen: the recorded actions in the environment."""

from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

from av_envs.benchmarks.board.asking import AskedAgent, NoEstimateError, job_of
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.play.trajectories import TASKS, replay_actions, without_bumps
from av_envs.benchmarks.suites.suite import Episode, Suite
from av_envs.conventions import SAMPLE_RATE

OF_MIXTURE = "nothing separates here: scored is the mixture at the ear that hears more target"
AS_SCORED = "as it is scored, with the phase of the truth"
LAST_SILENT = "; silent in the last second, for which agents are not asked"


@dataclass
class Replay:
    """What an episode sounded and looked like, at every step after the reset.

    heard      (2, n) float32 at 16 kHz; a step may take a part of a second, see `hear` of the
               environments
    truth      (n,) the target's dry sound; None without a target
    estimate   (n,) what was scored, with the phase of the truth; None where there is none
    remark     on the estimate, or why there is none; empty without a target
    views      (steps + 1, walkers, 128, 128, 3) uint8, the first before the first step; None in
               a dwelling without views
    """

    heard: np.ndarray
    truth: np.ndarray | None
    estimate: np.ndarray | None
    remark: str
    views: np.ndarray | None


def replay(
    suite: Suite, record: dict[str, Any], result: dict[str, Any], trust: bool = False
) -> Replay:
    """An episode of a result again; UserError if it does not take the recorded way.

    trust  whether an agent is asked for its estimates even if code runs then that does not come
           with the package
    """
    place = record["group"], record["episode"]
    episode = next(e for e in suite.episodes if (e.group.name, e.seed) == place)
    env = make_env(suite, episode.group, **TASKS[record["replay"]["task"]].replay)
    try:
        walk = _Walk(suite, episode, record, env)
        if walk.estimator != "agent":
            return walk.take()
        try:
            return walk.take(AskedAgent(job_of(suite, result, trust), env, record))
        except NoEstimateError as reason:
            return walk.take(remark=str(reason))
    finally:
        env.close()


@dataclass
class _Met:
    """What was met on a way, one entry per step; of the views one more."""

    heard: list[np.ndarray] = field(default_factory=list)
    truth: list[np.ndarray] = field(default_factory=list)
    estimates: list[np.ndarray] = field(default_factory=list)
    views: list[np.ndarray] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    infos: list[dict[str, Any]] = field(default_factory=list)


class _Walk:
    """The recorded way through an episode, which can be taken more than once."""

    def __init__(self, suite: Suite, episode: Episode, record: dict[str, Any], env: gym.Env):
        self.suite, self.episode, self.record, self.env = suite, episode, record, env
        self.world: Any = env.unwrapped
        self.has_target = record["replay"]["target"] is not None
        self.estimator = self.world.config.estimator if self.has_target else ""

    def take(self, agent: AskedAgent | None = None, remark: str = "") -> Replay:
        """Take it, an agent estimating on the way; `NoEstimateError` if that is not as recorded."""
        met, log = _Met(), self.record["replay"]
        observation, _ = self.env.reset(seed=self.episode.seed, options=self.episode.options)
        has_views = self.world.has_views
        if has_views:
            met.views.append(self.world.see())
        for action in replay_actions(log, self.env):
            if agent is not None:
                action = agent.answer(self.env, observation, action)
            observation, reward, _, _, info = self.env.step(action)
            met.rewards.append(float(reward))
            met.infos.append(info)
            self._meet(met, has_views, estimates=agent is not None or self._separates)
        if without_bumps(self.world.replay_log()) != without_bumps(log):
            raise UserError(
                f"episode {self.record['episode']} of {self.suite.name} does not take the recorded "
                "way: the results come from another version of the environment; run them again, "
                "or report with --audio 0"
            )
        if agent is not None:
            agent.check_scores(self.suite, met.rewards, met.infos)
        return self._replay(met, remark)

    @property
    def _separates(self) -> bool:
        """Whether a plugged-in estimator does."""
        return self.estimator not in ("", "mixture", "agent")

    def _meet(self, met: _Met, sees: bool, estimates: bool) -> None:
        met.heard.append(self.world.hear())
        if sees:
            met.views.append(self.world.see())
        if self.has_target:
            met.truth.append(self.world.target_second())
        if estimates:
            met.estimates.append(self.world.estimated_second())

    def _replay(self, met: _Met, remark: str) -> Replay:
        estimates = met.estimates
        if estimates and self.estimator == "agent":  # they are of the second before
            estimates = [*estimates[1:], np.zeros(SAMPLE_RATE, np.float32)]
            remark = AS_SCORED + LAST_SILENT
        elif estimates:
            remark = AS_SCORED
        elif self.estimator == "mixture":
            remark = OF_MIXTURE
        return Replay(
            heard=np.concatenate(met.heard, axis=1),
            truth=np.concatenate(met.truth) if met.truth else None,
            estimate=np.concatenate(estimates) if estimates else None,
            remark=remark,
            views=np.stack(met.views) if met.views else None,
        )
