"""A request's answer to come."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from inference.dispatch.answer import Answer
from inference.dispatch.answer_future import AnswerFuture
from inference.errors import PredictionFailedError
from tests.unit.samples import VERSION

ANSWER = Answer(VERSION, {"sum": np.array([[1.0]])}, "worker-1@here", 1, 0.5, 0.25)
LATER = Answer(VERSION, {"sum": np.array([[2.0]])}, "worker-1@here", 1, 0.5, 0.25)


def test_it_is_waited_for_until_another_thread_ends_it() -> None:
    future = AnswerFuture()
    thread = threading.Timer(0.01, future.finish, [ANSWER])
    thread.start()

    assert future.result(timeout=10.0) is ANSWER
    thread.join(10.0)


def test_what_it_ends_with_instead_of_an_answer_is_raised() -> None:
    future, error = AnswerFuture(), PredictionFailedError("trace")
    future.finish(error)

    with pytest.raises(PredictionFailedError) as raised:
        future.result(timeout=0)
    assert raised.value is error


def test_only_the_first_outcome_counts_and_its_end_is_told_once() -> None:
    ends: list[None] = []
    future = AnswerFuture(lambda: ends.append(None))
    future.finish(ANSWER)
    future.finish(LATER)
    future.cancel()

    assert future.result(timeout=0) is ANSWER
    assert len(ends) == 1


def test_nobody_waits_longer_than_asked_and_what_comes_later_is_dropped() -> None:
    ends: list[None] = []
    future = AnswerFuture(lambda: ends.append(None))

    with pytest.raises(TimeoutError):
        future.result(timeout=0.01)
    future.finish(ANSWER)
    assert future.done()
    assert len(ends) == 1


def test_of_many_that_end_it_at_once_one_does() -> None:
    for _ in range(50):
        ends: list[None] = []
        future, barrier = AnswerFuture(lambda ends=ends: ends.append(None)), threading.Barrier(4)

        def end(future: AnswerFuture = future, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(10.0)
            future.finish(ANSWER)

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert future.result(timeout=10.0) is ANSWER
        for thread in threads:
            thread.join(10.0)
        assert len(ends) == 1
