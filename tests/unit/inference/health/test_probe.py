"""A question that may take long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from inference.health.probe import Probe
from tests.support.waiting import wait_until


class Question:
    """Counts how often it is asked; answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.asked += 1
        assert self.may_answer.wait(30)
        if self.error:
            raise self.error
        return self.asked


def test_the_answer_is_the_answer() -> None:
    assert Probe("a test", lambda: "yes").answer(5) == "yes"


def test_a_young_answer_is_not_asked_for_again_and_an_old_one_is() -> None:
    asking = Question()
    young, old = Probe("a test", asking, fresh_seconds=60), Probe("a test", asking, fresh_seconds=0)

    assert [young.answer(5), young.answer(5)] == [1, 1]
    assert [old.answer(5), old.answer(5)] == [2, 3]


def test_many_who_want_to_know_ask_once() -> None:
    asking = Question()
    asking.may_answer.clear()
    probe = Probe("a test", asking)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(probe.answer, 10) for _ in range(8)]
        wait_until(lambda: asking.asked == 1, 5, "it is asked")
        asking.may_answer.set()

        assert [each.result() for each in waiting] == [1] * 8


def test_what_asking_raises_is_heard() -> None:
    asking = Question()
    asking.error = OSError("no such host")

    with pytest.raises(OSError, match="no such host"):
        Probe("a test", asking).answer(5)


def test_an_answer_that_is_overdue_is_waited_for_by_the_first_only() -> None:
    asking = Question()
    asking.may_answer.clear()
    probe = Probe("a test", asking, fresh_seconds=0)
    with pytest.raises(TimeoutError):
        probe.answer(0.2)

    began = monotonic()
    with pytest.raises(TimeoutError):
        probe.answer(0.2)

    assert monotonic() - began < 0.1
    assert asking.asked == 1
    asking.may_answer.set()
    wait_until(lambda: probe.answer(5) > 1, 5, "it is asked again")


def test_a_thread_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe("a test", lambda: "yes")

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            probe.answer(0.1)

    assert probe.answer(5) == "yes"
