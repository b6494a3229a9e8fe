"""What a policy says about a sequence is what it says about one step after the other."""

import pytest
import torch

from av_envs.agents.ppo.policy import GRUCore, GRUPolicy, MLPPolicy

T, N, SIZE = 9, 4, 3


def some_steps(chance: float) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    torch.manual_seed(1)
    features = {"b": torch.randn(T, N, 2), "a": torch.randn(T, N, 1, 1)}
    return features, torch.rand(T, N) < chance


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0], ids=["one episode", "some", "single steps"])
@pytest.mark.parametrize("make", [MLPPolicy, GRUPolicy], ids=["mlp", "gru"])
def test_a_sequence_is_its_steps(make, chance):
    features, starts = some_steps(chance)
    policy = make(SIZE, 2, hidden=8)
    first = policy.initial_state(N) + 0.5
    whole, state = policy(features, first, starts), first
    for t in range(T):
        one = {name: values[t : t + 1] for name, values in features.items()}
        step = policy(one, state, starts[t : t + 1])
        torch.testing.assert_close(step.logits[0], whole.logits[t])
        torch.testing.assert_close(step.values[0], whole.values[t])
        state = step.state
    torch.testing.assert_close(state, whole.state)
    assert whole.logits.shape == (T, N, 2)
    assert whole.values.shape == (T, N)


def test_an_episode_remembers_nothing_of_the_one_before():
    core, inputs = GRUCore(SIZE, 5), torch.randn(6, 1, SIZE)
    starts = torch.tensor([False] * 3 + [True] + [False] * 2)[:, None]
    outputs, _ = core(inputs, torch.randn(1, 5), starts)
    alone, _ = core(inputs[3:], core.initial_state(1), torch.zeros(3, 1, dtype=torch.bool))
    torch.testing.assert_close(outputs[3:], alone)


def test_gradients_stop_at_the_start_of_an_episode():
    core = GRUCore(SIZE, 5)
    inputs = torch.randn(4, 2, SIZE, requires_grad=True)
    starts = torch.zeros(4, 2, dtype=torch.bool)
    starts[2, 0] = True
    core(inputs, core.initial_state(2), starts)[0][3].sum().backward()
    reached = inputs.grad.abs().sum(-1) > 0
    assert reached.T.tolist() == [[False, False, True, True], [True] * 4]


@pytest.mark.parametrize("make", [MLPPolicy, GRUPolicy], ids=["mlp", "gru"])
def test_an_untrained_policy_has_no_preference(make):
    features, starts = some_steps(0.0)
    policy = make(SIZE, 4)
    logits = policy(features, policy.initial_state(N), starts).logits
    assert (logits.softmax(-1) - 0.25).abs().max() < 0.02
