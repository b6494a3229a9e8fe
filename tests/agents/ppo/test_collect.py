"""The three ways in which episodes begin give the same steps to learn from."""

import numpy as np
import pytest
import torch

from av_envs.agents.ppo.collect import Collector, rows_of
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.losses import gae
from av_envs.agents.ppo.plugins import Plugins
from av_envs.agents.ppo.policy import GRUPolicy
from tests.agents.ppo.small_envs import counting

CPU = torch.device("cpu")
MODES = ("NextStep", "SameStep", "Disabled")
PLAN = {"lengths": (3, 2, 4), "ends_by": ("truncated", "terminated", "truncated")}


def collector(mode="NextStep", plugins=Plugins(), count=2, **options) -> Collector:  # noqa: B008
    config = PPOConfig(**{"rollout": 13, **options})
    torch.manual_seed(2)
    policy = GRUPolicy(3, 2, hidden=8)
    made = Collector(counting(count, mode, **PLAN), policy, config, plugins, CPU)
    made.reset(range(5, 5 + count))
    return made


def steps_of(rollout, env: int) -> dict[str, torch.Tensor]:
    """What is learned from the first nine steps, three episodes, of an environment."""
    advantages = gae(
        rollout.rewards, rollout.values, rollout.dones, rollout.last_value, 0.9, 0.8,
        rollout.final_values,
    )  # fmt: skip
    kept = {
        **{name: rollout.features[name] for name in ("noise", "step")},
        **{name: getattr(rollout, name) for name in ("values", "rewards", "starts", "dones")},
        **{"final_values": rollout.final_values, "advantages": advantages},
    }
    valid = rollout.valid[:, env]
    return {name: tensor[:, env][valid][:9] for name, tensor in kept.items()}


@pytest.mark.parametrize("truncation", ["bootstrap", "terminal"])
def test_all_modes_give_the_same_steps(truncation):
    found = [steps_of(collector(mode, truncation=truncation).collect(), 1) for mode in MODES]
    for other in found[1:]:
        for name, tensor in found[0].items():
            torch.testing.assert_close(other[name], tensor, msg=name)
    lasts = [2, 4, 8]
    assert found[0]["dones"].nonzero().flatten().tolist() == lasts
    assert found[0]["starts"].nonzero().flatten().tolist() == [0, 3, 5]
    worth = found[0]["final_values"].nonzero().flatten().tolist()
    assert worth == ([2, 8] if truncation == "bootstrap" else [])


def test_the_value_of_the_last_observation_is_that_of_the_whole_episode():
    """By hand: the policy over the four observations of an episode of three steps."""
    made = collector("SameStep")
    rollout = made.collect()
    env = counting(1, "Disabled", **PLAN)
    observations = [env.reset(seed=[5])[0], *(env.step(np.array([0]))[0] for _ in range(3))]
    features = {k: torch.as_tensor(np.stack([o[k] for o in observations])) for k in env.envs[0]
                .observation_space}  # fmt: skip
    starts = torch.tensor([[True], [False], [False], [False]])
    values = made.policy(features, made.policy.initial_state(1), starts).values[:, 0]
    torch.testing.assert_close(rollout.values[:3, 0], values[:3].detach())
    torch.testing.assert_close(rollout.final_values[2, 0], values[3].detach())


def test_only_steps_that_begin_an_episode_do_not_count():
    rollout = collector("NextStep").collect()
    assert (~rollout.valid[:, 0]).nonzero().flatten().tolist() == [3, 6, 11]
    assert rollout.rewards[3, 0] == 0
    assert collector("SameStep").collect().valid.all()


@pytest.mark.parametrize("mode", MODES)
def test_episodes_are_added_up(mode):
    made = collector(mode)
    rollout = made.collect()
    count, rewards, steps = made.episodes.tolist()
    assert (count, steps) == ((6, 18) if mode == "NextStep" else (8, 24))
    last = rollout.dones.nonzero()[-1, 0] + 1
    assert rewards == pytest.approx(rollout.rewards[:last].sum().item(), abs=1e-5)
    made.collect()
    assert made.episodes[0] in (6, 8)


