"""The driver of all vector environments, with counters in place of environments."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from av_envs.vector.autoreset import Autoreset, Played


class Counters:
    """Environments that count; number i ends its episode by itself after `lengths[i]` steps."""

    def __init__(self, *lengths: int):
        self.lengths = lengths
        self.rows = {"t": np.zeros((len(lengths), 1), int)}  # written over, as observations may be
        self.calls: list[tuple[dict, dict]] = []

    def play(self, begin: dict, move: dict) -> dict[int, Played]:
        self.calls.append((dict(begin), dict(move)))
        played = {}
        for i in {**begin, **move}:
            row = self.rows["t"][i]
            row[:] = 0 if i in begin else row + 1
            over, info = bool(row[0] == self.lengths[i]), {"t": np.float32(row[0])}
            played[i] = Played({"t": row}, float(row[0]), over, False, info)
        return played


def driven(mode: str, *lengths: int, limit: int | None = None) -> tuple[Autoreset, Counters]:
    autoreset, counters = Autoreset(len(lengths), mode, limit), Counters(*lengths)
    autoreset.reset(5, {"house": 1}, counters.play)
    return autoreset, counters


def test_a_reset_hands_out_seeds_and_options():
    _, counters = driven("NextStep", 9, 9, 9)
    begin, move = counters.calls[0]
    assert begin == {0: (5, {"house": 1}), 1: (6, {"house": 1}), 2: (7, {"house": 1})}
    assert move == {}


def test_next_step_begins_in_the_step_after_and_ignores_its_action():
    autoreset, counters = driven("NextStep", 1, 9)
    assert autoreset.step(["a", "b"], counters.play).terminated().tolist() == [True, False]
    made = autoreset.step(["c", "d"], counters.play)
    assert counters.calls[-1] == ({0: (None, {})}, {1: "d"})
    assert made.rewards().tolist() == [0, 2]
    assert not made.terminated().any()
    assert autoreset.elapsed.tolist() == [0, 2]


def test_same_step_returns_the_next_start_and_what_the_old_episode_ended_with():
    autoreset, counters = driven("SameStep", 2, 9)
    assert autoreset.step("ab", counters.play).infos().keys() == {"t", "_t"}
    made = autoreset.step("ab", counters.play)
    assert made.rewards().tolist() == [2, 2]
    assert made.terminated().tolist() == [True, False]
    assert [one.observation["t"].tolist() for one in made.played] == [[0], [2]]
    infos = made.infos()
    assert infos["final_obs"][0]["t"].tolist() == [2]
    assert infos["final_obs"][1] is None
    assert infos["final_info"]["t"].tolist() == [2, 0]
    assert infos["t"].tolist() == [0, 2]
    for key in ("_final_obs", "_final_info"):
        assert infos[key].tolist() == [True, False]
    assert not autoreset.is_over.any()


def test_disabled_waits_for_a_reset_of_what_is_over():
    autoreset, counters = driven("Disabled", 1, 9)
    autoreset.step("ab", counters.play)
    with pytest.raises(ResetNeeded, match=r"the episodes \[0\] are over"):
        autoreset.step("ab", counters.play)
    begun = autoreset.reset(None, {"reset_mask": np.array([True, False])}, counters.play)
    assert list(begun) == [0]
    assert autoreset.step("ab", counters.play).rewards().tolist() == [1, 2]


@pytest.mark.parametrize("mode", [mode.value for mode in AutoresetMode])
def test_a_limit_truncates(mode):
    autoreset, counters = driven(mode, 9, 2, limit=2)
    assert not autoreset.step("ab", counters.play).truncated().any()
    made = autoreset.step("ab", counters.play)
    assert made.truncated().all()
    assert made.terminated().tolist() == [False, True]


def test_before_the_first_reset_there_is_no_step():
    counters = Counters(9, 9)
    with pytest.raises(ResetNeeded, match="call reset"):
        Autoreset(2, "NextStep").step("ab", counters.play)
    with pytest.raises(ResetNeeded, match="of all environments"):
        Autoreset(2, "NextStep").reset(0, {"reset_mask": np.array([True, False])}, counters.play)
    assert not counters.calls


def test_what_raises_changes_nothing():
    autoreset, counters = driven("NextStep", 1, 9)
    autoreset.step("ab", counters.play)

    def broken(begin: dict, move: dict) -> dict:
        raise OSError("disk")

    for call in (lambda: autoreset.step("ab", broken), lambda: autoreset.reset(1, {}, broken)):
        with pytest.raises(OSError, match="disk"):
            call()
    assert autoreset.is_over.tolist() == [True, False]
    assert autoreset.elapsed.tolist() == [1, 1]


@pytest.mark.parametrize("limit", [0, -1, 1.5, True])
def test_a_limit_is_a_count(limit):
    with pytest.raises(ValueError, match="max_episode_steps must be a whole number from 1 on"):
        Autoreset(2, "NextStep", limit)
