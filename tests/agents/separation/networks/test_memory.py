"""What a memory may look at, and which slots are supervised."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from av_envs.agents.separation.networks.memory import (
    PRESETS,
    MemoryConfig,
    RecurrentRefiner,
    TransformerMemory,
    log_nmse,
    memory_loss,
    supervised_slots,
    time_code,
)

TINY = MemoryConfig(channels=1, layers=2, heads=2, hidden=16)
FORMS = {
    "direct": TINY,
    "residual": replace(TINY, output="residual"),
    "causal": replace(TINY, causal=True),
    "polished": replace(TINY, output="residual", polish=3),
}
each_form = pytest.mark.parametrize("form", FORMS)


def n_weights(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def memory_of(form: str) -> TransformerMemory:
    torch.manual_seed(0)
    memory = TransformerMemory(FORMS[form]).eval()
    if form == "residual":  # as if trained
        torch.nn.init.normal_(memory.grow[1].weight, std=0.3)
    if form == "polished":
        torch.nn.init.normal_(memory.polish[-1].weight, std=0.3)
    return memory


def slots(rows: int = 2, length: int = 5):
    """Estimates, steps and valid of full memories."""
    estimates = torch.rand(rows, length, 512, 32, generator=torch.Generator().manual_seed(1))
    steps = torch.arange(length).repeat(rows, 1)
    return estimates, steps, torch.ones(rows, length, dtype=torch.bool)


def changed_slots(before: torch.Tensor, after: torch.Tensor) -> list[list[bool]]:
    return ((before - after).abs() > 1e-6).flatten(2).any(dim=2).tolist()


def test_has_the_weights_of_the_paper():
    """Four projections, two layers of 1024 and two norms a layer; k2 convolutions of an item."""
    layer = 4 * (1024 * 1024 + 1024) + 2 * (1024 * 1024 + 1024) + 2 * 2 * 1024
    transformer = 2 * layer + 2 * 1024
    item = 2 * (16 * 16 * 4 + 16) + (16 * 16 * 4 + 16) + (32 * 16 * 4 + 16)
    memory = TransformerMemory()
    assert n_weights(memory.transformer) == transformer == 12_605_440
    assert n_weights(memory) == transformer + item == 12_610_624
    assert round(n_weights(memory) / 1e6, 1) == 12.6


def test_the_small_one_and_the_recurrent_one():
    assert n_weights(TransformerMemory(PRESETS["small"])) == 806_860
    convolutions = 32 * 32 * 9 + 32 * 16 * 9 + 16
    assert n_weights(RecurrentRefiner()) == convolutions == 13_840


@each_form
def test_what_is_stored_changes_what_is_said_now(form):
    memory, (estimates, steps, valid) = memory_of(form), slots()
    before = memory(estimates, steps, valid)
    assert before.shape == estimates.shape
    other = estimates.clone()
    other[0, 1] *= 2
    after = changed_slots(before, memory(other, steps, valid))
    seen_by = [False, True, True, True, True] if form == "causal" else [True] * 5
    assert after == [seen_by, [False] * 5]  # and nothing in the other episode


@each_form
def test_masking_an_item_concerns_its_own_episode_only(form):
    memory, (estimates, steps, valid) = memory_of(form), slots()
    before = memory(estimates, steps, valid)
    valid[0, 1] = False
    after = memory(estimates, steps, valid)
    assert changed_slots(before, after)[0][-1]
    assert torch.equal(after[1], before[1])
    assert not after[0, 1].any()


@each_form
def test_padding_does_not_matter(form):
    """Memories of three and five items together say what each says alone, without its padding."""
    memory, (estimates, steps, valid) = memory_of(form), slots()
    valid[0, 3:] = False
    steps[0, 3:] = 17
    estimates[0, 3:] = torch.nan
    together = memory(estimates, steps, valid)
    alone = memory(estimates[:1, :3], steps[:1, :3], valid[:1, :3])
    torch.testing.assert_close(together[0, :3], alone[0])
    assert not together[0, 3:].any()
    torch.testing.assert_close(together[1:], memory(estimates[1:], steps[1:], valid[1:]))


@each_form
def test_the_order_of_slots_does_not_matter_but_their_steps_do(form):
    memory, (estimates, steps, valid) = memory_of(form), slots()
    before = memory(estimates, steps, valid)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(
        memory(estimates[:, order], steps[:, order], valid), before[:, order]
    )
    assert changed_slots(before, memory(estimates, 2 * steps, valid))[0][-1]


def test_a_causal_pass_over_an_episode_is_one_pass_a_step():
    memory, (estimates, steps, valid) = memory_of("causal"), slots()
    whole = memory(estimates, steps, valid)
    for now in range(5):
        seen = valid & (steps <= now)
        torch.testing.assert_close(memory(estimates, steps, seen)[:, now], whole[:, now])


@each_form
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_an_empty_memory_is_silent_and_harmless(form, mode):
    memory, (estimates, steps, valid) = memory_of(form), slots()
    memory.train(mode == "train")
    valid[0] = False
    refined = memory(estimates, steps, valid)
    assert not refined[0].any()
    refined.square().mean().backward()
    assert all(weights.grad.isfinite().all() for weights in memory.parameters())


@each_form
def test_says_the_same_in_training_and_without_gradients(form):
    memory, (estimates, steps, valid) = memory_of(form), slots()
    valid[0, 3:] = False
    expected = memory.train()(estimates, steps, valid)
    with torch.no_grad():
        torch.testing.assert_close(memory.eval()(estimates, steps, valid), expected)


@pytest.mark.parametrize("form", ["residual", "polished"])
def test_a_residual_memory_starts_as_the_estimate_itself(form):
    memory, (estimates, steps, valid) = TransformerMemory(FORMS[form]), slots()
    assert torch.equal(memory(estimates, steps, valid), estimates)


def test_polish_sees_the_estimate_beside_the_item_and_its_neighbours():
    """What an item leaves out, a bin of its own and the frames beside it, is not lost."""
    memory = memory_of("polished")
    torch.nn.init.zeros_(memory.grow[1].weight)  # the item says nothing of the estimate
    estimates, steps, valid = slots(1, 1)
    louder = estimates.clone()
    louder[0, 0, 100, 16] += 5.0
    moved = (memory(louder, steps, valid) - memory(estimates, steps, valid))[0, 0].abs() > 1e-6
    frames = moved.any(dim=0).nonzero().flatten().tolist()
    assert frames == list(range(14, 19))  # two convolutions of three frames


def test_the_code_of_time_is_cosines_and_sines():
    code = time_code(torch.tensor([[0, 7]]), 1024)
    assert code.shape == (1, 2, 1024)
    assert torch.equal(code[0, 0], torch.tensor([1.0, 0.0]).repeat(512))
    turn = torch.tensor(7 * 1e-4 ** (2 * 100 / 1024))
    torch.testing.assert_close(code[0, 1, 200:202], torch.stack([turn.cos(), turn.sin()]))


def test_the_recurrent_refiner_hears_both_and_knows_its_bands():
    torch.manual_seed(0)
    refiner, estimate, previous = RecurrentRefiner(), torch.rand(2, 512, 32), torch.rand(2, 512, 32)
    refined = refiner(estimate, previous)
    assert refined.shape == (2, 512, 32)
    assert not torch.equal(refined, refiner(estimate, 2 * previous))
    assert not torch.equal(refined, refiner(2 * estimate, previous))
    planes = torch.cat([estimate.reshape(2, 16, 32, 32), previous.reshape(2, 16, 32, 32)], dim=1)
    by_hand = refiner.second(refiner.first(planes).relu()).reshape(2, 512, 32)
    torch.testing.assert_close(refined, by_hand)


def test_a_decibel_is_a_decibel():
    """Errors of a tenth and of a thousandth of the power of a target, and no error at all."""
    targets = torch.full((1, 3, 512, 32), 1.2)
    errors = 1.2 * torch.tensor([0.1, 0.001, 0.0]).sqrt()
    found = log_nmse(targets + errors[None, :, None, None], targets)
    expected = torch.tensor([[0.1, 0.001, 0.0]]).add(1e-4).log10()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    steps, valid = torch.arange(3)[None], torch.tensor([[True, True, False]])
    loss = memory_loss(
        targets + errors[None, :, None, None], targets, steps, valid, 14, distance="log_nmse"
    )
    torch.testing.assert_close(loss, expected[0, :2].mean(), atol=1e-4, rtol=0)


def test_a_residual_recurrent_refiner_changes_nothing_at_first():
    refiner, estimate = RecurrentRefiner(residual=True), torch.rand(2, 512, 32)
    assert torch.equal(refiner(estimate, estimate), estimate)
    nn.init.ones_(refiner.second.bias)
    torch.testing.assert_close(refiner(estimate, estimate), estimate + 1)


@pytest.mark.parametrize(
    ("now", "look_back", "expected"),
    [(19, 14, range(5, 20)), (3, 14, range(4)), (10, 0, [10]), (10, 4, range(6, 11))],
    ids=["full", "early", "single step", "four"],
)
def test_supervises_the_current_slot_and_the_most_recent_ones(now, look_back, expected):
    steps = torch.arange(20)[None]
    supervised = supervised_slots(steps, steps <= now, look_back)[0]
    assert supervised.nonzero().flatten().tolist() == list(expected)


def test_loss_is_the_mean_error_of_supervised_slots():
    _, steps, valid = slots(2, 4)
    valid[1, 2:] = False  # at step 1, the other at step 3
    targets = torch.rand(2, 4, 512, 32)
    errors = torch.tensor([[100.0, 100.0, 1.0, -2.0], [3.0, 4.0, 100.0, 100.0]])
    refined = targets + errors[..., None, None]
    loss = memory_loss(refined, targets, steps, valid, look_back=1)
    assert loss.item() == pytest.approx((1 + 2 + 3 + 4) / 4, rel=1e-5)
    paper = memory_loss(refined, targets, steps, valid, look_back=1, average_over=40)
    assert paper.item() == pytest.approx((1 + 2 + 3 + 4) / (2 * 40), rel=1e-5)


def test_loss_reads_nothing_from_slots_that_it_does_not_supervise():
    _, steps, valid = slots(1, 3)
    valid[0, 2] = False
    targets = torch.zeros(1, 3, 512, 32)
    refined = torch.ones_like(targets)
    refined[0, 2], targets[0, 2] = torch.nan, torch.inf
    refined.requires_grad_()
    loss = memory_loss(refined, targets, steps, valid, look_back=0)
    loss.backward()
    assert loss.item() == 1
    assert refined.grad[0, 1].sum().item() == pytest.approx(1)
    assert not refined.grad[0, [0, 2]].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 7}, "items of 1024 numbers do not split into 7 heads"),
        ({"layers": 0}, "layers must be at least 1; got 0"),
        ({"output": "mask"}, "output must be one of direct, residual; got 'mask'"),
    ],
    ids=["heads", "layers", "output"],
)
def test_refuses_forms_that_do_not_exist(options, message):
    with pytest.raises(ValueError, match=message):
        MemoryConfig(**options)


def test_refuses_slots_that_do_not_fit():
    memory, (estimates, steps, valid) = memory_of("direct"), slots()
    with pytest.raises(ValueError, match=r"spectrograms \(B, T, 512, 32\).*\(2, 5, 256, 32\)"):
        memory(estimates[:, :, :256], steps, valid)
    with pytest.raises(ValueError, match=r"valid must be \(2, 5\) bool; got \(2, 4\)"):
        memory(estimates, steps, valid[:, :4])
    with pytest.raises(ValueError, match=r"bool; got .*int64"):
        memory(estimates, steps, valid.long())
    with pytest.raises(ValueError, match=r"previous must be \(2, 512, 32\)"):
        RecurrentRefiner()(estimates[:, 0], estimates[:1, 0])
    with pytest.raises(ValueError, match="look_back must be at least 0; got -1"):
        memory_loss(estimates, estimates, steps, valid, -1)
    with pytest.raises(ValueError, match="targets must be"):
        memory_loss(estimates, estimates[:1], steps, valid, 1)
    with pytest.raises(ValueError, match="at least one valid slot"):
        memory_loss(estimates, estimates, steps, torch.zeros_like(valid), 1)
