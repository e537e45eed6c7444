"""A request that waits: it ends once."""

from __future__ import annotations

import numpy as np
import pytest

from inference.dispatch.waiting import ENDED_SECONDS, Outcome
from inference.errors import ClientGoneError, PredictionFailedError
from tests.unit.inference.dispatch.waiting_samples import waiting
from tests.unit.samples import answer_with, asking

ANSWER = answer_with({"sum": np.array([[1.0]])})
LATER = answer_with({"sum": np.array([[2.0]])})
ASKED = asking([0.5, 0.25])


@pytest.mark.parametrize("first", [ANSWER, PredictionFailedError("trace")], ids=["answer", "error"])
def test_only_the_first_outcome_counts(first: Outcome) -> None:
    request = waiting(ASKED)
    request.finish(first)
    request.finish(LATER)
    request.finish(PredictionFailedError("later"))
    request.future.cancel()

    assert request.future.result() is first


def test_what_comes_after_it_was_given_up_is_dropped() -> None:
    request = waiting(ASKED)
    request.future.cancel()
    request.finish(ANSWER)

    assert request.future.cancelled()


def test_nobody_waits_for_what_has_ended_or_was_given_up() -> None:
    waits, ended, given_up = (waiting(ASKED) for _ in range(3))
    ended.finish(ANSWER)
    given_up.future.cancel()

    assert [request.is_given_up(0.0) for request in (waits, ended, given_up)] == [False, True, True]


def test_whether_its_client_has_ended_its_side_is_asked_when_it_has_waited_long() -> None:
    asked: list[bool] = []
    request = waiting(ASKED, client_has_ended=lambda: not asked.append(True))

    assert not request.is_given_up(ENDED_SECONDS)
    assert asked == []
    assert request.is_given_up(ENDED_SECONDS + 0.01)
    assert isinstance(request.future.result(), ClientGoneError)
    assert request.is_given_up(ENDED_SECONDS + 0.02)
    assert len(asked) == 1, "it has ended"


def test_one_that_is_to_travel_alone_is_the_same_request() -> None:
    request = waiting(ASKED)
    alone = request.to_travel_alone()
    alone.finish(ANSWER)

    assert (alone.asked, alone.arrived, alone.deadline) == (ASKED, request.arrived, request.deadline)
    assert (request.alone, alone.alone) == (False, True)
    assert request.future.result() is ANSWER
