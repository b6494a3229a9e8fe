"""One thing after another, the urgent ones first, and nothing more after the end."""

import subprocess
import sys
from threading import Event

import pytest

from av_envs.separation.device.task_queue import TaskQueue


@pytest.fixture
def queue():
    made = TaskQueue("test")
    yield made
    made.close()


def test_answers_and_errors_come_back(queue):
    assert queue.submit(pow, 2, 5).result() == 32
    with pytest.raises(ZeroDivisionError):
        queue.submit(divmod, 1, 0).result()
    assert queue.submit(pow, 2, 3).result() == 8


def test_what_is_urgent_comes_first(queue):
    go_on, done = Event(), []
    first = queue.submit(go_on.wait, 60)
    later = [queue.submit(done.append, k) for k in range(3)]
    urgent = queue.submit(done.append, "now", urgent=True)
    later[1].cancel()
    go_on.set()
    for future in (first, urgent, later[0], later[2]):
        future.result(60)
    assert done == ["now", 0, 2]


def test_closing_drops_what_waits():
    queue, go_on = TaskQueue("test"), Event()
    first = queue.submit(go_on.wait, 60)
    waiting = queue.submit(pow, 2, 5)
    go_on.set()
    queue.close()
    queue.close()
    assert first.done()
    assert waiting.cancelled() or waiting.result() == 32
    with pytest.raises(RuntimeError):
        queue.submit(pow, 2, 5)


def test_the_end_of_the_program_does_not_wait_for_the_rest():
    code = (
        "import time\n"
        "from av_envs.separation.device.task_queue import TaskQueue\n"
        "queue = TaskQueue('test')\n"
        "for _ in range(600): queue.submit(time.sleep, 0.2)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
