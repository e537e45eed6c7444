"""What each request of a batch gets of its answer."""

from __future__ import annotations

import numpy as np
import pytest

from inference.dispatch.answer import Answer
from inference.dispatch.batch import Batch
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.waiting import Waiting
from inference.errors import PredictionFailedError
from tests.unit.inference.dispatch.waiting_samples import waiting
from tests.unit.samples import VERSION, asking
from workers.messages.arrays import to_tensor
from workers.messages.message import ProtocolError
from workers.messages.protocol import PredictReply


def answer(message: object, *requests: Waiting) -> None:
    """The requests travelled together, and a worker says so of them."""
    batch = Batch(list(requests), version=VERSION, sent=1.0)
    batch.finish(batch.outcomes(message))


def request(*rows: list[float], deadline: float = 60.0) -> Waiting:
    return waiting(asking(*rows), arrived=0.5, deadline=deadline)


def answer_to(request: Waiting) -> Answer:
    outcome = request.future.result()
    assert isinstance(outcome, Answer)
    return outcome


def reply(*outputs: list[float] | list[int] | list[bool]) -> dict[str, object]:
    tensors = {"out": to_tensor(np.array(outputs))}
    return {"status": "SUCCESS", "result": PredictReply("worker-1@here", tensors, 0.5, 0.7).to_json()}


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_an_output_that_json_cannot_say_fails_its_own_request_and_no_other(number: float) -> None:
    first, second, third = request([1.0]), request([2.0], [3.0]), request([4.0])
    answer(reply([0.5], [0.25], [number], [0.75]), first, second, third)

    assert isinstance(second.future.result(), PredictionFailedError)
    assert "not finite" in str(second.future.result())
    assert answer_to(first).result(single=True) == 0.5
    assert answer_to(third).result(single=True) == 0.75


def test_who_is_not_answered_in_json_gets_every_number() -> None:
    only = request([1.0], [2.0])
    only.asked.in_json = False
    answer(reply([np.nan], [-np.inf]), only)

    assert np.array_equal(answer_to(only).outputs["out"], [[np.nan], [-np.inf]], equal_nan=True)


@pytest.mark.parametrize("outputs", [([7], [8]), ([True], [False])])
def test_outputs_that_are_no_floats_are_always_finite(outputs: tuple[list[int], list[int]]) -> None:
    only = request([1.0], [2.0])
    answer(reply(*outputs), only)

    assert answer_to(only).result(single=False).tolist() == list(outputs)


def test_texts_of_several_requests_travel_together_and_each_gets_its_own() -> None:
    asked = [
        PredictInput({"": to_tensor(np.array(texts, object))}, len(texts) == 1) for texts in (["a"], ["bb\0", "😀"])
    ]
    one, two = (waiting(each, arrived=0.5, deadline=60.0) for each in asked)
    sent = Batch([one, two], version=VERSION, sent=1.0).message()
    echoed = PredictReply("worker-1@here", {"out": sent.inputs[""]}, 0.5, 0.7).to_json()
    answer({"status": "SUCCESS", "result": echoed}, one, two)

    assert (answer_to(one).result(single=True), answer_to(two).result(single=False)) == ("a", ["bb\0", "😀"])
    assert answer_to(one).size_bytes == 9
    assert answer_to(two).size_bytes == 20


def test_a_request_is_told_how_long_it_waited_and_in_what_company() -> None:
    first, second = request([1.0]), request([2.0])
    answer(reply([0.5], [0.25]), first, second)

    got = answer_to(second)
    assert (got.queue_ms, got.batch_rows, got.worker) == (500.0, 2, "worker-1@here")


def test_what_is_read_of_an_answer_ends_no_request_before_it_is_told() -> None:
    """It is read in another thread than that of the requests."""
    first, second = request([1.0]), request([2.0])
    batch = Batch([first, second], version=VERSION, sent=1.0)

    outcomes = batch.outcomes(reply([0.5], [0.25]))
    assert not first.future.done()
    assert not second.future.done()

    batch.finish(outcomes)
    assert [answer_to(each).result(single=True) for each in (first, second)] == [0.5, 0.25]


def test_an_answer_to_a_batch_that_has_not_been_sent_is_none() -> None:
    with pytest.raises(ProtocolError, match="has not been sent"):
        Batch([request([1.0])]).outcomes(reply([0.5]))


def test_a_batch_is_waited_for_as_long_as_the_most_patient_of_its_requests() -> None:
    assert Batch([request([1.0], deadline=7.0), request([1.0], deadline=9.0), request([1.0])][:2]).deadline == 9.0
