"""What waits for a thread is bounded."""

from __future__ import annotations

import threading

import pytest

from workers.consuming import bounded_threads
from workers.consuming.bounded_threads import BoundedThreads
from workers.messages.refusals import refusals


def test_more_than_may_wait_are_refused_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_threads, "WAITING_MAX", 2)
    threads, go_on, done = BoundedThreads(1, "few"), threading.Event(), []
    before = refusals.count

    threads.call(go_on.wait)
    for number in range(3):
        threads.call(done.append, number)
    go_on.set()
    threads.stop(wait=True)

    assert done == [0]
    assert refusals.count == before + 2


def test_those_that_have_been_stopped_do_nothing_more() -> None:
    threads = BoundedThreads(1, "few")
    threads.stop(wait=True)
    before = refusals.count
    for _ in range(2 * bounded_threads.WAITING_MAX):
        threads.call(pytest.fail)
    assert refusals.count == before
