"""The verdict on predictions under weight changes, which the tests of switching rely on, finds what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.predicting_clients import Made, Prediction
from tests.support.verdict import Switch, Verdict, judge, latency

FIRST, SECOND, THIRD = Made("a", 1), Made("b", 1), Made("a", 2)
#: Each switch is asked at a full second and answered half a second later.
SWITCHES = [Switch(made, second, second + 0.5) for second, made in enumerate([FIRST, SECOND, THIRD])]
OWN_ANSWERS = {FIRST: np.array([1.0, 10.0]), SECOND: np.array([2.0, 20.0]), THIRD: np.array([3.0, 30.0])}


def made(by: Made | None, sent: float, received: float, result: Any = None, body: int = 0) -> Prediction:
    """A prediction; with the named version's own answer unless `result` says otherwise."""
    if result is None:
        result = OWN_ANSWERS[by][body] if by in OWN_ANSWERS else 0.0
    return Prediction(sent, received, body, 0, by, result, "" if by else "503: Server is busy")


def verdict(*predictions: Prediction) -> Verdict:
    return judge(predictions, SWITCHES, OWN_ANSWERS)


@pytest.mark.parametrize(
    "prediction",
    [
        made(FIRST, 0.6, 0.7),
        made(FIRST, 0.6, 0.7, 10.0 + 5e-7, body=1),
        made(FIRST, 1.1, 1.2),  # the second switch is under way
        made(SECOND, 1.1, 1.2),
        made(FIRST, 1.4, 2.9),  # sent before the second switch was answered
        made(THIRD, 2.6, 9.0),
    ],
)
def test_an_answer_by_a_version_that_may_be_active_is_right(prediction: Prediction) -> None:
    assert verdict(prediction).faultless


def test_an_answer_by_a_version_that_was_replaced_before_the_request_was_sent_is_stale() -> None:
    assert len(verdict(made(FIRST, 1.6, 1.7)).stale) == 1


def test_an_answer_by_a_version_that_comes_later_is_stale() -> None:
    assert len(verdict(made(THIRD, 1.6, 1.7)).stale) == 1


def test_a_version_that_is_activated_again_may_answer_again() -> None:
    again = [*SWITCHES, Switch(FIRST, 3.0, 3.5)]
    late, early = made(FIRST, 3.6, 3.7), made(FIRST, 2.6, 2.7)
    assert judge([late], again, OWN_ANSWERS).faultless
    assert judge([early], again, OWN_ANSWERS).stale == [early]


@pytest.mark.parametrize(
    "prediction", [made(FIRST, 0.6, 0.7, 2.0), made(FIRST, 0.6, 0.7, 1.0 + 3e-6), made(Made("a", 9), 0.6, 0.7)]
)
def test_another_answer_than_the_named_versions_own_is_wrong(prediction: Prediction) -> None:
    assert verdict(prediction).wrong == [prediction]


def test_no_result_is_a_failure_and_no_prediction_at_all_is_not_faultless() -> None:
    refused = made(None, 0.6, 0.7)
    assert verdict(refused).failed == [refused]
    assert "503" in str(verdict(refused))
    assert not verdict().faultless


def test_of_two_switches_at_the_same_time_either_may_win() -> None:
    rivals = [Switch(FIRST, 0.0, 1.0), Switch(SECOND, 0.5, 1.5)]
    assert judge([made(FIRST, 2.0, 2.1), made(SECOND, 2.0, 2.1)], rivals, OWN_ANSWERS).faultless


def test_latency_counts_what_was_sent_in_its_time() -> None:
    it = latency([made(FIRST, 0.5, 1.0), made(FIRST, 1.0, 1.25), made(FIRST, 2.0, 9.0)], 0.0, 2.0)
    assert (it.count, it.per_second, it.p50_ms, it.max_ms) == (2, 1.0, 375.0, 500.0)
