"""Requests that wait in a server's loop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from time import monotonic

import gevent
import pytest

from gateway_site.greenlet_loop import READ_REQUESTS, READ_SECONDS, GreenletLoop
from inference.dispatch.server_loop import ThreadWakeup, Wakeup


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


def serve(loop: GreenletLoop, count: int, act: Callable[[], None]) -> None:
    """So many requests are read, one after the other, without a pause in which the loop could do anything else."""
    for _ in range(count):
        loop.when_all_read(act)


def test_requests_that_arrive_together_are_told_of_once_when_the_loop_has_read_them(loop: GreenletLoop) -> None:
    told: list[None] = []
    readers = [gevent.spawn(serve, loop, 10, lambda: told.append(None)) for _ in range(3)]
    gevent.joinall(readers, timeout=10.0)
    assert told == []
    gevent.sleep(0.01)

    assert len(told) == 1


def test_the_next_ones_are_told_of_again(loop: GreenletLoop) -> None:
    told: list[None] = []
    for _ in range(3):
        serve(loop, 1, lambda: told.append(None))
        gevent.sleep(0.01)

    assert len(told) == 3


@pytest.mark.parametrize(("count", "times"), [(READ_REQUESTS - 1, 0), (READ_REQUESTS, 1), (2 * READ_REQUESTS, 2)])
def test_a_loop_that_is_never_done_keeps_no_more_than_so_many(loop: GreenletLoop, count: int, times: int) -> None:
    told: list[None] = []
    serve(loop, count, lambda: told.append(None))

    assert len(told) == times


def test_a_loop_that_is_never_done_keeps_none_for_long(loop: GreenletLoop) -> None:
    told: list[None] = []
    readable, other = socket.socketpair()
    other.sendall(b"x")
    busy = gevent.get_hub().loop.io(readable.fileno(), 1)
    busy.start(lambda: None)  # nobody reads it, so there is always something to do
    started = monotonic()
    try:
        for times in (1, 2, 3):
            serve(loop, 1, lambda: told.append(None))
            assert len(told) == times - 1
            while len(told) < times and monotonic() - started < 10.0:
                gevent.sleep(0.001)
    finally:
        busy.close()
        readable.close()
        other.close()

    assert len(told) == 3
    assert monotonic() - started >= 3 * READ_SECONDS * 0.5


def test_a_thread_that_is_not_the_loops_is_told_at_once(loop: GreenletLoop) -> None:
    told: list[None] = []
    thread = threading.Thread(target=serve, args=[loop, 2, lambda: told.append(None)])
    thread.start()
    thread.join(10.0)

    assert len(told) == 2
