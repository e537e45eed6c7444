"""Requests that wait in a server's loop."""

from __future__ import annotations

import threading
from time import monotonic

import gevent
import pytest

from gateway_site.greenlet_wakeup import GreenletWakeups
from inference.wakeup import ThreadWakeup, Wakeup


@pytest.fixture
def wakeups() -> GreenletWakeups:
    return GreenletWakeups()


def test_many_wait_at_once_and_are_woken_by_another_thread(wakeups: GreenletWakeups) -> None:
    waits = [wakeups.make() for _ in range(100)]
    waiting = [gevent.spawn(wait.wait, 10.0) for wait in waits]
    thread = threading.Timer(0.01, lambda: [wait.set() for wait in waits])
    thread.start()
    gevent.joinall(waiting, timeout=10.0)
    thread.join(10.0)

    assert [greenlet.value for greenlet in waiting] == [True] * 100


def test_one_that_is_set_before_it_waits_goes_on_at_once(wakeups: GreenletWakeups) -> None:
    wait = wakeups.make()
    wait.set()
    started = monotonic()

    assert wait.wait(10.0)
    assert monotonic() - started < 5.0


def test_one_that_is_never_set_waits_no_longer_than_asked(wakeups: GreenletWakeups) -> None:
    assert not wakeups.make().wait(0.01)


def test_a_thread_that_is_not_the_loops_waits_as_threads_do(wakeups: GreenletWakeups) -> None:
    made: list[Wakeup] = []
    thread = threading.Thread(target=lambda: made.append(wakeups.make()))
    thread.start()
    thread.join(10.0)

    assert isinstance(made[0], ThreadWakeup)