@pytest.mark.parametrize("mode", MODES)
def test_it_plays_on_where_it_stopped(mode):
    """Two short rollouts are one long one, and a rollout that is cut short loses nothing."""
    torch.manual_seed(0)
    whole = collector(mode, rollout=8)
    torch.manual_seed(0)
    once = whole.collect()
    parts = collector(mode, rollout=6)
    torch.manual_seed(0)
    seen = []
    for stop in (3, 5):
        rollout = parts.collect(lambda t, stop=stop: t == stop)
        assert rollout.actions.shape == (stop, 2)
        seen.append((rollout.rewards.clone(), rollout.starts.clone(), rollout.values.clone()))
    rewards, starts, values = (torch.cat(part) for part in zip(*seen, strict=True))
    assert torch.equal(rewards, once.rewards)
    assert torch.equal(starts, once.starts)
    torch.testing.assert_close(values, once.values)


@pytest.mark.parametrize("mode", MODES)
def test_labels_belong_to_the_observation_beside_them(mode):
    def label(observation, infos):
        return {
            "told": torch.as_tensor(infos["told"]),
            "step": torch.as_tensor(observation["step"]),
        }

    rollout = collector(mode, Plugins(label=label)).collect()
    assert torch.equal(rollout.labels["step"], rollout.features["step"])
    assert torch.equal(rollout.labels["told"].float(), rollout.features["step"][..., 0])


def test_moves_are_answered():
    answered = []

    def answer(moves):
        answered.append(moves.clone())
        return (moves % 2).numpy()

    rollout = collector(plugins=Plugins(answer=answer)).collect()
    assert torch.equal(torch.stack(answered), rollout.actions)


def observation_of(observation) -> dict[str, torch.Tensor]:
    return {"step": torch.as_tensor(observation["step"])}


class Sum:
    """A `perceive` that adds the noise of an episode up."""

    def __call__(self, observation, starts):
        noise = torch.as_tensor(observation["noise"])
        before = torch.zeros_like(noise) if starts.all() else self.sum
        self.sum = before.masked_fill(starts[:, None], 0.0) + noise
        return {"sum": self.sum, **observation_of(observation)}


class PeekingSum(Sum):
    def peek(self, observation, rows):
        sums = self.sum[torch.as_tensor(rows)] + torch.as_tensor(observation["noise"])
        return {"sum": sums, **observation_of(observation)}


def test_what_remembers_peeks_at_the_last_observation():
    made = [collector(mode, Plugins(perceive=PeekingSum())).collect() for mode in MODES]
    for other in made[1:]:
        for env in range(2):
            one, two = (r.final_values[:, env][r.valid[:, env]][:9] for r in (made[0], other))
            torch.testing.assert_close(one, two)


def test_what_remembers_and_cannot_peek_is_refused_where_it_matters():
    plugins = Plugins(perceive=Sum())
    with pytest.raises(ValueError, match=r"Sum without peek.*autoreset SameStep.*'terminal'"):
        collector("SameStep", plugins)
    collector("NextStep", plugins).collect()
    collector("SameStep", plugins, truncation="terminal").collect()


def test_rows_of_every_kind_of_observation():
    rows, array = np.array([2, 0]), np.arange(3)
    objects = np.full(3, None, object)
    for i in (0, 2):
        objects[i] = {"a": np.array([i])}
    assert rows_of(array, rows).tolist() == [2, 0]
    assert rows_of({"a": torch.arange(3)}, rows)["a"].tolist() == [2, 0]
    assert rows_of(objects, rows)["a"].tolist() == [[2], [0]]
    objects[0], objects[2] = np.array([0]), np.array([2])
    assert rows_of(objects, rows).tolist() == [[2], [0]]


def test_an_environment_that_tells_no_mode_is_named():
    envs = counting(1)
    envs.metadata = {}
    with pytest.raises(ValueError, match=r"SyncVectorEnv has no metadata\['autoreset_mode'\]"):
        Collector(envs, GRUPolicy(3, 2), PPOConfig(), Plugins(), CPU)


def test_weights_that_are_nan_stop_the_play():
    made = collector()
    torch.nn.init.constant_(made.policy.actor.bias, float("nan"))
    with pytest.raises(FloatingPointError, match="logits are nan"):
        made.collect()
