"""One pool of threads for all rooms."""

import threading
import time

import pytest

from av_envs.threads import available_cores, in_threads


def test_answers_come_in_order():
    assert in_threads(lambda item: item**2, range(20), 3) == [item**2 for item in range(20)]
    assert available_cores() >= 1


def test_one_worker_is_the_caller():
    assert in_threads(lambda item: threading.current_thread(), range(2), 1) == (
        [threading.current_thread()] * 2
    )


def test_pools_may_wait_for_each_other():
    """Work in one pool that waits for threads of another does not block them."""

    def outer(item: int) -> int:
        return sum(in_threads(lambda inner: inner * item, range(3), 2, "inner"))

    assert in_threads(outer, range(8), 2, "outer") == [3 * item for item in range(8)]


def test_an_error_is_raised_after_all_are_finished():
    done = []

    def work(item: int) -> None:
        if item == 0:
            raise ValueError("the first")
        time.sleep(0.01)
        done.append(item)

    with pytest.raises(ValueError, match="the first"):
        in_threads(work, range(20), 2)
    assert sorted(done) == list(range(1, 20))
