"""RLlib trains on both tasks, where it is installed: it demands another Gymnasium."""

import numpy as np
import pytest
from small_worlds import OPTIONS, every_task, single, team

pytest.importorskip("ray", reason="RLlib has an environment of its own, see docs/libraries")

import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune.registry import register_env

from av_envs.agents.adapters.rllib import FORBIDDEN, AVTorchRLModule

TINY = {"encoder": {"features": 16, "channels": (4, 4, 4)}}
# RLlib registers every environment anew under a name of its own
pytestmark = pytest.mark.filterwarnings("ignore:.*Overriding environment rllib-:UserWarning")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One process: workers would import everything again."""
    ray.init(local_mode=False, num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def ppo(env_name: str, module) -> PPOConfig:
    config = PPOConfig().environment(env_name, disable_env_checking=True)
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=1, rollout_fragment_length=20)
    config.training(train_batch_size=20, minibatch_size=20, num_epochs=1)
    config.debugging(seed=0)
    return config.rl_module(rl_module_spec=module)


def trained(config: PPOConfig, policy: str = "default_policy") -> dict:
    """One iteration, after which the weights have changed."""
    algorithm = config.build_algo()
    try:
        before = algorithm.get_weights([policy])[policy]
        before = {key: np.array(value) for key, value in before.items()}
        result = algorithm.train()
        after = algorithm.get_weights([policy])[policy]
        assert any(not np.array_equal(before[key], after[key]) for key in before)
        assert all(np.isfinite(np.asarray(value)).all() for value in after.values())
        return result
    finally:
        algorithm.stop()


@every_task
def test_ppo(env_id):
    register_env(env_id, lambda config: single(env_id))
    spec = RLModuleSpec(module_class=AVTorchRLModule, model_config=TINY)
    result = trained(ppo(env_id, spec))
    assert result["env_runners"]["episode_len_mean"] == OPTIONS[env_id]["steps"]


def test_the_default_model_has_no_encoder_for_these_observations():
    register_env("plain", lambda config: single("AVDynamicSep-v0"))
    with pytest.raises(ValueError, match="No default encoder config for obs space"):
        ppo("plain", RLModuleSpec()).build_algo()


def test_ppo_with_one_policy_for_all_robots():
    register_env("robots", lambda config: ParallelPettingZooEnv(team()))
    module = RLModuleSpec(
        module_class=AVTorchRLModule, model_config={**TINY, "use_action_mask": True}
    )
    config = ppo("robots", MultiRLModuleSpec(rl_module_specs={"shared": module}))
    config.multi_agent(policies={"shared"}, policy_mapping_fn=lambda robot, episode: "shared")
    result = trained(config, "shared")
    assert result["env_runners"]["episode_len_mean"] == OPTIONS["AVRIRMeasure-v0"]["steps"]
    assert set(result["env_runners"]["agent_steps"]) == {"robot_0", "robot_1"}


def test_the_wrapper_marks_the_end_of_all():
    """It writes into the dicts that the environment returns: they must be new every time."""
    env = ParallelPettingZooEnv(team())
    env.reset(seed=0)
    ends = [env.step({"robot_0": 2, "robot_1": 3})[2:4] for _ in range(5)]
    assert [truncated["__all__"] for _, truncated in ends] == [False] * 4 + [True]
    assert not any(terminated["__all__"] for terminated, _ in ends)
    assert len({id(one) for pair in ends for one in pair}) == 10


def module_of(env, **options) -> AVTorchRLModule:
    return AVTorchRLModule(
        observation_space=env.observation_space,
        action_space=env.action_space,
        model_config={**TINY, **options},
    )


def test_masked_actions_have_no_chance():
    env = single("AVRIRMeasure-v0")
    module, (observation, _) = module_of(env, use_action_mask=True), env.reset(seed=0)
    batch = {"obs": {key: torch.as_tensor(row)[None] for key, row in observation.items()}}
    outcome = module.forward_exploration(batch)
    logits = outcome["action_dist_inputs"].reshape(2, 4)
    assert (logits[:, 0] == FORBIDDEN).all()
    assert (logits[:, 1:] > -100).all()
    torch.testing.assert_close(
        module.compute_values(batch), module.compute_values(batch, outcome["embeddings"])
    )


def test_mistakes_are_named():
    env = single("AVDynamicSep-v0")
    with pytest.raises(TypeError, match="unexpected keyword argument 'hiddens'"):
        module_of(env, encoder={"hiddens": [3]})
    with pytest.raises(ValueError, match="needs 'action_mask'"):
        module_of(env, use_action_mask=True)
