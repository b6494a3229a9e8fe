"""Memories that run along with environments are those that were trained."""

import pytest
import torch

from av_envs.agents.separation.networks.memory import (
    MemoryConfig,
    RecurrentRefiner,
    TransformerMemory,
)
from av_envs.agents.separation.refining import RefinesRecurrently, RefinesWithTransformer

TINY = MemoryConfig(channels=1, layers=1, heads=2, hidden=16, output="residual")
CLOSE = {"atol": 1e-5, "rtol": 1e-4}


def memory() -> TransformerMemory:
    torch.manual_seed(0)
    made = TransformerMemory(TINY).eval()
    torch.nn.init.normal_(made.grow[1].weight, std=0.3)  # as if trained
    return made


def estimates(seconds: int, n: int = 1) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.rand(seconds, n, 512, 32)


def played(refiner, heard: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """(T, N, 512, 32) of (T, N, 512, 32) and (T, N) bool."""
    steps, refined = torch.zeros(starts.shape[1], dtype=torch.long), []
    for estimate, start in zip(heard, starts, strict=True):
        steps = torch.where(start, 0, steps + 1)
        refined.append(refiner.refine(estimate, steps, start).clone())
    return torch.stack(refined)


def starts_at(seconds: int, *firsts: tuple[int, ...]) -> torch.Tensor:
    """(T, N) bool: the seconds in which episodes of each environment begin."""
    made = torch.zeros(seconds, len(firsts), dtype=torch.bool)
    for n, those in enumerate(firsts):
        made[list(those), n] = True
    return made


REFINERS = {
    "transformer": lambda: RefinesWithTransformer(memory(), 10),
    "short transformer": lambda: RefinesWithTransformer(memory(), 3),
    "recurrent": lambda: RefinesRecurrently(RecurrentRefiner(4)),
}


@pytest.fixture(params=REFINERS)
def make(request):
    def made():
        torch.manual_seed(2)
        return REFINERS[request.param]()

    return made


def test_environments_out_of_step_do_not_disturb_each_other(make):
    heard = estimates(6, 3)
    starts = starts_at(6, (0,), (0, 2), (0, 3, 4))
    together = played(make(), heard, starts)
    for n in range(3):
        alone = played(make(), heard[:, n : n + 1], starts[:, n : n + 1])
        torch.testing.assert_close(together[:, n], alone[:, 0], **CLOSE)


def test_an_episode_knows_nothing_of_the_one_before(make):
    heard = estimates(6)
    heard[0] = torch.nan
    refined = played(make(), heard, starts_at(6, (0, 2)))
    fresh = played(make(), heard[2:], starts_at(4, (0,)))
    torch.testing.assert_close(refined[2:], fresh, **CLOSE)


def test_another_number_of_environments_begins_anew(make):
    refiner = make()
    played(refiner, estimates(2, 3), starts_at(2, (0,), (0,), (0,)))
    heard = estimates(2)
    again = played(refiner, heard, starts_at(2, (0,)))
    torch.testing.assert_close(again, played(make(), heard, starts_at(2, (0,))), **CLOSE)


def test_the_past_matters_within_an_episode(make):
    heard = estimates(3)
    other = heard.clone()
    other[0] += 1
    one, two = (played(make(), each, starts_at(3, (0,))) for each in (heard, other))
    assert (one[1] - two[1]).abs().max() > 1e-4


def test_hindsight_is_the_memory_over_the_whole_episode():
    heard, refiner = estimates(5), RefinesWithTransformer(memory(), 10)
    refined = played(refiner, heard, starts_at(5, (0,)))
    whole = heard.transpose(0, 1)
    valid = torch.ones(1, 5, dtype=torch.bool)
    with torch.no_grad():
        expected = memory()(whole, torch.arange(5)[None], valid)
    torch.testing.assert_close(refiner.hindsight(), expected, **CLOSE)
    torch.testing.assert_close(refined[-1], expected[:, -1], **CLOSE)


def test_hindsight_reaches_as_far_as_the_memory():
    heard, refiner = estimates(5), RefinesWithTransformer(memory(), 3)
    played(refiner, heard, starts_at(5, (0,)))
    with torch.no_grad():
        valid = torch.ones(1, 3, dtype=torch.bool)
        expected = memory()(heard[2:].transpose(0, 1), torch.tensor([[2, 3, 4]]), valid)
    torch.testing.assert_close(refiner.hindsight(), expected, **CLOSE)


def test_hindsight_of_the_younger_is_zero_before_it_began():
    refiner = RefinesWithTransformer(memory(), 10)
    played(refiner, estimates(5, 2), starts_at(5, (0,), (0, 3)))
    found = refiner.hindsight()
    assert found.shape == (2, 5, 512, 32)
    assert not found[1, :3].any()
    assert found[1, 3:].abs().amax((1, 2)).all()


def test_recurrence_reads_what_it_said_a_second_ago():
    torch.manual_seed(2)
    network = RecurrentRefiner(4)
    heard = estimates(2)
    refined = played(RefinesRecurrently(network), heard, starts_at(2, (0,)))
    with torch.no_grad():
        first = network(heard[0], torch.zeros_like(heard[0]))
        torch.testing.assert_close(refined[0], first)
        torch.testing.assert_close(refined[1], network(heard[1], first))


@pytest.mark.parametrize("look_back", [0, 1, 3, 4, 9])
def test_hindsight_of_some_seconds_is_the_memory_as_it_was_then(look_back):
    heard, n = estimates(5, 2), 5
    starts = starts_at(n, (0,), (0, 2))
    refiner = RefinesWithTransformer(memory(), 10)
    known = []  # after every second
    for now in range(1, n + 1):
        one = RefinesWithTransformer(memory(), 10)
        played(one, heard[:now], starts[:now])
        known.append(one.hindsight())
    played(refiner, heard, starts)
    expected = [known[min(k + look_back, n - 1)][:, k] for k in range(n)]
    expected[0][1], expected[1][1] = 0.0, 0.0  # of the episode before
    found = refiner.hindsight_within(look_back)
    torch.testing.assert_close(found, torch.stack(expected, dim=1), **CLOSE)


def test_hindsight_of_some_seconds_reaches_as_far_as_the_memory():
    refiner = RefinesWithTransformer(memory(), 3)
    played(refiner, estimates(5), starts_at(5, (0,)))
    torch.testing.assert_close(refiner.hindsight_within(9), refiner.hindsight(), **CLOSE)
    assert refiner.hindsight_within(0).shape == (1, 3, 512, 32)
