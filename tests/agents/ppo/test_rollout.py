"""What is written is dealt out once, in equal parts and whole sequences."""

import pytest
import torch

from av_envs.agents.ppo.rollout import Rollout, Storage, minibatches

T, N = 3, 6


def numbered() -> Rollout:
    """Every number is its environment, but for the states."""
    grid = torch.arange(N).expand(T, N)
    names = ("actions", "log_probs", "values", "rewards", "starts", "dones", "final_values")
    return Rollout(
        features={"seen": grid[..., None].clone()},
        labels={"truth": grid.clone()},
        **{name: grid.clone() for name in (*names, "valid")},
        last_value=torch.arange(N),
        state=torch.arange(N)[:, None],
    )


@pytest.mark.parametrize("count", [1, 2, 3, 6], ids=str)
def test_every_environment_is_dealt_out_once(count):
    torch.manual_seed(0)
    rollout = numbered()
    dealt = list(minibatches(rollout, rollout.rewards, rollout.values, count))
    assert len(dealt) == count
    seen = []
    for batch in dealt:
        mine = batch.state[:, 0]
        assert len(mine) == N // count
        for tensor in (batch.actions, batch.advantages, batch.returns, batch.labels["truth"]):
            assert torch.equal(tensor, mine.expand(T, -1))
        assert torch.equal(batch.features["seen"], mine.expand(T, -1)[..., None])
        seen += mine.tolist()
    assert sorted(seen) == list(range(N))
    assert (seen != list(range(N))) == (count > 1)


def test_the_whole_is_not_copied():
    rollout = numbered()
    (batch,) = minibatches(rollout, rollout.rewards, rollout.values, 1)
    assert batch.features["seen"] is rollout.features["seen"]


def test_unequal_parts_are_refused():
    rollout = numbered()
    with pytest.raises(ValueError, match="6 environments cannot be dealt out to 4 equal"):
        next(minibatches(rollout, rollout.rewards, rollout.values, 4))


def test_storage_keeps_copies_and_is_used_again():
    storage, row = Storage(2), torch.zeros(N)
    for t in range(2):
        row += 1
        storage.write(t, {"row": row})
    first = storage.rows(2)["row"]
    assert first[:, 0].tolist() == [1, 2]
    storage.write(0, {"row": row + 5})
    assert first[0, 0] == 7
    assert storage.rows(1)["row"].shape == (1, N)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"row": torch.zeros(1)}, r"'row' was \(6,\) of torch.float32, at step 1 it is \(1,\)"),
        ({"row": torch.zeros(N).double()}, "it is .* of torch.float64"),
        ({"other": torch.zeros(N)}, "every step must have row; step 1 has other"),
    ],
    ids=["shape", "type", "name"],
)
def test_other_rows_are_refused(row, words):
    storage = Storage(2)
    storage.write(0, {"row": torch.zeros(N)})
    with pytest.raises(ValueError, match=words):
        storage.write(1, row)
