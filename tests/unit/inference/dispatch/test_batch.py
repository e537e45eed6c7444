"""What each request of a batch gets of its answer."""

from __future__ import annotations

import numpy as np
import pytest

from inference.dispatch.batch import Batch
from inference.dispatch.coalescer import Waiting
from inference.errors import PredictionFailedError
from tests.unit.samples import VERSION, asking
from workers.messages.arrays import to_tensor
from workers.messages.protocol import PredictReply


def batch_of(*requests: Waiting) -> Batch:
    return Batch(VERSION, list(requests), sent=1.0)


def request(*rows: list[float]) -> Waiting:
    return Waiting(asking(*rows), arrived=0.5, deadline=60.0)


def reply(*outputs: list[float] | list[int] | list[bool]) -> dict[str, object]:
    tensors = {"out": to_tensor(np.array(outputs))}
    return {"status": "SUCCESS", "result": PredictReply("worker-1@here", tensors, 0.5, 0.7).to_json()}


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_an_output_that_json_cannot_say_fails_its_own_request_and_no_other(number: float) -> None:
    first, second, third = request([1.0]), request([2.0], [3.0]), request([4.0])
    batch_of(first, second, third).resolve(reply([0.5], [0.25], [number], [0.75]))

    assert isinstance(second.future.exception(0), PredictionFailedError)
    assert "not finite" in str(second.future.exception(0))
    assert first.future.result(0).result(single=True) == 0.5
    assert third.future.result(0).result(single=True) == 0.75


@pytest.mark.parametrize("outputs", [([7], [8]), ([True], [False])])
def test_outputs_that_are_no_floats_are_always_finite(outputs: tuple[list[int], list[int]]) -> None:
    only = request([1.0], [2.0])
    batch_of(only).resolve(reply(*outputs))

    assert only.future.result(0).result(single=False).tolist() == list(outputs)


def test_a_request_is_told_how_long_it_waited_and_in_what_company() -> None:
    first, second = request([1.0]), request([2.0])
    batch_of(first, second).resolve(reply([0.5], [0.25]))

    answer = second.future.result(0)
    assert (answer.queue_ms, answer.batch_rows, answer.worker) == (500.0, 2, "worker-1@here")
