"""A run that was interrupted learns to the bit what it would have learned otherwise."""

import os
from functools import partial
from pathlib import Path

import pytest
import torch

from av_envs.agents.ppo.checkpoint import Checkpoint, load_checkpoint
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.plugins import Plugins
from av_envs.agents.ppo.policy import GRUPolicy
from av_envs.agents.ppo.train import load_policy, train
from tests.agents.ppo.small_envs import Counting, counting

CONFIG = PPOConfig(
    updates=5, rollout=4, epochs=2, minibatches=2, checkpoint_every=2, learning_rate=1e-2
)
PLAN = {"lengths": (3, 5), "ends_by": ("terminated", "truncated")}


class Killed(BaseException):
    """Nothing in the program may handle it."""


class Memory(torch.nn.Linear):
    """Something that learns in turn with the policy and draws random numbers."""

    def __init__(self):
        super().__init__(2, 1)
        self.optimiser = torch.optim.Adam(self.parameters())

    def learn(self, rollout, number):
        noise = torch.rand_like(rollout.rewards)
        loss = (self(rollout.features["noise"])[..., 0] - noise).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"memory_loss": loss.item()}


def numbers(update: int) -> dict[str, float]:
    """Validation that draws, too."""
    return {"drawn": torch.rand(1).item()}


def run(
    out: Path, mode: str = "NextStep", resume: bool = False, stop=None, validate=numbers, **options
) -> Path:
    """`stop(update)` may raise."""
    torch.manual_seed(1 if resume else 0)
    memory, policy = Memory(), GRUPolicy(3, 2, hidden=8)

    def after_update(rollout, number):
        scalars = memory.learn(rollout, number)
        if stop is not None:
            stop(number)
        return scalars

    plugins = Plugins(after_update=after_update, at_checkpoint=validate)
    return train(
        counting(4, mode, **PLAN), policy, options.pop("config", CONFIG), plugins,
        **{"agent": "counter", "seed": 7, **options}, out=out, resume=resume,
        kept={"memory": memory, "memory_optimiser": memory.optimiser}, shows_progress=False,
    )  # fmt: skip


def left_by(out: Path) -> Checkpoint:
    return load_checkpoint(out / "checkpoint.pt", "counter")


def flat(value) -> list:
    """All that is in a checkpoint, in its order, but for the seconds."""
    if isinstance(value, dict):
        return [part for key in value for part in (key, *flat(value[key])) if key != "seconds"]
    if isinstance(value, list | tuple):
        return [part for each in value for part in flat(each)]
    return [value.numpy().tobytes() if isinstance(value, torch.Tensor) else value]


def assert_same(one: Path, other: Path) -> None:
    first, second = (vars(left_by(out)) for out in (one, other))
    assert first.pop("seconds") > 0
    assert second.pop("seconds") > 0
    assert flat(first) == flat(second)


def raise_at(moment: int):
    def stop(number):
        if number == moment:
            raise Killed

    return stop


