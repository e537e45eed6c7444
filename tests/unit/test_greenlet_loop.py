"""Requests that wait in a server's loop."""

from __future__ import annotations

import threading
from time import monotonic

import gevent
import pytest

from gateway_site.greenlet_loop import GreenletLoop
from inference.server_loop import ThreadWakeup, Wakeup


@pytest.fixture
def loop() -> GreenletLoop:
    return GreenletLoop()


def test_many_wait_at_once_and_are_woken_by_another_thread(loop: GreenletLoop) -> None:
    waits = [loop.new_wakeup() for _ in range(100)]
    waiting = [gevent.spawn(wait.wait, 10.0) for wait in waits]
    thread = threading.Timer(0.01, lambda: [wait.set() for wait in waits])
    thread.start()
    gevent.joinall(waiting, timeout=10.0)
    thread.join(10.0)

    assert [greenlet.value for greenlet in waiting] == [True] * 100


def test_one_that_is_set_before_it_waits_goes_on_at_once(loop: GreenletLoop) -> None:
    wait = loop.new_wakeup()
    wait.set()
    started = monotonic()

    assert wait.wait(10.0)
    assert monotonic() - started < 5.0


def test_one_that_is_never_set_waits_no_longer_than_asked(loop: GreenletLoop) -> None:
    assert not loop.new_wakeup().wait(0.01)


def test_a_thread_that_is_not_the_loops_waits_as_threads_do(loop: GreenletLoop) -> None:
    made: list[Wakeup] = []
    thread = threading.Thread(target=lambda: made.append(loop.new_wakeup()))
    thread.start()
    thread.join(10.0)

    assert isinstance(made[0], ThreadWakeup)
