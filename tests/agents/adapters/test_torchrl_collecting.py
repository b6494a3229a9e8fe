"""TorchRL's wrappers take the environments as they are."""

import warnings
from types import SimpleNamespace

import pytest
import torch
from small_worlds import OPTIONS, STEPS, batch, every_task, single, team

# one option of every wrapper: actions are numbers, as the environments want them
INDICES = {"categorical_action_encoding": True}
KEYS = {"AVDynamicSep-v0": ("pose", "target"), "AVRIRMeasure-v0": ("azimuth", "position")}
every_kind = pytest.mark.parametrize("kind", ["sync", "native"])


@pytest.fixture(scope="module")
def rl() -> SimpleNamespace:
    """TorchRL, which takes seconds to import: only the process that runs these tests does."""
    with warnings.catch_warnings():  # it uses its own deprecated class while it is imported
        warnings.filterwarnings("ignore", "Creating .* which inherits from WeightUpdaterBase")
        from torchrl.collectors import Collector
    from torchrl.envs.libs.gym import GymEnv, GymWrapper
    from torchrl.envs.libs.pettingzoo import PettingZooWrapper
    from torchrl.envs.utils import check_env_specs

    return SimpleNamespace(
        Collector=Collector,
        GymEnv=GymEnv,
        GymWrapper=GymWrapper,
        PettingZooWrapper=PettingZooWrapper,
        check_env_specs=check_env_specs,
    )


def clock(observation, env_id: str) -> torch.Tensor:
    """Steps of the episode that are over, of every row."""
    if env_id == "AVDynamicSep-v0":
        return observation["pose"][..., 3].round()
    return (observation["azimuth"][..., 0, 1] * STEPS).round()


@every_task
def test_by_name_with_everything_that_is_observed(rl, env_id):
    env = rl.GymEnv(env_id, **INDICES, **OPTIONS[env_id])
    rl.check_env_specs(env)
    assert env.action_spec.space.n == 4
    sizes = [len(batch_) for batch_ in rl.Collector(env, frames_per_batch=6, total_frames=12)]
    assert sizes == [6, 6]


@every_task
def test_infos_can_be_collected(rl, env_id):
    """All are float32 scalars of one shape and dtype, which is what TorchRL asks for."""
    env = rl.GymWrapper(single(env_id, observations=KEYS[env_id]), **INDICES)
    env.auto_register_info_dict()
    _, info = single(env_id).reset(seed=0)
    assert set(info) <= set(env.rollout(2)["next"].keys())


@every_task
@every_kind
def test_a_batch_that_waits_for_resets(rl, env_id, kind):
    """What TorchRL prefers, and the one way in which the last observations are kept."""
    venv = batch(env_id, kind, "Disabled", observations=KEYS[env_id])
    env = rl.GymWrapper(venv, **INDICES)
    rl.check_env_specs(env)
    collected = env.rollout(2 * STEPS, break_when_any_done=False)
    assert collected.batch_size == (2, 2 * STEPS)
    done = collected["next", "done"][..., 0]
    assert done.nonzero()[:, 1].tolist() == [STEPS - 1, 2 * STEPS - 1] * 2
    times = clock(collected["next"], env_id)
    assert times.tolist() == [[*range(1, STEPS + 1)] * 2] * 2


@every_task
@every_kind
def test_a_batch_that_resets_at_once_loses_its_last_observations(rl, env_id, kind):
    """TorchRL does not find them in `final_obs` where observations are a Dict."""
    venv = batch(env_id, kind, "SameStep", observations=KEYS[env_id])
    collected = rl.GymWrapper(venv, **INDICES).rollout(STEPS, break_when_any_done=False)
    assert collected["next", "done"][:, -1].all()
    assert (clock(collected["next"], env_id)[:, -1] == 0).all()  # of the next episode


@every_kind
def test_a_batch_that_resets_one_step_later_is_refused(rl, kind):
    venv = batch("AVDynamicSep-v0", kind, "NextStep")
    with pytest.raises(RuntimeError, match="must be one of SAME_STEP or DISABLED"):
        rl.GymWrapper(venv, **INDICES)


@pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version:UserWarning")
def test_robots_are_a_group(rl):
    env = rl.PettingZooWrapper(team(), return_state=True, categorical_actions=True)
    rl.check_env_specs(env)
    assert env.group_map == {"robot": ["robot_0", "robot_1"]}
    collected = env.rollout(STEPS)
    assert collected["robot", "observation", "rgb"].shape == (STEPS, 2, 128, 128, 3)
    assert collected["state"].shape == (STEPS, *team().state_space.shape)
    assert collected["next", "robot", "reward"].shape == (STEPS, 2, 1)
    # the mask of the observation is where TorchRL's policies look for it, and is kept to
    assert not collected["robot", "action_mask"][:-1, :, 0].any()
    assert (collected["robot", "action"][:-1] != 0).all()