@pytest.fixture(scope="module", params=["NextStep", "SameStep"])
def undisturbed(request, tmp_path_factory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp(request.param)
    assert run(out, request.param) == out / "checkpoint.pt"
    return request.param, out


@pytest.mark.parametrize("moment", range(5), ids=str)
def test_a_killed_run_ends_as_one_that_was_not(tmp_path, undisturbed, moment):
    mode, out = undisturbed
    with pytest.raises(Killed):
        run(tmp_path, mode, stop=raise_at(moment))
    assert left_by(tmp_path).update == moment - moment % 2
    run(tmp_path, mode, resume=True)
    assert_same(tmp_path, out)


@pytest.mark.parametrize("moment", [2, 3, 4], ids=str)
def test_a_kill_while_it_writes_loses_nothing(tmp_path, monkeypatch, undisturbed, moment):
    mode, out = undisturbed
    replace, times = os.replace, []

    def replacing(draft, path):
        times.append(path)
        if len(times) == moment:
            raise Killed
        replace(draft, path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path, mode)
    run(tmp_path, mode, resume=True)
    assert_same(tmp_path, out)


def test_a_finished_run_stays_as_it_is(tmp_path, undisturbed):
    mode, out = undisturbed
    run(tmp_path, mode)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    run(tmp_path, mode, resume=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert_same(tmp_path, out)


def test_who_validates_changes_nothing(tmp_path, undisturbed):
    mode, out = undisturbed
    run(tmp_path, mode, validate=None)
    assert_same(tmp_path, out)


def test_what_is_logged_is_there_once(tmp_path):
    """Also of a run that was killed: what came after its checkpoint is logged again."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(Killed):
        run(tmp_path, stop=raise_at(3))
    run(tmp_path, resume=True)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    logged = [scalar.step for scalar in events.Scalars("memory_loss")]
    assert logged == sorted(set(logged))
    assert len(logged) == CONFIG.updates
    assert logged[-1] == left_by(tmp_path).steps
    assert {"loss", "episode_reward", "steps_per_second", "drawn"} <= set(events.Tags()["scalars"])


def test_steps_are_those_in_which_something_moved(tmp_path):
    rollouts = []
    policy = GRUPolicy(3, 2, hidden=8)
    plugins = Plugins(after_update=lambda rollout, _: rollouts.append(rollout.valid.sum().item()))
    train(
        counting(4, **PLAN), policy, CONFIG, plugins,
        agent="counter", seed=1, out=tmp_path, shows_progress=False,
    )  # fmt: skip
    assert left_by(tmp_path).steps == sum(rollouts) < 4 * 4 * CONFIG.updates


def test_another_seed_is_another_run(tmp_path, undisturbed):
    run(tmp_path, undisturbed[0], seed=8)
    with pytest.raises(AssertionError):
        assert_same(tmp_path, undisturbed[1])


def test_a_loss_that_is_nan_names_the_last_good_checkpoint(tmp_path):
    class Poisoned(Counting):
        def step(self, action):
            observation, reward, *rest = super().step(action)
            return observation, reward if self.episode < 2 else float("nan"), *rest

    from tests.agents.ppo.small_envs import side_by_side

    envs = side_by_side(partial(Poisoned, (6,), ("terminated",)), 2)
    config = PPOConfig(updates=9, rollout=5, epochs=1, checkpoint_every=3)
    words = r"not finite in update 2, epoch 0; the last good checkpoint is .*pt, after 0 updates"
    with pytest.raises(FloatingPointError, match=words):
        train(
            envs, GRUPolicy(3, 2, hidden=8), config,
            agent="counter", seed=1, out=tmp_path, shows_progress=False,
        )  # fmt: skip
    assert all(weight.isfinite().all() for weight in left_by(tmp_path).policy.values())


def test_a_run_is_not_written_over(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match="holds a run already; choose another out or resume it"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 8}, r"other options, which a run keeps: seed 7 \(now 8\)"),
        ({"agent": "walker"}, "is of the agent 'counter', not 'walker'"),
        ({"options": {"size": "paper"}}, r"size None \(now 'paper'\)"),
        ({"config": PPOConfig(updates=6)}, r"updates 5 \(now 6\)"),
    ],
    ids=["seed", "agent", "options", "config"],
)
def test_another_run_is_not_gone_on_with(tmp_path, other, words):
    run(tmp_path)
    with pytest.raises(ValueError, match=words):
        run(tmp_path, resume=True, **other)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        run(tmp_path, resume=True)


def test_weights_of_another_size_are_named(tmp_path):
    path = run(tmp_path)
    with pytest.raises(ValueError, match=r"checkpoint\.pt: its policy does not fit: ") as told:
        load_policy(path, GRUPolicy(3, 2, hidden=16), "counter")
    assert "\n" not in str(told.value)
    policy = GRUPolicy(3, 2, hidden=8)
    load_policy(path, policy, "counter")
    assert torch.equal(policy.actor.weight, left_by(tmp_path).policy["actor.weight"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"seed": -1}, r"seed must be a whole number in 0\.\."),
        ({"config": PPOConfig(minibatches=3)}, "minibatches must divide the 4 environments, got 3"),
    ],
    ids=["seed", "minibatches"],
)
def test_what_cannot_be_leaves_nothing_behind(tmp_path, wrong, words):
    with pytest.raises(ValueError, match=words):
        run(tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()
