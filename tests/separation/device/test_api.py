"""What `device=` takes, refuses and returns, and that the host never waits for the device."""

import json
import os
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

import av_envs  # noqa: F401  (registers the suite)
from av_envs.separation.device import validation
from av_envs.separation.device.vector import DeviceSeparationVectorEnv
from av_envs.separation.env import SeparationEnv
from av_envs.separation.vector import SeparationVectorEnv

LIGHT = {"houses": 2, "observations": ["pose", "target"]}
DEVICE = os.environ.get("AV_ENVS_TEST_DEVICE", "cpu")  # where all of this is tried


@pytest.fixture
def envs():
    made = []

    def make(num_envs=2, **options):
        options = {"device": DEVICE, **LIGHT, **options}
        made.append(gym.make_vec("AVDynamicSep-v0", num_envs, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_all_that_is_returned_is_on_the_device(envs):
    batch = envs(3)
    observations, infos = batch.reset(seed=0)
    stepped = batch.step(torch.tensor([0, 1, 3]))
    for values in (observations, infos, stepped[0], stepped[4]):
        for value in values.values():
            assert isinstance(value, torch.Tensor)
            assert len(value) == 3
    assert [value.dtype for value in stepped[1:4]] == [torch.float32, torch.bool, torch.bool]
    arrays = batch.unwrapped.observation_numpy(observations)
    assert arrays in batch.observation_space
    again = batch.step(np.array([2, 2, 2]))
    assert again[0]["pose"].data_ptr() != stepped[0]["pose"].data_ptr()


def test_spaces_and_mode_are_those_of_the_cpu(envs):
    ours = envs(4, autoreset_mode="SameStep")
    theirs = SeparationVectorEnv(4, autoreset_mode="SameStep", **LIGHT)
    for name in ("observation_space", "single_observation_space", "action_space"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.single_action_space == theirs.single_action_space
    assert ours.metadata["autoreset_mode"] is ours.autoreset_mode is AutoresetMode.SAME_STEP


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_step_reads_nothing_back(mode, monkeypatch):
    """On a device without any values everything works, so that no value is ever looked at."""
    monkeypatch.setitem(validation.CHUNKS, "meta", 2)
    everything = ["rgb", "depth", "mixture", "target", "pose", "waveform"]
    batch = DeviceSeparationVectorEnv(
        3, device="meta", houses=2, steps=2, observations=everything, autoreset_mode=mode
    )
    batch.reset(seed=0)
    for step in range(3):
        actions = torch.zeros(3, dtype=torch.int64, device="meta")
        observations, *others, infos = batch.step(actions)
        if mode == "Disabled" and step == 1:
            batch.reset(options={"reset_mask": np.ones(3, bool)})
    batch.close()
    for value in (*observations.values(), *others):
        assert value.device.type == "meta"
    assert infos["si_sdr_gain"].device.type == "meta"
    assert set(observations) == set(everything)


def test_the_random_numbers_are_those_of_single_environments(envs):
    """Although the next episodes are drawn before."""
    batch = envs(2)
    batch.reset(seed=[8, 5])
    for i, seed in enumerate([8, 5]):
        single = SeparationEnv(**LIGHT)
        single.reset(seed=seed)
        assert batch.unwrapped.np_random[i].bit_generator.state == (
            single.np_random.bit_generator.state
        )
    assert batch.unwrapped.np_random_seed == (8, 5)


def test_houses_can_be_chosen_and_only_some_begin_again(envs):
    ours = envs(3, autoreset_mode="Disabled", numpy=True, observations=["pose", "waveform"])
    theirs = SeparationVectorEnv(
        3, autoreset_mode="Disabled", houses=2, observations=["pose", "waveform"]
    )
    for batch in (ours, theirs):
        batch.reset(seed=1)
        batch.step([1, 1, 1])
    mask = np.array([False, True, False])
    options = {"reset_mask": mask, "house": 1}
    (seen, told), (saw, knew) = (batch.reset(options=dict(options)) for batch in (ours, theirs))
    np.testing.assert_array_equal(seen["pose"], saw["pose"])
    np.testing.assert_allclose(seen["waveform"], saw["waveform"], atol=1e-5)
    np.testing.assert_array_equal(told["house"], knew["house"])
    assert told["_house"].tolist() == mask.tolist()
    after = [batch.step([0, 0, 0]) for batch in (ours, theirs)]
    np.testing.assert_array_equal(after[0][0]["pose"], after[1][0]["pose"])


def test_trainers_get_the_dry_target(envs):
    batch = envs(2, dynamic=False, reward="neg_nmse")
    batch.reset(seed=4)
    batch.step([3, 3])
    single = SeparationEnv(dynamic=False, reward="neg_nmse", **LIGHT)
    single.reset(seed=4)
    single.step(3)
    heard = batch.unwrapped.target_second().cpu()
    assert heard.shape == (2, 16000)
    np.testing.assert_array_equal(heard[0], single.target_second())


def test_without_its_reward_no_start_is_compared(envs):
    _, infos = envs(1, reward="neg_nmse").reset(seed=0)
    assert "si_sdr_gain" not in infos


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"estimator": "agent"}, "estimator='agent' is not available .* must be 'mixture'"),
        ({"noise_snr_db": 20}, "noise_snr_db=20 .* must be None"),
        ({"acoustics": "torch:zeros"}, "acoustics='torch:zeros' .* must be 'traced'"),
        ({"render_mode": "rgb_array"}, "render_mode='rgb_array' .* must be None"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"device": "meta"}, "cuda or cpu"),
        ({"chunk": 0}, "chunk must be a whole number from 1 on, got 0"),
        ({"memory_gb": -1}, "memory_gb must be a positive number of GB, got -1"),
        ({"memory_gb": 10**400}, "memory_gb must be a positive number of GB, got 1000"),
        ({"memory_gb": 1e-6}, "memory_gb=1e-06 is less than a page"),
        ({"num_envs": 0}, "num_envs"),
        ({"reward": "money"}, "si_sdr_gain"),
    ],
)
def test_wrong_choices_are_named(options, names):
    with pytest.raises(ValueError, match=names):
        DeviceSeparationVectorEnv(**{"device": "cpu", **options})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named():
    with pytest.raises(ValueError, match="finds no GPU"):
        DeviceSeparationVectorEnv(device="cuda")


