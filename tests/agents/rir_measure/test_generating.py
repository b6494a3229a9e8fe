"""What is remembered of a rollout, and who learns from what."""

import pytest
import torch

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.losses import log_prob
from av_envs.agents.ppo.rollout import Rollout
from av_envs.agents.ppo.update import PPO
from av_envs.agents.rir_measure import generating
from av_envs.agents.rir_measure.generating import (
    TRUTH,
    Batch,
    GeneratorTraining,
    LearnsFromRollouts,
    batch_at,
    remembered_rows,
)
from av_envs.agents.rir_measure.senses import OF_ACTING, Recent, ends_of, pairs_of
from av_envs.rir_measure.config import MeasureConfig
from tests.agents.rir_measure.small_teams import features, small_team

T, N = 9, 3
PAIRS = pairs_of(MeasureConfig())


def starts() -> torch.Tensor:
    """The first team begins with the rollout, the others in the middle of it, or before."""
    begins = torch.zeros(T, N, dtype=torch.bool)
    begins[0, 0] = begins[5, 0] = begins[1, 1] = True
    return begins


def rollout(networks) -> Rollout:
    seen, policy = features(T, N), networks.policy
    with torch.no_grad():
        output = policy(seen, policy.initial_state(N), starts())
    moves = torch.ones(T, N, 2, dtype=torch.int64)
    ends, zeros = torch.zeros(T, N, dtype=torch.bool), torch.zeros(T, N, 2)
    torch.manual_seed(5)
    return Rollout(
        features=seen,
        labels={TRUTH: 0.01 * torch.randn(T, N, 2, 2, 16000).half()},
        actions=moves,
        log_probs=log_prob(output.logits, moves),
        values=output.values,
        rewards=torch.randn(T, N, 2),
        starts=starts(),
        dones=ends,
        final_values=zeros,
        valid=~ends,
        last_value=zeros[0],
        state=policy.initial_state(N),
    )


@pytest.mark.parametrize("moments", [1, 2, 3])
def test_a_rollout_remembers_what_was_seen_while_playing(moments):
    made, recent = rollout(small_team()), Recent(moments)
    played = [
        recent.add({key: value[t] for key, value in made.features.items()}, made.starts[t])
        for t in range(T)
    ]
    rows = remembered_rows(made.starts, made.valid, moments)
    batch = batch_at(made, rows, moments)
    for k, (step, team) in enumerate(rows.tolist()):
        for key, value in batch.moments.items():
            assert torch.equal(value[k], played[step][key][team])
        assert torch.equal(batch.rirs[k], made.labels[TRUTH][step, team])
    known = {tuple(row) for row in rows.tolist()}
    lost = {(t, n) for t in range(T) for n in range(N)} - known
    assert lost == {(t, 2) for t in range(moments - 1)} | ({(0, 1)} if moments > 1 else set())


def test_invalid_steps_are_not_learned_from():
    valid = torch.ones(T, N, dtype=torch.bool)
    valid[4, 1] = False
    assert [4, 1] not in remembered_rows(starts(), valid, 1).tolist()


def test_the_oldest_moment_counts_again_at_a_start():
    recent = Recent(3)
    seen = features(2)
    first = recent.add(seen, torch.tensor([True, True]))
    assert all(torch.equal(value[:, 0], value[:, k]) for value in first.values() for k in (1, 2))
    later = features(2, seed=1)
    second = recent.add(later, torch.tensor([False, True]))["position"]
    assert torch.equal(second[0, 1], seen["position"][0])
    assert torch.equal(second[1, 1], later["position"][1])
    assert not first.keys() & {*OF_ACTING}


def test_emitters_come_first():
    assert PAIRS.tolist() == [[0, 1], [1, 0]]
    assert pairs_of(MeasureConfig(directions="forward")).tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="there are 1 fixed_sources and 0 fixed_receivers"):
        pairs_of(MeasureConfig(fixed_sources=1))
    seen = features(3, 2)
    ends = ends_of(seen, PAIRS)["position"]
    assert ends.shape == (6, 2, 2, 3)
    assert torch.equal(ends[0], seen["position"][0])
    assert torch.equal(ends[1], seen["position"][0].flip(1))
    assert torch.equal(ends[4], seen["position"][2])


def copied(module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in module.parameters()]


def test_policy_and_generator_learn_from_their_own_losses_alone():
    networks = small_team("macmara")
    made, config = rollout(networks), PPOConfig(learning_rate=0.01)
    policy, generator = copied(networks.policy), copied(networks.generator)
    PPO(networks.policy, config).update(made, 0)
    assert all(weight.grad is None for weight in networks.generator.parameters())
    assert all(map(torch.equal, networks.generator.parameters(), generator))
    assert not any(map(torch.equal, networks.policy.networks[0].parameters(), policy[:3]))

    after = copied(networks.policy)
    for weight in networks.policy.parameters():
        weight.grad = None
    training = GeneratorTraining(networks.generator, PAIRS, 0.5, 0.01)
    LearnsFromRollouts(training, config, steps=1, teams=4)(made, 0)
    assert all(weight.grad is None for weight in networks.policy.parameters())
    assert all(map(torch.equal, networks.policy.parameters(), after))
    assert not all(map(torch.equal, networks.generator.parameters(), generator))


def test_parts_of_a_batch_add_up(monkeypatch):
    seen = features(5, 2)
    batch = Batch(
        {k: v for k, v in seen.items() if k not in OF_ACTING}, torch.randn(5, 2, 2, 16000)
    )
    steps = []
    for at_once in (32, 2):
        monkeypatch.setattr(generating, "teams_at_once", {torch.device("cpu"): at_once}.get)
        networks = small_team()
        loss = GeneratorTraining(networks.generator, PAIRS, 1.0, 1e-3).step(batch, 1e-3, "")
        gradient = [weight.grad.clone() for weight in networks.generator.parameters()]
        steps.append((loss, gradient))
    assert steps[0][0] == pytest.approx(steps[1][0], rel=1e-5)
    for one, other in zip(steps[0][1], steps[1][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_what_is_no_number_is_named():
    seen = features(1, 2)
    rirs = torch.full((1, 2, 2, 16000), float("nan"))
    batch = Batch({k: v for k, v in seen.items() if k not in OF_ACTING}, rirs)
    with pytest.raises(FloatingPointError, match=r"of update 7 is not finite"):
        GeneratorTraining(small_team().generator, PAIRS, 1.0, 1e-3).step(batch, 1e-3, "of update 7")


def test_it_learns_one_response_by_heart():
    torch.manual_seed(0)
    seen = features(1, 2)
    rirs = 0.02 * torch.randn(1, 2, 2, 128).repeat(1, 1, 1, 125)
    batch = Batch({k: v for k, v in seen.items() if k not in OF_ACTING}, rirs)
    training = GeneratorTraining(small_team().generator, PAIRS, 1.0, 0.01)
    losses = [training.step(batch, 0.02, "") for _ in range(80)]
    assert losses[-1] < 0.5 * losses[0]
