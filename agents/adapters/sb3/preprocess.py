"""Preprocessing of observations and rewards for training with Stable-Baselines3."""

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from av_envs.agents.adapters.sb3.downsample import downsampled, downsampled_space
from av_envs.agents.adapters.sb3.privileged_obs import TOLD, told, told_space
from av_envs.agents.ego_map import NEEDS, SPACE, EgoMap


class PreprocessVecEnv(VecEnvWrapper):
    """Downsampled observations, scaled rewards, and episodes that really end.

    Time is observed, so the end of an episode is the end of the task and nothing is
    bootstrapped there.

    tells_bearing  adds the observation `told`, see `privileged_obs`: an ablation
    draws_map      adds the observation `footprints`, see `agents.ego_map`, to robots that measure
    own_finds      pays every robot that measures one for each node where it was first, instead of
                   what the team gets
    reward_scale   factor of the rewards; learning wants them to spread by about 1

    `infos[i]["reward"]` is the environment's own reward.
    """

    def __init__(
        self,
        venv: VecEnv,
        *,
        tells_bearing: bool = False,
        draws_map: bool = False,
        own_finds: bool = False,
        reward_scale: float = 1.0,
    ):
        space = downsampled_space(venv.observation_space)
        if tells_bearing and "target" not in space.spaces:
            raise ValueError(f"there is no target to tell of: observations are {[*space.spaces]}")
        missing = [key for key in NEEDS if key not in space.spaces]
        if draws_map and missing:
            raise ValueError(f"a map needs the observations {NEEDS}, here are {[*space.spaces]}")
        if tells_bearing:
            space = spaces.Dict({**space.spaces, "told": told_space()})
        if own_finds and not hasattr(venv, "robots"):
            raise ValueError("only robots that measure can be paid for what they find")
        self._robots = getattr(venv, "robots", 1)
        self._own_finds = own_finds
        self._map = None
        if draws_map:
            self._map = EgoMap(venv.num_envs // venv.robots, venv.robots)
            space = spaces.Dict({**space.spaces, "footprints": SPACE})
        super().__init__(venv, observation_space=space)
        self._tells_bearing, self._scale = tells_bearing, reward_scale

    def reset(self) -> dict[str, np.ndarray]:
        return self._prepared(self.venv.reset(), np.ones(self.num_envs, bool))

    def step_wait(self):
        observations, rewards, dones, infos = self.venv.step_wait()
        for info, reward in zip(infos, rewards, strict=True):
            info["reward"] = float(reward)
            info["TimeLimit.truncated"] = False
            info.pop("terminal_observation", None)  # which is there to bootstrap from
        if self._own_finds:
            numbers = np.arange(self.num_envs) % self._robots
            pairs = zip(infos, numbers, strict=True)
            rewards = np.array([info[f"new_nodes_{k}"] for info, k in pairs], np.float32)
        return self._prepared(observations, dones), self._scale * rewards, dones, infos

    def _prepared(
        self, observations: dict[str, np.ndarray], starts: np.ndarray
    ) -> dict[str, np.ndarray]:
        prepared = downsampled(observations)
        if self._tells_bearing:
            truth = {key: np.array(self.venv.env_method("privileged", key)) for key in TOLD}
            prepared["told"] = told(truth)
        if self._map is not None:
            prepared["footprints"] = self._map.drawn(observations, starts[:: self._robots])
        return prepared