def test_options_of_a_device_need_one():
    with pytest.raises(TypeError, match="unknown option 'memory_gb'"):
        gym.make_vec("AVDynamicSep-v0", 2, memory_gb=1)
    with pytest.raises(TypeError, match="unknown option 'colour'"):
        DeviceSeparationVectorEnv(device="cpu", colour="red")


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        ([0, 4], "0 forward, 1 left, 2 right, 3 stay; got 4"),
        (torch.tensor([0, -1]), "got -1"),
        ([0.0, 1.0], "integers, got shape .* float64"),
        (torch.tensor([0, 1, 2]), r"got shape \(3,\)"),
        ([True, False], "bool"),
    ],
)
def test_wrong_actions_are_named_and_change_nothing(envs, actions, names):
    batch, other = envs(2), envs(2)
    for one in (batch, other):
        one.reset(seed=0)
    with pytest.raises(ValueError, match=names):
        batch.step(actions)
    ours, theirs = batch.step([0, 1]), other.step([0, 1])
    assert torch.equal(ours[0]["pose"], theirs[0]["pose"])


def test_nothing_is_stepped_that_needs_a_reset(envs):
    batch = envs(2, steps=1, autoreset_mode="Disabled")
    with pytest.raises(ResetNeeded, match="before the first step"):
        batch.step([0, 0])
    batch.reset(seed=0)
    batch.step([0, 0])
    with pytest.raises(ResetNeeded, match=r"\[0, 1\] are over"):
        batch.step([0, 0])


def test_the_spec_survives_json_and_pickle(envs):
    batch = envs(2)
    expected, _ = batch.reset(seed=4)
    assert json.loads(batch.spec.to_json())["kwargs"]["device"] == DEVICE
    for spec in (EnvSpec.from_json(batch.spec.to_json()), pickle.loads(pickle.dumps(batch.spec))):
        remade = gym.make_vec(spec)
        assert torch.equal(remade.reset(seed=4)[0]["pose"], expected["pose"])
        remade.close()


def test_without_torch_the_extra_is_named():
    code = (
        "import sys, gymnasium, av_envs\n"
        "class NoTorch:\n"
        "    def find_spec(name, path, target=None):\n"
        "        if name == 'torch': raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, NoTorch)\n"
        "try: gymnasium.make_vec('AVDynamicSep-v0', 2, device='cuda')\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "device='cuda' needs torch: pip install -e '.[agents]'"
